"""A device's identity, where the facts come from, its queues and memory, its matrix types: in words."""

from __future__ import annotations

from functools import cache

from targetenv.model.version import Version
from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import room

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Mapping

    from targetenv.model.capabilities import PropertyValue
    from targetenv_runtime.drivers.vulkan.loader import Instance

_DEVICE = "VkPhysicalDeviceProperties::"
_IDS = "VkPhysicalDeviceIDProperties::"
_DRIVER = "VkPhysicalDeviceDriverProperties::"
_PCI = "VkPhysicalDevicePCIBusInfoPropertiesEXT::pci"
_NVIDIA = 0x10DE


def identity(values: Mapping[str, PropertyValue]) -> tuple[tuple[str, str], ...]:
    """What tells this device from its neighbours: ids, UUIDs, the LUID and the PCI address where there are any."""
    told = {
        "deviceID": f"{values[_DEVICE + 'deviceID']:#06x}",
        "deviceType": words("VkPhysicalDeviceType", values[_DEVICE + "deviceType"]),
        "vendorID": f"{values[_DEVICE + 'vendorID']:#06x}",
    }
    for name in ("deviceUUID", "driverUUID"):
        if _IDS + name in values:
            told[name] = uuid(str(values[_IDS + name]))
    if values.get(_IDS + "deviceLUIDValid"):
        told["deviceLUID"] = str(values[_IDS + "deviceLUID"])
    if _DRIVER + "driverID" in values:
        told["driverID"] = words("VkDriverId", values[_DRIVER + "driverID"])
    if _PCI + "Domain" in values:
        domain, bus, device, function = (int(str(values[_PCI + part])) for part in ("Domain", "Bus", "Device", "Function"))
        told["pci"] = f"{domain:04x}:{bus:02x}:{device:02x}.{function:x}"
    return tuple(sorted(told.items()))


def provenance(values: Mapping[str, PropertyValue], loader: int) -> tuple[tuple[str, str], ...]:
    """Which driver, loader and tables the facts come from, and what is odd about them."""
    told = {
        "driverVersion": driver_version(values),
        "loader": str(Version.unpack_vulkan(loader)),
        "registry": f"vk.xml {abi.HEADER_VERSION}",
    }
    for name in ("driverName", "driverInfo"):
        if values.get(_DRIVER + name):
            told[name] = str(values[_DRIVER + name])
    conformance = values.get(_DRIVER + "conformanceVersion")
    if isinstance(conformance, tuple):
        told["conformanceVersion"] = ".".join(map(str, conformance))
    text = bytes.fromhex(str(values.get(_IDS + "deviceUUID", ""))).rstrip(b"\0")
    if len(text) > 4 and all(0x20 <= byte < 0x7F for byte in text):
        told["deviceUUID"] = f"the text `{text.decode()}`: it names a version of the driver, not one device"
    return tuple(sorted(told.items()))


def driver_version(values: Mapping[str, PropertyValue]) -> str:
    """The driver's version as its vendor writes it; the encoding is the vendor's own.

    >>> nvidia = {"VkPhysicalDeviceProperties::vendorID": 0x10DE, "VkPhysicalDeviceProperties::driverVersion": 0x8F4C8100}
    >>> driver_version(nvidia)
    '573.50.04.00'
    """
    packed = int(str(values[_DEVICE + "driverVersion"]))
    if values[_DEVICE + "vendorID"] == _NVIDIA:
        return f"{packed >> 22}.{packed >> 14 & 0xFF:02}.{packed >> 6 & 0xFF:02}.{packed & 0x3F:02}"
    return ".".join(map(str, Version.unpack_vulkan(packed).key))


def queues(instance: Instance, physical: ctypes.c_void_p) -> tuple[str, ...]:
    """One line for each queue family: `family 0: 1 queue, graphics | compute | transfer`."""
    found = queue_families(instance, physical)
    return tuple(
        f"family {index}: {count} queue{'s' if count != 1 else ''}, {flags('VkQueueFlagBits', bits)}"
        for index, (bits, count) in enumerate(found)
    )


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
    told = [f"heap {index}: {size} bytes, {flags('VkMemoryHeapFlagBits', bits)}" for index, (size, bits) in enumerate(heaps)]
    told += [
        f"type {index}: heap {heap}, {flags('VkMemoryPropertyFlagBits', bits)}" for index, (bits, heap) in enumerate(types)
    ]
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


@cache
def flags(bits: str, value: int) -> str:
    """Flag bits in the registry's words, without prefix and suffix: `graphics | compute`.

    >>> flags("VkMemoryPropertyFlagBits", 6)
    'host-visible | host-coherent'
    """
    names = abi.enum_names(bits)
    known = [_word(name, bits) for bit, name in sorted(names.items()) if bit and not bit & bit - 1 and value & bit]
    rest = value & ~sum(bit for bit in names if bit and not bit & bit - 1)
    return " | ".join([*known, *([hex(rest)] if rest else [])]) or "no flags"


@cache
def words(enumeration: str, value: object) -> str:
    """An enumerant in the registry's words: `integrated-gpu`; the number where the registry has no name.

    >>> words("VkPhysicalDeviceType", 4), words("VkDriverId", 13)
    ('cpu', 'mesa-llvmpipe')
    """
    name = abi.enum_names(enumeration).get(int(str(value)))
    return str(value) if name is None else _word(name, enumeration)


def _word(name: str, enumeration: str) -> str:
    """`VK_QUEUE_COMPUTE_BIT` of `VkQueueFlagBits` is `compute`: what all enumerants share goes, so does the vendor's tag."""
    shared = "VK"
    for letter in enumeration.removeprefix("Vk").removesuffix("FlagBits").removesuffix("KHR"):
        shared += f"_{letter}" if letter.isupper() else letter.upper()
    parts = name.removeprefix(shared + "_").split("_")
    if parts[-1] in ("KHR", "EXT", "NV", "AMD", "QCOM", "ARM"):
        parts.pop()
    return "-".join(parts).removesuffix("-BIT").lower()


def scope(value: int) -> str:
    """The scope of a cooperative matrix, as `CooperativeMatrix` spells it."""
    return words("VkScopeKHR", value)


def component(value: int) -> str:
    """A component type as MLIR spells it.

    >>> [component(value) for value in (0, 3, 9, 1000141000)]
    ['f16', 'i8', 'ui32', 'bf16']
    """
    word = words("VkComponentTypeKHR", value)
    return _COMPONENTS.get(word) or word.replace("bfloat", "bf").replace("float", "f").replace("sint", "i").replace(
        "uint", "ui"
    )


# Those whose MLIR name is not made by the rule.
_COMPONENTS = {
    "float8-e4m3": "f8E4M3FN",
    "float8-e5m2": "f8E5M2",
    "float6-e2m3": "f6E2M3FN",
    "float6-e3m2": "f6E3M2FN",
    "float4-e2m1": "f4E2M1FN",
    "float8-unsigned-e8m0": "f8E8M0FNU",
}


def uuid(digits: str) -> str:
    """32 hexadecimal digits as 8-4-4-4-12, which is how vulkaninfo and drivers print UUIDs.

    >>> uuid("6d65736132322e332e36000000000000")
    '6d657361-3232-2e33-2e36-000000000000'
    """
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
