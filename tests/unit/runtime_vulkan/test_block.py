"""Vulkan structs in plain memory."""

from __future__ import annotations

import ctypes
from struct import unpack_from

import pytest
from targetenv_runtime.drivers.vulkan.block import block, blocks, chained, integers, packer, pointers, room, strings, text

from targetenv.registry import vulkan_abi as abi


def test_a_struct_is_zero_but_for_its_type_and_what_was_given() -> None:
    info = block("VkBufferCreateInfo", size=256, usage=32)
    raw = bytes(info.buffer)
    assert len(raw) == abi.layout("VkBufferCreateInfo").size
    assert info.get("sType") == abi.constant("VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO")
    assert (info.get("size"), info.get("usage"), info.get("pNext"), info.get("sharingMode")) == (256, 32, 0, 0)


def test_pointers_keep_what_they_point_to() -> None:
    info = block("VkApplicationInfo", pApplicationName="a name", apiVersion=1 << 22)
    assert ctypes.string_at(info.get("pApplicationName")) == b"a name"
    outer = block(
        "VkInstanceCreateInfo", pApplicationInfo=info, enabledExtensionCount=2, ppEnabledExtensionNames=strings(["a", "b"])
    )
    assert outer.get("pApplicationInfo") == info.address
    first, second = (ctypes.c_void_p * 2).from_address(outer.get("ppEnabledExtensionNames"))
    assert ctypes.string_at(first or 0) == b"a"
    assert ctypes.string_at(second or 0) == b"b"


def test_a_struct_inside_a_struct_is_copied() -> None:
    stage = block("VkPipelineShaderStageCreateInfo", stage=32, pName="main")
    info = block("VkComputePipelineCreateInfo", stage=stage, basePipelineIndex=-1)
    at = abi.layout("VkComputePipelineCreateInfo").field("stage").offset
    assert bytes(info.buffer)[at : at + len(stage.buffer)] == bytes(stage.buffer)
    assert info.get("basePipelineIndex") == -1


def test_arrays_have_the_stride_of_the_struct() -> None:
    rows = blocks("VkDescriptorSetLayoutBinding", [{"binding": 1}, {"binding": 2}])
    assert len(rows) == 2
    assert [rows.get("binding", at) for at in range(2)] == [1, 2]
    assert len(room("VkQueueFamilyProperties", 0)) == 0
    assert len(room("VkExtensionProperties", 3).first(2)) == 2


def test_chains_are_linked_in_order() -> None:
    first, second = block("VkPhysicalDeviceFeatures2"), block("VkPhysicalDeviceVulkan12Features")
    assert chained() is None
    assert chained(first, second) is first
    assert first.get("pNext") == second.address
    assert second.get("pNext") == 0


def test_packers_cover_whole_structs() -> None:
    for name in abi.structs():
        form = abi.layout(name)
        if all(field.code and field.bits is None for field in form.fields) and not _is_union(name):
            assert packer(name).size == form.size, name


def test_members_that_do_not_exist_are_refused() -> None:
    with pytest.raises(KeyError):
        block("VkBufferCreateInfo", sise=1)


def test_small_arrays() -> None:
    assert unpack_from("2Q", pointers([1, 2**63])) == (1, 2**63)
    assert unpack_from("2I", integers([1, 2**32 - 1])) == (1, 2**32 - 1)
    assert text(b"abc\0def") == "abc"


def _is_union(name: str) -> bool:
    fields = abi.layout(name).fields
    return len(fields) > 1 and all(field.offset == 0 for field in fields)
