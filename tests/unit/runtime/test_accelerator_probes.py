"""What the probes of kernel accelerators make of sysfs and /dev, on planted trees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.drivers.amdxdna import probe as amdxdna
from targetenv_runtime.drivers.habana import probe as habana
from targetenv_runtime.drivers.hip.probe import isas_by_location

if TYPE_CHECKING:
    from pathlib import Path


def plant(root: Path, module: str, *, nodes: int = 1, present: bool = True) -> str:
    """A machine whose kernel has this module loaded, with so many devices; the probe's root."""
    (root / "sys/module" / module).mkdir(parents=True)
    drivers = root / "sys/bus/pci/drivers" / module
    drivers.mkdir(parents=True)
    for number in range(nodes):
        parent = root / f"sys/devices/0000:c{number}:00.1"
        parent.mkdir(parents=True)
        (parent / "vbnv").write_text("NPU Strix\n")
        (parent / "device_type").write_text("GAUDI2\n")
        (parent / "driver").symlink_to(drivers)
        entry = root / f"sys/class/accel/accel{number}"
        entry.mkdir(parents=True)
        (entry / "device").symlink_to(parent)
        if present:
            (root / "dev/accel").mkdir(parents=True, exist_ok=True)
            (root / f"dev/accel/accel{number}").touch()
    return f"{root}/"


def test_without_the_module_the_module_is_named(tmp_path: Path) -> None:
    _, (reason,) = amdxdna.probe(f"{tmp_path}/")
    assert reason.code == "TE5108"
    assert "amdxdna" in reason.reason


def test_a_module_without_devices_has_no_device(tmp_path: Path) -> None:
    assert [reason.code for reason in amdxdna.probe(plant(tmp_path, "amdxdna", nodes=0))[1]] == ["TE5102"]


def test_a_device_is_named_as_the_kernel_names_it(tmp_path: Path) -> None:
    devices, unavailable = amdxdna.probe(plant(tmp_path, "amdxdna", nodes=2))
    assert [(device.uri, device.name) for device in devices] == [("amdxdna://0", "NPU Strix"), ("amdxdna://1", "NPU Strix")]
    assert dict(devices[1].identity)["pci"] == "0000:c1:00.1"
    assert unavailable == []


def test_a_gaudi_is_not_an_npu(tmp_path: Path) -> None:
    root = plant(tmp_path, "habanalabs")
    assert [device.name for device in habana.probe(root)[0]] == ["GAUDI2"]
    assert [reason.code for reason in amdxdna.probe(root)[1]] == ["TE5108"]


def test_a_device_without_its_node_is_a_missing_node(tmp_path: Path) -> None:
    _, (reason,) = amdxdna.probe(plant(tmp_path, "amdxdna", present=False))
    assert reason.code == "TE5104"
    assert "accel0" in reason.reason


def test_a_node_without_rights_names_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = plant(tmp_path, "amdxdna")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # noqa: ARG005  root, whom tests often run as, may open everything
    _, (reason,) = amdxdna.probe(root)
    assert reason.code == "TE5105"
    assert "`render`" in reason.help


@pytest.mark.parametrize(("target", "isa"), [(90010, "gfx90a"), (110501, "gfx1151"), (90402, "gfx942"), (120001, "gfx1201")])
def test_isas_are_spelt_with_hexadecimal_minor_and_stepping(tmp_path: Path, target: int, isa: str) -> None:
    node = tmp_path / "1"
    node.mkdir()
    (node / "properties").write_text(f"cpu_cores_count 0\ngfx_target_version {target}\ndomain 0\nlocation_id {0xC1 << 8}\n")
    (tmp_path / "0").mkdir()  # may not be read
    assert isas_by_location(str(tmp_path)) == {"0000:c1:00.0": isa}
