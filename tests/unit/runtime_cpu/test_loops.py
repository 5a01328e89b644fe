"""The machine code is what its source says, and does what its Python twin does."""

from __future__ import annotations

import ctypes
import mmap
import os
import random
import re
import shutil
import subprocess
import threading
from _ctypes import dlopen, dlsym
from pathlib import Path

import pytest
from targetenv_runtime.drivers.cpu import loops
from targetenv_runtime.drivers.cpu.loops import Loops, run_records, run_share

SOURCE = Path(loops.__file__).with_name("loops_x86_64.s")
NATIVE = os.uname().machine == "x86_64"

needs_x86_64 = pytest.mark.skipif(not NATIVE, reason="the machine code is x86-64")

KERNEL = """
#include <stdint.h>
/* The environment is an array of counters. At a workgroup whose counter is marked it fails with the dispatch pointer's bits. */
int visit(uint32_t *seen, uint64_t status, uint64_t first, uint64_t last) {
  for (; first < last; ++first)
    if (__atomic_fetch_add(&seen[first], 1, __ATOMIC_RELAXED) & 0x80000000u) return (int)status;
  return 0;
}
"""


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> int:
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    folder = tmp_path_factory.mktemp("loops")
    (folder / "visit.c").write_text(KERNEL)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", str(folder / "visit.c"), "-o", str(folder / "visit.so")], check=True)
    address: int = dlsym(dlopen(str(folder / "visit.so"), 0), "visit")
    return address


@pytest.fixture(scope="module")
def native() -> Loops:
    made = Loops(machine="x86_64")
    if not made.native:
        pytest.skip(made.reason)
    return made


def test_the_bytes_are_the_assembled_source(tmp_path: Path) -> None:
    assembler, copier = shutil.which("as"), shutil.which("objcopy")
    if assembler is None or copier is None or not NATIVE:
        pytest.skip("GNU as and objcopy for x86-64 are not installed")
    subprocess.run([assembler, str(SOURCE), "-o", str(tmp_path / "loops.o")], check=True)
    subprocess.run([copier, "-O", "binary", "-j", ".text", str(tmp_path / "loops.o"), str(tmp_path / "loops.bin")], check=True)

    code = (tmp_path / "loops.bin").read_bytes()

    assert code == loops._X86_64
    assert code[loops._SHARE_OFFSET - 1 : loops._SHARE_OFFSET + 3] == b"\xcc\x53\x41\x54"


@needs_x86_64
@pytest.mark.parametrize("seed", range(20))
def test_records_are_run_alike(native: Loops, visit: int, seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randrange(12)
    marks = [draw.random() < 0.05 for _ in range(64)]
    outcomes = []
    for run in (native.records, run_records):
        seen = (ctypes.c_uint32 * 64)(*(0x80000000 if mark else 0 for mark in marks))
        words = [count]
        again = random.Random(seed)
        for _ in range(count):
            first = again.randrange(64)
            status = again.choice([1, 7, 0xFFFFFFFF, 0x80000000])
            words += [visit, ctypes.addressof(seen), status, first, again.randrange(first, 65)]
        block = (ctypes.c_uint64 * len(words))(*words)
        outcomes.append((run(ctypes.byref(block)), list(seen)))
        assert list(block) == words

    assert outcomes[0] == outcomes[1]


@needs_x86_64
@pytest.mark.parametrize(("total", "step"), [(0, 1), (1, 1), (64, 1), (64, 7), (64, 64), (64, 1000), (63, 2)])
@pytest.mark.parametrize("first", [0, 5])
def test_threads_share_a_grid_without_gap_or_overlap(native: Loops, visit: int, total: int, step: int, first: int) -> None:
    for share in (native.share, run_share):
        seen = (ctypes.c_uint32 * 64)()
        work = (ctypes.c_uint64 * 5)(first, step, total, visit, ctypes.addressof(seen))
        statuses: list[int] = []

        def run() -> None:
            statuses.append(share(ctypes.byref(work), ctypes.c_void_p(9)))  # noqa: B023  joined in the same round

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses == [0, 0, 0, 0]
        assert list(seen) == [1 if first <= index < total else 0 for index in range(64)]


@needs_x86_64
def test_nobody_takes_more_of_a_grid_after_a_failure(native: Loops, visit: int) -> None:
    for share in (native.share, run_share):
        seen = (ctypes.c_uint32 * 64)()
        seen[10] = 0x80000000
        work = (ctypes.c_uint64 * 5)(0, 1, 64, visit, ctypes.addressof(seen))

        assert share(ctypes.byref(work), ctypes.c_void_p(0xFFFFFFFE)) == 0xFFFFFFFE
        assert share(ctypes.byref(work), ctypes.c_void_p(5)) == 0
        assert list(seen[:11]) == [1] * 10 + [0x80000001]
        assert not any(seen[11:])


@needs_x86_64
def test_the_page_is_never_writable_and_executable(native: Loops) -> None:
    address = ctypes.cast(native.records, ctypes.c_void_p).value  # type: ignore[arg-type]  # a function pointer
    assert address is not None
    for line in Path("/proc/self/maps").read_text().splitlines():
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
        assert match is not None
        if int(match[1], 16) <= address < int(match[2], 16):
            assert match[3] == "r-xp"
            return
    pytest.fail("the page is not mapped")


def test_a_system_that_refuses_executable_pages_gets_the_python_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(code: bytes) -> tuple[mmap.mmap, int]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(loops, "executable", refuse)
    made = Loops(machine="x86_64")

    assert not made.native
    assert "Permission denied" in made.reason
    assert made.records is run_records
    assert made.share is run_share


def test_other_machines_get_the_python_loops() -> None:
    made = Loops(machine="aarch64")

    assert not made.native
    assert "aarch64" in made.reason
