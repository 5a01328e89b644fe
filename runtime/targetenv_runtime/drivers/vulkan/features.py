"""Which features and extensions a device is opened with: what compute kernels may rely on, and nothing that costs the others.

A feature that is not enabled must not be used, and a kernel is chosen by what its device *offers*; so everything that a compute
module can declare is enabled. Left out are features that slow down or restrict whoever enables them (`robustBufferAccess`,
`protectedMemory`, capture and replay, sparse memory) and everything that only graphics and ray tracing use.
"""

from __future__ import annotations

# Structs of which every offered member is enabled, but for sparse memory and robust access. Their names are given without the
# `VkPhysicalDevice` in front and `Features` at the end, or with `*` in its place.
_STRUCTS = """
    16BitStorage 8BitStorage ComputeShaderDerivatives*KHR CooperativeMatrix*KHR CooperativeMatrix*NV CooperativeMatrix2*NV
    CooperativeMatrixConversion*QCOM CooperativeMatrixDecodeVector*NV CooperativeMatrixLayouts*ARM
    CooperativeMatrixMaintenance1*EXT CooperativeVector*NV Maintenance4 Maintenance5 Maintenance6 Maintenance7*KHR
    RawAccessChains*NV ScalarBlockLayout Shader64BitIndexing*EXT ShaderAtomicFloat*EXT ShaderAtomicFloat16Vector*NV
    ShaderAtomicFloat2*EXT ShaderAtomicInt64 ShaderBfloat16*KHR ShaderClock*KHR ShaderConstantData*KHR ShaderCoreBuiltins*ARM
    ShaderDemoteToHelperInvocation ShaderExpectAssume ShaderFloat16Int8 ShaderFloat8*EXT ShaderFloatControls2 ShaderFma*KHR
    ShaderIntegerDotProduct ShaderIntegerFunctions2*INTEL ShaderLongVector*EXT ShaderMaximalReconvergence*KHR
    ShaderMixedFloatDotProduct*VALVE ShaderOCPMicroscalingTypes*EXT ShaderQuadControl*KHR
    ShaderRelaxedExtendedInstruction*KHR ShaderReplicatedComposites*EXT ShaderSMBuiltins*NV ShaderSplitBarrier*EXT
    ShaderSubgroupExtendedTypes ShaderSubgroupPartitioned*EXT ShaderSubgroupRotate ShaderSubgroupUniformControlFlow*KHR
    ShaderTerminateInvocation ShaderUntypedPointers*KHR SubgroupSizeControl Synchronization2 TimelineSemaphore
    UniformBufferStandardLayout VariablePointers VulkanMemoryModel WorkgroupMemoryExplicitLayout*KHR
    ZeroInitializeWorkgroupMemory
"""
STRUCTS = frozenset(
    f"VkPhysicalDevice{name.replace('*', 'Features')}{'' if '*' in name else 'Features'}" for name in _STRUCTS.split()
)

# Single members of structs of which the others are left out.
_MEMBERS = {
    "VkPhysicalDeviceFeatures": """
        shaderFloat64 shaderInt16 shaderInt64 shaderSampledImageArrayDynamicIndexing shaderStorageBufferArrayDynamicIndexing
        shaderStorageImageArrayDynamicIndexing shaderStorageImageExtendedFormats shaderStorageImageReadWithoutFormat
        shaderStorageImageWriteWithoutFormat shaderUniformBufferArrayDynamicIndexing
    """,
    "VkPhysicalDeviceBufferDeviceAddressFeatures": "bufferDeviceAddress",
    "VkPhysicalDeviceDescriptorIndexingFeatures": """
        runtimeDescriptorArray shaderSampledImageArrayNonUniformIndexing shaderStorageBufferArrayNonUniformIndexing
        shaderStorageImageArrayNonUniformIndexing shaderStorageTexelBufferArrayDynamicIndexing
        shaderStorageTexelBufferArrayNonUniformIndexing shaderUniformBufferArrayNonUniformIndexing
        shaderUniformTexelBufferArrayDynamicIndexing shaderUniformTexelBufferArrayNonUniformIndexing
    """,
    "VkPhysicalDeviceVulkan12Features": "subgroupBroadcastDynamicId",
}
MEMBERS = frozenset(f"{struct}::{member}" for struct, members in _MEMBERS.items() for member in members.split())

# Extensions that only add to what a module may say, and have no feature of their own; and what profiles tell the time by.
_EXTENSIONS = """
    VK_KHR_calibrated_timestamps VK_EXT_calibrated_timestamps
    VK_AMD_gcn_shader VK_AMD_gpu_shader_half_float VK_AMD_gpu_shader_int16 VK_AMD_shader_ballot VK_AMD_shader_trinary_minmax
    VK_EXT_shader_subgroup_ballot VK_EXT_shader_subgroup_vote VK_GOOGLE_decorate_string VK_GOOGLE_hlsl_functionality1
    VK_GOOGLE_user_type VK_KHR_relaxed_block_layout VK_KHR_shader_float_controls
    VK_KHR_shader_non_semantic_info VK_KHR_spirv_1_4 VK_KHR_storage_buffer_storage_class VK_NV_shader_subgroup_partitioned
"""
EXTENSIONS = frozenset(_EXTENSIONS.split())

# What has to be enabled by whoever opens a device that offers it (VUID-VkDeviceCreateInfo-pProperties-04451).
MANDATORY = frozenset({"VK_KHR_portability_subset"})

# What the backend itself cannot do without, and what it uses where it is there.
NEEDED = frozenset({"VkPhysicalDeviceTimelineSemaphoreFeatures::timelineSemaphore"})


def for_compute(feature: str) -> bool:
    """Whether a device is opened with this feature, given by its canonical name, when nobody says otherwise.

    >>> for_compute("VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16")
    True
    >>> for_compute("VkPhysicalDeviceFeatures::robustBufferAccess")
    False
    """
    struct, _, member = feature.partition("::")
    return feature in MEMBERS or (struct in STRUCTS and not member.startswith("sparse") and "Robust" not in member)
