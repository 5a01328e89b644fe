"""Damage that passes the check of an image does not bring down the dynamic loader.

Each damaged image that is accepted is loaded and looked into in a process of its own. Only instructions, and which of them
loading and unloading call, are beyond any check, so they are left alone.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from targetenv_runtime.drivers.cpu import include_directory
from targetenv_runtime.drivers.cpu.image_tables import check
from targetenv_runtime.status import Code, HalError

ROUNDS = 600
SOURCE = """
#include <math.h>
#include <targetenv/kernel.h>
static _Thread_local int calls;
TARGETENV_KERNEL(root) {
  *(double *)targetenv_binding(dispatch, 0) = sqrt((double)++calls + environment->processor.data[0]);
  return 0;
}
"""
# Reads hex lines, loads each in a child, and prints the number of each line whose child was killed.
LOADER = """
import os, sys
from targetenv_runtime.drivers.cpu.library import Library
from targetenv_runtime.status import HalError
for number, line in enumerate(sys.stdin):
    child = os.fork()
    if child == 0:
        try:
            library = Library(bytes.fromhex(line), "damaged")
            library.address("root__range"), library.address("nosuch")
            library.close()
        except HalError:
            pass
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        print(number)
"""


@pytest.fixture(scope="module", params=["-Wl,--hash-style=gnu", "-Wl,--hash-style=sysv"])
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or os.uname().machine != "x86_64":
        pytest.skip("no C compiler for x86-64 is installed")
    folder = tmp_path_factory.mktemp("images")
    (folder / "root.c").write_text(SOURCE)
    flags = ["-O1", "-shared", "-fPIC", "-fvisibility=hidden", "-fno-builtin-sqrt", "-fno-math-errno", str(request.param)]
    output = folder / "root.so"
    subprocess.run([compiler, *flags, "-I", include_directory(), str(folder / "root.c"), "-lm", "-o", str(output)], check=True)
    return output.read_bytes()


def places(image: bytes) -> list[int]:
    """Every byte of headers, tables and the dynamic section, but not of the addresses of functions that loading calls."""
    start, count = struct.unpack_from("<Q", image, 32)[0], struct.unpack_from("<H", image, 56)[0]
    segments = [struct.unpack_from("<IIQQQQQQ", image, start + 56 * index) for index in range(count)]
    (tables,) = [segment for segment in segments if segment[0] == 1 and segment[2] == 0]
    (dynamic,) = [segment for segment in segments if segment[0] == 2]
    found = set(range(tables[5])) | set(range(dynamic[2], dynamic[2] + dynamic[5]))
    entries = {struct.unpack_from("<q", image, at)[0]: at + 8 for at in range(dynamic[2], dynamic[2] + dynamic[5], 16)}
    values = {tag: struct.unpack_from("<Q", image, at)[0] for tag, at in entries.items()}
    lists = (values[25], values[26])  # DT_INIT_ARRAY, DT_FINI_ARRAY: one function each
    for tag in (12, 13):  # DT_INIT, DT_FINI
        found -= set(range(entries[tag], entries[tag] + 8))
    for at in range(values[7], values[7] + values[8], 24):  # DT_RELA, DT_RELASZ; the table is in the first segment
        found -= set(range(at + 12, at + 16))  # which function
        if struct.unpack_from("<Q", image, at)[0] in lists:
            found -= set(range(at + 16, at + 24))
    return sorted(found)


def test_no_damage_to_headers_and_tables_brings_the_loader_down(image: bytes) -> None:
    draw = random.Random(11)
    where = places(image)
    accepted: list[bytes] = []
    for _ in range(ROUNDS):
        damaged = bytearray(image)
        for _ in range(draw.randrange(1, 4)):
            damaged[draw.choice(where)] = draw.choice([0, 1, 2, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        try:
            check(bytes(damaged), "x86_64")
        except HalError as error:
            assert error.status is Code.INVALID_ARGUMENT  # noqa: PT017  refusing is one of the two right answers
        else:
            accepted.append(bytes(damaged))
    paths = [str(path) for path in (Path(__file__).parents[2], Path(__file__).parents[2] / "runtime")]
    done = subprocess.run(
        [sys.executable, "-c", LOADER],
        input="\n".join(one.hex() for one in accepted),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=False,
    )

    assert done.returncode == 0, done.stderr
    killed = [accepted[int(number)] for number in done.stdout.split()]
    assert not [[(hex(at), image[at], one[at]) for at in range(len(image)) if one[at] != image[at]] for one in killed]
