"""Which family of devices answers: what is asked of NVIDIA, AMD, NPUs, Metal and processors goes to the rules of each."""

from __future__ import annotations

from targetenv.match import gpu
from targetenv.match.answer import UNKNOWN, decided
from targetenv.match.stack import version_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.match.stack import Stack
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import NeedsVersion


def runs(code: str, offers: Capabilities, stack: Stack) -> Answer:
    """Whether the device, whose instruction set is stated, runs code for `code`."""
    if offers.api in gpu.NVIDIA:
        from targetenv.match import nvidia

        return nvidia.runs(code, offers, stack)
    if offers.api in gpu.AMD:
        from targetenv.match import amd

        return amd.runs(code, offers, stack)
    if offers.api in gpu.NPUS:
        from targetenv.match import npu

        return npu.runs(code, offers)
    from targetenv.match import isa

    return isa.runs(code, offers)


def version(need: NeedsVersion, offers: Capabilities, stack: Stack) -> Answer | None:
    """The answer on versions that only one family has (PTX, code objects, Metal and its systems ...); None for any other."""
    api, of = offers.api, need.of
    if api == "opencl" and of == "spirv" and offers.spirv is None:
        from targetenv.match import opencl

        return opencl.version(need.version, offers)
    if api in gpu.NVIDIA and of == "ptx":
        from targetenv.match import nvidia

        return nvidia.compiles(need.version, offers, stack)
    if api in gpu.NVIDIA and of == "driver":
        driver = stack.version("driver")
        if driver is None:
            return UNKNOWN, "not stated", "version.at-least"
        return decided(driver >= need.version), f"device has driver {version_text(driver)}", "version.at-least"
    if api in gpu.AMD and of == "code-object":
        from targetenv.match import amd

        return amd.loads(need.version, offers, stack)
    if api == "metal":
        from targetenv.match import metal

        if of in metal.SYSTEMS:
            return metal.system(of, need.version, offers)
        return metal.language(need.version, offers) if of == "metal" else None
    return None


def with_driver(offers: Capabilities, stack: Stack) -> Capabilities:
    """The same device with the driver of that stack, or with its Vulkan where the device's own is newer."""
    from targetenv.model.record import replace

    if offers.api in gpu.NVIDIA and (stack.version("driver") or stack.version("cuda")):
        from targetenv.match.nvidia import cuda_version

        return replace(offers, version=cuda_version(offers, stack))
    vulkan = stack.version("vulkan")
    if offers.api == "vulkan" and vulkan is not None and offers.version is not None and offers.version > vulkan:
        return replace(offers, version=vulkan)
    return offers
