"""IREE's own conversion of `#vk.target_env` (era C) to `#spirv.target_env`, 2022 to 2024, byte for byte.

What it leaves out of the registry, and why that matters, is in docs/reference/dialects.md; ours is `spirv_lowering`.

Source: iree compiler/src/iree/compiler/Dialect/Vulkan/Utils/TargetEnvironment.cpp, convertTargetEnv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.syntax import dense
from targetenv.syntax import value as v
from targetenv.syntax.spirv_target_env import SpirvLimit, SpirvTargetEnv

if TYPE_CHECKING:
    from targetenv.syntax.vk_target_env import VkTargetEnv

_VERSIONS = {"v1.0": "v1.0", "v1.1": "v1.3", "v1.2": "v1.5", "v1.3": "v1.6"}
_EXTENSIONS = {
    "VK_KHR_16bit_storage": "SPV_KHR_16bit_storage",
    "VK_KHR_8bit_storage": "SPV_KHR_8bit_storage",
    "VK_KHR_shader_integer_dot_product": "SPV_KHR_integer_dot_product",
    "VK_KHR_storage_buffer_storage_class": "SPV_KHR_storage_buffer_storage_class",
    "VK_KHR_variable_pointers": "SPV_KHR_variable_pointers",
    "VK_KHR_cooperative_matrix": "SPV_KHR_cooperative_matrix",
    "VK_NV_cooperative_matrix": "SPV_NV_cooperative_matrix",
    "VK_KHR_buffer_device_address": "SPV_KHR_physical_storage_buffer",
}
_BEFORE_SUBGROUPS = {
    "shaderFloat64": "Float64",
    "shaderFloat16": "Float16",
    "shaderInt64": "Int64",
    "shaderInt16": "Int16",
    "shaderInt8": "Int8",
    "storageBuffer16BitAccess": "StorageBuffer16BitAccess",
    "uniformAndStorageBuffer16BitAccess": "StorageUniform16",
    "storagePushConstant16": "StoragePushConstant16",
    "storageBuffer8BitAccess": "StorageBuffer8BitAccess",
    "uniformAndStorageBuffer8BitAccess": "UniformAndStorageBuffer8BitAccess",
    "storagePushConstant8": "StoragePushConstant8",
}
_SUBGROUP_BITS = ("", "Vote", "Arithmetic", "Ballot", "Shuffle", "ShuffleRelative", "Clustered", "Quad", "PartitionedNV")
_AFTER_SUBGROUPS = {
    "physicalDeviceBufferAddresses": "PhysicalStorageBufferAddresses",
    "variablePointers": "VariablePointers",
    "variablePointersStorageBuffer": "VariablePointersStorageBuffer",
}
_LIMITS = {
    "maxComputeSharedMemorySize": "max_compute_shared_memory_size",
    "maxComputeWorkGroupInvocations": "max_compute_workgroup_invocations",
    "maxComputeWorkGroupSize": "max_compute_workgroup_size",
    "subgroupSize": "subgroup_size",
    "minSubgroupSize": "min_subgroup_size",
    "maxSubgroupSize": "max_subgroup_size",
}


def convert(tree: VkTargetEnv) -> SpirvTargetEnv:
    """The environment that IREE attaches. Features count without their extension, extensions without their feature."""
    version = _VERSIONS[tree.version]
    if tree.version in ("v1.0", "v1.1") and "VK_KHR_spirv_1_4" in tree.extensions:
        version = "v1.4"  # also for 1.0, which the extension itself forbids
    return SpirvTargetEnv(
        "D",
        version,
        tuple(_capabilities(tree)),
        tuple(_EXTENSIONS[name] for name in tree.extensions if name in _EXTENSIONS),
        "Vulkan",
        tree.device,
        tuple(_limits(tree)),
    )


def _capabilities(tree: VkTargetEnv) -> list[str]:
    has = {setting.key for setting in tree.settings if setting.value is None}
    bits = tree.setting("subgroupFeatures")
    mask = bits.value if bits is not None and isinstance(bits.value, int) else 0
    found = ["Shader"]
    found += [capability for key, capability in _BEFORE_SUBGROUPS.items() if key in has]
    found += [f"GroupNonUniform{word}" for bit, word in enumerate(_SUBGROUP_BITS) if mask & 1 << bit]
    found += [capability for key, capability in _AFTER_SUBGROUPS.items() if key in has]
    if "shaderIntegerDotProduct" in has:
        found += ["DotProduct", "DotProductInputAll", "DotProductInput4x8BitPacked"]
        found += ["DotProductInput4x8Bit"] if "shaderInt8" in has else []
    for key, capability in (
        ("cooperativeMatrixPropertiesKHR", "CooperativeMatrixKHR"),
        ("cooperativeMatrixPropertiesNV", "CooperativeMatrixNV"),
    ):
        rows = tree.setting(key)
        if rows is not None and (rows.value.items if isinstance(rows.value, v.Array) else rows.value):
            found.append(capability)
    return found


def _limits(tree: VkTargetEnv) -> list[SpirvLimit]:
    found = []
    for key, name in _LIMITS.items():
        setting = tree.setting(key)
        if setting is not None and isinstance(setting.value, int):
            found.append(SpirvLimit(name, setting.value))
        elif setting is not None and isinstance(setting.value, v.Dense):
            numbers = dense.elements(setting.value)  # an array of i64, so never equal to the default of i32
            found.append(SpirvLimit(name, v.Array(tuple(v.Integer(each) for each in numbers))))
    nv = tree.setting("cooperativeMatrixPropertiesNV")
    khr = tree.setting("cooperativeMatrixPropertiesKHR")
    rows = khr or nv
    value = rows.value if rows is not None and isinstance(rows.value, tuple | v.Array) else ()
    found.append(SpirvLimit(f"cooperative_matrix_properties_{'nv' if nv and not khr else 'khr'}", value))
    return found
