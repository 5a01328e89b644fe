"""Damage done to samples, and what a reader may do with it: accept it, or refuse it with a TE4 code."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from targetenv.artifacts import inspect
from targetenv.cli.claims import audited
from targetenv.diagnostics.diagnostic import FormatError, TargetEnvError

NAME = "fuzzed-x86-64-v2-gfx942-sm_90"
BYTES = (0, 1, 2, 0x7F, 0x80, 0xFF)
WORDS = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
LONGS = (0, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
TIMES = (1, 1, 2, 4, 16)  # single changes, and several at once


def survives(data: bytes) -> bool:
    """Whether the reader accepts these bytes; any exception but a FormatError with a TE4 code gets through.

    What is accepted is audited too, under a name that claims something, and every warning is put into words.
    """
    refused = None
    try:
        found = inspect(data, name=NAME)
        warnings = [*found.diagnostics, *(row.warning for row in audited(found, NAME) if row.warning is not None)]
        assert all(str(TargetEnvError(warning)) for warning in warnings)
    except FormatError as error:
        refused = error
    if refused is not None:
        assert all(diagnostic.code.startswith("TE4") for diagnostic in refused.diagnostics), refused.diagnostics
        assert str(refused)
    return refused is None


def mutated(original: bytes, random: Random) -> bytes:
    """The sample with one to sixteen changes."""
    data = bytearray(original)
    for _ in range(random.choice(TIMES)):
        random.choice(CHANGES)(data, random)
    return bytes(data)


def _flip(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _byte(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] = random.choice(BYTES)


def _word(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data)) & ~3
    data[at : at + 4] = random.choice((*WORDS, random.getrandbits(32))).to_bytes(4, "little")


def _long(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data)) & ~7
    data[at : at + 8] = random.choice((*LONGS, len(data), len(data) - 1)).to_bytes(8, "little")


def _copy(data: bytearray, random: Random) -> None:
    at, start, size = (random.randrange(len(data)), random.randrange(len(data)), random.choice((4, 8, 24, 64)))
    data[at : at + size] = data[start : start + size]


def _cut(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    if len(data) > 16:
        del data[at : at + random.choice((1, 4, 8))]


def _grow(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    data[at:at] = random.randbytes(random.choice((1, 4, 8)))


CHANGES: tuple[Callable[[bytearray, Random], None], ...] = (_flip, _byte, _word, _word, _long, _copy, _cut, _grow)
