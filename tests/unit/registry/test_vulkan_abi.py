"""Vulkan's layouts, signatures and constants, against what is written down about them elsewhere."""

from __future__ import annotations

import pytest

from targetenv.registry import vulkan_abi
from targetenv.registry._generated import vulkan, vulkan_providers
from targetenv.registry._generated import vulkan_abi as tables
from targetenv.registry.rows import keys, row, sorted_row

# sizeof() by gcc 12 with Debian's libvulkan-dev 1.3.239 on x86-64.
SIZES = """
VkApplicationInfo 48
VkInstanceCreateInfo 64
VkExtensionProperties 260
VkLayerProperties 520
VkPhysicalDeviceProperties 824
VkPhysicalDeviceProperties2 840
VkPhysicalDeviceLimits 504
VkPhysicalDeviceSparseProperties 20
VkPhysicalDeviceFeatures 220
VkPhysicalDeviceFeatures2 240
VkPhysicalDeviceVulkan11Features 64
VkPhysicalDeviceVulkan12Features 208
VkPhysicalDeviceVulkan13Features 80
VkPhysicalDeviceVulkan11Properties 112
VkPhysicalDeviceVulkan12Properties 736
VkPhysicalDeviceVulkan13Properties 216
VkPhysicalDeviceSubgroupProperties 32
VkPhysicalDeviceSubgroupSizeControlProperties 32
VkPhysicalDeviceDriverProperties 536
VkPhysicalDeviceIDProperties 64
VkPhysicalDeviceFloatControlsProperties 88
VkPhysicalDeviceMemoryProperties 520
VkMemoryType 8
VkMemoryHeap 16
VkQueueFamilyProperties 24
VkQueueFamilyProperties2 40
VkConformanceVersion 4
VkExtent3D 12
VkDeviceQueueCreateInfo 40
VkDeviceCreateInfo 72
VkSubmitInfo 72
VkSubmitInfo2 64
VkTimelineSemaphoreSubmitInfo 48
VkSemaphoreTypeCreateInfo 32
VkSemaphoreCreateInfo 24
VkSemaphoreWaitInfo 40
VkSemaphoreSignalInfo 32
VkSemaphoreSubmitInfo 48
VkCommandBufferSubmitInfo 32
VkFenceCreateInfo 24
VkBufferCreateInfo 56
VkMemoryRequirements 24
VkMemoryAllocateInfo 32
VkMappedMemoryRange 40
VkDescriptorSetLayoutBinding 24
VkDescriptorSetLayoutCreateInfo 32
VkDescriptorPoolSize 8
VkDescriptorPoolCreateInfo 40
VkDescriptorSetAllocateInfo 40
VkDescriptorBufferInfo 24
VkWriteDescriptorSet 64
VkPushConstantRange 12
VkPipelineLayoutCreateInfo 48
VkShaderModuleCreateInfo 40
VkPipelineShaderStageCreateInfo 48
VkPipelineShaderStageRequiredSubgroupSizeCreateInfo 24
VkSpecializationMapEntry 16
VkSpecializationInfo 32
VkComputePipelineCreateInfo 96
VkCommandPoolCreateInfo 24
VkCommandBufferAllocateInfo 32
VkCommandBufferBeginInfo 32
VkBufferCopy 24
VkMemoryBarrier 24
VkMemoryBarrier2 48
VkBufferMemoryBarrier 56
VkDependencyInfo 64
VkQueryPoolCreateInfo 32
VkDebugUtilsMessengerCreateInfoEXT 48
VkValidationFeaturesEXT 48
VkAccelerationStructureInstanceKHR 64
VkClearColorValue 16
VkTransformMatrixKHR 48
"""


def test_the_structs_that_the_drivers_use_have_the_sizes_of_the_c_headers() -> None:
    recorded = {name: int(size) for name, size in (line.split() for line in SIZES.split("\n") if line)}
    assert {name: vulkan_abi.layout(name).size for name in recorded} == recorded


def test_bit_fields_share_a_word() -> None:
    layout = vulkan_abi.layout("VkAccelerationStructureInstanceKHR")
    assert layout.size == 64
    assert [(field.offset, field.bits) for field in layout.fields][1:5] == [
        (48, (0, 24)),
        (48, (24, 8)),
        (52, (0, 24)),
        (52, (24, 8)),
    ]


def test_members_of_a_union_all_lie_at_zero() -> None:
    assert {field.offset for field in vulkan_abi.layout("VkClearColorValue").fields} == {0}


def test_an_alias_has_the_layout_of_what_it_stands_for() -> None:
    assert vulkan_abi.layout("VkPhysicalDeviceFeatures2KHR") == vulkan_abi.layout("VkPhysicalDeviceFeatures2")


def test_a_command_alias_has_the_signature_of_what_it_stands_for() -> None:
    alias, core = vulkan_abi.command("vkGetPhysicalDeviceFeatures2KHR"), vulkan_abi.command("vkGetPhysicalDeviceFeatures2")
    assert (alias.parameters, alias.code) == (core.parameters, core.code)


def test_an_array_parameter_is_a_pointer() -> None:
    assert vulkan_abi.command("vkCmdSetBlendConstants").parameters == ("VkCommandBuffer", "float*")


@pytest.mark.parametrize("look_up", [vulkan_abi.layout, vulkan_abi.command, vulkan_abi.constant])
def test_an_unknown_name_is_a_key_error(look_up) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(KeyError):
        look_up("VkNothing")


def test_every_layout_is_consistent() -> None:
    for name in vulkan_abi.structs():
        layout = vulkan_abi.layout(name)
        assert layout.size % layout.alignment == 0, name
        for field in layout.fields:
            assert field.offset + field.size <= layout.size, (name, field)


def test_every_chained_struct_starts_with_type_and_next() -> None:
    for name in (*vulkan_abi.feature_structs(), *vulkan_abi.property_structs()):
        layout = vulkan_abi.layout(name)
        assert layout.s_type is not None, name
        assert [(field.name, field.offset) for field in layout.fields[:2]] == [("sType", 0), ("pNext", 8)], name


def test_every_command_parses() -> None:
    for name in vulkan_abi.commands():
        command = vulkan_abi.command(name)
        assert "" not in command.codes, name
        assert len(command.codes) == len(command.parameters)


def test_constants_of_every_spelling() -> None:
    assert vulkan_abi.constant("VK_QUEUE_FAMILY_EXTERNAL") == 0xFFFF_FFFE
    assert vulkan_abi.constant("VK_ERROR_OUT_OF_POOL_MEMORY_KHR") == -1000069000
    assert vulkan_abi.constant("VK_ACCESS_2_SHADER_STORAGE_READ_BIT_KHR") == 1 << 33
    assert vulkan_abi.enum_names("VkSubgroupFeatureFlags")[4] == "VK_SUBGROUP_FEATURE_ARITHMETIC_BIT"


def test_an_unknown_result_keeps_its_number() -> None:
    assert vulkan_abi.result_name(-424242) == "VkResult(-424242)"


def test_tables_read_by_bisection_are_sorted() -> None:
    sorted_tables = [tables.STRUCTS, tables.STRUCT_ALIASES, tables.COMMANDS, tables.COMMAND_ALIASES, vulkan_providers.STRUCTS]
    sorted_tables += [vulkan_providers.COMMANDS, vulkan.EXTENSIONS, vulkan.FEATURES, vulkan.PROPERTIES, vulkan.OTHER_LIMITS]
    for table in (*sorted_tables, vulkan.STRUCT_ALIASES):
        names = list(keys(table))
        assert names == sorted(names)
        assert all(sorted_row(table, name) == row(table, name) for name in names)
        assert sorted_row(table, "A") is sorted_row(table, "VkNoSuch") is sorted_row(table, "zzz") is None


def test_headers_are_those_of_the_layouts() -> None:
    for name in vulkan_abi.structs():
        assert vulkan_abi.header(name) == (vulkan_abi.layout(name).size, vulkan_abi.layout(name).s_type)
