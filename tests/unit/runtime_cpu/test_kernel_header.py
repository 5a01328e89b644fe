"""kernel.h compiles without a warning wherever kernels are compiled, and exports what the driver looks for."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.drivers.cpu import include_directory

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
#include <targetenv/kernel.h>
TARGETENV_WORKGROUP_SIZE(visit, 1, 1, 1)
TARGETENV_LOCAL_MEMORY(visit, 64)
TARGETENV_KERNEL(visit) {
  uint32_t *seen = (uint32_t *)targetenv_binding(dispatch, 0);
  const uint32_t at = (workgroup->id_z * dispatch->workgroup_count_y + workgroup->id_y) * dispatch->workgroup_count_x
                    + workgroup->id_x;
  if (at * sizeof *seen >= targetenv_binding_size(dispatch, 0)) return 7;
  seen[at] += 1u + targetenv_constant_u32(dispatch, 0);
  return 0;
}
TARGETENV_KERNEL(idle) { return 0; }
"""

FLAGS = ["-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def compiled(tmp_path: Path, compiler: str, *flags: str) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    source, image = tmp_path / "visit.c", tmp_path / "visit.so"
    source.write_text(SOURCE)
    command = [compiler, *flags, *FLAGS, "-I", include_directory(), str(source), "-o", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return image


class Dispatch(ctypes.Structure):
    _fields_ = [
        ("workgroup_size_x", ctypes.c_uint32),
        ("workgroup_size_y", ctypes.c_uint32),
        ("workgroup_size_z", ctypes.c_uint16),
        ("constant_count", ctypes.c_uint16),
        ("workgroup_count_x", ctypes.c_uint32),
        ("workgroup_count_y", ctypes.c_uint32),
        ("workgroup_count_z", ctypes.c_uint16),
        ("max_concurrency", ctypes.c_uint8),
        ("binding_count", ctypes.c_uint8),
        ("constants", ctypes.c_void_p),
        ("binding_ptrs", ctypes.c_void_p),
        ("binding_lengths", ctypes.c_void_p),
        ("local_memory", ctypes.c_void_p),
        ("local_memory_size", ctypes.c_uint64),
    ]


@pytest.mark.parametrize("level", ["-O0", "-O3"])
@pytest.mark.parametrize(
    ("compiler", "language"),
    [
        ("gcc", "-std=c11"),
        ("clang-19", "-std=c11"),
        ("g++", "-xc++ -std=c++11"),
        ("clang++-19", "-xc++ -std=c++17"),
    ],
)
def test_header_compiles_cleanly(tmp_path: Path, compiler: str, language: str, level: str) -> None:
    compiled(tmp_path, compiler, *language.split(), level)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 60), (0, 1), (7, 23), (59, 60), (12, 12)])
def test_range_entry_visits_each_workgroup_of_its_range_once(tmp_path: Path, first: int, last: int) -> None:
    library = ctypes.CDLL(str(compiled(tmp_path, "gcc", "-O2")))
    seen = (ctypes.c_uint32 * 60)()
    constants = (ctypes.c_uint32 * 1)(2)
    pointers, lengths = (ctypes.c_void_p * 1)(ctypes.addressof(seen)), (ctypes.c_size_t * 1)(ctypes.sizeof(seen))
    dispatch = Dispatch(
        1, 1, 1, 1, 3, 4, 5, 1, 1, ctypes.addressof(constants), ctypes.addressof(pointers), ctypes.addressof(lengths), None, 0
    )

    status = library.visit__range(None, ctypes.byref(dispatch), ctypes.c_uint64(first), ctypes.c_uint64(last))

    assert status == 0
    assert list(seen) == [3 if first <= index < last else 0 for index in range(60)]


def test_range_entry_returns_the_status_of_the_first_workgroup_that_fails(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(compiled(tmp_path, "gcc", "-O2")))
    seen, constants = (ctypes.c_uint32 * 10)(), (ctypes.c_uint32 * 1)()
    pointers, lengths = (ctypes.c_void_p * 1)(ctypes.addressof(seen)), (ctypes.c_size_t * 1)(ctypes.sizeof(seen))
    dispatch = Dispatch(
        1, 1, 1, 1, 3, 4, 1, 1, 1, ctypes.addressof(constants), ctypes.addressof(pointers), ctypes.addressof(lengths), None, 0
    )

    assert library.visit__range(None, ctypes.byref(dispatch), ctypes.c_uint64(0), ctypes.c_uint64(12)) == 7
    assert list(seen) == [1] * 10


def test_declared_sizes_are_data_of_the_image(tmp_path: Path) -> None:
    library = ctypes.CDLL(str(compiled(tmp_path, "gcc", "-O2")))

    assert list((ctypes.c_uint32 * 3).in_dll(library, "visit__workgroup_size")) == [1, 1, 1]
    assert ctypes.c_uint32.in_dll(library, "visit__local_memory").value == 64
    assert not hasattr(library, "visit__body")
