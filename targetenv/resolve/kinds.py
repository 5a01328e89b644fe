"""How far an executable is from what the hardware runs: native code, code for a family, or something still to be compiled."""

from __future__ import annotations

from targetenv.model.formats import file_format
from targetenv.model.record import record
from targetenv.model.requirement import NeedsIsa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.artifact import Artifact


@record
class Kind:
    """How far a format is from what the hardware executes; a lower `cost` wins. `phrase` completes "this variant ...".

    `at_load` says that it is compiled when it is loaded; of a format without a rank nobody knows that it is not.
    """

    name: str
    cost: int
    phrase: str
    at_load: bool = False


NATIVE = Kind("native", 0, "is native code")
FAMILY = Kind("family", 1, "is native code for a whole family of processors")
UNRANKED = Kind("unranked", 2, "is of a format without a rank", at_load=True)
INTERMEDIATE = Kind("jit", 3, "is compiled by the driver when it is loaded", at_load=True)
SOURCE = Kind("source", 4, "is compiled from source when it is loaded", at_load=True)
INTERPRETED = Kind("interpreted", 5, "is interpreted")
KINDS = (NATIVE, FAMILY, UNRANKED, INTERMEDIATE, SOURCE, INTERPRETED)

_KINDS = {
    "elf-x86_64": NATIVE,
    "elf-aarch64": NATIVE,
    "cubin": NATIVE,
    "hsaco": NATIVE,
    "aie-elf": NATIVE,
    "pdi": NATIVE,
    "pdir": NATIVE,
    "tpc": NATIVE,
    "xclbin": NATIVE,
    "metallib": INTERMEDIATE,
    "spirv": INTERMEDIATE,
    "ptx": INTERMEDIATE,
    "msl": SOURCE,
    "opencl-c": SOURCE,
    "vmvx": INTERPRETED,
}


def kind_of(executable_format: str) -> Kind:
    """The kind of a format.

    >>> kind_of("cubin").cost < kind_of("ptx").cost
    True
    """
    return _KINDS.get(file_format(executable_format), UNRANKED)


def kind_of_artifact(artifact: Artifact) -> Kind:
    """The kind of one executable: native code for a family is not as near as code for one processor.

    >>> from targetenv.model.artifact import Artifact
    >>> kind_of_artifact(Artifact("a", "hsaco", "", (NeedsIsa("gfx11-generic"),))).name
    'family'
    """
    kind = kind_of(artifact.format)
    if kind is NATIVE and any(isinstance(need, NeedsIsa) and _is_family(need.isa) for need in artifact.requires):
        return FAMILY
    return kind


def _is_family(isa: str) -> bool:
    """Whether a name stands for a family: AMD's generics (`gfx11-generic`), NVIDIA's family targets (`sm_100f`)."""
    return isa.endswith("-generic") or (isa.startswith("sm_") and isa.endswith("f"))
