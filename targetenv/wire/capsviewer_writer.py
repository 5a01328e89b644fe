"""A Vulkan device as a report in the shape of the Vulkan Hardware Capability Viewer, version 4, and what that cannot say."""

from __future__ import annotations

import json

from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.registry.vulkan_device import subgroup_sizes
from targetenv.wire.vulkan_spelling import field_of, heaps, memory_types, queue_families
from targetenv.wire.written import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from targetenv.model.capabilities import PropertyValue
    from targetenv.model.device import Device
    from targetenv.registry.vulkan_abi import Field

_SINCE = Version(1, 2)  # the structs of Vulkan 1.1 came with 1.2
_NESTED = {"limits": "VkPhysicalDeviceLimits", "sparseProperties": "VkPhysicalDeviceSparseProperties"}


def write_capsviewer(device: Device) -> Written:
    """The report of one Vulkan device."""
    offers = device.offers
    told: dict[str, PropertyValue] = {row.name: row.value for row in offers.properties}
    answers = dict.fromkeys(offers.denied, 0) | dict.fromkeys(offers.features, 1)
    left = set(told) | set(answers)
    report: dict[str, Any] = {
        "environment": {"reportversion": "4.0", "comment": "written by targetenv"},
        "extensions": [{"extensionName": name, "specVersion": 1} for name in sorted(offers.extensions)],
        "features": _taken(vulkan.feature_table("VkPhysicalDeviceFeatures"), answers, left),
    }
    properties: dict[str, Any] = _spelt(vulkan.property_members("VkPhysicalDeviceProperties"), told, left, _number)
    for key, struct in _NESTED.items():
        properties[key] = _spelt(vulkan.property_members(struct), told, left, _limit)
    version = offers.version or Version(1, 0)
    if f"{'VkPhysicalDeviceProperties'}::apiVersion" not in told and offers.version is not None:
        properties["apiVersion"] = version.major << 22 | version.minor << 12 | version.patch
    properties.setdefault("deviceName", device.name)
    properties["apiVersionText"] = f"{version.major}.{version.minor}.{version.patch}"
    properties["driverVersionText"] = dict(device.provenance).get("driverVersion", "")
    for minor in range(1, 5):
        if version >= max(Version(1, minor), _SINCE):
            struct = f"VkPhysicalDeviceVulkan1{minor}"
            report[f"core1{minor}"] = {
                "features": _taken(vulkan.feature_table(f"{struct}Features"), answers, left),
                "properties": _spelt(vulkan.property_members(f"{struct}Properties"), told, left, _number),
            }
    subgroups = _spelt(vulkan.property_members("VkPhysicalDeviceSubgroupProperties"), told, left, _number)
    if subgroups:
        properties["subgroupProperties"] = subgroups
    report["extended"] = _extended(device, answers, told, left)
    report["properties"] = properties
    report["queues"] = [{"queueCount": count, "queueFlags": mask} for count, mask in queue_families(device.queues)]
    report["memory"] = {
        "memoryHeaps": [{"size": hex(size), "flags": mask} for size, mask in heaps(device.memory)],
        "memoryTypes": [{"heapIndex": heap, "propertyFlags": mask} for heap, mask in memory_types(device.memory)],
    }
    return Written(json.dumps(report, indent=1) + "\n", _losses(device, left))


def _extended(
    device: Device, answers: dict[str, int], told: dict[str, PropertyValue], left: set[str]
) -> dict[str, list[dict[str, Any]]]:
    """A row for each member of a struct that one of the device's extensions brings; of core structs, under that version."""
    features: list[dict[str, Any]] = []
    properties: list[dict[str, Any]] = []
    version = device.offers.version or Version(1, 0)
    cores = [f"VK_VERSION_1_{minor}" for minor in range(1, version.minor + 1)]
    for provider in (*sorted(device.offers.extensions), *cores):
        if vulkan.extension(provider) is None and provider not in cores:
            continue
        wanted = left if provider in cores else None
        for member, name in vulkan.provided_features(provider).items():
            if name in answers and (wanted is None or name in wanted) and not _is_bundled(name):
                features.append({"extension": provider, "name": member, "supported": bool(answers[name])})
                left.discard(name)
        for member, name in vulkan.provided_properties(provider).items():
            if name in told and (wanted is None or name in wanted) and not _is_bundled(name):
                field = field_of(name)
                if field is not None:
                    properties.append({"extension": provider, "name": member, "value": _text(told[name], field)})
                    left.discard(name)
    return {"devicefeatures2": features, "deviceproperties2": properties}


def _is_bundled(name: str) -> bool:
    return name.startswith("VkPhysicalDeviceVulkan1")


def _taken(table: dict[str, str], answers: dict[str, int], left: set[str]) -> dict[str, int]:
    left.difference_update(table.values())
    return {member: answers[name] for member, name in table.items() if name in answers}


def _spelt(
    table: dict[str, str],
    told: dict[str, PropertyValue],
    left: set[str],
    spell: Callable[[PropertyValue, Field], Any],
) -> dict[str, Any]:
    made = {}
    for member, name in table.items():
        field = field_of(name)
        if name in told and field is not None:
            made[member] = spell(told[name], field)
            left.discard(name)
    return made


def _number(value: PropertyValue, field: Field) -> Any:
    """Booleans as 0 and 1, UUIDs as lists of bytes, versions as text, sizes as texts of decimal digits."""
    if field.code == "B" and field.dims:
        return list(bytes.fromhex(str(value)))
    if field.type == "VkConformanceVersion" and isinstance(value, tuple):
        return ".".join(map(str, value))
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, bool):
        return int(value)
    return str(value) if field.code in ("Q", "q") else value


def _limit(value: PropertyValue, field: Field) -> Any:
    """Limits write sizes in hexadecimal."""
    return hex(value) if field.code == "Q" and isinstance(value, int) else _number(value, field)


def _text(value: PropertyValue, field: Field) -> Any:
    """A value of `extended`: always a text, but for lists."""
    if isinstance(value, bool):
        return "true" if value else "false"
    spelt = _number(value, field)
    return spelt if isinstance(spelt, list) else str(spelt)


def _losses(device: Device, left: set[str]) -> tuple[str, ...]:
    offers = device.offers
    values = {row.name: row.value for row in offers.properties}
    lost = [f"{'feature' if name in offers.features | offers.denied else 'property'} {name}" for name in sorted(left)]
    for what, gone in (
        ("cooperative matrix rows", bool(offers.matrices)),
        ("the SPIR-V that the device states", offers.spirv is not None),
        ("subgroup sizes", offers.subgroup_sizes != subgroup_sizes(offers.features, values)),
        ("that only a part of the device is known", not offers.complete),
    ):
        if gone:
            lost.append(what)
    return tuple(lost)
