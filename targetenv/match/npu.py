"""Rules for AMD's AI engines and Habana's Gaudi."""

from __future__ import annotations

from targetenv.match.answer import NO, decided
from targetenv.registry import npu

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.model.capabilities import Capabilities


def runs(code: str, offers: Capabilities) -> Answer:
    """Whether the device runs code for `code`: an array of the same kind with as many columns; for Habana the same generation.

    >>> from targetenv.model.capabilities import Capabilities
    >>> runs("npu1_2col", Capabilities("aie", isa="npu1_4col"))[:2]
    (<Outcome.SATISFIED: 'satisfied'>, 'device offers npu1_4col, 4 columns')
    """
    device = offers.isa or ""
    arrays = npu.aie_devices()
    built, there = arrays.get(code), arrays.get(device)
    if built is None or there is None:
        by = "aie.array" if built or there else "habana.generation" if offers.api == "habana" else "isa.same"
        return decided(code == device), f"device offers {device}", by
    offered = f"device offers {device}, {_columns(there)} columns"
    if code == device:
        return decided(True), offered, "aie.array"
    if _shape(built) != _shape(there) or not built.partition:
        return NO, offered, "aie.array"
    return decided(_columns(built) <= _columns(there)), offered, "aie.array"


def contains(code: str, other: str) -> bool:
    """Whether every array that runs `code` runs `other`, which needs no more columns of the same kind of array."""
    arrays = npu.aie_devices()
    one, two = arrays.get(code), arrays.get(other)
    if one is None or two is None or not one.partition or not two.partition:
        return False
    return _shape(one) == _shape(two) and _columns(one) >= _columns(two)


def _columns(array: npu.AieDevice) -> int:
    return array.partition or array.columns


def _shape(array: npu.AieDevice) -> tuple[object, ...]:
    """Everything about an array but how many of its columns are taken."""
    return (array.arch, array.columns, array.rows, array.core_rows, array.memory_rows, array.memory_tile, array.core_data)
