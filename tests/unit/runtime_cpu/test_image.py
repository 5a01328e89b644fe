"""Only whole shared objects of this machine reach the dynamic loader."""

from __future__ import annotations

import os
import random
import shutil
import struct
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.drivers.cpu.image import check, range_entries
from targetenv_runtime.status import Code, HalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MACHINE = os.uname().machine
LOAD, DYNAMIC = 1, 2


def patched(image: bytes, offset: int, fmt: str, *values: int) -> bytes:
    changed = bytearray(image)
    struct.pack_into(fmt, changed, offset, *values)
    return bytes(changed)


def segment(image: bytes, kind: int, nth: int = 0) -> int:
    """Where the program header of the nth segment of a kind is."""
    (start,) = struct.unpack_from("<Q", image, 32)
    (count,) = struct.unpack_from("<H", image, 56)
    found = [at for at in range(start, start + 56 * count, 56) if struct.unpack_from("<I", image, at)[0] == kind]
    return found[nth]


def refused(image: bytes) -> str:
    with pytest.raises(HalError) as error:
        check(image, MACHINE)
    assert error.value.status is Code.INVALID_ARGUMENT
    return error.value.message


@pytest.mark.parametrize("linker", ["bfd", "lld"])
@pytest.mark.parametrize("flags", ["", "-Wl,-s", "-static-libgcc -lm", "-Wl,--hash-style=sysv", "-ftls-model=global-dynamic"])
def test_what_compilers_make_is_accepted(compiled: Callable[..., bytes], tmp_path: Path, linker: str, flags: str) -> None:
    if linker == "lld":
        tool = next((found for name in ("ld.lld", "ld.lld-19") if (found := shutil.which(name))), None)
        if tool is None:
            pytest.skip("ld.lld is not installed")
        (tmp_path / "ld.lld").symlink_to(tool)
    source = "#include <targetenv/kernel.h>\nstatic _Thread_local int x;\nTARGETENV_KERNEL(one) { return x++ * 0; }"
    image = compiled(source, f"-fuse-ld={linker}", f"-B{tmp_path}", *flags.split())

    check(image, MACHINE)
    check(memoryview(image), MACHINE)


def test_the_header_must_fit(image: bytes) -> None:
    assert "empty" in refused(b"")
    assert "no ELF" in refused(b"MZ\x90\x00" + bytes(200))
    assert "no ELF" in refused(b"\x7fEL")
    assert "header" in refused(image[:40])
    assert "64-bit" in refused(patched(image, 4, "B", 1))
    assert "little-endian" in refused(patched(image, 5, "B", 2))
    assert "arm" in refused(patched(image, 18, "<H", 40))
    assert "12345" in refused(patched(image, 18, "<H", 12345))
    assert "relocatable" in refused(patched(image, 16, "<H", 1))
    assert "an executable" in refused(patched(image, 16, "<H", 2))
    assert "program headers" in refused(patched(image, 54, "<H", 32))
    assert "program headers" in refused(patched(image, 56, "<H", 0))
    assert "program headers" in refused(patched(image, 56, "<H", 0xFFFF))
    assert "program headers" in refused(patched(image, 32, "<Q", len(image) - 8))
    assert "program headers" in refused(patched(image, 32, "<Q", 2**64 - 8))


def test_segments_must_be_inside_of_the_image(image: bytes) -> None:
    load = segment(image, LOAD)
    for field, value in ((8, len(image)), (8, 2**64 - 1), (32, len(image) + 1), (40, 2**63), (16, 2**62), (48, 3)):
        refused(patched(image, load + field, "<Q", value))


def test_segments_must_not_overlap(image: bytes) -> None:
    first, second = segment(image, LOAD), segment(image, LOAD, 1)
    (address,) = struct.unpack_from("<Q", image, second + 16)
    grown = patched(image, first + 40, "<Q", address + 4096)

    assert "overlap" in refused(grown)


def test_a_dynamic_section_is_needed_and_must_be_inside(image: bytes) -> None:
    dynamic = segment(image, DYNAMIC)
    assert "dynamic" in refused(patched(image, dynamic, "<I", 0))
    refused(patched(image, dynamic + 16, "<Q", 1 << 30))
    refused(patched(image, dynamic + 40, "<Q", 1 << 30))
    offset, _, _, size = struct.unpack_from("<QQQQ", image, dynamic + 8)
    entries = {struct.unpack_from("<q", image, at)[0]: at for at in range(offset, offset + size, 16)}
    for tag in (5, 6, 0x6FFFFEF5, 12, 13, 7):
        if tag in entries:
            refused(patched(image, entries[tag] + 8, "<Q", 1 << 30))
    assert "symbols" in refused(patched(image, entries[6], "<q", 21))
    assert "hash" in refused(patched(image, entries[0x6FFFFEF5], "<q", 21))


def test_every_truncation_that_cuts_a_segment_is_refused(image: bytes) -> None:
    loads = [segment(image, LOAD, nth) for nth in range(10) if _has(image, nth)]
    end = max(sum(struct.unpack_from("<Q", image, at + field)[0] for field in (8, 32)) for at in loads)
    for length in {*range(400), *range(400, end, 97), end - 1}:
        refused(image[:length])

    check(image[:end], MACHINE)


def _has(image: bytes, nth: int) -> bool:
    try:
        segment(image, LOAD, nth)
    except IndexError:
        return False
    return True


def test_damage_is_refused_or_harmless_and_never_another_error(image: bytes) -> None:
    """Nothing but HalError(INVALID_ARGUMENT), wherever bytes of headers and tables are changed."""
    draw = random.Random(7)
    offset, _, _, size = struct.unpack_from("<QQQQ", image, segment(image, DYNAMIC) + 8)
    places = [*range(64 + 56 * 12), *range(offset, offset + size)]
    for _ in range(3000):
        changed = bytearray(image)
        for _ in range(draw.randrange(1, 4)):
            changed[draw.choice(places)] = draw.choice([0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)])
        try:
            check(bytes(changed), MACHINE)
        except HalError as error:
            assert error.status is Code.INVALID_ARGUMENT  # noqa: PT017  either outcome is fine, another exception is not
        range_entries(bytes(changed))


def test_kernels_are_listed_by_their_range_entries(image: bytes) -> None:
    assert range_entries(image) == ("axpy", "count", "describe", "fail_at", "nothing", "number", "scratch")
    assert range_entries(image[: len(image) // 2]) == ()
    assert range_entries(b"") == ()
