"""What every device offers although a source need not say so: Vulkan's required minima, CUDA's numbers of each architecture.

vk.xml has no such table. These are the rows that compute code meets, at their Vulkan 1.0 values; later versions only raise
them. A `maxDescriptorSet...` limit counts one stage: the specification multiplies by the number of stages that a device has.
"""

from __future__ import annotations

from targetenv.model.requirement import NeedsLimit, Relation
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import LimitValue, Requirement

_LIMITS = "VkPhysicalDeviceLimits::"
# Vulkan specification, chapter `Limits`, table `Required Limits`.
AT_LEAST: dict[str, LimitValue] = {
    _LIMITS + name: value
    for name, value in (
        ("maxUniformBufferRange", 16384),
        ("maxStorageBufferRange", 1 << 27),
        ("maxPushConstantsSize", 128),
        ("maxMemoryAllocationCount", 4096),
        ("maxBoundDescriptorSets", 4),
        ("maxPerStageDescriptorSamplers", 16),
        ("maxPerStageDescriptorUniformBuffers", 12),
        ("maxPerStageDescriptorStorageBuffers", 4),
        ("maxPerStageDescriptorSampledImages", 16),
        ("maxPerStageDescriptorStorageImages", 4),
        ("maxPerStageResources", 4),
        ("maxDescriptorSetSamplers", 16),
        ("maxDescriptorSetUniformBuffers", 12),
        ("maxDescriptorSetStorageBuffers", 4),
        ("maxDescriptorSetSampledImages", 16),
        ("maxDescriptorSetStorageImages", 4),
        ("maxComputeSharedMemorySize", 16384),
        ("maxComputeWorkGroupCount", (65535, 65535, 65535)),
        ("maxComputeWorkGroupInvocations", 128),
        ("maxComputeWorkGroupSize", (128, 128, 64)),
        ("maxTexelOffset", 7),
    )
}
AT_MOST: dict[str, LimitValue] = {_LIMITS + "minTexelOffset": -8}  # those of a gather are 0 without shaderImageGatherExtended
# Vulkan 1.1, VkPhysicalDeviceSubgroupProperties: the compute stage where a queue computes, and basic operations.
SUBGROUP_BITS: dict[str, int] = {
    "VkPhysicalDeviceSubgroupProperties::supportedStages": 0x20,
    "VkPhysicalDeviceSubgroupProperties::supportedOperations": 0x1,
}
# VkPhysicalDeviceCooperativeMatrixPropertiesKHR: the compute stage where a queue computes.
MATRIX_STAGES = "VkPhysicalDeviceCooperativeMatrixPropertiesKHR::cooperativeMatrixSupportedStages"


def least(need: NeedsLimit, offers: Capabilities) -> LimitValue | None:
    """What every device of this API and version offers of a limit, None where nothing is promised.

    Only for a requirement of the kind that a minimum can answer: `>=`, `<=` for offsets, and `has all bits of` for stages and
    operations of subgroups and matrices.
    """
    if offers.api == "cuda" and need.relation is Relation.AT_LEAST and offers.isa is not None:
        from targetenv.registry import cuda

        return cuda.least_limit(need.name, offers.isa)
    if offers.api != "vulkan":
        return None
    if need.relation is Relation.AT_LEAST:
        return AT_LEAST.get(need.name)
    if need.relation is Relation.AT_MOST:
        return AT_MOST.get(need.name)
    if need.name == MATRIX_STAGES:
        return 0x20 if "VK_KHR_cooperative_matrix" in offers.extensions else None
    if need.relation is Relation.ALL_BITS and offers.version is not None and offers.version >= Version(1, 1):
        return SUBGROUP_BITS.get(need.name)
    return None


def met_by_all(need: Requirement) -> bool:
    """Whether every device that has this limit at all meets the requirement.

    >>> met_by_all(NeedsLimit("VkPhysicalDeviceLimits::maxPushConstantsSize", Relation.AT_LEAST, 64))
    True
    """
    if not isinstance(need, NeedsLimit) or need.relation is not Relation.AT_LEAST:
        return False
    minimum = AT_LEAST.get(need.name)
    return minimum is not None and need.relation.holds(minimum, need.value)
