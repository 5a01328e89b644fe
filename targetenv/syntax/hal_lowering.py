"""`#hal.*` records as `TargetEnv`s: the environment that the first executable target carries.

A device with several executable targets lets the runtime choose; what holds for all of them is not stated anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import ParseError, Source
from targetenv.model.capabilities import Capabilities
from targetenv.model.record import replace
from targetenv.model.target_env import TargetEnv
from targetenv.syntax import cpu_name, iree_gpu_lowering, spirv_lowering, vk_lowering
from targetenv.syntax.iree_gpu_target import GpuTarget
from targetenv.syntax.spirv_target_env import SpirvTargetEnv

if TYPE_CHECKING:
    from targetenv.syntax.hal_target import Executable, HalTarget

_APIS = {  # by executable backend and by device
    "vulkan": "vulkan",
    "vulkan-spirv": "vulkan",
    "metal": "metal",
    "metal-spirv": "metal",
    "cuda": "cuda",
    "hip": "rocm",
    "rocm": "rocm",
    "amdgpu": "rocm",
    "llvm-cpu": "cpu",
    "local": "cpu",
    "vmvx": "cpu",
    "webgpu": "webgpu",
    "webgpu-spirv": "webgpu",
}
_FORMATS = {"vulkan": "spirv", "metal": "msl", "cuda": "ptx", "rocm": "hsaco"}
_ELF = {
    "x86_64": "elf-x86_64",
    "arm_64": "elf-aarch64",
    "arm_32": "elf-arm",
    "riscv_64": "elf-riscv64",
    "riscv_32": "elf-riscv32",
}


def lower(target: HalTarget) -> TargetEnv:
    """What a record means; with no executable target only the API is known."""
    if isinstance(target.inner, GpuTarget):
        return iree_gpu_lowering.lower(target.inner)
    if isinstance(target.inner, SpirvTargetEnv):
        return spirv_lowering.lower(target.inner)
    if target.inner is not None:
        return vk_lowering.lower(target.inner)
    if not target.executables:
        api = _APIS.get(target.device or "", target.device or "hal")
        formats = frozenset({_FORMATS[api]}) if api in _FORMATS else frozenset[str]()
        return TargetEnv(Capabilities(api, formats=formats, complete=False))
    return _of_executable(target.executables[0])


def _of_executable(executable: Executable) -> TargetEnv:
    api = _APIS.get(executable.backend, executable.backend)
    isa = executable.string("target_arch")
    if api == "cpu":
        return _cpu(executable)
    formats = frozenset({_FORMATS[api]}) if api in _FORMATS else frozenset[str]()
    return TargetEnv(Capabilities(api, isa=isa, formats=formats, complete=False))


def _cpu(executable: Executable) -> TargetEnv:
    """`cpu`, `cpu_features` and the format's architecture, read as LLVM reads them."""
    arch = executable.format.rpartition("-elf-")[2] if "-elf-" in executable.format else ""
    formats = frozenset({_ELF.get(arch, executable.format)})
    name = executable.string("cpu") or ""
    if name in ("", "generic"):
        name = {"x86_64": "x86-64", "arm_64": "armv8-a"}.get(arch, "")
    features = executable.string("cpu_features") or ""
    edits = [word for word in features.split(",") if word[:1] in ("+", "-")]
    added = frozenset(word[1:] for word in edits if word.startswith("+"))
    dropped = frozenset(word[1:] for word in edits if word.startswith("-"))
    try:
        known = cpu_name.parse(Source("<cpu>", name)).env
    except ParseError:
        known = TargetEnv(Capabilities("cpu", isa=name or None, complete=False))
    offers = known.offers
    made = replace(
        offers, formats=formats, features=(offers.features | added) - dropped, denied=offers.denied - added | dropped
    )
    return replace(known, offers=made)
