"""Profiles that are written are what the schema of Vulkan Profiles 0.8 accepts, by the types of vulkan-object's registry.

The schema itself is made from the registry (Vulkan-Profiles, gen_profiles_schema): a member is what its C type says, nothing
else may stand in a struct, and a profile has seven keys.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
from targetenv.model.device import Device
from targetenv.model.version import Version
from targetenv.wire.capsviewer_writer import write_capsviewer
from targetenv.wire.device_files import contents, read_device
from targetenv.wire.device_writer import write_devices
from targetenv.wire.profile_writer import write_profile

RECORDED = sorted((Path(__file__).parents[2] / "corpora" / "devices").glob("*.json.gz"))
REQUIRED = {"label", "description", "version", "api-version", "contributors", "history", "capabilities"}
RANGES = {"uint8_t": (0, 255), "int32_t": (-(1 << 31), (1 << 31) - 1), "uint32_t": (0, (1 << 32) - 1)}


@cache
def _registry() -> Any:
    from vulkan_object import get_vulkan_object

    return get_vulkan_object()


def _fits(value: Any, type_: str, lengths: list[str]) -> bool:
    """Whether a JSON value is what the schema demands of a member of this C type."""
    registry = _registry()
    if type_ == "char":
        return isinstance(value, str)
    if lengths:
        first = lengths[0]
        count = int(first) if first.isdigit() else int(registry.constants[first].value)
        return isinstance(value, list) and len(value) == count and all(_fits(one, type_, lengths[1:]) for one in value)
    if type_ == "VkBool32":
        return isinstance(value, bool)
    if type_ == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if type_ in registry.flags:
        names = {flag.name for flag in registry.bitmasks[registry.flags[type_].bitmaskName].flags}
        return isinstance(value, list) and set(value) <= names and len(set(value)) == len(value)
    if type_ in registry.bitmasks:
        return value in {flag.name for flag in registry.bitmasks[type_].flags}
    if type_ in registry.enums:
        return value in {field.name for field in registry.enums[type_].fields}
    if type_ in registry.structs:
        return not _misfits(type_, value)
    low, high = RANGES.get(type_, (-(1 << 63), (1 << 64) - 1))
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _misfits(struct: str, body: Any) -> list[str]:
    members = {member.name: member for member in _registry().structs[struct].members}
    found = []
    for name, value in body.items():
        member = members.get(name)
        if member is not None and member.pointer:  # a list whose length another member holds
            good = isinstance(value, list) and all(_fits(one, member.type, []) for one in value)
        else:
            good = member is not None and _fits(value, member.type, member.fixedSizeArray or [])
        if not good:
            found.append(f"{struct}::{name} = {value}")
    return found


def _check(text: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(text)
    assert {"capabilities", "profiles"} <= set(body)
    for name, profile in body["profiles"].items():
        assert re.fullmatch(r"VP_[A-Z0-9]+_[A-Za-z0-9_]+", name)
        assert set(profile) == REQUIRED
        assert re.fullmatch(r"[0-9]+.[0-9]+.[0-9]+", profile["api-version"])
        assert all("company" in one for one in profile["contributors"].values())
        assert all({"revision", "date", "author", "comment"} <= set(row) for row in profile["history"])
        assert set(profile["capabilities"]) <= set(body["capabilities"])
    for block in body["capabilities"].values():
        assert set(block) <= {"extensions", "features", "properties", "queueFamiliesProperties"}
        assert set(block["extensions"]) <= set(_registry().extensions)
        structs = {**block["features"], **block["properties"]}
        assert [misfit for struct, members in structs.items() for misfit in _misfits(struct, members)] == []
        families = block.get("queueFamiliesProperties", [])
        assert all(not _misfits("VkQueueFamilyProperties", row["VkQueueFamilyProperties"]) for row in families)
        assert all(families.count(row) == 1 for row in families)
    return body


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.partition(".")[0])
def test_a_recorded_device_is_a_valid_profile_that_reads_back(path: Path) -> None:
    device = read_device(contents(str(path)), name=path.name).device
    made = write_profile([device])
    _check(made.text)
    back = read_device(made.text.encode(), name="x").device
    assert back.offers.features == device.offers.features
    assert back.offers.properties == device.offers.properties
    unknown = {loss.partition(",")[0].removeprefix("extension ") for loss in made.losses if loss.startswith("extension")}
    assert back.offers.extensions == device.offers.extensions - unknown
    about_queues = {"queue families", "flags of queue families that have no name"}
    assert {loss for loss in made.losses if not loss.startswith("extension")} <= {"memory heaps and types", *about_queues}


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name.partition(".")[0])
def test_a_recorded_device_is_a_report_that_reads_back_equal(path: Path) -> None:
    device = read_device(contents(str(path)), name=path.name).device
    made = write_capsviewer(device)
    assert made.losses == ()
    assert read_device(made.text.encode(), name="x").device.offers == device.offers


def _device(**changes: Any) -> Device:
    facts: dict[str, Any] = {"api": "vulkan", "version": Version(1, 1), "formats": frozenset({"spirv"})}
    return Device("vulkan://0", "a GPU", "vulkan", Capabilities(**(facts | changes)))


def test_what_a_profile_cannot_say_is_named() -> None:
    matrix = CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32")
    made = write_profile(
        [
            _device(
                matrices=frozenset({matrix}),
                subgroup_sizes=frozenset({7}),
                spirv=SpirvEnvironment(Version(1, 3)),
                features=frozenset({"Own::feature"}),
                extensions=frozenset({"VK_OWN_extension"}),
                properties=(
                    Property("Own::limit", 1),
                    Property("VkPhysicalDeviceProperties::deviceType", 99),
                    Property("VkPhysicalDeviceSubgroupProperties::supportedOperations", 1 << 31 | 1),
                ),
            )
        ]
    )
    block = _check(made.text)["capabilities"]["device"]
    assert block["properties"]["VkPhysicalDeviceSubgroupProperties"] == {
        "supportedOperations": ["VK_SUBGROUP_FEATURE_BASIC_BIT"]
    }
    words = ("cooperative", "subgroup sizes", "SPIR-V", "Own::feature", "VK_OWN", "Own::limit", "deviceType", "0x80000000")
    assert all(any(word in loss for loss in made.losses) for word in words)


def test_a_device_that_is_known_in_part_becomes_a_promise() -> None:
    feature = "VkPhysicalDeviceFeatures::shaderInt64"
    made = write_profile([_device(features=frozenset({feature}), complete=False)])
    file = read_device(made.text.encode(), name="x")
    assert (file.kind, file.device.offers.complete, file.device.offers.features) == ("profile", False, frozenset({feature}))


def test_devices_of_other_apis_are_left_out_of_vulkan_files() -> None:
    cpu = Device("cpu://0", "a CPU", "cpu", Capabilities("cpu"))
    for form in ("profile", "capsviewer"):
        made = write_devices([cpu, _device()], form)
        assert "cpu://0: a device of cpu" in made.losses
        assert read_device(made.text.encode(), name="x").device.offers.version == Version(1, 1)
        with pytest.raises(Exception, match="TE4305"):
            write_devices([cpu], form)


def test_two_queue_families_that_are_alike_are_written_once() -> None:
    device = Device(
        "vulkan://0", "a GPU", "vulkan", Capabilities("vulkan", Version(1, 1)), queues=("family 0: 1 queue, compute",) * 2
    )
    made = write_profile([device])
    _check(made.text)
    assert "queue families" in made.losses
