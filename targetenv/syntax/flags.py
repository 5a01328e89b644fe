"""`flags:TOOL`: the arguments that make a tool compile for, or check against, an environment.

Every tool is one function from the environment to arguments and to what the tool cannot be told. Sources: the tools' own help
(glslc 2023.2, glslang 15, spirv-val 2023.1, nvcc 13.0, clang and llc 19, gcc 12, CMake 3.25) and IREE's history of flags
(`--iree-vulkan-target-env` until 2024-06, `--iree-hip-*` from 2024-08, `--iree-rocm-*` from 2026-02).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.version import Version
from targetenv.registry import cuda, vulkan
from targetenv.registry.spirv_environment import support
from targetenv.syntax import amd_target_id, cpu_name, llvm_triple, vk_dialect
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.target_env import TargetEnv

    Said = tuple[list[str], list[str]]  # arguments, losses

PREFIX = "flags:"
_GONE = (0, 20240620)  # IREE's dialect `vk` and its flags, by release
#: Features that no compiler has a switch for on x86-64: the architecture has them, or the name of the level says it.
_NO_SWITCH = frozenset({"cmov", "cx8", "fxsr", "mmx", "sse", "sse2", "x87"})
_LAYOUTS = {
    "--relax-block-layout": None,  # core in Vulkan 1.1, VK_KHR_relaxed_block_layout before
    "--uniform-buffer-standard-layout": ("VkPhysicalDeviceVulkan12Features", "uniformBufferStandardLayout"),
    "--scalar-block-layout": ("VkPhysicalDeviceVulkan12Features", "scalarBlockLayout"),
    "--allow-localsizeid": ("VkPhysicalDeviceVulkan13Features", "maintenance4"),
}


def render(of: Parsed | TargetEnv, tool: str) -> Rendered:
    """The arguments for `tool`, quoted for a shell: `glslc`, `nvcc`, `iree-compile@3.13` ... (TE1215, TE1220)."""
    name, _, release = tool.partition("@")
    env = of.env if isinstance(of, Parsed) else of
    if name == "iree-compile":
        arguments, losses = _iree(of, release or IREE_RELEASES[-1])
    elif name in TOOLS and not release:
        arguments, losses = TOOLS[name](env)
    else:
        known = names()
        help_ = did_you_mean(tool, known) or f"write one of {', '.join(f'`{each}`' for each in known)}"
        raise ParseError(Diagnostic("TE1215", f"no flags are known for `{tool}`", help=help_))
    return Rendered(shlex.join(arguments), tuple(losses))


def names() -> tuple[str, ...]:
    """Every tool, with the releases where its flags changed."""
    return (*TOOLS, *(f"iree-compile@{release}" for release in IREE_RELEASES))


def _versions(env: TargetEnv, tool: str) -> tuple[Version | None, Version]:
    offers = env.offers
    if offers.api not in ("vulkan", "spirv") or (offers.version is None and offers.spirv is None):
        refuse(env, f"flags:{tool}", f"{tool} compiles for versions of Vulkan and SPIR-V")
    stated = offers.spirv.version if offers.spirv else None
    return offers.version, stated or support(offers).environment.version


def _rest(offers: Capabilities, tool: str) -> list[str]:
    """What a tool that only knows versions cannot be told."""
    groups = (("extensions", offers.extensions), ("features", offers.features), ("limits", offers.properties))
    return [f"{what}: {tool} is told versions only" for what, said in groups if said]


def _glslc(env: TargetEnv) -> Said:
    version, spirv = _versions(env, "glslc")
    target = [f"--target-env=vulkan{version.major}.{version.minor}"] if version else []
    return [*target, f"--target-spv=spv{spirv}"], _rest(env.offers, "glslc")


def _glslang(env: TargetEnv) -> Said:
    version, spirv = _versions(env, "glslang")
    target = ["--target-env", f"vulkan{version.major}.{version.minor}"] if version else []
    return [*target, "--target-env", f"spirv{spirv}"], _rest(env.offers, "glslang")


def _spirv_val(env: TargetEnv) -> Said:
    version, spirv = _versions(env, "spirv-val")
    if version is None:
        return ["--target-env", f"spv{spirv}"], []
    core = f"{version.major}.{version.minor}"
    offered = env.offers.features
    layouts = [flag for flag, member in _LAYOUTS.items() if member and vulkan.feature(*member) in offered]
    if version < Version(1, 1) and "VK_KHR_relaxed_block_layout" in env.offers.extensions:
        layouts.append("--relax-block-layout")
    target = "vulkan1.1spv1.4" if (core, str(spirv)) == ("1.1", "1.4") else f"vulkan{core}"
    return ["--target-env", target, *layouts], ["what the device offers: spirv-val asks what some device of that version might"]


def _architecture(env: TargetEnv, tool: str) -> tuple[str, str, str]:
    found = cuda.NAME.fullmatch(env.offers.isa or "") if env.offers.api == "cuda" else None
    if found is None:
        refuse(env, f"flags:{tool}", f"{tool} compiles for NVIDIA architectures")
    return found["kind"], found["number"], found["suffix"]


def _nvcc(env: TargetEnv) -> Said:
    kind, number, suffix = _architecture(env, "nvcc")
    code = f"{kind}_{number}{suffix}"
    return ["-gencode", f"arch=compute_{number}{suffix},code={code}"], []


def _cmake(env: TargetEnv) -> Said:
    offers = env.offers
    if offers.api == "cuda":
        kind, number, suffix = _architecture(env, "cmake")
        return [f"-DCMAKE_CUDA_ARCHITECTURES={number}{suffix}-{'virtual' if kind == 'compute' else 'real'}"], []
    if offers.api == "rocm" and offers.isa is not None:
        return [f"-DCMAKE_HIP_ARCHITECTURES={amd_target_id.raise_(env)}"], []
    if offers.api == "cpu":
        arguments, losses = _gcc(env)
        flags = shlex.join(arguments)
        return [f"-DCMAKE_C_FLAGS={flags}", f"-DCMAKE_CXX_FLAGS={flags}"], losses
    return refuse(env, "flags:cmake", "CMake has variables for CUDA, HIP and compiler flags")


def _cpu(env: TargetEnv, tool: str) -> tuple[cpu_name.CpuName, list[tuple[str, bool]]]:
    """The name of a CPU's environment, and what it offers beyond that name or without it."""
    offers = env.offers
    if offers.api != "cpu" or offers.isa not in cpu_name.names():
        refuse(env, f"flags:{tool}", f"{tool} compiles for CPUs by name")
    name = cpu_name.CpuName(str(offers.isa))
    edits = [(feature, True) for feature in sorted(offers.features - name.features)]
    if offers.features and offers.complete:
        edits += [(feature, False) for feature in sorted(name.features - offers.features)]
    return name, edits


def _march(name: cpu_name.CpuName, edits: Iterable[tuple[str, bool]]) -> tuple[list[str], list[str]]:
    if name.is_arm:
        modifiers = "".join(f"+{'' if add else 'no'}{feature}" for feature, add in edits)
        flag = "-march" if name.name.startswith("armv") else "-mcpu"
        return [f"{flag}={name.name}{modifiers}"], []
    switches = [f"-m{'' if add else 'no-'}{feature}" for feature, add in edits if feature not in _NO_SWITCH]
    losses = [f"feature {feature}: compilers have no switch for it" for feature, _ in edits if feature in _NO_SWITCH]
    return [f"-march={name.name}", *switches], losses


def _signed(edits: Iterable[tuple[str, bool]]) -> str:
    return ",".join(f"{'+' if add else '-'}{feature}" for feature, add in edits)


def _gcc(env: TargetEnv) -> Said:
    return _march(*_cpu(env, "gcc"))


def _clang(env: TargetEnv) -> Said:
    offers = env.offers
    if offers.api == "rocm" and offers.isa is not None:
        return ["--target=amdgcn-amd-amdhsa", f"-mcpu={amd_target_id.raise_(env)}"], []
    if offers.api == "cuda":
        kind, number, suffix = _architecture(env, "clang")
        losses = ["PTX only: clang writes PTX, ptxas the machine code"] if kind == "sm" else []
        return ["--target=nvptx64-nvidia-cuda", f"-march=sm_{number}{suffix}"], losses
    name, edits = _cpu(env, "clang")
    arguments, losses = _march(name, edits)
    triple = llvm_triple.render(env).text
    return [f"--target={triple}", *arguments], losses


def _llc(env: TargetEnv) -> Said:
    offers = env.offers
    if offers.api == "vulkan":
        made = llvm_triple.render(env)
        return [f"-mtriple={made.text}"], list(made.losses)
    if offers.api == "rocm" and offers.isa is not None:
        pinned = _signed(amd_target_id.raise_(env).features)
        edits = [f"-mattr={pinned}"] if pinned else []
        return ["-mtriple=amdgcn-amd-amdhsa", f"-mcpu={offers.isa}", *edits], []
    if offers.api == "cuda":
        _, number, suffix = _architecture(env, "llc")
        return ["-mtriple=nvptx64-nvidia-cuda", f"-mcpu=sm_{number}{suffix}"], []
    name, changed = _cpu(env, "llc")
    if name.name.startswith("armv"):
        version = re.sub(r"armv(\d)(?:\.(\d))?-a", lambda found: f"v{found[1]}{f'.{found[2]}' if found[2] else ''}a", name.name)
        changed = [(version, True), *changed]
        processor = "generic"
    else:
        processor = name.name
    edits = [f"-mattr={_signed(changed)}"] if changed else []
    return [f"-mtriple={llvm_triple.render(env).text.partition(' ')[0]}", f"-mcpu={processor}", *edits], []


TOOLS: dict[str, Callable[[TargetEnv], Said]] = {
    "glslc": _glslc,
    "glslang": _glslang,
    "spirv-val": _spirv_val,
    "nvcc": _nvcc,
    "clang": _clang,
    "gcc": _gcc,
    "llc": _llc,
    "cmake": _cmake,
}

#: Releases at which a flag got another name, oldest first; a release between two is written as it is.
IREE_RELEASES = ("20231218", "20240410", "20240828", "3.4", "3.13")


def _iree(of: Parsed | TargetEnv, release: str) -> Said:
    from targetenv.syntax import compat as releases

    env = of.env if isinstance(of, Parsed) else of
    offers = env.offers
    found = releases.of(f"iree@{release}")
    old = found.vk is not None
    renamed = found.order >= (3, 5)  # `--iree-hip-*` became `--iree-rocm-*` on 2026-02-06
    between = not old and not renamed
    match offers.api:
        case "vulkan" if old:
            made = vk_dialect.render(of, "C", found)
            return ["--iree-hal-target-backends=vulkan-spirv", f"--iree-vulkan-target-env={made.text}"], list(made.losses)
        case "vulkan":
            return refuse(env, f"flags:iree-compile@{release}", "since 2024-06 IREE takes a product's name and no environment")
        case "cuda":
            _, number, suffix = _architecture(env, "iree-compile")
            backend = "--iree-hal-target-backends=cuda" if old else "--iree-hal-target-device=cuda"
            flag = "--iree-hal-cuda-llvm-target-arch" if old else "--iree-cuda-target"
            return [backend, f"{flag}=sm_{number}{suffix}"], []
        case "rocm" if offers.isa is not None:
            pinned = _signed(amd_target_id.raise_(env).features)
            if old:
                return ["--iree-hal-target-backends=rocm", f"--iree-rocm-target-chip={offers.isa}"], (
                    [f"target features {pinned}: this release has no flag for them"] if pinned else []
                )
            word = "hip" if between else "rocm"
            features = [f"--iree-{word}-target-features={pinned}"] if pinned else []
            return ["--iree-hal-target-device=hip", f"--iree-{word}-target={offers.isa}", *features], []
        case _:
            name, edits = _cpu(env, "iree-compile")
            triple = llvm_triple.render(env).text
            device = (
                ["--iree-hal-target-backends=llvm-cpu"]
                if found.order < (3, 0)
                else ["--iree-hal-target-device=local", "--iree-hal-local-target-device-backends=llvm-cpu"]
            )
            features = [f"--iree-llvmcpu-target-cpu-features={_signed(edits)}"] if edits else []
            return [*device, f"--iree-llvmcpu-target-triple={triple}", f"--iree-llvmcpu-target-cpu={name.name}", *features], []
