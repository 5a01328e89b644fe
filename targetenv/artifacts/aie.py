"""What code for AMD's AI engines needs of an array, from the registers that it writes: `column << 25 | row << 20 | offset`."""

from __future__ import annotations

from targetenv.model.record import record
from targetenv.model.requirement import NeedsLimit, NeedsUnknown, Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.model.requirement import Requirement

COLUMNS, ROWS, MEMORY_ROWS = "aie::columns", "aie::rows", "aie::memoryTileRows"
GENERATION = NeedsUnknown("which generation of AI engines this is for: its bytes do not say")
_COLUMN_SHIFT, _ROW_SHIFT = 25, 20
_ARRAY = 1 << 32  # an array's registers are 4 GiB apart from everything else, at whatever base


@record
class Extent:
    """The columns and rows, counted from the partition's first, that some code reaches; (0, 0) reaches none."""

    columns: int = 0
    rows: int = 0

    @classmethod
    def of(cls, addresses: Iterable[int]) -> Extent:
        """What these register addresses reach.

        >>> Extent.of([0x02232000, 0x00001000])
        Extent(columns=2, rows=3)
        """
        columns = rows = 0
        for address in addresses:
            address %= _ARRAY
            columns = max(columns, (address >> _COLUMN_SHIFT) + 1)
            rows = max(rows, (address >> _ROW_SHIFT & 31) + 1)
        return cls(columns, rows)

    def requirements(self) -> tuple[Requirement, ...]:
        """The array must have at least these."""
        needs = ((COLUMNS, self.columns), (ROWS, self.rows))
        return tuple(NeedsLimit(name, Relation.AT_LEAST, count) for name, count in needs if count)


def merged(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
    """Each once; of one limit only the highest."""
    highest: dict[str, int] = {}
    kept: dict[object, Requirement] = {}
    for need in requirements:
        if isinstance(need, NeedsLimit) and need.relation is Relation.AT_LEAST and isinstance(need.value, int):
            highest[need.name] = max(highest.get(need.name, 0), need.value)
            kept[need.name] = NeedsLimit(need.name, Relation.AT_LEAST, highest[need.name])
        else:
            kept[need] = need
    return tuple(kept.values())
