"""SPIR-V on Vulkan: versions, capabilities, extensions, features, limits."""

from __future__ import annotations

from targetenv.match.rules.row import Rule

ROWS: tuple[Rule, ...] = (
    Rule(
        "spirv.version",
        "Vulkan 1.0 takes SPIR-V 1.0, 1.1 takes 1.3, 1.2 takes 1.5, 1.3 and 1.4 take 1.6; VK_KHR_spirv_1_4 lifts 1.1 to 1.4",
        "Vulkan specification, appendix `Vulkan Environment for SPIR-V` (spirvenv.adoc)",
        "spirv-val",
        since="vulkan 1.0",
    ),
    Rule(
        "spirv.stated",
        "the source states SPIR-V version, capabilities and extensions itself",
        "the device or environment",
        "laws",
    ),
    Rule(
        "spirv.enabled",
        "a capability or extension that a module declares is usable when any one of its `enable` rows holds",
        "vk.xml, `spirvcapability` and `spirvextension`",
        "vulkan-object",
        others="spirv-val asks whether some device of the version could enable it, never this one; IREE asks a fixed"
        " handful of questions instead of the 318 rows. The rows decide, because a pipeline with a capability that"
        " is not enabled is invalid",
    ),
    Rule(
        "extension.listed",
        "the device lists the extension",
        "Vulkan specification, vkEnumerateDeviceExtensionProperties",
        "vulkaninfo",
    ),
    Rule(
        "extension.promoted",
        "an extension promoted to a core version is there when the device offers that version",
        "vk.xml, `promotedto`",
        "vulkan-object",
        since="vulkan 1.1",
    ),
    Rule("feature.answered", "the device answered the feature query with yes", "Vulkan specification, Features", "vulkaninfo"),
    Rule(
        "feature.by-extension",
        "a core feature that replaces an extension without a feature struct is there when the extension is",
        "vk.xml, `member alias`",
        "vulkan-object",
    ),
    Rule(
        "feature.guaranteed",
        "a version or an extension makes the feature mandatory, so that every device with it offers it",
        "vk.xml, `require` with `feature`",
        "vulkan-object",
    ),
    Rule(
        "limit.relation",
        "the offered value stands to the required one as the limit's type says",
        "vk.xml, `limittype`",
        "vulkan-object",
        others="profiles and WebGPU know `maximum` and `alignment` only, and many tools take the direction from `max` and"
        " `min` in a name; the registry's type is followed, because names such as `minStorageBufferOffsetAlignment`"
        " say the opposite",
    ),
    Rule(
        "limit.guaranteed",
        "where the source does not state a limit, every implementation offers at least the required minimum",
        "Vulkan specification, table `Required Limits`",
        "vulkaninfo",
    ),
    Rule(
        "subgroup.in-set",
        "the size is one of those that the device can run a compute pipeline with",
        "Vulkan specification, VkPhysicalDeviceSubgroupSizeControlProperties",
        "vulkaninfo",
        others="IREE loads code for 32 lanes on a device of 8, which computes wrong numbers; a size is a set here, not a"
        " minimum",
    ),
    Rule(
        "matrix.row",
        "shape, types and scope are one of the rows that the device lists",
        "Vulkan specification, VkCooperativeMatrixPropertiesKHR",
        "laws",
    ),
)
