"""Libraries in IREE's layout, written here in C: each release's tables are read, and what is not known is refused.

tests/differential/test_iree_cpu_libraries.py has libraries that IREE's compilers make.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.cpu import ranges
from targetenv_runtime.drivers.cpu.ranges import Ranges
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Function

LIBRARY = """
#include <targetenv/kernel.h>

/* out[number of the workgroup] = its ids, and whether it is given scratch memory */
static int number(const targetenv_environment_t *e, const targetenv_dispatch_t *d, const targetenv_workgroup_t *w) {
  uint32_t *out = targetenv_binding(d, 0);
  const uint64_t at = ((uint64_t)w->id_z * d->workgroup_count_y + w->id_y) * d->workgroup_count_x + w->id_x;
  if (e->constants || e->import_funcs || w->reserved || w->processor_id) return 1;
  if (4 * sizeof *out * (at + 1) > targetenv_binding_size(d, 0)) return -3;
  out[4 * at] += w->id_x + 1, out[4 * at + 1] += w->id_y, out[4 * at + 2] += w->id_z;
  if (w->local_memory) *(volatile char *)w->local_memory = 1;
  out[4 * at + 3] = w->local_memory ? w->local_memory_size : 0;
  return 0;
}
static int fail(const targetenv_environment_t *e, const targetenv_dispatch_t *d, const targetenv_workgroup_t *w) {
  (void)e;
  return w->id_x == targetenv_constant_u32(d, 0) ? 42 : 0;
}

#ifndef VERSION
#define VERSION 6
#endif
#ifndef SAYS
#define SAYS VERSION
#endif
#ifndef HEADER
#define HEADER 0, 0
#endif
#ifndef IMPORTS
#define IMPORTS 0
#endif
#ifndef CONSTANTS
#define CONSTANTS 0
#endif
#ifndef FLAGS
#define FLAGS 0
#endif
#ifndef NAMES
#define NAMES names
#endif
typedef int (*function_t)(const targetenv_environment_t *, const targetenv_dispatch_t *, const targetenv_workgroup_t *);
typedef struct { uint32_t version; const char *name; uint32_t features, sanitizer; } header_t;
static const header_t header = {SAYS, "test", HEADER};
static const char *const names[] = {"number", "fail"}, *const imports[] = {"theirs"};
static const function_t functions[] = {number, fail};
#if VERSION >= 6
static const struct {
  uint64_t flags; uint16_t pages; uint8_t constants, bindings; uint32_t x, y; uint16_t z, parameters; uint64_t reserved[5];
} attributes[] = {{FLAGS, 2, 0, 1, 8, 4, 2, 0, {0}}, {0, 0, 1, 0, 0, 0, 0, 0, {0}}};
#else
static const struct { uint16_t pages, reserved; } attributes[] = {{2, 0}, {0, 0}};
#endif
static const struct {
  const header_t *header;
  uint32_t import_count; const char *const *imports;
  uint32_t count; const function_t *functions; const void *attributes;
#if VERSION >= 6
  const void *parameters, *occupancy;
#endif
  const char *const *names, *const *tags; const void *locations;
#if VERSION >= 4
  const void *stages;
#endif
#if VERSION >= 6
  const void *more;
#endif
  uint32_t constants;
} library = {.header = &header, .import_count = IMPORTS, .imports = imports, .count = 2, .functions = functions,
             .attributes = attributes, .names = NAMES, .constants = CONSTANTS};

__attribute__((visibility("default"))) const void *iree_hal_executable_library_query(uint32_t version, const void *environment);
const void *iree_hal_executable_library_query(uint32_t version, const void *environment) {
  return version == VERSION && environment ? &library : 0;
}
"""


def loaded(device: Device, image: bytes, image_format: str) -> tuple[Function, Function]:
    number, fail = device.load(image, image_format, [Kernel("number"), Kernel("late", entry_point="fail")])
    return number, fail


def refused(device: Device, image: bytes, image_format: str, *kernels: Kernel) -> HalError:
    with pytest.raises(HalError) as error:
        device.load(image, image_format, kernels or [Kernel("number")])
    return error.value


@pytest.mark.parametrize("grid", [(1,), (7,), (5, 3), (3, 4, 5), (40, 30, 2)])
@pytest.mark.parametrize("version", [3, 4, 6])
def test_every_workgroup_runs_once(
    device: Device, compiled: Callable[..., bytes], image_format: str, version: int, grid: tuple[int, ...]
) -> None:
    number, fail = loaded(device, compiled(LIBRARY, f"-DVERSION={version}"), image_format)
    assert number.workgroup_size == ((8, 4, 2) if version == 6 else (1, 1, 1))
    assert (number.bindings, number.constants) == ((1, 0) if version == 6 else (None, None))
    assert (fail.name, fail.constants) == ("late", 4 if version == 6 else None)
    x, y, z = (*grid, 1, 1)[:3]
    out = device.allocate(16 * x * y * z)

    number.run(grid, [out])

    rows = out.numpy("uint32").reshape(z, y, x, 4)
    ids = np.indices((z, y, x))
    assert np.array_equal(rows[..., 0], ids[2] + 1)
    assert np.array_equal(rows[..., 1], ids[1])
    assert np.array_equal(rows[..., 2], ids[0])
    assert (rows[..., 3] == 8192).all()


def test_a_failure_is_told(device: Device, compiled: Callable[..., bytes], image_format: str) -> None:
    _, fail = loaded(device, compiled(LIBRARY), image_format)
    fail.run((5,), [], struct.pack("<I", 5))
    with pytest.raises(HalError, match="`late` returned 42") as error:
        fail.run((5,), [], struct.pack("<I", 4))
    assert error.value.status is Code.ABORTED


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("-DVERSION=7",), "is of a version that is not known"),
        (("-DVERSION=6", "-DSAYS=7"), "is of a version that is not known"),
        (("-DHEADER=4,0",), "needs features 0x4"),
        (("-DHEADER=0,1",), "is compiled for a sanitizer"),
        (("-DIMPORTS=1",), "imports 1 functions, the first is `theirs`"),
        (("-DCONSTANTS=2",), "takes 2 constants when it is loaded"),
        (("-DVERSION=4", "-DCONSTANTS=2"), "takes 2 constants when it is loaded"),
        (("-DVERSION=3", "-DCONSTANTS=2"), "takes 2 constants when it is loaded"),
        (("-DFLAGS=1",), "wants `number` dispatched in a way (flags 0x1) that is not known"),
    ],
)
def test_a_library_that_needs_what_is_not_here_is_refused(
    device: Device, compiled: Callable[..., bytes], image_format: str, flags: tuple[str, ...], message: str
) -> None:
    error = refused(device, compiled(LIBRARY, *flags), image_format)
    assert error.status is Code.FAILED_PRECONDITION
    assert message in error.message


@pytest.mark.parametrize("names", ["(void*)8", "(void*)((uintptr_t)1<<60)", "0"])
def test_a_table_that_leads_out_of_the_image_is_refused(
    device: Device, compiled: Callable[..., bytes], image_format: str, names: str
) -> None:
    error = refused(device, compiled(LIBRARY, f"-DNAMES={names}"), image_format)
    assert error.status is Code.INVALID_ARGUMENT


def test_a_query_that_is_no_function_is_refused(device: Device, compiled: Callable[..., bytes], image_format: str) -> None:
    image = compiled('__attribute__((visibility("default"))) int iree_hal_executable_library_query = 1;')
    assert refused(device, image, image_format).message == "the library's query is no function"


def test_what_a_caller_says_is_held_against_the_library(
    device: Device, compiled: Callable[..., bytes], image_format: str
) -> None:
    image = compiled(LIBRARY)
    assert refused(device, image, image_format, Kernel("nummer")).status is Code.NOT_FOUND
    for wrong in (Kernel("number", bindings=2), Kernel("number", constants=4)):
        assert refused(device, image, image_format, wrong).status is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("link", ["embedded", "system"])
def test_irees_names_for_the_format_are_taken(device: Device, compiled: Callable[..., bytes], link: str) -> None:
    architecture = {"x86_64": "x86_64", "aarch64": "arm_64"}[os.uname().machine]
    (number,) = device.load(compiled(LIBRARY), f"{link}-elf-{architecture}", [Kernel("number")])
    number.run((1,), [device.allocate(16)])


def test_the_machine_code_is_its_source(tmp_path: Path) -> None:
    assembler, copier = shutil.which("as"), shutil.which("objcopy")
    if assembler is None or copier is None or os.uname().machine != "x86_64":
        pytest.skip("GNU as and objcopy for x86-64 are not installed")
    source = Path(ranges.__file__).with_name("range_x86_64.s")
    subprocess.run([assembler, str(source), "-o", str(tmp_path / "range.o")], check=True)
    subprocess.run([copier, "-O", "binary", "-j", ".text", str(tmp_path / "range.o"), str(tmp_path / "range.bin")], check=True)
    assert (tmp_path / "range.bin").read_bytes() == ranges._X86_64


@pytest.mark.parametrize(
    "native",
    [pytest.param(True, marks=pytest.mark.skipif(os.uname().machine != "x86_64", reason="the machine code is x86-64")), False],
)
def test_ranges_begin_and_end_anywhere(native: bool) -> None:
    seen: list[tuple[int, ...]] = []
    stop_at = (2, 1, 1)

    def visit(environment: int, dispatch: int, workgroup: int) -> int:
        ids = struct.unpack("<IIHHIQQ", ctypes.string_at(workgroup, 32))
        seen.append((environment, dispatch == ctypes.addressof(block), *ids))
        return 7 if ids[:3] == stop_at else 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    functions = [kind(visit), kind(lambda *_: -1)]
    block = ctypes.create_string_buffer(struct.pack("<IIHHIIHBBQQQQQ", 1, 1, 1, 0, 3, 2, 4, 1, 0, 0, 0, 0, 0x1000, 64), 64)
    made = Ranges([ctypes.cast(function, ctypes.c_void_p).value or 0 for function in functions], native=native)
    visits, fails = (
        ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64)(address)
        for address in made.addresses
    )

    order = [(x, y, z) for z in range(4) for y in range(2) for x in range(3)]
    assert visits(5, block, 12, 24) == 0
    assert seen == [(5, True, *ids, 0, 0, 0x1000, 64) for ids in order[12:]]
    seen.clear()
    assert visits(5, block, 4, 24) == 7
    assert [row[2:5] for row in seen] == order[4 : order.index(stop_at) + 1]
    seen.clear()
    assert visits(5, block, 9, 9) == 0
    assert seen == []
    assert fails(5, block, 0, 2) == -1


def test_a_system_without_executable_pages_runs_libraries_too(
    compiled: Callable[..., bytes], image_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def executable(code: bytes) -> tuple[object, int]:
        raise PermissionError(13, "no")

    monkeypatch.setattr("targetenv_runtime.drivers.cpu.loops.executable", executable)
    with open_device("cpu://0", threads=2) as device:
        number, fail = loaded(device, compiled(LIBRARY), image_format)
        out = device.allocate(16 * 24)
        number.run((4, 3, 2), [out])
        assert (out.numpy("uint32").reshape(-1, 4)[:, 3] == 8192).all()
        with pytest.raises(HalError):
            fail.run((2,), [], struct.pack("<I", 1))
