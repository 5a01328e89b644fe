"""Damaged tables and lists of devices: answers or diagnostics, never a foreign exception."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import TargetEnvError
from targetenv.wire.device_files import DeviceFile, read_devices
from targetenv.wire.device_lines import read_lines
from targetenv.wire.snapshot import write_snapshot

CORPUS = Path(__file__).parents[1] / "corpora" / "devices"
ROUNDS = 60


def damaged(good: bytes, chance: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(chance.randint(1, 8)):
        near_the_end = len(data) - 1 - chance.randrange(min(len(data), 4000))
        data[chance.choice((chance.randrange(len(data)), near_the_end))] = chance.randrange(256)
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.1 else data)


def test_damaged_tables_are_diagnostics(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `fleet`)")
    from targetenv.wire.device_table import read_table, write_table

    devices = [each.device for each in read_devices(str(CORPUS)) if isinstance(each, DeviceFile)][:3]
    path = tmp_path / "fleet.parquet"
    assert write_table(str(path), devices) == 3
    good = path.read_bytes()
    chance = random.Random(0)
    refused = 0
    for _ in range(ROUNDS):
        path.write_bytes(damaged(good, chance))
        try:
            list(read_table(str(path)))
        except TargetEnvError as error:
            refused += error.code == "TE4332"
    assert refused


def test_damaged_lines_are_passed_over(tmp_path: Path) -> None:
    devices = [each.device for each in read_devices(str(CORPUS)) if isinstance(each, DeviceFile)][:2]
    good = b"".join(write_snapshot([device]).replace(b"\n", b"") + b"\n" for device in devices)
    path = tmp_path / "fleet.jsonl"
    chance = random.Random(0)
    for _ in range(ROUNDS):
        path.write_bytes(damaged(good, chance))
        list(read_lines(str(path)))
