"""Memory of a Vulkan device: which type serves which purpose, and small buffers sharing one allocation."""

from __future__ import annotations

import ctypes
from threading import Lock

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan import describe
from targetenv_runtime.drivers.vulkan.block import block, packer
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from targetenv_runtime.backend import Memory
    from targetenv_runtime.drivers.vulkan.device import LogicalDevice

_CHUNK = 8 << 20  # what is allocated for buffers that share
ADDRESSES = "VkPhysicalDeviceBufferDeviceAddressFeatures::bufferDeviceAddress"
_SHARES = 1 << 20  # larger buffers have an allocation of their own


class Storage:
    """A VkBuffer with its memory: `buffer` is the handle, `address` where the host sees it, 0 where it does not.

    `device_address` is where kernels see it, 0 where they take no addresses.
    """

    __slots__ = ("address", "buffer", "chunk", "device_address", "offset", "room", "size")

    def __init__(self, buffer: ctypes.c_uint64, size: int, chunk: Chunk, offset: int, room: int) -> None:
        self.buffer = buffer
        self.device_address = 0
        self.size = size
        self.chunk = chunk
        self.offset = offset
        self.room = room
        self.address = chunk.address + offset if chunk.address else 0

    @property
    def view(self) -> memoryview | None:
        """The bytes, for the host."""
        if not self.address:
            return None
        return memoryview((ctypes.c_char * self.size).from_address(self.address)).cast("B")

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes into memory that the host sees."""
        ctypes.memmove(self.address + offset, data, len(data))


class Chunk:
    """One VkDeviceMemory, mapped for good where that is possible. `free` has the gaps as [offset, size], in order."""

    __slots__ = ("address", "free", "kind", "memory", "size")

    def __init__(self, memory: ctypes.c_uint64, kind: int, size: int, address: int) -> None:
        self.memory = memory
        self.kind = kind
        self.size = size
        self.address = address
        self.free = [[0, size]]

    def take(self, size: int, alignment: int) -> int | None:
        """The offset of a free range, by first fit; the alignment is a power of two."""
        for index, (start, length) in enumerate(self.free):
            offset = start + alignment - 1 & -alignment
            left = start + length - offset - size
            if left >= 0:
                pieces = [[start, offset - start], [offset + size, left]]
                self.free[index : index + 1] = [piece for piece in pieces if piece[1]]
                return offset
        return None

    def give(self, offset: int, size: int) -> bool:
        """Take a range back, joining gaps; whether the chunk is empty now."""
        self.free.append([offset, size])
        self.free.sort()
        joined = self.free[:1]
        for start, length in self.free[1:]:
            if joined[-1][0] + joined[-1][1] == start:
                joined[-1][1] += length
            else:
                joined.append([start, length])
        self.free = joined
        return joined == [[0, self.size]]


class Heap:
    """Allocates and frees `Storage`. Any thread may call."""

    def __init__(self, device: LogicalDevice) -> None:
        self.device = device
        self._lock = Lock()
        self._chunks: list[Chunk] = []
        self._destroy_buffer = device.destroyer("vkDestroyBuffer")
        self._free_memory = device.destroyer("vkFreeMemory")
        self._heaps, self._types = describe.memory_properties(device.instance, device.physical)
        plan = device.plan
        self._largest = min(
            plan.number("VkPhysicalDeviceMaintenance3Properties::maxMemoryAllocationSize", 1 << 30),
            plan.number("VkPhysicalDeviceMaintenance4Properties::maxBufferSize", 1 << 62),
        )
        self._usage = sum(
            abi.constant(f"VK_BUFFER_USAGE_{use}_BIT")
            for use in ("TRANSFER_SRC", "TRANSFER_DST", "STORAGE_BUFFER", "INDIRECT_BUFFER")
        )
        self._addressed = device.has(ADDRESSES)
        if self._addressed:
            self._usage |= abi.constant("VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT")
            self._address = device.call("vkGetBufferDeviceAddress")
            self._address_info = abi.header("VkBufferDeviceAddressInfo")[1]
        device_type = plan.number("VkPhysicalDeviceProperties::deviceType")
        unified = device_type in (abi.constant(f"VK_PHYSICAL_DEVICE_TYPE_{name}") for name in ("CPU", "INTEGRATED_GPU"))
        self._order = {memory: preferences(memory, self._types, unified=unified) for memory in ("device", "host", "shared")}

    def allocate(self, size: int, memory: Memory) -> Storage:
        """A buffer of at least `size` bytes; RESOURCE_EXHAUSTED when there is no room for it."""
        room = max(size + 3 & ~3, 4)  # fills and updates work in words
        if room > self._largest:
            raise HalError(
                Code.RESOURCE_EXHAUSTED, f"a buffer of {size} bytes; the device makes none larger than {self._largest}"
            )
        create = block("VkBufferCreateInfo", size=room, usage=self._usage)
        buffer = self.device.create("vkCreateBuffer", create.buffer)
        try:
            chunk, offset, taken = self._place(buffer, memory)
        except HalError as error:
            self._destroy_buffer(buffer)
            raise error.within(bytes=size, memory=memory) from error
        storage = Storage(buffer, size, chunk, offset, taken)
        bind = self.device.call("vkBindBufferMemory")
        self.device.check("vkBindBufferMemory", bind(self.device.handle, buffer, chunk.memory, ctypes.c_uint64(offset)))
        if self._addressed:
            info = packer("VkBufferDeviceAddressInfo").pack(self._address_info, 0, buffer.value)
            storage.device_address = self._address(self.device.handle, info) or 0
        return storage

    def release(self, storage: Storage) -> None:
        """Give a buffer and its memory back."""
        self._destroy_buffer(storage.buffer)
        with self._lock:
            if storage.chunk.give(storage.offset, storage.room):
                self._chunks.remove(storage.chunk)
                self._free_memory(storage.chunk.memory)

    def _place(self, buffer: ctypes.c_uint64, memory: Memory) -> tuple[Chunk, int, int]:
        needs = block("VkMemoryRequirements")
        self.device.call("vkGetBufferMemoryRequirements")(self.device.handle, buffer, needs.buffer)
        ((size, alignment, allowed),) = needs.rows()
        kinds = [kind for kind in self._order[memory] if allowed >> kind & 1]
        if not kinds:
            raise HalError(Code.RESOURCE_EXHAUSTED, f"the device has no memory for `{memory}` buffers")
        failure: HalError | None = None
        with self._lock:
            for kind in kinds:
                if size <= _SHARES:
                    for chunk in self._chunks:
                        if chunk.kind == kind and (offset := chunk.take(size, alignment)) is not None:
                            return chunk, offset, size
                try:
                    chunk = self._chunk(kind, size)
                except HalError as error:
                    failure = failure or error
                    continue
                self._chunks.append(chunk)
                offset = chunk.take(size, alignment)
                assert offset == 0, "a new chunk is empty"
                return chunk, 0, size
        assert failure is not None, "there was a type of memory to try"
        raise failure

    def _chunk(self, kind: int, least: int) -> Chunk:
        bits, heap = self._types[kind]
        if least > self._heaps[heap][0]:
            raise HalError(Code.RESOURCE_EXHAUSTED, f"{least} bytes from a heap of {self._heaps[heap][0]}")
        size = _CHUNK if least <= _SHARES and self._heaps[heap][0] > 16 * _CHUNK else least
        flags = abi.constant("VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT")
        addressed = block("VkMemoryAllocateFlagsInfo", flags=flags) if self._addressed else None
        info = block("VkMemoryAllocateInfo", pNext=addressed, allocationSize=size, memoryTypeIndex=kind)
        memory = self.device.create("vkAllocateMemory", info.buffer)
        address = ctypes.c_void_p()
        if bits & abi.constant("VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT"):
            everything = ctypes.c_uint64(abi.constant("VK_WHOLE_SIZE"))
            arguments: tuple[Any, ...] = (memory, ctypes.c_uint64(0), everything, 0, ctypes.byref(address))
            try:
                self.device.check("vkMapMemory", self.device.call("vkMapMemory")(self.device.handle, *arguments))
            except HalError:
                self._free_memory(memory)
                raise
        return Chunk(memory, kind, size, address.value or 0)

    def close(self) -> None:
        """Free what is left; every buffer must be gone, unless the device is lost."""
        for chunk in self._chunks:
            self._free_memory(chunk.memory)
        self._chunks = []


def preferences(memory: str, types: Sequence[tuple[int, int]], *, unified: bool) -> list[int]:
    """The types of memory, given as (propertyFlags, heap), that serve a purpose, best first.

    Host-visible memory is used only where it is coherent. On a `unified` device (a CPU, an integrated GPU) the host's memory is
    the device's. Flags that ask for care (protected, lazily allocated, AMD's uncached) rule a type out.
    """
    local, visible, coherent, cached = (
        abi.constant(f"VK_MEMORY_PROPERTY_{name}_BIT")
        for name in ("DEVICE_LOCAL", "HOST_VISIBLE", "HOST_COHERENT", "HOST_CACHED")
    )
    ranked: list[tuple[tuple[bool, ...], int]] = []
    for kind, (bits, _) in enumerate(types):
        near, seen, quick = bool(bits & local), bool(bits & visible), bool(bits & cached)
        if bits & ~(local | visible | coherent | cached) or (seen and not bits & coherent):
            continue
        if memory == "device":
            # What the host sees behind a bus is scarce and slow to read: there it is the second choice.
            ranked.append(((near, seen == unified, quick), -kind))
        elif seen:
            ranked.append(((near if memory == "shared" else unified or not near, quick), -kind))
    return [-kind for _, kind in sorted(ranked, reverse=True)]
