"""What follows from a Vulkan device's properties: identity, driver version, subgroup sizes, lines about queues and memory.

A probe and every reader of a device file derive these here, so that one device reads alike wherever it was met. `values` are
properties under canonical names; what is not among them is left out of the answer.
"""

from __future__ import annotations

from targetenv.model.version import Version
from targetenv.registry.vulkan_abi import HEADER_VERSION, constant
from targetenv.registry.vulkan_words import flags, uuid, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from targetenv.model.capabilities import PropertyValue

_DEVICE = "VkPhysicalDeviceProperties::"
_IDS = "VkPhysicalDeviceIDProperties::"
_DRIVER = "VkPhysicalDeviceDriverProperties::"
_PCI = "VkPhysicalDevicePCIBusInfoPropertiesEXT::pci"
_NVIDIA = 0x10DE
_POWERS_OF_TWO = tuple(1 << power for power in range(32))


def identity(values: Mapping[str, PropertyValue]) -> tuple[tuple[str, str], ...]:
    """What tells this device from its neighbours: ids, UUIDs, the LUID and the PCI address where there are any.

    >>> identity({"VkPhysicalDeviceProperties::vendorID": 0x1002, "VkPhysicalDeviceProperties::deviceType": 2})
    (('deviceType', 'discrete-gpu'), ('vendorID', '0x1002'))
    """
    told: dict[str, str] = {}
    for name in ("deviceID", "vendorID"):
        if isinstance(number := values.get(_DEVICE + name), int):
            told[name] = f"{number:#06x}"
    if _DEVICE + "deviceType" in values:
        told["deviceType"] = words("VkPhysicalDeviceType", values[_DEVICE + "deviceType"])
    for name in ("deviceUUID", "driverUUID"):
        if _IDS + name in values:
            told[name] = uuid(str(values[_IDS + name]))
    if values.get(_IDS + "deviceLUIDValid") and _IDS + "deviceLUID" in values:
        told["deviceLUID"] = str(values[_IDS + "deviceLUID"])
    if _DRIVER + "driverID" in values:
        told["driverID"] = words("VkDriverId", values[_DRIVER + "driverID"])
    address = [values.get(_PCI + part) for part in ("Domain", "Bus", "Device", "Function")]
    if None not in address:
        domain, bus, device, function = (int(str(part)) for part in address)
        told["pci"] = f"{domain:04x}:{bus:02x}:{device:02x}.{function:x}"
    return tuple(sorted(told.items()))


def driver_facts(values: Mapping[str, PropertyValue]) -> dict[str, str]:
    """Which driver and which tables the facts come from, and what is odd about them."""
    told = {"registry": f"vk.xml {HEADER_VERSION}"}
    if isinstance(values.get(_DEVICE + "driverVersion"), int):
        told["driverVersion"] = driver_version(values)
    for name in ("driverName", "driverInfo"):
        if values.get(_DRIVER + name):
            told[name] = str(values[_DRIVER + name])
    conformance = values.get(_DRIVER + "conformanceVersion")
    if isinstance(conformance, tuple):
        told["conformanceVersion"] = ".".join(map(str, conformance))
    text = bytes.fromhex(str(values.get(_IDS + "deviceUUID", ""))).rstrip(b"\0")
    if len(text) > 4 and all(0x20 <= byte < 0x7F for byte in text):
        told["deviceUUID"] = f"the text `{text.decode()}`: it names a version of the driver, not one device"
    return told


def driver_version(values: Mapping[str, PropertyValue]) -> str:
    """The driver's version as its vendor writes it; the encoding is the vendor's own.

    >>> nvidia = {"VkPhysicalDeviceProperties::vendorID": 0x10DE, "VkPhysicalDeviceProperties::driverVersion": 0x8F4C8100}
    >>> driver_version(nvidia)
    '573.50.04.00'
    """
    packed = int(str(values[_DEVICE + "driverVersion"]))
    if values.get(_DEVICE + "vendorID") == _NVIDIA:
        return f"{packed >> 22}.{packed >> 14 & 0xFF:02}.{packed >> 6 & 0xFF:02}.{packed & 0x3F:02}"
    return ".".join(map(str, Version.unpack_vulkan(packed).key))


def subgroup_sizes(features: Set[str], properties: Mapping[str, PropertyValue]) -> frozenset[int]:
    """The subgroup sizes that a compute shader can run with, empty where nothing says so.

    The device's own size; and where the size of a pipeline can be asked for and compute stages may ask, every power of two from
    the smallest to the largest.

    >>> own = {"VkPhysicalDeviceSubgroupProperties::subgroupSize": 64}
    >>> sorted(subgroup_sizes(set(), own))
    [64]
    """
    own = properties.get("VkPhysicalDeviceSubgroupProperties::subgroupSize")
    control = "VkPhysicalDeviceSubgroupSizeControl"
    stages = properties.get(f"{control}Properties::requiredSubgroupSizeStages", 0)
    if (
        f"{control}Features::subgroupSizeControl" in features
        and isinstance(stages, int)
        and stages & constant("VK_SHADER_STAGE_COMPUTE_BIT")
    ):
        smallest, largest = (properties.get(f"{control}Properties::{which}SubgroupSize") for which in ("min", "max"))
        if isinstance(smallest, int) and isinstance(largest, int):
            return frozenset(size for size in _POWERS_OF_TWO if smallest <= size <= largest)
    return frozenset({own}) if isinstance(own, int) and own > 0 else frozenset()


def queue_line(index: int, count: int, bits: int) -> str:
    """One queue family in words.

    >>> queue_line(1, 2, 6)
    'family 1: 2 queues, compute | transfer'
    """
    return f"family {index}: {count} queue{'s' if count != 1 else ''}, {flags('VkQueueFlagBits', bits)}"


def heap_line(index: int, size: int, bits: int) -> str:
    """One memory heap in words."""
    return f"heap {index}: {size} bytes, {flags('VkMemoryHeapFlagBits', bits)}"


def memory_type_line(index: int, heap: int, bits: int) -> str:
    """One memory type in words."""
    return f"type {index}: heap {heap}, {flags('VkMemoryPropertyFlagBits', bits)}"
