"""AMD's code objects (HSACO): for which processor, with which features pinned, and what their kernels take.

The header says it since V3, a note said it in V2. Sources: LLVM AMDGPUUsage.rst, "Code Object", llvm/BinaryFormat/ELF.h; for V2
also ROCm's comgr, which is what old loaders go by.
"""

from __future__ import annotations

import re

from targetenv.artifacts.amdgpu_metadata import Metadata, from_msgpack, from_yaml
from targetenv.artifacts.containers import executable
from targetenv.artifacts.elf import Elf
from targetenv.artifacts.inspection import damaged, odd
from targetenv.artifacts.window import Window
from targetenv.model.record import record
from targetenv.model.requirement import (
    NeedsFeature,
    NeedsIsa,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
    Relation,
)
from targetenv.model.version import Version
from targetenv.registry import amdgpu

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.artifact import Parameter
    from targetenv.model.requirement import Requirement

MACHINE = 224
OBJECT = "amdgpu-object"  # not linked, so nothing loads it
_HSA, _RELOCATABLE = 64, 1
_VERSIONS = {0: 2, 1: 3, 2: 4, 3: 5, 4: 6}  # EI_ABIVERSION -> code object
_V2, _V3, _V6 = 2, 3, 6
_ANY, _OFF, _ON = 1, 2, 3
_XNACK, _SRAMECC, _GENERIC = 8, 10, 24  # where they begin in e_flags since V4
_AMD_HSAIL, _AMD_ISA, _AMD_METADATA = 2, 3, 10
_AMDGPU_METADATA = 32
_LDS = "VkPhysicalDeviceLimits::maxComputeSharedMemorySize"
_WORKGROUP = "VkPhysicalDeviceLimits::maxComputeWorkGroupInvocations"
_TARGET = re.compile(r"gfx\S*$")
_SYSTEMS = {0: "no system", 65: "PAL", 66: "Mesa"}

#: ISA note of V2 (major, minor, stepping) -> processor and xnack; an odd stepping of gfx9 is the even one with xnack on.
_OLD = {
    **{(6, 0, at): (f"gfx60{at}", None) for at in range(3)},
    **{(7, 0, at): (f"gfx70{at}", None) for at in range(6)},
    (8, 0, 0): ("gfx802", None),
    (8, 0, 1): ("gfx801", True),
    (8, 0, 2): ("gfx802", None),
    (8, 0, 3): ("gfx803", None),
    (8, 0, 4): ("gfx803", None),
    (8, 0, 5): ("gfx805", None),
    (8, 1, 0): ("gfx810", True),
    **{(9, 0, at): (f"gfx90{at & ~1}", bool(at & 1)) for at in range(8)},
    (9, 0, 12): ("gfx90c", False),
}


@record
class Target:
    """What a code object is for: the processor, None where its number is not known, and the features that it pins."""

    processor: str | None
    features: tuple[tuple[str, bool], ...] = ()
    stated: int = 0

    def __str__(self) -> str:
        return ":".join((self.processor or "?", *(f"{name}{'+' if on else '-'}" for name, on in self.features)))


@record
class _Notes:
    """The notes that matter: V2's instruction set (and whether AMD's finalizer made it), the metadata of either age."""

    isa: tuple[int, int, int] | None
    finalized: bool
    metadata: Metadata


def inspect_hsaco(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What a code object requires and its kernels; FormatError TE42xx, TE4061, TE4062 where it is damaged or not for HSA."""
    elf = Elf(data, name)
    if elf.machine != MACHINE or elf.os_abi != _HSA:
        system = _SYSTEMS.get(elf.os_abi, f"ABI {elf.os_abi}")
        help_ = "only code objects for HSA (ROCm, OS ABI 64) are read"
        raise damaged("TE4062", name, f"this AMD GPU code is for {system}, not for HSA", help=help_)
    notes = _read_notes(elf, name)
    version = _VERSIONS.get(elf.abi_version)
    target = _target(elf, version, notes, name)
    metadata = notes.metadata
    linked = elf.type != _RELOCATABLE
    requires = [*_processor(target, version, elf.abi_version), *_resources(metadata)]
    details = [("code object", f"V{version}" if version else f"ABI version {elf.abi_version}"), ("target ID", str(target))]
    if version == _V6 and target.processor is not None and target.processor.endswith("-generic"):
        details.append(("generic version", str(elf.flags >> _GENERIC)))
    for row in metadata.kernels:
        details.append((f"kernel {row.kernel.name}", ", ".join(f"{value} {what}" for what, value in row.facts)))
        if row.kernel.parameters:
            details.append((f"arguments of {row.kernel.name}", _arguments(row.kernel.parameters)))
    warnings = _disagreements(target, metadata, elf, version, name)
    if not linked:
        warnings.append(odd("TE4206", name, "no loader takes this relocatable object", help="link it (`clang` without `-c`)"))
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="hsaco" if linked else OBJECT,
        requires=requires,
        kernels=tuple(row.kernel for row in metadata.kernels),
        target=str(target) if target.processor is not None else None,
        details=details,
        diagnostics=warnings,
    )


def _arguments(parameters: tuple[Parameter, ...]) -> str:
    visible = [row for row in parameters if row.kind != "hidden"]
    words = [f"{row.kind}{f' {row.name}' if row.name else ''} ({row.size} bytes at {row.offset})" for row in visible]
    hidden = len(parameters) - len(visible)
    return ", ".join([*words, *([f"{hidden} hidden"] if hidden else [])])


def _read_notes(elf: Elf, name: str) -> _Notes:
    isa: tuple[int, int, int] | None = None
    finalized = False
    metadata = Metadata(None, None, ())
    for owner, kind, content in elf.notes():
        if owner == b"AMDGPU\0" and kind == _AMDGPU_METADATA:
            metadata = from_msgpack(content, name)
        elif owner == b"AMD\0" and kind == _AMD_METADATA:
            metadata = from_yaml(content, name)
        elif owner == b"AMD\0" and kind == _AMD_HSAIL:
            finalized = True
        elif owner == b"AMD\0" and kind == _AMD_ISA:
            isa = Window(content, name, "TE4061").unpack("<III", 4, "the note on the instruction set")
    return _Notes(isa, finalized, metadata)


def _target(elf: Elf, version: int | None, notes: _Notes, name: str) -> Target:
    if version == _V2:
        return _old_target(elf, notes, name)
    row = amdgpu.by_mach(elf.flags & 0xFF)
    processor = row.name if row is not None else None
    if version == _V3:  # bit 8 and bit 9; not set is off, where there is such a feature
        has = row.features if row is not None else ()
        pinned = [(feature, bool(elf.flags >> bit & 1)) for feature, bit in (("sramecc", 9), ("xnack", 8)) if feature in has]
    else:
        said = (("sramecc", elf.flags >> _SRAMECC & 3), ("xnack", elf.flags >> _XNACK & 3))
        pinned = [(feature, value == _ON) for feature, value in said if value in (_OFF, _ON)]
    return Target(processor, tuple(pinned), elf.flags & 0xFF)


def _old_target(elf: Elf, notes: _Notes, name: str) -> Target:
    if notes.isa is None:
        raise damaged("TE4061", name, "this code object V2 has no note on its instruction set")
    processor, xnack = _OLD.get(notes.isa, (None, None))
    if processor is None:
        return Target(None)
    has = amdgpu.processors()[processor].features
    if notes.finalized and "xnack" in has:
        xnack = bool(elf.flags & 1)
    pinned = [("sramecc", False)] if "sramecc" in has else []
    return Target(processor, tuple(pinned + ([("xnack", xnack)] if xnack is not None else [])))


def _processor(target: Target, version: int | None, abi_version: int) -> list[Requirement]:
    need: list[Requirement] = []
    if version is None:
        need.append(
            NeedsUnknown(f"what code object ABI version {abi_version} means: it is newer than the versions that are read")
        )
    else:
        need.append(NeedsVersion("code-object", Version(version)))
    if target.processor is None:
        need.append(NeedsUnknown(f"for which processor this code is: number {target.stated:#x} is none that is known"))
    else:
        need.append(NeedsIsa(target.processor))
    return need + [NeedsFeature(f"{feature}{'+' if on else '-'}") for feature, on in target.features]


def _resources(metadata: Metadata) -> list[Requirement]:
    """Wavefront sizes, and the most that any kernel takes of what a workgroup can have."""
    kernels = [row.kernel for row in metadata.kernels]
    sizes = sorted({kernel.subgroup_size for kernel in kernels if kernel.subgroup_size})
    need: list[Requirement] = [NeedsSubgroupSize(size) for size in sizes]
    if lds := max((kernel.local_memory or 0 for kernel in kernels), default=0):
        need.append(NeedsLimit(_LDS, Relation.AT_LEAST, lds))
    groups = [x * y * z for x, y, z in (kernel.workgroup_size for kernel in kernels if kernel.workgroup_size)]
    if groups:
        need.append(NeedsLimit(_WORKGROUP, Relation.AT_LEAST, max(groups)))
    return need


def _disagreements(target: Target, metadata: Metadata, elf: Elf, version: int | None, name: str) -> list[Diagnostic]:
    found = []
    said = _TARGET.search(metadata.target or "")
    if said is not None and target.processor is not None and said[0] != str(target):
        found.append(f"its metadata says `{said[0]}`, its header `{target}`")
    row = amdgpu.processor(target.processor or "")
    for feature, _ in target.features:
        if row is not None and feature not in row.features:
            found.append(f"it pins `{feature}`, which `{row.name}` does not have")
    if version == _V6 and row is not None and row.is_generic and not elf.flags >> _GENERIC:
        found.append(f"it is for `{row.name}` and gives no version of it, which begin at 1")
    help_ = "compile it again; loaders go by the header"
    return [odd("TE4063", name, f"this code object contradicts itself: {text}", help=help_) for text in found]
