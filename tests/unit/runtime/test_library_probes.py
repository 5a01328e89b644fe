"""What the probes of CUDA, HIP and OpenCL make of libraries that are missing, that fail, and that answer."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.drivers.cuda import probe as cuda
from targetenv_runtime.drivers.hip import probe as hip
from targetenv_runtime.drivers.opencl import probe as opencl
from targetenv_runtime.ffi.library import Library

from targetenv.model.version import Version

if TYPE_CHECKING:
    from pathlib import Path

CUDA = """
#include <stdio.h>
#include <string.h>
#ifndef INIT
#define INIT 0
#endif
int cuInit(unsigned flags) { return INIT; }
int cuGetErrorName(int error, const char **name) {
  *name = error == 100 ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"; return 0;
}
int cuDriverGetVersion(int *version) { *version = 12080; return 0; }
int cuDeviceGetCount(int *count) { *count = COUNT; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = 40 + ordinal; return 0; }
int cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "Planted GPU %d", device); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 141ull << 30; return 0; }
int cuDeviceGetPCIBusId(char *id, int length, int device) { snprintf(id, length, "0000:1B:00.%d", device - 40); return 0; }
int cuDeviceGetUuid_v2(unsigned char *uuid, int device) { for (int i = 0; i < 16; ++i) uuid[i] = i * 16 + 10; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  switch (attribute) {
    case 75: *value = 9; return 0;
    case 76: *value = 0; return 0;
    case 10: *value = 32; return 0;
    case 120: return 1;
    default: *value = attribute; return 0;
  }
}
"""


def planted(tmp_path: Path, source: str, *defines: str) -> Library:
    """A library with this source in it."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("cc is not installed")
    (tmp_path / "planted.c").write_text(source)
    path = tmp_path / "libplanted.so"
    flags = [f"-D{define}" for define in defines]
    subprocess.run([compiler, "-shared", "-fPIC", *flags, str(tmp_path / "planted.c"), "-o", str(path)], check=True)
    return Library("planted", (str(path),))


ABSENT = Library("planted", ("libnosuch.so.1", "libnosuch.so"))


@pytest.mark.parametrize("prober", [cuda.probe, hip.probe, opencl.probe])
def test_without_the_library_every_name_that_was_tried_is_listed(prober: object) -> None:
    _, (reason,) = prober(ABSENT)  # type: ignore[operator]
    assert reason.code == "TE5101"
    assert "libnosuch.so.1:" in reason.reason
    assert "libnosuch.so:" in reason.reason


def test_every_gpu_is_described(tmp_path: Path) -> None:
    devices, unavailable = cuda.probe(planted(tmp_path, CUDA, "COUNT=2"))
    assert [device.uri for device in devices] == ["cuda://0", "cuda://1"]
    assert unavailable == []
    second = devices[1]
    assert second.name == "Planted GPU 41"
    assert second.identity == (("pci", "0000:1b:00.1"), ("uuid", "GPU-0a1a2a3a-4a5a-6a7a-8a9a-aabacadaeafa"))
    assert (second.offers.isa, second.offers.version) == ("sm_90", Version(12, 8))
    assert second.offers.formats == {"ptx", "cubin"}
    assert second.offers.subgroup_sizes == {32}
    assert second.offers.property("totalGlobalMem") == 141 << 30


def test_an_attribute_that_the_driver_does_not_know_is_left_out(tmp_path: Path) -> None:
    devices, _ = cuda.probe(planted(tmp_path, CUDA, "COUNT=1"))
    assert devices[0].offers.property("CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH") is None
    assert devices[0].offers.property("CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT") == 16


@pytest.mark.parametrize(("init", "code", "name"), [(100, "TE5102", "NO_DEVICE"), (803, "TE5103", "SYSTEM_DRIVER_MISMATCH")])
def test_a_driver_that_refuses_is_quoted(tmp_path: Path, init: int, code: str, name: str) -> None:
    devices, (reason,) = cuda.probe(planted(tmp_path, CUDA, "COUNT=0", f"INIT={init}"))
    assert devices == []
    assert reason.code == code
    assert name in reason.reason


def test_a_driver_that_counts_no_gpu_has_no_device(tmp_path: Path) -> None:
    assert [reason.code for reason in cuda.probe(planted(tmp_path, CUDA, "COUNT=0"))[1]] == ["TE5102"]


def test_hip_without_its_node_names_the_node(tmp_path: Path) -> None:
    library = planted(tmp_path, "int hipGetDeviceCount(int *count) { *count = 1; return 0; }")
    _, (reason,) = hip.probe(library, node=str(tmp_path / "kfd"))
    assert reason.code == "TE5104"
    assert "kfd" in reason.reason


HIP = """
#include <stdio.h>
int hipGetDeviceCount(int *count) { *count = COUNT; return 0; }
int hipDeviceGetName(char *name, int length, int device) { snprintf(name, length, "Planted Instinct"); return 0; }
int hipDeviceGetPCIBusId(char *id, int length, int device) { snprintf(id, length, "0000:C1:00.0"); return 0; }
int hipDeviceTotalMem(size_t *bytes, int device) { *bytes = 64ull << 30; return 0; }
#ifdef VERSION
int hipRuntimeGetVersion(int *version) { *version = VERSION; return 0; }
#endif
"""


def test_a_hip_device_gets_its_isa_from_the_kernels_topology(tmp_path: Path) -> None:
    topology = tmp_path / "topology"
    (topology / "1").mkdir(parents=True)
    (topology / "1" / "properties").write_text(f"gfx_target_version 90402\nlocation_id {0xC1 << 8}\ndomain 0\n")
    (tmp_path / "kfd").touch()
    (device,), _ = hip.probe(planted(tmp_path, HIP, "COUNT=1"), topology=str(topology), node=str(tmp_path / "kfd"))
    assert (device.name, device.offers.isa) == ("Planted Instinct", "gfx942")
    assert device.offers.version is None


def test_a_hip_device_has_the_version_of_its_runtime(tmp_path: Path) -> None:
    (tmp_path / "kfd").touch()
    library = planted(tmp_path, HIP, "COUNT=1", "VERSION=60342133")
    (device,), _ = hip.probe(library, topology=str(tmp_path), node=str(tmp_path / "kfd"))
    assert str(device.offers.version) == "6.3"
    assert dict(device.provenance) == {"hip runtime": "6.3"}


def test_a_loader_without_platforms_says_so(tmp_path: Path) -> None:
    library = planted(tmp_path, "int clGetPlatformIDs(unsigned n, void **p, unsigned *count) { *count = 0; return -1001; }")
    assert [reason.code for reason in opencl.probe(library)[1]] == ["TE5102"]
