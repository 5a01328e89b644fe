"""What artifacts are known not to say, and how to find it out. Readers of formats name these; hints look them up."""

from __future__ import annotations

from targetenv.model.record import record
from targetenv.model.requirement import NeedsUnknown


@record
class Silence:
    """One thing that a format may leave unsaid: `what` completes "it is not known", `help` is an imperative."""

    what: str
    help: str

    @property
    def requirement(self) -> NeedsUnknown:
        """The requirement that stands for it."""
        return NeedsUnknown(self.what)

    @property
    def asked(self) -> tuple[NeedsUnknown, str]:
        """The same with what it follows from, which is nothing that the artifact says."""
        return self.requirement, ""


X86_LEVEL = Silence(
    "which x86-64 level this object needs: it carries no GNU property note",
    "build with `-mneeded` (GCC 12) or link with `-Wl,-z,x86-64-v3` or another level (GNU ld), so that the object says it",
)
AARCH64_FEATURES = Silence(
    "which AArch64 extensions this object needs: ELF has no note for them",
    "declare the variant's `target`",
)

OPEN_WORKGROUP = Silence(
    "which workgroup size this module runs with: it does not say", "state the workgroup size in the source"
)
OPEN_ARRAY = Silence(
    "how much memory this module's arrays take: their lengths are computed in a way that is not evaluated",
    "give the arrays constant lengths",
)
OPEN_MATRIX = Silence(
    "which cooperative-matrix shapes this module multiplies: they are not constants",
    "give the specialization constants of the shapes default values",
)
UNUSED_MATRIX = Silence(
    "whether the cooperative-matrix types of this module are offered: they do not say what they are used for",
    "declare the variant's `target`",
)

SUBGROUP_SIZE = Silence(
    "which subgroup size the compiler of this code counted on: it uses subgroup operations, and its pipeline does not say",
    "compile it for a target with one subgroup size",
)

TO_BE_LINKED = Silence(
    "with what this relocatable device code is to be linked",
    "link it (`nvcc -dlink`, `nvlink`), or build without `-rdc=true`",
)
NARROW_ADDRESSES = Silence(
    "whether the driver takes code with 32-bit addresses: new ones do not", "build for 64-bit addresses (`nvcc -m64`)"
)
COMPRESSED = Silence(
    "what this compressed code needs: its contents were not read",
    "install `zstandard` (`pip install targetenv[zstd]`) and inspect it again",
)
CLOSED_KIND = Silence(
    "what this image needs: only NVIDIA's tools read its kind", "build for a real architecture too (`code=sm_90`)"
)

NO_PROCESSOR = Silence(
    "which GPUs this code is for: the triple names no processor",
    "name the processor too (`amdgcn-amd-amdhsa--gfx942`, `sm_90`)",
)

INCLUDES = Silence("what the files need that this source includes", "put everything into one file")

ROWS: tuple[Silence, ...] = (
    X86_LEVEL,
    AARCH64_FEATURES,
    OPEN_WORKGROUP,
    OPEN_ARRAY,
    OPEN_MATRIX,
    UNUSED_MATRIX,
    SUBGROUP_SIZE,
    TO_BE_LINKED,
    NARROW_ADDRESSES,
    COMPRESSED,
    CLOSED_KIND,
    NO_PROCESSOR,
    INCLUDES,
)


def how_to_find_out(need: NeedsUnknown) -> str:
    """What to do so that this becomes known, as an imperative; declaring the target always helps.

    >>> how_to_find_out(AARCH64_FEATURES.requirement)
    "declare the variant's `target`"
    """
    return next((row.help for row in ROWS if row.what == need.what), "declare the variant's `target`")
