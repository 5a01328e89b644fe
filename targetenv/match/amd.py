"""AMD's rules: which GPU runs which code object, by which runtime."""

from __future__ import annotations

from targetenv.match.answer import NO, UNKNOWN, YES, decided
from targetenv.match.stack import version_text
from targetenv.registry import amdgpu, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.match.stack import Stack
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.version import Version

CODE_OBJECT = "codeObjectVersion"  # the property in which a device says which code objects its loader reads


def runs(code: str, offers: Capabilities, stack: Stack) -> Answer:
    """Whether the device runs code for `code`: its own processor, or the generic one of its family."""
    device = (offers.isa or "").partition(":")[0]
    row = amdgpu.processor(device)
    generic = code.endswith("-generic")
    by = "amd.generic" if generic else "amd.processor"
    fits = code == device or (row is not None and row.generic == code)
    if stack and (refused := _refused(code, stack, generic=generic, fits=fits)):
        return refused
    family = f", of {row.generic}" if row is not None and row.generic else ""
    return decided(fits), f"device offers {device}{family}", by


def pinned(feature: str, offers: Capabilities) -> Answer:
    """Whether a device has a target-ID feature switched as code wants it: `xnack+` is on, `xnack-` off.

    A device on which the feature does not exist runs neither (AMDGPUUsage.rst, "Target Features"; ROCr `isa.cpp`).
    """
    name, on = feature[:-1], feature.endswith("+")
    by = "amd.feature"
    if name in offers.features or name in offers.denied:
        has = name in offers.features
        return decided(has is on), f"device has {name} {'on' if has else 'off'}", by
    row = amdgpu.processor((offers.isa or "").partition(":")[0])
    if row is not None and name not in row.features:
        return NO, f"{row.name} has no {name}", by
    return UNKNOWN, f"whether {name} is on is not stated", by


def loads(version: Version, offers: Capabilities, stack: Stack) -> Answer:
    """Whether the runtime loads code objects of this version: as the stack, the device's own words or its runtime's age say.

    A target ID names no loader, so a device that takes code objects and says nothing is taken to have one of today.
    """
    by, number = "amd.code-object", version.major
    row = releases.code_objects().get(number)
    if row is not None and (refused := _compiler(row, number, stack)):
        return NO, refused, by
    stated = offers.property(CODE_OBJECT)
    runtime = stack.version("rocm") or offers.version
    if stack.version("rocm") is None and isinstance(stated, int):
        return decided(number <= stated), f"device loads code objects up to V{stated}", by
    if runtime is None and "hsaco" not in offers.formats:
        return UNKNOWN, "not stated", by
    if runtime is None:
        return (YES if row is not None else UNKNOWN), f"loaders read code objects up to V{max(releases.code_objects())}", by
    if row is None:
        newer = runtime > releases.COMPONENTS["rocm"][1]
        return (UNKNOWN if newer else NO), f"rocm {runtime} is not known to load V{number}", by
    if runtime >= row.loaded:
        return YES, f"rocm {runtime} loads code objects V{number}", by
    since = f"rocm {runtime} is before rocm {row.loaded}, which loads code objects V{number}"
    return (UNKNOWN if runtime >= row.perhaps else NO), since, by


#: The limits that `limit` knows.
LIMITS = ("VkPhysicalDeviceLimits::maxComputeSharedMemorySize", "VkPhysicalDeviceLimits::maxComputeWorkGroupInvocations")


def limit(name: str, offers: Capabilities) -> int | None:
    """What every device with this processor has of a limit that is a fact of the hardware; None where nothing is known."""
    if offers.isa is None:
        return None
    if name == LIMITS[0]:
        return amdgpu.local_memory(offers.isa)
    return amdgpu.WORKGROUP if name == LIMITS[1] else None


def _compiler(row: releases.CodeObject, number: int, stack: Stack) -> str:
    """Why the stack's compiler does not make code objects of this version; empty where it does."""
    compiler = stack.version("llvm")
    if compiler is None:
        return ""
    who = f"llvm {version_text(compiler)} does not make code objects V{number}"
    if row.llvm is not None and compiler < row.llvm:
        return f"{who}: they came with llvm {row.llvm.major}"
    if row.llvm_until is not None and compiler >= row.llvm_until:
        return f"{who} any more: they went with llvm {row.llvm_until.major}"
    return ""


def _refused(code: str, stack: Stack, *, generic: bool, fits: bool) -> Answer | None:
    """A refusal where the stack's compiler cannot have made this code, or its runtime does not load generic code yet."""
    compiler, runtime = stack.version("llvm"), stack.version("rocm")
    if compiler is not None:
        since, until = releases.llvm_span(code)
        if since is not None and compiler < since:
            return NO, f"llvm {version_text(compiler)} does not build for {code}: it came with llvm {since.major}", "amd.llvm"
        if until is not None and compiler >= until:
            gone = f"it went with llvm {until.major}"
            return NO, f"llvm {version_text(compiler)} does not build for {code} any more: {gone}", "amd.llvm"
    if runtime is not None and generic and fits:
        loaded = releases.rocm_loads_generic(code, runtime)
        if loaded is None:
            return UNKNOWN, f"rocm {runtime} is not known to load {code}", "amd.generic"
        if not loaded:
            return NO, f"rocm {runtime} does not load {code} yet", "amd.generic"
    return None
