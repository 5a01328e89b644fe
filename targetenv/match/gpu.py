"""Which GPU runs code built for which: NVIDIA's and AMD's rules about names, each with the row that says so."""

from __future__ import annotations

from functools import cache

from targetenv.model.verdict import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import NeedsVersion
    from targetenv.model.version import Version

    Answer: TypeAlias = tuple[Outcome, str, str]

APIS = ("cuda", "rocm")
CODE_OBJECT = "codeObjectVersion"  # the property in which a device says which code objects its loader reads
NEWEST_CODE_OBJECT = 6
_CAPABILITIES = range(10, 200)  # compute capability times ten: also of chips to come, so that open rules stay open


def runs(code: str, offers: Capabilities) -> Answer:
    """Whether the device runs code for `code`: `sm_90a` means a cubin, `compute_90` PTX, `gfx9-generic` a family."""
    device = offers.isa or ""
    if offers.api == "cuda":
        return _nvidia(code, device)
    return _amd(code, device)


@cache
def reach(code: str) -> frozenset[str]:
    """Every GPU, as far as names go, that runs code built for `code`; none where the name is no GPU's.

    >>> reach("sm_86") < reach("sm_80"), reach("gfx942") < reach("gfx9-4-generic"), reach("x86-64")
    (True, True, frozenset())
    """
    from targetenv.registry import amdgpu, cuda

    built = cuda.NAME.fullmatch(code)
    if built is not None:
        rule = cuda.ptx_runs if built["kind"] == "compute" else cuda.cubin_runs
        number, suffix = int(built["number"]), built["suffix"]
        return frozenset(f"sm_{device}" for device in _CAPABILITIES if rule(number, suffix, device))
    return frozenset(name for name, row in amdgpu.processors().items() if code in (name, row.generic))


def takes_ptx(version: Version, offers: Capabilities) -> Answer:
    """Whether a CUDA device's driver compiles PTX of this version, by the CUDA version that it has or at least must have."""
    from targetenv.registry import cuda

    by = "cuda.ptx-isa"
    built = cuda.NAME.fullmatch(offers.isa or "")
    first = cuda.first_ptx(f"sm_{built['number']}") if built else None
    known: Version | None
    if offers.version is not None:
        known = cuda.ptx_of(offers.version)
        said = f"a driver of CUDA {offers.version} takes PTX {known}"
        open_end = known == cuda.newest_ptx()
    else:
        known, open_end = first, True
        said = f"the driver is not stated; every driver for {offers.isa} takes PTX {first}" if first else "not stated"
    if known is not None and version <= known:
        return Outcome.SATISFIED, said, by
    return Outcome.UNKNOWN if open_end else Outcome.UNSATISFIED, said, by


def pinned(feature: str, offers: Capabilities) -> Answer:
    """Whether an AMD device has a target-ID feature switched as code wants it: `xnack+` is on, `xnack-` off.

    A device on which the feature does not exist runs neither (AMDGPUUsage.rst, "Target Features"; ROCr `isa.cpp`).
    """
    name, on = feature[:-1], feature.endswith("+")
    by = "amd.feature"
    if name in offers.features or name in offers.denied:
        has = name in offers.features
        outcome = Outcome.SATISFIED if has is on else Outcome.UNSATISFIED
        return outcome, f"device has {name} {'on' if has else 'off'}", by
    from targetenv.registry import amdgpu

    row = amdgpu.processor(offers.isa or "")
    if row is not None and name not in row.features:
        return Outcome.UNSATISFIED, f"{row.name} has no {name}", by
    return Outcome.UNKNOWN, f"whether {name} is on is not stated", by


def code_object(need: NeedsVersion, offers: Capabilities) -> Answer:
    """Whether a device's loader reads code objects of this version, where the device says up to which it does.

    A target ID names no loader, so a device that takes code objects and says nothing is taken to have one of today.
    """
    by = "amd.code-object"
    stated = offers.property(CODE_OBJECT)
    if isinstance(stated, int):
        fits = need.version.major <= stated
        return (Outcome.SATISFIED if fits else Outcome.UNSATISFIED), f"device loads code objects up to V{stated}", by
    if "hsaco" not in offers.formats:
        return Outcome.UNKNOWN, "not stated", by
    known = need.version.major <= NEWEST_CODE_OBJECT
    return (Outcome.SATISFIED if known else Outcome.UNKNOWN), f"loaders read code objects up to V{NEWEST_CODE_OBJECT}", by


def limit(name: str, offers: Capabilities) -> int | None:
    """What every device with this processor has of a limit that is a fact of the hardware; None where nothing is known."""
    if offers.api != "rocm" or offers.isa is None:
        return None
    from targetenv.registry import amdgpu

    if name == "VkPhysicalDeviceLimits::maxComputeSharedMemorySize":
        return amdgpu.local_memory(offers.isa)
    return amdgpu.WORKGROUP if name == "VkPhysicalDeviceLimits::maxComputeWorkGroupInvocations" else None


def _nvidia(code: str, device: str) -> Answer:
    from targetenv.registry import cuda

    built, there = cuda.NAME.fullmatch(code), cuda.NAME.fullmatch(device)
    if built is None or there is None:
        return (Outcome.SATISFIED if code == device else Outcome.UNSATISFIED), f"device offers {device}", "isa.same"
    ptx = built["kind"] == "compute"
    rule = cuda.ptx_runs if ptx else cuda.cubin_runs
    fits = rule(int(built["number"]), built["suffix"], int(there["number"]))
    offered = f"device offers {device}"
    return (Outcome.SATISFIED if fits else Outcome.UNSATISFIED), offered, "cuda.ptx" if ptx else "cuda.cubin"


def _amd(code: str, device: str) -> Answer:
    from targetenv.registry import amdgpu

    row = amdgpu.processor(device)
    fits = code == device or (row is not None and row.generic == code)
    family = f", of {row.generic}" if row is not None and row.generic else ""
    return (Outcome.SATISFIED if fits else Outcome.UNSATISFIED), f"device offers {device}{family}", "amd.processor"
