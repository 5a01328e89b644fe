"""Sizes that follow from arguments: `1024`, `x.size`, `a.shape[0]`."""

from __future__ import annotations

import re

from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT = re.compile(r"([A-Za-z_]\w*)\.(?:size|shape\[(\d)\])", re.ASCII)
FORMS = "an integer, `NAME.size` or `NAME.shape[I]`"


@record
class Extent:
    """An integer (`name` is None), the number of elements of a binding (`axis` is None), or its length along one axis.

    >>> shapes = {"a": (3, 5)}
    >>> [Extent.parse(text).evaluate(shapes) for text in ("a.shape[1]", "a.size", 7)]
    [5, 15, 7]
    """

    name: str | None = None
    axis: int | None = None
    value: int = 0

    @classmethod
    def parse(cls, text: str | int) -> Extent:
        """Read one of the three forms; anything else is a ValueError that says so."""
        if isinstance(text, int):
            if isinstance(text, bool) or not 0 <= text < 1 << 63:
                raise ValueError(f"`{text}` is not a size")
            return cls(None, None, text)
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"`{text[:80]}` is not {FORMS}")
        return cls(found[1], None if found[2] is None else int(found[2]))

    def evaluate(self, shapes: Mapping[str, tuple[int, ...]]) -> int:
        """The size for these argument shapes; a name that is not among them is a KeyError, a missing axis an IndexError."""
        if self.name is None:
            return self.value
        shape = shapes[self.name]
        if self.axis is not None:
            return shape[self.axis]
        product = 1
        for length in shape:
            product *= length
        return product
