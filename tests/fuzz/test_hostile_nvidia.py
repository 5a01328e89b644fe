"""PTX, fatbins and host objects that were made to hurt: read or refused, and soon."""

from __future__ import annotations

import pytest

from tests.fuzz.engine import survives
from tests.unit.artifacts import nvidia_builder as nv


@pytest.mark.parametrize(
    "text",
    [
        ".shared .b8 x" + "[" * 200_000,
        ".shared .b8 x" + "[99999999999]" * 20_000 + ";",
        ".func " + ".a " * 100_000,
        ".func .a" + " " * 200_000 + "{",
        ".entry k(" + ".param .b8 x," * 30_000 + ") { }",
        "{" * 200_000,
        ".shared .b8 s; " + "".join(f".func f{at} {{ f{at + 1} s; }} .entry k{at}() {{ f{at}; }} " for at in range(3000)),
        ".shared .b8 s; .func f { f s; } .entry k() { f; }",
        '"' * 100_001,
        "/*" * 100_000,
        ".extern .func (" * 20_000,
    ],
    ids=["brackets", "product", "modifiers", "blanks", "parameters", "braces", "calls", "cycle", "quotes", "comments", "open"],
)
def test_ptx_that_was_made_to_hurt_is_read_or_refused_soon(text: str) -> None:
    survives(b".version 8.0 .target sm_80 " + text.encode())


@pytest.mark.parametrize(
    "entry",
    [
        nv.entry(b"\x1fa\x01\x00" + b"\xff" * 4000 + b"\x00", 80, flags=nv.LZ4, size=255 * 4000 + 20),
        nv.entry(b"\x1fa\x01\x00" + b"\xff" * 4000, 80, flags=nv.LZ4, size=1 << 20),
        nv.entry(b"\xf0" + b"\xff" * 5000, 80, flags=nv.LZ4, size=1 << 20),
        nv.entry(b"\xf0" + b"\xff" * 5000, 80, flags=nv.LZ4, size=1 << 29),
        nv.entry(nv.zstd(bytes(1 << 26)), 80, flags=nv.ZSTD, size=1 << 26),
        nv.entry(nv.zstd(bytes(1 << 26)), 80, flags=nv.ZSTD, size=1 << 12),
    ],
)
def test_a_bomb_is_read_or_refused_at_its_stated_size(entry: bytes) -> None:
    survives(nv.fatbin(entry))


def test_a_fatbin_within_itself_ends() -> None:
    data = nv.cubin(80)
    for _ in range(12):
        data = nv.fatbin(nv.entry(data, 80))
    assert not survives(data)


def test_images_without_number_are_refused() -> None:
    assert not survives(nv.fatbin(*[nv.entry(b"", 80)] * 5000))


def test_padding_without_end_is_skipped_at_once() -> None:
    assert survives(nv.host((".nv_fatbin", bytes(1 << 24) + nv.fatbin())))


def test_a_thousand_kernels_of_one_name_are_one() -> None:
    assert survives(nv.cubin(90, kernels=("k",) * 1000))


def test_sections_that_all_are_one_are_refused() -> None:
    parts = [nv.Part(f".nv.info.k{at}", bytes(4096)) for at in range(2000)]
    data = bytearray(nv.elf(parts, machine=190, os_abi=0x41, abi=8, flags=0x5A02))
    table = int.from_bytes(data[40:48], "little")
    for row in range(1, 2001):
        data[table + 64 * row + 24 : table + 64 * row + 40] = (64).to_bytes(8, "little") + (1 << 22).to_bytes(8, "little")
    assert not survives(bytes(data))
