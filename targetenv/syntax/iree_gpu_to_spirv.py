"""IREE's own conversion of `#iree_gpu.target` to `#spirv.target_env`, from 2024-06 on, byte for byte.

It knows no Vulkan: versions, capabilities and extensions come from the feature string, the rest from a few coarse bits.

Source: iree compiler/src/iree/compiler/Codegen/SPIRV/SPIRVConvertGPUTarget.cpp.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.syntax import mlir_spirv
from targetenv.syntax import value as v
from targetenv.syntax.iree_intrinsics import shape
from targetenv.syntax.matrix_rows import MatrixRow
from targetenv.syntax.spirv_target_env import VERSIONS, SpirvLimit, SpirvTargetEnv

if TYPE_CHECKING:
    from targetenv.syntax.iree_gpu_target import GpuTarget

_COMPUTE = {"fp64": "Float64", "fp16": "Float16", "int64": "Int64", "int16": "Int16", "int8": "Int8"}
_STORAGE = {
    "b16": ("StorageBuffer16BitAccess", "StorageUniform16", "StoragePushConstant16"),
    "b8": ("StorageBuffer8BitAccess", "UniformAndStorageBuffer8BitAccess", "StoragePushConstant8"),
}
_SUBGROUP = {
    "shuffle": ("GroupNonUniformShuffle", "GroupNonUniformShuffleRelative"),
    "arithmetic": ("GroupNonUniformArithmetic",),
}
_DOT = ("DotProduct", "DotProductInput4x8BitPacked", "DotProductInputAll", "DotProductInput4x8Bit")
_VENDORS = (
    (re.compile(r"gfx\w+|rdna\d|cdna\d"), "AMD"),
    (re.compile(r"sm_\d+\w?"), "NVIDIA"),
    (re.compile(r"valhall\d?|arm5gen|mali.*"), "ARM"),
    (re.compile(r"adreno.*"), "Qualcomm"),
    (re.compile(r"videocore.*"), "Broadcom"),
    (re.compile(r"apple.*"), "Apple"),
)
_I32 = v.Word(("i32",))


def vendor_of(arch: str) -> str | None:
    """The vendor that an architecture is of, None for those of software and profiles."""
    return next((vendor for pattern, vendor in _VENDORS if pattern.fullmatch(arch)), None)


def named(features: str, prefix: str) -> tuple[str, ...]:
    """What the feature string lists under `cap`, `ext` or `spirv`."""
    words = (word.partition(":") for word in features.split(","))
    return tuple(name for key, _, name in words if key == prefix)


def convert(target: GpuTarget) -> SpirvTargetEnv | None:
    """The environment that IREE makes, None where it fails: the feature string must name a version.

    Names in it that MLIR does not know are dropped, as IREE drops them.
    """
    version = next(iter(named(target.features, "spirv")), "")
    if version not in VERSIONS:
        return None
    known = mlir_spirv.names()
    capabilities = [name for name in named(target.features, "cap") if name in known]
    extensions = [name for name in named(target.features, "ext") if name in known]
    for word in target.bits("compute"):
        capabilities += [_COMPUTE[word]] if word in _COMPUTE else []
    for word in target.bits("storage"):
        capabilities += _STORAGE.get(word, ())
        extensions += [f"SPV_KHR_{word[1:]}bit_storage"] if word in _STORAGE else []
    for word in target.bits("subgroup"):
        capabilities += _SUBGROUP.get(word, ())
    if target.bits("dot"):
        capabilities += _DOT
        extensions.append("SPV_KHR_integer_dot_product")
    if target.intrinsics:
        capabilities.append("CooperativeMatrixKHR")
        extensions.append("SPV_KHR_cooperative_matrix")
    return SpirvTargetEnv(
        "D",
        version,
        tuple(dict.fromkeys(capabilities)),
        tuple(dict.fromkeys(extensions)),
        None,
        (vendor_of(target.arch) or "Unknown", None, None),
        tuple(_limits(target)),
    )


def rows(target: GpuTarget) -> tuple[MatrixRow, ...]:
    """The matrix shapes that SPIR-V can say: no block intrinsics, no bfloat, no float below 16 bits."""
    shapes = [found for name in target.intrinsics if (found := shape(name)) is not None]
    made = [
        MatrixRow(size, (operand, operand, result, result), saturating=False, scope="Subgroup")
        for size, operand, result in shapes
        if "bf16" not in (operand, result)
    ]
    return tuple(made)


def _limits(target: GpuTarget) -> list[SpirvLimit]:
    limits = []
    for key, name in (
        ("max_workgroup_memory_bytes", "max_compute_shared_memory_size"),
        ("max_thread_count_per_workgroup", "max_compute_workgroup_invocations"),
    ):
        limits += [SpirvLimit(name, number) for number in target.numbers(key)[:1]]
    sizes = target.numbers("max_workgroup_sizes")
    if sizes:
        limits.append(SpirvLimit("max_compute_workgroup_size", v.Array(tuple(v.Integer(size, _I32) for size in sizes))))
    choices = target.numbers("subgroup_size_choices")
    if choices:
        limits.append(SpirvLimit("subgroup_size", min(choices)))
        limits.append(SpirvLimit("min_subgroup_size", min(choices)))
        limits.append(SpirvLimit("max_subgroup_size", max(choices)))
    limits.append(SpirvLimit("cooperative_matrix_properties_khr", rows(target)))
    return limits
