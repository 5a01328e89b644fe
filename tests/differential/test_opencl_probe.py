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
