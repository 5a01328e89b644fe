"""The Vulkan probe against vulkaninfo: every extension, feature and property of the first device, leaf by leaf.

Both spell one fact in several ways (a bundle of a core version, the struct of an extension; flags as a number or as names), so
each answer is brought to the registry's canonical names first, and to plain numbers by means that the probe does not use.
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from targetenv_runtime.drivers.vulkan.probe import probe

from targetenv.registry import vulkan as registry
from targetenv.wire.device_files import read_all, read_path
from targetenv.wire.profile_writer import write_profile

if TYPE_CHECKING:
    from targetenv.model.device import Device

pytestmark = pytest.mark.differential
_ALL_STAGES = registry.bit_value("VK_SHADER_STAGE_ALL")
RECORDED = Path(__file__).parents[3] / "shared" / "data" / "vulkaninfo_lavapipe_1.3.239.json"


@cache
def _probed() -> Device:
    devices, unavailable = probe()
    if not devices:
        pytest.skip(f"no Vulkan device: {unavailable[0].reason}")
    return devices[0]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What vulkaninfo says here and now; it writes into its working directory, never to standard output."""
    if shutil.which("vulkaninfo") is None:
        pytest.skip("vulkaninfo is not installed (Debian and Ubuntu: `vulkan-tools`)")
    _probed()
    folder = tmp_path_factory.mktemp("vulkaninfo")
    subprocess.run(["vulkaninfo", "--json"], cwd=folder, check=True, capture_output=True, timeout=60)
    (written,) = folder.glob("VP_VULKANINFO_*.json")
    return _device(written)


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """A recorded answer of the same driver version."""
    if not RECORDED.is_file():
        pytest.skip(f"{RECORDED.name} is not here")
    told = _device(RECORDED)
    driver = told["properties"]["VkPhysicalDeviceDriverProperties"]["driverInfo"]
    here = dict(_probed().provenance).get("driverInfo")
    if here != driver:
        pytest.skip(f"recorded from {driver}, here is {here}")
    return told


@pytest.fixture(params=["live", "recorded"])
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_every_extension_is_equal(told: dict[str, Any]) -> None:
    assert _probed().offers.extensions == set(told["extensions"])


def test_every_feature_is_equal(told: dict[str, Any]) -> None:
    theirs: dict[str, bool] = {}
    for name, members in told["features"].items():
        for member, value in members.items():
            canonical = registry.feature(name, member)
            theirs[canonical] = theirs.get(canonical, False) or value
    offers = _probed().offers
    assert {name: name in offers.features for name in theirs} == theirs
    assert not theirs.keys() - offers.features - offers.denied
    assert len(theirs) > 200


def test_every_property_is_equal(told: dict[str, Any]) -> None:
    theirs: dict[str, Any] = {}
    for name, members in told["properties"].items():
        for member, value in members.items():
            if member == "limits":
                theirs |= {f"VkPhysicalDeviceLimits::{limit}": of for limit, of in value.items()}
            elif member == "sparseProperties":
                theirs |= {f"VkPhysicalDeviceSparseProperties::{row}": of for row, of in value.items()}
            elif value != "NULL":  # a list of structs that has no elements
                theirs[registry.property_name(name, member)] = value
    ours = {row.name: _plain(row.value) for row in _probed().offers.properties}
    numbers = {name: _number(value, a_list="::p" in name) for name, value in theirs.items()}
    for name in numbers:
        if ours[name] == _ALL_STAGES:  # a value of its own; vulkaninfo lists the stages that it knows
            numbers[name] |= _ALL_STAGES
    assert {name: ours[name] for name in numbers} == numbers
    assert len(theirs) > 250


def test_what_the_probe_says_beyond_vulkaninfo_is_newer_than_vulkaninfo(live: dict[str, Any]) -> None:
    """Nothing is made up: what only the probe has comes from structs that the tool's older headers or its output leave out."""
    offers = _probed().offers
    known = {registry.feature(name, member) for name, members in live["features"].items() for member in members}
    extra = {name.partition("::")[0] for name in (offers.features | offers.denied) - known}
    assert not extra & set(live["features"])
    for name in extra:
        assert set(registry.provided_by(name)) & (offers.extensions | {"VK_VERSION_1_1", "VK_VERSION_1_2", "VK_VERSION_1_3"})


def test_queue_families_are_equal(told: dict[str, Any]) -> None:
    families = [row["VkQueueFamilyProperties"] for row in told["queueFamiliesProperties"]]
    ours = _probed().queues
    assert len(ours) == len(families)
    for line, family in zip(ours, families, strict=True):
        assert f"{family['queueCount']} queue" in line
        assert ("compute" in line) == ("VK_QUEUE_COMPUTE_BIT" in family["queueFlags"])


@pytest.fixture(params=["live", "recorded", "text"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Device:
    """The device that our readers make of what vulkaninfo says."""
    if request.param == "recorded":
        request.getfixturevalue("recorded")
        return read_path(str(RECORDED)).device
    request.getfixturevalue("live")
    if request.param == "text":
        written = tmp_path / "vulkaninfo.txt"
        written.write_bytes(subprocess.run(["vulkaninfo"], check=True, capture_output=True, timeout=60).stdout)
    else:
        subprocess.run(["vulkaninfo", "--json"], cwd=tmp_path, check=True, capture_output=True, timeout=60)
        (written,) = tmp_path.glob("VP_VULKANINFO_*.json")
    first, *_ = read_all(written.read_bytes(), name=written.name)
    assert first.diagnostics == ()
    return first.device


def test_a_device_read_from_vulkaninfo_is_the_one_that_was_probed(read: Device) -> None:
    ours, theirs = _probed(), read
    assert (theirs.name, theirs.identity, theirs.queues) == (ours.name, ours.identity, ours.queues)
    assert theirs.memory in ((), ours.memory), "its JSON has no memory"
    mine, other = ours.offers, theirs.offers
    names = ("api", "version", "formats", "extensions", "subgroup_sizes", "complete")
    assert [getattr(other, name) for name in names] == [getattr(mine, name) for name in names]
    assert other.features | other.denied <= mine.features | mine.denied
    assert other.features == mine.features & (other.features | other.denied)
    assert {row.name: row.value for row in other.properties}.items() <= {row.name: row.value for row in mine.properties}.items()
    left_open = {name.partition("::")[0] for name in (mine.features | mine.denied) - (other.features | other.denied)}
    assert left_open <= other.unstated, "what vulkaninfo does not say is open, and is no no"


def test_a_summary_agrees_as_far_as_it_goes(live: dict[str, Any]) -> None:
    said = subprocess.run(["vulkaninfo", "--summary"], check=True, capture_output=True, timeout=60).stdout
    first, *_ = read_all(said, name="summary.txt")
    mine = {row.name: row.value for row in _probed().offers.properties}
    assert (first.kind, first.device.identity, first.device.offers.complete) == (
        "vulkaninfo-summary",
        _probed().identity,
        False,
    )
    assert {row.name: row.value for row in first.device.offers.properties}.items() <= mine.items()


def test_our_profile_of_the_device_spells_every_value_as_vulkaninfo_does(told: dict[str, Any]) -> None:
    """Struct by struct; ours has every fact once, under the struct that it is named after, theirs in bundles too."""
    (ours,) = json.loads(write_profile([_probed()]).text)["capabilities"].values()
    assert set(ours["extensions"]) == set(told["extensions"])
    compared = 0
    for part in ("features", "properties"):
        for name, members in ours[part].items():
            theirs = told[part].get(name, {})
            for member, value in members.items():
                if member in ("limits", "sparseProperties"):
                    assert {limit: _single(value[limit]) for limit in theirs[member]} == _singles(theirs[member])
                    compared += len(value)
                elif member in theirs and theirs[member] != "NULL":
                    assert _single(value) == _single(theirs[member]), f"{name}::{member}"
                    compared += 1
    assert compared > 400


def _singles(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _single(value) for name, value in values.items()}


def _single(value: Any) -> Any:
    """Floats as the 32 bits that a driver has; lists of flags in any order."""
    if isinstance(value, float):
        return struct.unpack("f", struct.pack("f", value))[0]
    if isinstance(value, list):
        return sorted(value, key=str) if value and isinstance(value[0], str) else [_single(one) for one in value]
    return value


def _device(path: Path) -> dict[str, Any]:
    device: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["capabilities"]["device"]
    return device


def _number(value: Any, *, a_list: bool = False) -> Any:
    """vulkaninfo's spelling of a value as numbers: enumerants by value, lists of flags together, UUIDs as digits."""
    match value:
        case str() if value.startswith("VK_"):
            return registry.bit_value(value)
        case []:
            return 0
        case [str(), *_] if not a_list:
            return reduce(or_, map(registry.bit_value, value))
        case list() if len(value) in (8, 16):
            return bytes(value).hex()
        case list():
            return [_number(one) for one in value]
        case dict():
            return [_number(one) for one in value.values()]
        case float():
            return struct.unpack("f", struct.pack("f", value))[0]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return struct.unpack("f", struct.pack("f", value))[0] if isinstance(value, float) else value
