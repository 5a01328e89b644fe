"""Zstandard in Python: equal to the library on what it makes, and safe on everything else."""

from __future__ import annotations

from random import Random

import pytest
import zstandard

from targetenv.artifacts import inspect
from targetenv.artifacts.zstd import decompress
from tests.unit.artifacts import nvidia_builder as nv

WORDS = (b"mov.u32 ", b"add.s64 ", b"%r1", b", ", b";\n\t", b"ld.global.f32 ", b"@%p1 bra $L__BB0_3")


def contents(random: Random) -> bytes:
    """Something that makes the compressor use one of its ways."""
    match random.randrange(7):
        case 0:
            return random.randbytes(random.randrange(3000))
        case 1:
            return bytes(random.randrange(3) for _ in range(random.randrange(4000)))
        case 2:
            return nv.cubin(90)[: random.randrange(5000)]
        case 3:
            return b"ab" * random.randrange(100_000)
        case 4:
            return b"".join(random.choice((*WORDS, str(random.randrange(999)).encode())) for _ in range(random.randrange(9000)))
        case 5:
            return bytes(random.randrange(400_000))
        case _:
            return bytes(min(255, int(random.expovariate(0.05))) for _ in range(random.randrange(30_000)))


@pytest.mark.parametrize("level", [-5, 1, 3, 9, 19, 22])
def test_what_the_library_compresses_is_decompressed(level: int) -> None:
    random = Random(level)
    for _ in range(40):
        data = contents(random)
        sized = zstandard.ZstdCompressor(
            level=level, write_checksum=random.random() < 0.5, write_content_size=random.random() < 0.7
        )
        frame = sized.compress(data)
        assert decompress(frame, len(data) + 1) == data
        most = random.randrange(len(data) + 1)
        assert decompress(frame, most) == data[:most]


def test_frames_behind_one_another_and_skippable_ones_are_read() -> None:
    frame = zstandard.compress(b"one")
    assert decompress(frame + bytes.fromhex("502a4d18 03000000 aabbcc") + frame, 99) == b"oneone"


def test_damaged_frames_are_refused_or_read_and_nothing_else() -> None:
    random = Random("damage")
    refused = 0
    for _ in range(3000):
        frame = bytearray(zstandard.ZstdCompressor(level=random.choice((1, 19))).compress(contents(random)[:4000]))
        for _ in range(random.choice((1, 2, 8))):
            frame[random.randrange(len(frame))] = random.randrange(256)
        try:
            assert (
                len(decompress(bytes(frame[: random.randrange(len(frame)) if random.random() < 0.2 else None]), 5000)) <= 5000
            )
        except (ValueError, IndexError):
            refused += 1
    assert 500 < refused < 3000


def test_a_bomb_ends_where_it_is_told() -> None:
    assert len(decompress(zstandard.compress(bytes(1 << 27)), 1000)) == 1000


@pytest.mark.parametrize(
    "frame", [b"", b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\x08\x00", b"\x28\xb5\x2f\xfd\x01\x00\x00", b"abcd"]
)
def test_what_is_no_frame_gives_nothing_or_is_refused(frame: bytes) -> None:
    try:
        assert decompress(frame, 10) == b""
    except (ValueError, IndexError):
        assert frame


def test_a_fatbin_is_read_without_any_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targetenv.artifacts.decompress._zstd", lambda: None)
    text = nv.SOURCE.encode()
    found = inspect(nv.fatbin(nv.entry(nv.zstd(text), 90, kind=nv.PTX, flags=nv.A | nv.ZSTD, size=len(text))), name="x")
    assert [kernel.name for artifact in found.artifacts for kernel in artifact.kernels] == ["k"]
    assert found.diagnostics == ()
