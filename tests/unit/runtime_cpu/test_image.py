"""Only whole shared objects of this machine reach the dynamic loader."""

from __future__ import annotations

import os
import random
import shutil
import struct
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.drivers.cpu.image import range_entries
from targetenv_runtime.drivers.cpu.image_tables import check
from targetenv_runtime.status import Code, HalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MACHINE = os.uname().machine
LOAD, DYNAMIC = 1, 2
PLAIN = "#include <targetenv/kernel.h>\nstatic _Thread_local int x;\nTARGETENV_KERNEL(one) { return x++ * 0; }"


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
    image = compiled(PLAIN, f"-fuse-ld={linker}", f"-B{tmp_path}", *flags.split())

    check(image, MACHINE)
    check(memoryview(image), MACHINE)


def test_compact_relocations_are_accepted_and_read(compiled: Callable[..., bytes], tmp_path: Path) -> None:
    tool = next((found for name in ("ld.lld", "ld.lld-19") if (found := shutil.which(name))), None)
    if tool is None:
        pytest.skip("ld.lld is not installed")
    (tmp_path / "ld.lld").symlink_to(tool)
    table = "static int here; int *const table[70] = {" + "&here, " * 70 + "};\n"
    image = compiled(table + PLAIN, "-fuse-ld=lld", f"-B{tmp_path}", "-Wl,--pack-dyn-relocs=relr", "-fvisibility=default")

    check(image, MACHINE)
    entries = dynamic_entries(image)
    assert 36 in entries  # DT_RELR
    refused(patched(image, value(image, entries[36]), "<Q", 1 << 20))
    refused(patched(image, entries[35] + 8, "<Q", 12))


@pytest.mark.parametrize(
    ("tag", "changed"),
    [
        (5, 1 << 30),  # the string table elsewhere
        (10, 1 << 30),  # longer than its segment
        (10, 0),  # empty
        (10, 3),  # without an end
        (11, 16),  # symbols of another size
        (9, 16),  # relocations of another size
        (8, 25),  # relocations cut in the middle
        (0x6FFFFFF9, 1000),  # more relative relocations than there are
        (25, 8),  # initialisers in the ELF header
        (27, 1 << 20),  # more initialisers than there are
    ],
)
def test_tables_must_be_sound(image: bytes, tag: int, changed: int) -> None:
    entries = dynamic_entries(image)
    if tag not in entries:
        pytest.skip(f"the linker writes no dynamic entry {tag:#x}")

    refused(patched(image, entries[tag] + 8, "<Q", changed))


def test_a_missing_half_of_a_pair_is_refused(image: bytes) -> None:
    entries = dynamic_entries(image)
    for tag in (5, 6, 7, 8, 9, 10, 11, 25, 27):
        if tag in entries:
            refused(patched(image, entries[tag], "<q", 21))


def test_relocations_must_lead_somewhere(image: bytes) -> None:
    table = value(image, dynamic_entries(image)[7])  # in the first segment, where addresses are offsets
    for at, fmt, changed in (
        (0, "<Q", 8),  # into what cannot be written
        (0, "<Q", 1 << 30),  # outside
        (8, "<I", 12345),  # of an unknown type
        (16, "<q", -1),  # a pointer before the image
        (16, "<q", 1 << 30),  # a pointer behind it
    ):
        refused(patched(image, table + at, fmt, changed))
    place = struct.unpack_from("<Q", image, table)[0]
    assert "overlap" in refused(patched(image, table + 24, "<Q", place + 4))


def test_symbols_must_lie_in_the_image(image: bytes) -> None:
    table = value(image, dynamic_entries(image)[6])
    count = value(image, dynamic_entries(image)[5]) - table  # strings follow symbols
    defined = next(at for at in range(table, table + count, 24) if struct.unpack_from("<H", image, at + 6)[0])
    assert "outside" in refused(patched(image, defined + 8, "<Q", 1 << 30))
    assert "outside" in refused(patched(image, defined + 8, "<Q", 8))  # a function that is no code
    assert "name" in refused(patched(image, defined, "<I", 1 << 30))


def test_hash_tables_must_end(compiled: Callable[..., bytes]) -> None:
    image = compiled(PLAIN, "-Wl,--hash-style=sysv")
    at = value(image, dynamic_entries(image)[4])
    buckets, chains = struct.unpack_from("<II", image, at)
    check(image, MACHINE)
    refused(patched(image, at, "<I", 0))
    refused(patched(image, at + 4, "<I", 1 << 20))
    refused(patched(image, at + 8, "<I", chains))
    last = at + 8 + 4 * buckets + 4 * (chains - 1)
    assert "circle" in refused(patched(image, last, "<I", chains - 1))


def test_an_executable_stack_is_refused(compiled: Callable[..., bytes]) -> None:
    assert "stack" in refused(compiled(PLAIN, "-Wl,-z,execstack"))


def dynamic_entries(image: bytes) -> dict[int, int]:
    """Where in the file the dynamic entry of each tag is."""
    offset, _, _, size = struct.unpack_from("<QQQQ", image, segment(image, DYNAMIC) + 8)
    return {struct.unpack_from("<q", image, at)[0]: at for at in range(offset, offset + size, 16)}


def value(image: bytes, entry: int) -> int:
    number: int = struct.unpack_from("<Q", image, entry + 8)[0]
    return number


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
    grown = patched(patched(image, first + 4, "<I", 6), first + 40, "<Q", address + 4096)

    assert "overlap" in refused(grown)
    assert "overlap" in refused(patched(image, second + 8, "<Q", 0))


def test_a_dynamic_section_is_needed_and_must_be_inside(image: bytes) -> None:
    dynamic = segment(image, DYNAMIC)
    assert "dynamic" in refused(patched(image, dynamic, "<I", 0))
    refused(patched(image, dynamic + 16, "<Q", 1 << 30))
    refused(patched(image, dynamic + 40, "<Q", 1 << 30))
    entries = dynamic_entries(image)
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
