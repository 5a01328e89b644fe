"""A device's queues and memory, as the driver answers and in words; where its facts come from."""

from __future__ import annotations

from targetenv.model.version import Version
from targetenv.registry.vulkan_device import driver_facts, heap_line, memory_type_line, queue_line
from targetenv_runtime.drivers.vulkan.block import room

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Mapping

    from targetenv.model.capabilities import PropertyValue
    from targetenv_runtime.drivers.vulkan.loader import Instance


def provenance(values: Mapping[str, PropertyValue], loader: int) -> tuple[tuple[str, str], ...]:
    """Which driver, loader and tables the facts come from, and what is odd about them."""
    told = driver_facts(values) | {"loader": str(Version.unpack_vulkan(loader))}
    return tuple(sorted(told.items()))


def queues(instance: Instance, physical: ctypes.c_void_p) -> tuple[str, ...]:
    """One line for each queue family: `family 0: 1 queue, graphics | compute | transfer`."""
    found = queue_families(instance, physical)
    return tuple(queue_line(index, count, bits) for index, (bits, count) in enumerate(found))


def queue_families(instance: Instance, physical: ctypes.c_void_p) -> list[tuple[int, int]]:
    """(queueFlags, queueCount) of every queue family."""
    import ctypes

    count = ctypes.c_uint32()
    query = instance.command("vkGetPhysicalDeviceQueueFamilyProperties")
    query(physical, ctypes.byref(count), None)
    found = room("VkQueueFamilyProperties", count.value)
    query(physical, ctypes.byref(count), found.buffer)
    return [(found.get("queueFlags", index), found.get("queueCount", index)) for index in range(count.value)]


def memory(instance: Instance, physical: ctypes.c_void_p) -> tuple[str, ...]:
    """One line for each heap, then one for each memory type."""
    heaps, types = memory_properties(instance, physical)
    told = [heap_line(index, size, bits) for index, (size, bits) in enumerate(heaps)]
    told += [memory_type_line(index, heap, bits) for index, (bits, heap) in enumerate(types)]
    return tuple(told)


def memory_properties(instance: Instance, physical: ctypes.c_void_p) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The heaps as (size, flags), and the memory types as (propertyFlags, heapIndex)."""
    from struct import unpack_from

    found = room("VkPhysicalDeviceMemoryProperties", 1)
    instance.command("vkGetPhysicalDeviceMemoryProperties")(physical, found.buffer)
    heaps = unpack_from(f"{found.get('memoryHeapCount') * 4}I", found.buffer, found.offset("memoryHeaps"))
    types = unpack_from(f"{found.get('memoryTypeCount') * 2}I", found.buffer, found.offset("memoryTypes"))
    return (
        [(low | high << 32, bits) for low, high, bits, _ in zip(*[iter(heaps)] * 4, strict=True)],
        list(zip(types[::2], types[1::2], strict=True)),
    )
