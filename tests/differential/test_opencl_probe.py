"""Our OpenCL probe against clinfo: the same devices with the same extensions and limits."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from targetenv_runtime.probing import probe_all

pytestmark = pytest.mark.differential

SAME = {
    "CL_DEVICE_MAX_COMPUTE_UNITS",
    "CL_DEVICE_MAX_WORK_GROUP_SIZE",
    "CL_DEVICE_LOCAL_MEM_SIZE",
    "CL_DEVICE_GLOBAL_MEM_SIZE",
    "CL_DEVICE_ADDRESS_BITS",
    "CL_DEVICE_MAX_PARAMETER_SIZE",
    "CL_DEVICE_MAX_CONSTANT_ARGS",
    "CL_DEVICE_MAX_SAMPLERS",
    "CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS",
    "CL_DEVICE_MAX_NUM_SUB_GROUPS",
    "CL_DEVICE_PROFILE",
}
TRUTHS = {
    "CL_DEVICE_IMAGE_SUPPORT",
    "CL_DEVICE_PIPE_SUPPORT",
    "CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT",
    "CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT",
}


def test_every_device_is_as_clinfo_sees_it() -> None:
    if shutil.which("clinfo") is None:
        pytest.skip("clinfo is not installed")
    raw = subprocess.run(["clinfo", "--raw"], capture_output=True, text=True, check=False).stdout
    rows = [line.split(maxsplit=2) for line in raw.splitlines() if line.startswith("[")]
    theirs: list[dict[str, str]] = []
    for row in rows:
        if row[1] == "CL_DEVICE_NAME":
            theirs.append({})
        if theirs and len(row) == 3:
            theirs[-1].setdefault(row[1], row[2].strip())
    ours, unavailable = probe_all(["opencl"])
    if not theirs:
        assert [reason.driver for reason in unavailable] == ["opencl"]
        pytest.skip("no OpenCL device is installed")
    assert [device.name for device in ours] == [device["CL_DEVICE_NAME"] for device in theirs]
    for device, their in zip(ours, theirs, strict=True):
        assert device.offers.extensions == set(their["CL_DEVICE_EXTENSIONS"].split())
        assert {name: str(device.offers.property(name)) for name in SAME} == {name: their[name].split()[0] for name in SAME}
        assert {name: bool(device.offers.property(name)) for name in TRUTHS} == {
            name: their[name] == "CL_TRUE" for name in TRUTHS
        }
        extent = tuple(map(int, their["CL_DEVICE_MAX_WORK_ITEM_SIZES"].split()))
        assert device.offers.property("CL_DEVICE_MAX_WORK_ITEM_SIZES") == extent
        assert bool(device.offers.property("CL_DEVICE_DOUBLE_FP_CONFIG")) == bool(their.get("CL_DEVICE_DOUBLE_FP_CONFIG"))
