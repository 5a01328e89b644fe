"""Hostile files: whatever is done to one, inspecting it gives an answer or a FormatError with a TE4 code, and soon."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from random import Random

import pytest

from targetenv.artifacts import Inspection, inspect
from targetenv.artifacts.containers import Budget
from targetenv.artifacts.scan import scanned
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.record import replace
from tests.fuzz.engine import mutated, survives
from tests.fuzz.samples import FAMILIES, SAMPLES

MUTATIONS = 3000  # of each family; `make fuzz` makes a million


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_cut_at_any_byte_is_read_or_refused(name: str) -> None:
    data = SAMPLES[name]
    assert survives(data)
    for end in range(len(data)):
        survives(data[:end])


@pytest.mark.parametrize("family", FAMILIES)
def test_a_file_changed_at_random_is_read_or_refused(family: str) -> None:
    random = Random(family)
    samples = list(FAMILIES[family].values())
    accepted = sum(survives(mutated(samples[number % len(samples)], random)) for number in range(MUTATIONS))
    assert accepted, "every change was noticed at once, so nothing deep was tried"


def test_code_changed_at_random_is_decoded_to_its_end() -> None:
    pytest.importorskip("capstone")
    random = Random("scan")
    samples = [*FAMILIES["elf"].values(), FAMILIES["offload"]["host object"]]
    for number in range(500):
        data = mutated(samples[number % len(samples)], random)
        with suppress(FormatError):
            scanned(inspect(data, name="x"), data, name="x", budget=Budget())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_that_is_mapped_is_read_as_its_bytes_are(name: str) -> None:
    data = SAMPLES[name]
    found, mapped = inspect(data, name="x"), inspect(memoryview(data), name="x")
    assert found == mapped
    plain = inspect(memoryview(data), name="x", budget=Budget(digests=False))
    assert {row.digest for row in plain.artifacts} <= {""}
    assert [replace(row, digest="") for row in found.artifacts] == list(plain.artifacts)
    for path, leaf, payload in found.leaves():
        assert {row.digest for row in leaf.artifacts} <= {sha256(data if payload is None else payload).hexdigest()}, path


@pytest.mark.parametrize("name", SAMPLES)
def test_members_are_where_they_are_said_to_be(name: str) -> None:
    def check(found: Inspection, within: bytes) -> None:
        for member in found.members:
            if member.offset is not None:
                assert within[member.offset : member.offset + len(member.payload)] == bytes(member.payload), member.name
            check(member.inspection, bytes(member.payload))

    check(inspect(SAMPLES[name], name="x"), SAMPLES[name])
