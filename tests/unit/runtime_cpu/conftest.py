"""Kernels compiled once, and an open device."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.cpu import include_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from targetenv_runtime.device import Device

KERNELS = """
#include <targetenv/kernel.h>

/* out[i] = i-th workgroup's linear number plus the constant, one element a workgroup */
TARGETENV_KERNEL(number) {
  uint32_t *out = targetenv_binding(dispatch, 0);
  const uint64_t at = ((uint64_t)workgroup->id_z * dispatch->workgroup_count_y + workgroup->id_y)
                      * dispatch->workgroup_count_x + workgroup->id_x;
  if (at * sizeof *out >= targetenv_binding_size(dispatch, 0)) return -3;
  out[at] += (uint32_t)at + targetenv_constant_u32(dispatch, 0);
  return 0;
}

/* y[i] = a*x[i] + y[i] */
TARGETENV_WORKGROUP_SIZE(axpy, 64, 1, 1)
TARGETENV_KERNEL(axpy) {
  const float a = targetenv_constant_f32(dispatch, 0), *x = targetenv_binding(dispatch, 0);
  const uint32_t n = targetenv_constant_u32(dispatch, 1);
  float *y = targetenv_binding(dispatch, 1);
  for (uint32_t i = workgroup->id_x * 64; i < workgroup->id_x * 64 + 64 && i < n; ++i) y[i] = a * x[i] + y[i];
  return 0;
}

/* fails in the workgroup that the constant names */
TARGETENV_KERNEL(fail_at) {
  uint32_t *out = targetenv_binding(dispatch, 0);
  if (workgroup->id_x == targetenv_constant_u32(dispatch, 0)) return 42;
  out[workgroup->id_x] = 1;
  return 0;
}

/* writes all of its scratch memory, takes its time, and looks whether somebody else wrote there */
TARGETENV_LOCAL_MEMORY(scratch, 8192)
TARGETENV_KERNEL(scratch) {
  uint32_t *out = targetenv_binding(dispatch, 0);
  volatile uint32_t *mine = workgroup->local_memory;
  const uint32_t words = 8192 / sizeof *mine;
  if (!mine || workgroup->local_memory_size < 8192) return 1;
  for (uint32_t i = 0; i < words; ++i) mine[i] = workgroup->id_x;
  for (uint32_t round = 0; round < 20; ++round)
    for (uint32_t i = 0; i < words; ++i) if (mine[i] != workgroup->id_x) return 2;
  out[workgroup->id_x] = workgroup->id_x;
  return 0;
}

/* counts its calls in memory of the library, and knows nothing of others */
static uint32_t calls;
TARGETENV_KERNEL(count) {
  *(uint32_t *)targetenv_binding(dispatch, 0) = ++calls;
  return 0;
}

/* out = { size x, y, z, count x, y, z, constants, bindings } */
TARGETENV_KERNEL(describe) {
  uint32_t *out = targetenv_binding(dispatch, 0);
  out[0] = dispatch->workgroup_size_x, out[1] = dispatch->workgroup_size_y, out[2] = dispatch->workgroup_size_z;
  out[3] = dispatch->workgroup_count_x, out[4] = dispatch->workgroup_count_y, out[5] = dispatch->workgroup_count_z;
  out[6] = dispatch->constant_count, out[7] = dispatch->binding_count;
  return environment->constants != 0 || environment->import_funcs != 0;
}

TARGETENV_KERNEL(nothing) { return 0; }

/* exported, and no kernel: it has no range entry */
extern __attribute__((visibility("default"))) int plain(void);
int plain(void) { return 0; }
"""


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Compiles C text to the bytes of a shared object."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    folder: Path = tmp_path_factory.mktemp("kernels")

    def build(source: str, *flags: str) -> bytes:
        text, image = folder / "kernels.c", folder / "kernels.so"
        text.write_text(source)
        command = [compiler, "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I", include_directory(), *flags]
        done = subprocess.run([*command, str(text), "-o", str(image)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return image.read_bytes()

    return build


@pytest.fixture(scope="session")
def image(compiled: Callable[..., bytes]) -> bytes:
    """The kernels above."""
    return compiled(KERNELS)


@pytest.fixture(scope="session")
def image_format() -> str:
    return f"elf-{os.uname().machine}"


@pytest.fixture
def device() -> Iterator[Device]:
    with open_device("cpu://0", threads=3) as opened:
        yield opened
