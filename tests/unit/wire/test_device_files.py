"""Files that describe devices are told apart by what is in them, and whatever is odd about them is a warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.wire.device_files import DeviceFile, read_device, read_devices, read_path
from targetenv.wire.snapshot import write_snapshot

REPORT: dict[str, Any] = {
    "properties": {"apiVersion": 4198400, "deviceName": "a GPU", "vendorID": 4098, "limits": {"maxPushConstantsSize": 128}},
    "features": {"shaderInt64": 1, "shaderInt16": 0},
    "extensions": [{"extensionName": "VK_KHR_16bit_storage", "specVersion": 1}],
    "extended": {
        "devicefeatures2": [{"extension": "VK_KHR_16bit_storage", "name": "storagePushConstant16", "supported": True}],
        "deviceproperties2": [{"extension": "VK_KHR_maintenance3", "name": "maxMemoryAllocationSize", "value": "0x40000000"}],
    },
}
INT64 = "VkPhysicalDeviceFeatures::shaderInt64"


def _read(change: dict[str, Any] | None = None, **kwargs: Any) -> DeviceFile:
    return read_device(json.dumps(REPORT | (change or {})).encode(), name="r.json", **kwargs)


def _codes(file: DeviceFile) -> list[str]:
    return [diagnostic.code for diagnostic in file.diagnostics]


def test_a_report_of_the_capability_viewer_is_read() -> None:
    file = _read()
    assert (file.kind, file.device.name, file.device.uri, file.diagnostics) == ("capsviewer", "a GPU", "r.json", ())
    offers = file.device.offers
    assert offers.features == {INT64, "VkPhysicalDevice16BitStorageFeatures::storagePushConstant16"}
    assert offers.denied == {"VkPhysicalDeviceFeatures::shaderInt16"}
    assert offers.property("VkPhysicalDeviceMaintenance3Properties::maxMemoryAllocationSize") == 1 << 30
    assert offers.complete


def test_what_a_report_gets_wrong_is_a_warning_of_its_kind() -> None:
    extended = {
        "devicefeatures2": [
            {"extension": "VK_KHR_16bit_storage", "name": "noSuchMember", "supported": True},
            {"extension": "VK_KHR_16bit_storage", "name": "storagePushConstant16", "supported": "maybe"},
            {"extension": "VK_KHR_16bit_storage", "name": "storageInputOutput16", "supported": True},
            {"extension": "VK_KHR_16bit_storage", "name": "storageInputOutput16", "supported": False},
        ],
    }
    extensions = [{"extensionName": "VK_XX_nothing"}]
    assert _codes(_read({"extended": extended, "extensions": extensions})) == ["TE4310", "TE4312", "TE4313", "TE4316"]


def test_a_missing_struct_of_a_core_version_is_said() -> None:
    properties = REPORT["properties"] | {"apiVersion": (1 << 22) | (2 << 12)}
    assert _codes(_read({"properties": properties})) == ["TE4314"]


def test_a_struct_of_zeros_that_no_viewer_filled_in_is_said() -> None:
    core = {"features": {"maintenance5": 0, "pushDescriptor": 0}, "properties": {}}
    file = _read({"core14": core})
    assert _codes(file) == ["TE4314"]
    assert "every feature is zero" in file.diagnostics[0].message


def test_without_a_list_of_extensions_nothing_absent_is_a_no() -> None:
    report = {key: value for key, value in REPORT.items() if key != "extensions"}
    file = read_device(json.dumps(report).encode(), name="r.json")
    assert not file.device.offers.complete
    assert _codes(file) == ["TE4314"]


def test_json_with_a_stray_comma_is_mended() -> None:
    file = read_device(json.dumps(REPORT).encode()[:-1] + b",}", name="r.json")
    assert _codes(file) == ["TE4315"]
    assert INT64 in file.device.offers.features


def test_a_snapshot_is_a_device_file() -> None:
    device = Device("cpu://0", "x", "cpu", Capabilities("cpu"))
    file = read_device(write_snapshot([device]), name="x.device.json")
    assert (file.device, file.kind) == (device, "snapshot")


def test_a_snapshot_with_its_keys_in_another_order_is_one_too() -> None:
    document = json.loads(write_snapshot([Device("cpu://0", "x", "cpu", Capabilities("cpu"))]))
    file = read_device(json.dumps(document, sort_keys=True).encode(), name="x.device.json")
    assert (file.kind, file.device.uri) == ("snapshot", "cpu://0")


def test_one_of_several_has_to_be_named() -> None:
    devices = [Device(f"cpu://{at}", f"x{at}", "cpu", Capabilities("cpu")) for at in range(2)]
    data = write_snapshot(devices)
    for code, select in (("TE4307", None), ("TE4308", "y")):
        with pytest.raises(FormatError) as caught:
            read_device(data, name="x.json", select=select)
        assert caught.value.code == code
        assert "cpu://1" in str(caught.value)
    for select in ("1", "x1", "cpu://1"):
        assert read_device(data, name="x.json", select=select).device == devices[1]


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"[1, 2]", b"null", b"hello", b'{"features": 1}', b"\xff\xfe"])
def test_what_describes_no_device_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        read_device(data, name="x")
    assert caught.value.code in ("TE4302", "TE4304")


def test_a_folder_is_read_in_the_order_of_names_and_says_what_it_passes_over(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(REPORT))
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "c.json").write_text(json.dumps(REPORT))
    (tmp_path / "readme.md").write_text("")
    first, *rest = read_devices(str(tmp_path))
    assert isinstance(first, Diagnostic)
    assert first.code == "TE4309"
    assert [Path(each.name).name for each in rest if isinstance(each, DeviceFile)] == ["b.json", "c.json"]
    assert read_path(str(tmp_path / "b.json")).device.name == "a GPU"


@pytest.mark.parametrize("flags", ["1e999", ["1e999"], [["x"]], [None], "A|B", "0x1ffffffff", -1e30, float("nan"), {}])
def test_flags_that_are_none_are_left_out(flags: Any) -> None:
    assert _codes(_read({"queues": [{"queueCount": 1, "queueFlags": flags}]})) == ["TE4312"]
