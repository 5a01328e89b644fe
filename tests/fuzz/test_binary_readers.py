"""Hostile bytes: whatever is done to a file, inspecting it gives an answer or a FormatError with a TE4 code, and soon."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from targetenv.artifacts import inspect
from targetenv.diagnostics.diagnostic import FormatError

CORPUS = Path(__file__).parent.parent / "corpora" / "artifacts"
FILES = sorted(path for path in CORPUS.iterdir() if path.suffix in (".spv", ".so"))
MUTATIONS = 10_000
BYTES = (0, 1, 2, 0x7F, 0x80, 0xFF)
WORDS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
# Opcodes that the reader interprets: declarations, types, constants, decorations, group operations, atomics, matrix products.
OPCODES = (
    11,
    14,
    15,
    16,
    17,
    21,
    22,
    23,
    24,
    25,
    28,
    29,
    30,
    32,
    43,
    44,
    50,
    51,
    52,
    59,
    71,
    72,
    73,
    74,
    227,
    228,
    331,
    349,
    4456,
    4459,
)


def survives(data: bytes) -> bool:
    """Whether the reader accepts these bytes; any exception but a FormatError with a TE4 code fails the test."""
    refused = None
    try:
        inspect(data, name="fuzzed")
    except FormatError as error:
        refused = error
    if refused is not None:
        assert all(diagnostic.code.startswith("TE4") for diagnostic in refused.diagnostics), refused.diagnostics
        assert str(refused)
    return refused is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_cut_at_any_byte_is_read_or_refused(path: Path) -> None:
    data = path.read_bytes()
    assert survives(data)
    for end in range(len(data)):
        survives(data[:end])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_changed_at_random_is_read_or_refused(path: Path) -> None:
    original = path.read_bytes()
    random = Random(path.name)
    for _ in range(MUTATIONS // len(FILES)):
        data = bytearray(original)
        for _ in range(random.choice((1, 1, 2, 4, 16))):
            change(data, random)
        survives(bytes(data))


def change(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) - 8)
    word = at & ~3
    match random.randrange(4):
        case 0:
            data[at] ^= 1 << random.randrange(8)
        case 1:
            data[at] = random.choice(BYTES)
        case 2:
            data[word : word + 4] = random.choice((*WORDS, random.getrandbits(32))).to_bytes(4, "little")
        case _:
            start = random.randrange(len(data) - 8)
            data[at : at + 8] = data[start : start + 8]


@pytest.mark.parametrize("magic", [b"\x03\x02\x23\x07", b"\x07\x23\x02\x03", b"\x7fELF\x02\x01\x01"])
def test_random_bytes_behind_a_magic_number_are_read_or_refused(magic: bytes) -> None:
    random = Random(magic)
    for _ in range(500):
        survives(magic + random.randbytes(4 * random.randrange(64)))


def test_well_framed_instructions_with_random_contents_are_read_or_refused() -> None:
    random = Random("words")
    accepted = 0
    for _ in range(3000):
        words = [0x07230203, 0x00010300, 0, 64, 0]
        for _ in range(random.randrange(12)):
            operands = [random.choice((random.randrange(1, 40), random.randrange(8), 0)) for _ in range(random.randrange(2, 9))]
            words += [(len(operands) + 1) << 16 | random.choice(OPCODES), *operands]
        accepted += survives(b"".join(word.to_bytes(4, "little") for word in words))
    assert accepted > 100, "nothing of this was deep enough to be interesting"
