"""Vulkan devices as a Vulkan Profiles file that its schema accepts, and what such a file cannot say of them.

A device that was recorded in full is written with its name, and reads back as a record of that device (`vulkan_profile`). One
of which only a part is known is written without, and reads back as a promise of that part.
"""

from __future__ import annotations

import json
import re

from targetenv.registry import vulkan
from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_device import subgroup_sizes
from targetenv.wire.vulkan_spelling import (
    NotExpressibleError,
    field_of,
    flag_names,
    in_profile,
    is_flags,
    nameless,
    queue_families,
)
from targetenv.wire.written import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.device import Device

SCHEMA = "https://schema.khronos.org/vulkan/profiles-0.8-latest.json#"
_DEVICE = "VkPhysicalDeviceProperties"
_NESTED = {"VkPhysicalDeviceLimits": "limits", "VkPhysicalDeviceSparseProperties": "sparseProperties"}
_WHO = ("deviceName", "vendorID")  # what makes a profile a record of one device
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_FIRST_DATE = "2026-01-01"  # the schema wants one; a device has none, and the same device shall give the same file


def write_profile(devices: Iterable[Device]) -> Written:
    """One profile for each device; devices of other APIs are losses."""
    capabilities: dict[str, Any] = {}
    profiles: dict[str, Any] = {}
    losses: list[str] = []
    for device in devices:
        if device.offers.api != "vulkan":
            losses.append(f"{device.uri}: a device of {device.offers.api}")
            continue
        name = _unused(_profile_name(device), profiles)
        block = "device" if not capabilities else f"device_{len(capabilities)}"
        capabilities[block] = _block(device, losses)
        profiles[name] = _profile(device, block)
    body = {"$schema": SCHEMA, "capabilities": capabilities, "profiles": profiles}
    return Written(json.dumps(body, indent=1) + "\n", tuple(losses))


def _profile_name(device: Device) -> str:
    told = dict(device.provenance)
    words = [device.name, told.get("driverVersion", "")]
    return "VP_TARGETENV_" + (_NOT_A_NAME.sub("_", " ".join(words)).strip("_") or "device")


def _unused(name: str, taken: dict[str, Any]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name}_{number}", number + 1
    return unused


def _profile(device: Device, block: str) -> dict[str, Any]:
    version = device.offers.version
    what = "a record of a device" if device.offers.complete else "what is known of a device"
    return {
        "version": 1,
        "api-version": "1.0.0" if version is None else f"{version.major}.{version.minor}.{version.patch}",
        "label": device.name,
        "description": f"{what}, written by targetenv",
        "contributors": {"targetenv": {"company": "targetenv"}},
        "history": [{"revision": 1, "date": _FIRST_DATE, "author": "targetenv", "comment": what}],
        "capabilities": [block],
    }


def _block(device: Device, losses: list[str]) -> dict[str, Any]:
    offers = device.offers
    features: dict[str, dict[str, bool]] = {}
    told = dict.fromkeys(offers.features, True) | (dict.fromkeys(offers.denied, False) if offers.complete else {})
    for name, value in sorted(told.items()):
        struct, _, member = name.partition("::")
        if vulkan.feature_table(struct).get(member) == name:
            features.setdefault(struct, {})[member] = value
        else:
            losses.append(f"feature {name}")
    told_families = queue_families(device.queues)
    families = [
        {"VkQueueFamilyProperties": {"queueCount": count, "queueFlags": flag_names(mask, abi.enum_names("VkQueueFlagBits"))}}
        for count, mask in dict.fromkeys(told_families)  # the schema wants each only once
    ]
    if any(nameless(mask, abi.enum_names("VkQueueFlagBits")) for _, mask in told_families):
        losses.append("flags of queue families that have no name")
    _left_out(device, len(families), losses)
    known = [name for name in sorted(offers.extensions) if vulkan.extension(name) is not None]
    losses += [f"extension {name}, which the schema does not know" for name in sorted(offers.extensions - set(known))]
    block: dict[str, Any] = {
        "extensions": dict.fromkeys(known, 1),
        "features": features,
        "properties": _properties(offers, device.name, losses),
    }
    return block | ({"queueFamiliesProperties": families} if families else {})


def _properties(offers: Capabilities, name: str, losses: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for row in offers.properties:
        struct, _, member = row.name.partition("::")
        field = field_of(row.name)
        if struct == _DEVICE and member in _WHO and not offers.complete:
            losses.append(f"property {row.name}: it would make the profile a record of the whole device")
            continue
        if field is None or vulkan.property_members(struct).get(member) != row.name:
            losses.append(f"property {row.name}")
            continue
        try:
            value = in_profile(row.value, field)
        except NotExpressibleError as reason:
            losses.append(f"property {row.name}: {reason}")
            continue
        if is_flags(field) and isinstance(row.value, int):
            names = abi.enum_names(field.type)
            if row.value not in names and nameless(row.value, names):
                losses.append(f"property {row.name}: the bits {nameless(row.value, names):#x}, which have no name")
        if struct in _NESTED:
            made.setdefault(_DEVICE, {}).setdefault(_NESTED[struct], {})[member] = value
        else:
            made.setdefault(struct, {})[member] = value
    if offers.complete:
        made.setdefault(_DEVICE, {}).setdefault("deviceName", name)
    return made


def _left_out(device: Device, families: int, losses: list[str]) -> None:
    """What a profile has no place for, where it does not follow from what it has."""
    offers = device.offers
    values = {row.name: row.value for row in offers.properties}
    for what, lost in (
        ("memory heaps and types", bool(device.memory)),
        ("cooperative matrix rows", bool(offers.matrices)),
        ("the SPIR-V that the device states", offers.spirv is not None),
        ("subgroup sizes", offers.subgroup_sizes != subgroup_sizes(offers.features, values)),
        ("queue families", len(device.queues) != families),
        ("features that are known to be missing", bool(offers.denied) and not offers.complete),
        ("the version of Vulkan", offers.version is None),
    ):
        if lost:
            losses.append(what)
