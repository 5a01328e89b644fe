"""Descriptor sets of a command buffer: one for each distinct group of bindings, all made with two calls."""

from __future__ import annotations

import ctypes

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, packer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from targetenv_runtime.drivers.vulkan.device import LogicalDevice
    from targetenv_runtime.drivers.vulkan.memory import Storage

    Span: TypeAlias = tuple[Storage, int, int]  # a buffer, an offset and a length
    Key: TypeAlias = tuple[int, ...]  # what tells one group of bindings from another


class Pool:
    """A VkDescriptorPool with `room` for so many sets and descriptors, used for one recording at a time."""

    __slots__ = ("handle", "room")

    def __init__(self) -> None:
        self.handle = ctypes.c_uint64()
        self.room = (0, 0)


class Descriptors:
    """Allocates and writes sets. Any thread may call, with pools of its own."""

    def __init__(self, device: LogicalDevice) -> None:
        self.device = device
        call = device.call
        self._allocate, self._update = call("vkAllocateDescriptorSets"), call("vkUpdateDescriptorSets")
        self._reset, self._destroy = call("vkResetDescriptorPool"), device.destroyer("vkDestroyDescriptorPool")
        self._kind = abi.constant("VK_DESCRIPTOR_TYPE_STORAGE_BUFFER")
        self._types = abi.header("VkDescriptorSetAllocateInfo")[1], abi.header("VkWriteDescriptorSet")[1]

    def make(self, pool: Pool, groups: Mapping[Key, tuple[int, Sequence[Span]]]) -> dict[Key, ctypes.c_uint64]:
        """A set for each key; a group is the handle of its layout and its buffers, which are bindings 0, 1, 2 ..."""
        count, total = len(groups), sum(len(spans) for _, spans in groups.values())
        self._reserve(pool, count, total)
        layouts = (ctypes.c_uint64 * count)(*[layout for layout, _ in groups.values()])
        handles = (ctypes.c_uint64 * count)()
        allocate, write = self._types
        info = packer("VkDescriptorSetAllocateInfo").pack(allocate, 0, pool.handle.value, count, ctypes.addressof(layouts))
        result = self._allocate(self.device.handle, info, handles)
        if result:
            self.device.check("vkAllocateDescriptorSets", result)
        ranges, writes = packer("VkDescriptorBufferInfo"), packer("VkWriteDescriptorSet")
        buffers = ctypes.create_string_buffer(ranges.size * total)
        base = ctypes.addressof(buffers)
        rows = bytearray()
        at = 0
        for handle, (_, spans) in zip(handles, groups.values(), strict=True):
            # A count above one goes on with the next binding.
            rows += writes.pack(write, 0, handle, 0, 0, len(spans), self._kind, 0, base + at, 0)
            for storage, offset, length in spans:
                ranges.pack_into(buffers, at, storage.buffer.value, offset, length)
                at += ranges.size
        self._update(self.device.handle, count, bytes(rows), 0, None)
        return {key: ctypes.c_uint64(handle) for key, handle in zip(groups, handles, strict=True)}

    def discard(self, pool: Pool) -> None:
        """Destroy the pool with its sets."""
        if pool.handle:
            self._destroy(pool.handle)
            pool.handle, pool.room = ctypes.c_uint64(), (0, 0)

    def _reserve(self, pool: Pool, sets: int, descriptors: int) -> None:
        """Empty the pool; make a larger one where it is too small."""
        if sets <= pool.room[0] and descriptors <= pool.room[1]:
            self.device.check("vkResetDescriptorPool", self._reset(self.device.handle, pool.handle, 0))
            return
        self.discard(pool)
        size = block("VkDescriptorPoolSize", type=self._kind, descriptorCount=descriptors)
        info = block("VkDescriptorPoolCreateInfo", maxSets=sets, poolSizeCount=1, pPoolSizes=size)
        pool.handle = self.device.create("vkCreateDescriptorPool", info.buffer)
        pool.room = sets, descriptors
