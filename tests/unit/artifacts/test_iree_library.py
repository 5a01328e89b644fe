"""IREE's executable libraries for CPUs: entry points found in the data of an object, without running it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.model.artifact import Kernel

SOURCE = """
#include <stdint.h>
typedef int (*function)(void);
static int first(void) { return 0; }
static int second(void) { return 1; }
static const struct { uint32_t version; const char *name; uint32_t features, sanitizer; } header = {VERSION, "library", 0, 0};
static const function functions[] = {first, second};
static const char *const names[] = {"first", "second"};
#if VERSION >= 6
static const struct attributes {
  uint64_t flags; uint16_t pages; uint8_t constants, bindings; uint32_t x, y; uint16_t z, reserved; uint64_t more[5];
} attributes[] = {{.constants = 4, .bindings = 3, .x = 8, .y = 4, .z = 1}, {.pages = 2, .bindings = 1, .x = 1, .y = 1, .z = 1}};
#else
static const uint32_t attributes[] = {0, 0};
#endif
static const struct {
  const void *header; uint32_t imports; const void *import_names;
  uint32_t count; const function *functions; const void *attributes;
#if VERSION >= 6
  const void *parameters, *occupancy;
#endif
  const char *const *names; const void *more[4]; uint32_t constants;
} library = {.header = &header, .count = 2, .functions = functions, .attributes = attributes, .names = names};
const void *iree_hal_executable_library_query(uint32_t version) { return version ? &library : 0; }
"""


def built(folder: Path, version: int) -> bytes:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler `cc` on PATH")
    source, output = folder / "library.c", folder / "library.so"
    source.write_text(SOURCE)
    command = [compiler, f"-DVERSION={version}", "-shared", "-fPIC", "-nostdlib", "-O1", str(source), "-o", str(output)]
    subprocess.run(command, check=True, timeout=60)
    return output.read_bytes()


def test_a_library_of_0_6_gives_entry_points_with_their_layout(tmp_path: Path) -> None:
    (artifact,) = inspect(built(tmp_path, 6), name="x").artifacts
    assert artifact.format.startswith("embedded-elf-")
    assert artifact.kernels == (Kernel("first", (8, 4, 1), 3, 16, 0), Kernel("second", (1, 1, 1), 1, 0, 8192))


def test_an_older_library_gives_its_entry_points_by_name(tmp_path: Path) -> None:
    found = inspect(built(tmp_path, 3), name="x")
    assert found.artifacts[0].kernels == (Kernel("first"), Kernel("second"))
    assert ("library", "library, version 0.3") in found.details


def test_a_library_whose_table_is_hidden_has_no_entry_points(tmp_path: Path) -> None:
    data = built(tmp_path, 6)
    found = inspect(data.replace(b"library\0", b"\1ibrary\0"), name="x")
    assert [row.kernels for row in found.artifacts] == [()]


def test_a_library_cut_or_changed_is_read_or_refused(tmp_path: Path) -> None:
    from random import Random

    from tests.fuzz.engine import mutated, survives

    original = built(tmp_path, 6)
    random = Random("library")
    for _ in range(500):
        survives(mutated(original, random))
        survives(original[: random.randrange(len(original))])
