"""What each executable format costs a device before it runs: nothing, or a compilation."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Kind:
    """How far a format is from what the hardware executes; a lower `cost` wins. `phrase` completes "this variant ..."."""

    cost: int
    phrase: str


NATIVE = Kind(0, "is native code")
INTERMEDIATE = Kind(2, "is compiled by the driver when it is loaded")
SOURCE = Kind(3, "is compiled from source when it is loaded")
UNRANKED = Kind(1, "is of a format without a rank")

_KINDS = {
    "elf-x86_64": NATIVE,
    "elf-aarch64": NATIVE,
    "cubin": NATIVE,
    "hsaco": NATIVE,
    "xclbin": NATIVE,
    "spirv": INTERMEDIATE,
    "ptx": INTERMEDIATE,
    "opencl-c": SOURCE,
}


def kind_of(executable_format: str) -> Kind:
    """The row for a format.

    >>> kind_of("cubin").cost < kind_of("ptx").cost
    True
    """
    return _KINDS.get(executable_format, UNRANKED)
