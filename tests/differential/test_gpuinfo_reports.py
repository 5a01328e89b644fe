"""Forty real reports: everything that they say is in the devices read from them, and nothing else.

The expectation is a plain reading: one loop over each part of a report, names by `registry.feature`, SPIR-V by the conditions
in vulkan-object's copy of the registry. `tests/corpora/devices` has the same devices for those who do not have the reports.
"""

from __future__ import annotations

import csv
import json
import struct
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from targetenv.model.record import replace
from targetenv.model.version import Version
from targetenv.registry import depends, spirv, vulkan
from targetenv.registry.spirv_environment import support
from targetenv.wire.device_files import DeviceFile, read_device, read_devices

pytestmark = pytest.mark.differential
REPORTS = Path(__file__).parents[3] / "shared" / "data" / "gpuinfo"
RECORDED = Path(__file__).parents[1] / "corpora" / "devices"
NUMBERS = sorted(path.name.partition("-")[0] for path in RECORDED.glob("*.json.gz"))
CORES = ("11", "12", "13", "14")
FIRST = "VkPhysicalDeviceProperties"


@cache
def _report(number: str) -> dict[str, Any]:
    path = REPORTS / f"{number}.json"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here (../shared/data/gpuinfo)")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


@cache
def _read(number: str) -> DeviceFile:
    _report(number)
    return read_device((REPORTS / f"{number}.json").read_bytes(), name=f"{number}.json")


def _named(find: Any, rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The rows of an extension's structs with their canonical names: of its own structs first, else the only one so called."""
    found = []
    for row in rows:
        names = find(row["name"])
        own = [name for name in names if row["extension"] in vulkan.provided_by(name.partition("::")[0])]
        if len(own or names) == 1:
            found.append(((own or names)[0], row))
    return found


def _features(report: dict[str, Any]) -> dict[str, bool]:
    told: dict[str, bool] = {}
    stated = [(vulkan.feature("VkPhysicalDeviceFeatures", name), value) for name, value in report["features"].items()]
    for core in CORES:
        members = report.get(f"core{core}", {}).get("features", {})
        stated += [(vulkan.feature(f"VkPhysicalDeviceVulkan{core}Features", name), value) for name, value in members.items()]
    stated += [(name, row["supported"]) for name, row in _named(vulkan.find_feature, report["extended"]["devicefeatures2"])]
    for name, value in stated:
        told[name] = told.get(name, False) or bool(value)
    return told


def _properties(report: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in report["properties"].items():
        if name in ("apiVersion", "driverVersion", "vendorID", "deviceID", "deviceType", "deviceName", "pipelineCacheUUID"):
            told[f"{FIRST}::{name}"] = value
    told |= {f"VkPhysicalDeviceLimits::{name}": value for name, value in report["properties"]["limits"].items()}
    sparse = report["properties"]["sparseProperties"]
    told |= {f"VkPhysicalDeviceSparseProperties::{name}": value for name, value in sparse.items()}
    for core in CORES:
        members = report.get(f"core{core}", {}).get("properties", {})
        for name, value in members.items():
            told[vulkan.property_name(f"VkPhysicalDeviceVulkan{core}Properties", name)] = value
    own = report["properties"]["subgroupProperties"]
    if "VkPhysicalDeviceSubgroupProperties::subgroupSize" not in told:
        told |= {vulkan.property_name("VkPhysicalDeviceSubgroupProperties", name): value for name, value in own.items()}
    for name, row in _named(vulkan.find_property, report["extended"]["deviceproperties2"]):
        told[name] = row["value"]
    return told


def _same(ours: Any, theirs: Any) -> bool:
    """Whether a value is what the report writes, in whichever of its spellings."""
    if isinstance(ours, bool):
        return bool(ours == {"true": True, "false": False}.get(theirs, theirs))
    if isinstance(ours, int):
        return bool(ours == (int(theirs, 0) if isinstance(theirs, str) else theirs))
    if isinstance(ours, float):
        return struct.pack("f", ours) == struct.pack("f", float(theirs))
    if isinstance(ours, tuple):
        parts = theirs.split(".") if isinstance(theirs, str) else theirs
        return len(ours) == len(parts) and all(map(_same, ours, parts))
    return bool(ours == (bytes(theirs).hex() if isinstance(theirs, list) else theirs))


def test_forty_devices_are_carried() -> None:
    assert len(NUMBERS) == 40


@pytest.mark.parametrize("number", NUMBERS)
def test_every_extension_of_a_report_is_offered(number: str) -> None:
    listed = {row["extensionName"] for row in _report(number)["extensions"]}
    assert _read(number).device.offers.extensions == listed


@pytest.mark.parametrize("number", NUMBERS)
def test_every_feature_of_a_report_is_offered_or_denied(number: str) -> None:
    told = _features(_report(number))
    offers = _read(number).device.offers
    assert offers.features == {name for name, value in told.items() if value}
    assert offers.denied == {name for name, value in told.items() if not value}
    assert len(told) > 60


@pytest.mark.parametrize("number", NUMBERS)
def test_every_limit_of_a_report_has_its_value(number: str) -> None:
    told = _properties(_report(number))
    ours = {row.name: row.value for row in _read(number).device.offers.properties}
    assert set(ours) == set(told)
    assert [name for name in told if not _same(ours[name], told[name])] == []
    assert len(told) > 120


@pytest.mark.parametrize("number", NUMBERS)
def test_subgroup_sizes_are_those_of_the_index(number: str) -> None:
    report = _report(number)
    with (REPORTS / "INDEX.tsv").open(encoding="utf-8", newline="") as lines:
        row = next(row for row in csv.DictReader(lines, delimiter="\t") if row["id"] == number)
    told, properties = _features(report), _properties(report)
    size = int(properties["VkPhysicalDeviceSubgroupProperties::subgroupSize"])
    control = "VkPhysicalDeviceSubgroupSizeControl"
    stages = int(properties.get(f"{control}Properties::requiredSubgroupSizeStages", 0))
    sizes = {size}
    if told.get(f"{control}Features::subgroupSizeControl") and stages & 0x20:
        low, high = (int(properties[f"{control}Properties::{which}SubgroupSize"]) for which in ("min", "max"))
        sizes = {1 << power for power in range(8) if low <= 1 << power <= high}
    if row["subgroupSize"] != "None":
        assert int(row["subgroupSize"]) == size
    assert _read(number).device.offers.subgroup_sizes == sizes


@pytest.mark.parametrize("number", NUMBERS)
def test_spirv_capabilities_are_those_that_the_conditions_of_vulkan_object_enable(number: str) -> None:
    report = _report(number)
    told, properties = _features(report), _properties(report)
    extensions = {row["extensionName"] for row in report["extensions"]}
    version = Version.unpack_vulkan(report["properties"]["apiVersion"])

    def provided(atom: str) -> bool:
        if "::" in atom:
            return told.get(vulkan.feature(*atom.split("::")), False)
        if vulkan.is_version(atom):
            return version >= vulkan.version(atom)
        core = vulkan.core_since(atom)
        return atom in extensions or (core is not None and version >= core)

    def holds(enable: Any) -> bool:
        if enable.version:
            return version >= vulkan.version(enable.version)
        if enable.extension:
            return enable.extension in extensions
        if enable.feature:
            names = [vulkan.feature(enable.struct, name) for name in enable.feature.split(",")]
            implied = [vulkan.feature_extension_alias(name) for name in names]
            met = any(told.get(name) for name in names) or any(name in extensions for name in implied)
        else:
            value = properties.get(vulkan.property_name(enable.property, enable.member), 0)
            number_of = {"true": 1, "false": 0}.get(value, value)
            met = bool(int(number_of) & (1 if enable.value == "VK_TRUE" else vulkan.bit_value(enable.value)))
        return met and (not enable.requires or depends.evaluate(enable.requires, provided))

    expected = {
        spirv.canonical_capability(each.name) or each.name
        for each in _registry().spirv
        if each.capability and any(map(holds, each.enable))
    }
    assert support(_read(number).device.offers).environment.capabilities == expected


@cache
def _registry() -> Any:
    from vulkan_object import get_vulkan_object

    return get_vulkan_object()


@pytest.mark.parametrize("number", NUMBERS)
def test_the_device_in_the_corpus_is_the_one_in_the_report(number: str) -> None:
    (path,) = RECORDED.glob(f"{number}-*.json.gz")
    from targetenv.wire.device_files import contents

    recorded = read_device(contents(str(path)), name=path.name).device
    ours = _read(number).device
    assert recorded.offers == ours.offers
    assert replace(recorded, uri="", provenance=()) == replace(ours, uri="", provenance=())


def test_the_folder_of_reports_is_read_in_order_and_quickly() -> None:
    _report(NUMBERS[0])
    list(read_devices(str(REPORTS)))
    start = time.perf_counter()
    found = [each for each in read_devices(str(REPORTS)) if isinstance(each, DeviceFile)]
    spent = time.perf_counter() - start
    assert [Path(each.name).stem for each in found] == NUMBERS
    print(f"{len(found)} reports in {spent * 1000:.0f} ms")
