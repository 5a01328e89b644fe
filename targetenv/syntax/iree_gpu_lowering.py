"""`#iree_gpu.target` records as `TargetEnv`s, and back from Vulkan environments.

Which API a target is for shows in its feature string: `spirv:v1.6,cap:Shader` for Vulkan and Metal, `+ptx76` for CUDA,
`+sramecc,-xnack` for ROCm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.model.target_env import TargetEnv
from targetenv.syntax import iree_gpu_to_spirv, spirv_lowering
from targetenv.syntax import value as v
from targetenv.syntax.iree_gpu_target import BITS, ERAS, GpuTarget

if TYPE_CHECKING:
    from targetenv.model.capabilities import CooperativeMatrix

_PTX = re.compile(r"\+ptx\d+")
_FORMATS = {"vulkan": ("spirv",), "metal": ("msl",), "cuda": ("cubin", "ptx"), "rocm": ("hsaco",)}
_GROUP_LIMITS = (  # the API's words for the three limits that every target has
    ("VkPhysicalDeviceLimits", "maxComputeSharedMemorySize", "max_workgroup_memory_bytes"),
    ("VkPhysicalDeviceLimits", "maxComputeWorkGroupInvocations", "max_thread_count_per_workgroup"),
    ("VkPhysicalDeviceLimits", "maxComputeWorkGroupSize", "max_workgroup_sizes"),
    ("VkPhysicalDeviceLimits", "maxComputeWorkGroupCount", "max_workgroup_counts"),
)
_BIT_OF = {
    "Float64": ("compute", "fp64"),
    "Float16": ("compute", "fp16"),
    "Int64": ("compute", "int64"),
    "Int16": ("compute", "int16"),
    "Int8": ("compute", "int8"),
    "StorageBuffer16BitAccess": ("storage", "b16"),
    "StorageBuffer8BitAccess": ("storage", "b8"),
    "GroupNonUniformShuffle": ("subgroup", "shuffle"),
    "GroupNonUniformArithmetic": ("subgroup", "arithmetic"),
    "DotProductInput4x8BitPacked": ("dot", "dp4xi8toi32"),
}


def api_of(target: GpuTarget) -> str:
    """The API that a target is for."""
    if iree_gpu_to_spirv.named(target.features, "spirv"):
        return "metal" if target.arch == "apple" else "vulkan"
    if _PTX.search(target.features) or target.arch.startswith("sm_"):
        return "cuda"
    return "rocm" if target.arch.startswith("gfx") else "vulkan"


def lower(target: GpuTarget) -> TargetEnv:
    """What a target means. The subgroup sizes are those that it lets the compiler choose from."""
    from targetenv.registry import vulkan

    api = api_of(target)
    spirv = iree_gpu_to_spirv.convert(target)
    matrices: frozenset[CooperativeMatrix] = frozenset(row.to_model() for row in iree_gpu_to_spirv.rows(target))
    properties = []
    for struct, member, key in _GROUP_LIMITS:
        numbers = target.numbers(key)
        if numbers:
            value = numbers if isinstance(target.setting(key), v.Array) else numbers[0]
            properties.append(Property(vulkan.property_name(struct, member), value))
    features, denied = _signed(target.features) if api == "rocm" else (frozenset[str](), frozenset[str]())
    return TargetEnv(
        Capabilities(
            api=api,
            isa=target.arch if api in ("cuda", "rocm") and target.arch else None,
            formats=frozenset(_FORMATS[api]),
            features=features,
            denied=denied,
            properties=tuple(sorted(properties, key=lambda each: each.name)),
            subgroup_sizes=frozenset(target.numbers("subgroup_size_choices")),
            matrices=matrices,
            spirv=None if spirv is None else spirv_lowering.lower(spirv).offers.spirv,
            complete=False,
        ),
        name=target.arch or None,
        vendor=iree_gpu_to_spirv.vendor_of(target.arch),
    )


def _signed(features: str) -> tuple[frozenset[str], frozenset[str]]:
    words = [word for word in features.split(",") if word]
    return (
        frozenset(word[1:] for word in words if word.startswith("+")),
        frozenset(word[1:] for word in words if word.startswith("-")),
    )


def raise_(env: TargetEnv) -> tuple[GpuTarget, tuple[str, ...]]:
    """The record that says most of a Vulkan environment: SPIR-V in the feature string, coarse bits, limits.

    IREE's conversion back gives what the bits stand for, which may be more than the environment offers: a bit is set only
    where all of its capabilities are there.
    """
    from targetenv.registry import vulkan

    tree, losses = spirv_lowering.raise_(env)
    carried = {f"property `{vulkan.property_name(struct, member)}`" for struct, member, _ in _GROUP_LIMITS}
    said = [loss for loss in losses if loss not in carried]
    words: dict[str, set[str]] = {"compute": {"fp32", "int32"}, "storage": {"b32"}, "subgroup": set(), "dot": set()}
    implied = {"CooperativeMatrixKHR", "SPV_KHR_cooperative_matrix"}
    for capability, (key, bit) in _BIT_OF.items():
        alone = GpuTarget(ERAS[-1], "", "spirv:v1.6", (v.Entry(key, v.Word((bit,))),))
        converted = iree_gpu_to_spirv.convert(alone)
        whole = frozenset(converted.capabilities) if converted else frozenset[str]()
        if capability in tree.capabilities and whole <= set(tree.capabilities):
            words[key].add(bit)
            implied |= whole
            implied.update(converted.extensions if converted else ())
    if env.offers.matrices:
        said.append("cooperative matrices: IREE names intrinsics, not shapes")
    capabilities = [f"cap:{name}" for name in tree.capabilities if name not in implied]
    extensions = [f"ext:{name}" for name in tree.extensions if name not in implied]
    features = ",".join((f"spirv:{tree.version}", *capabilities, *extensions))
    entries = []
    for key, known in BITS.items():
        chosen = tuple(word for word in known if word in words[key]) or (() if key == "dot" else ("none",))
        if chosen:
            entries.append(v.Entry(key, v.Word(chosen)))
    sizes = sorted(env.offers.subgroup_sizes) or [32]
    entries.append(v.Entry("subgroup_size_choices", v.Array(tuple(map(v.Integer, sizes)))))
    entries += _limits(env, said)
    return GpuTarget(ERAS[-1], env.name or "", features, tuple(entries)), tuple(said)


def _limits(env: TargetEnv, said: list[str]) -> list[v.Entry]:
    from targetenv.registry import vulkan

    least: dict[str, int | tuple[int, ...]] = {  # Vulkan, "Required Limits"
        "max_workgroup_memory_bytes": 16384,
        "max_thread_count_per_workgroup": 128,
        "max_workgroup_sizes": (128, 128, 64),
        "max_workgroup_counts": (65535, 65535, 65535),
    }
    made = {}
    for struct, member, key in _GROUP_LIMITS:
        value = env.offers.property(vulkan.property_name(struct, member))
        if value is None:
            said.append(f"`{member}` is not stated; the least that Vulkan guarantees is written")
            value = least[key]
        numbers = tuple(min(int(each), 0x7FFFFFFF) for each in (value if isinstance(value, tuple) else (value,)))
        literal: v.Value = v.Array(tuple(map(v.Integer, numbers))) if isinstance(value, tuple) else v.Integer(numbers[0])
        made[key] = v.Entry(key, literal)
    order = ("max_workgroup_sizes", "max_thread_count_per_workgroup", "max_workgroup_memory_bytes", "max_workgroup_counts")
    return [made[key] for key in order]


def in_era(target: GpuTarget, era: str) -> tuple[GpuTarget, tuple[str, ...]]:
    """The record for another release; what that release had no key for is a loss. Intrinsics keep their names."""
    newer = {
        "max_workgroup_counts": "20240828",
        "max_load_instruction_bits": "20241104",
        "simds_per_wgp": "20241104",
        "vgpr_space_bits": "20241104",
        "dma_sizes": "3.13",
        "workgroup_memory_bank_count": "3.13",
        "scaled_mma": "3.8",
        "extra": "20241104",
    }
    at = ERAS.index(era)
    dropped = [entry.key for entry in target.wgp if entry.key in newer and ERAS.index(newer[entry.key]) > at]
    losses = [f"key `{key}`" for key in dropped]
    if target.intrinsics and era != target.era:
        losses.append("matrix intrinsics keep the names of the release that they were written for")
    return replace(target, era=era, wgp=tuple(entry for entry in target.wgp if entry.key not in dropped)), tuple(losses)
