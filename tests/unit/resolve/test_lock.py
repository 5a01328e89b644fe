"""A lock holds where nothing has changed, and names each thing that has."""

from __future__ import annotations

import pytest
from hypothesis import given

from targetenv.diagnostics.diagnostic import TargetEnvError
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsFormat, NeedsLimit, Relation
from targetenv.resolve import resolve
from targetenv.resolve.lock import drift, lock
from targetenv.wire.lock import parse_lock, write_lock
from tests.property.strategies import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.lock import Lock

LIMIT = "VkPhysicalDeviceLimits::maxComputeSharedMemorySize"


def device(shared: int = 65536, driver: str = "1.0", **also: int) -> Device:
    rows = tuple(Property(name, value) for name, value in sorted({LIMIT: shared, **also}.items()))
    offers = Capabilities("vulkan", formats=frozenset({"spirv"}), properties=rows)
    return Device("vulkan://0", "a GPU", "vulkan", offers, provenance=(("driver", driver),))


def variant(name: str, shared: int, digest: str = "aa") -> Artifact:
    return Artifact(name, "spirv", digest, (NeedsFormat("spirv"), NeedsLimit(LIMIT, Relation.AT_LEAST, shared)))


LARGE, SMALL = variant("large", 65536), variant("small", 16384)


def locked(*variants: Artifact, on: Device | None = None, unknown: str = "reject") -> Lock:
    return lock(resolve({"matmul": variants or (LARGE, SMALL)}, [on or device()]), unknown=unknown)


def test_what_has_not_changed_holds_and_the_file_says_the_same() -> None:
    made = locked()
    assert drift(made, locked()) == ()
    assert parse_lock(write_lock(made), name="x") == made
    assert write_lock(made) == write_lock(locked())


@pytest.mark.parametrize(
    ("now", "kinds"),
    [
        (locked(on=device(32768)), ["answer", "answer", "choice"]),
        (locked(on=device(driver="2.0")), ["driver", "device"]),
        (locked(on=device(other=1)), ["device"]),
        (locked(on=replace(device(), name="another GPU")), ["device", "device"]),
        (locked(on=replace(device(), uri="vulkan://1")), ["device", "device"]),
        (locked(LARGE), ["variant"]),
        (locked(LARGE, SMALL, variant("tiny", 1024)), ["variant"]),
        (locked(replace(LARGE, digest="bb"), SMALL), ["variant"]),
        (locked(variant("large", 49152), SMALL), ["variant", "variant"]),
        (locked(unknown="allow"), ["terms"]),
        (replace(locked(), rules=(("vk.xml", "9.9"),)), ["rules", "rules", "rules"]),
    ],
)
def test_each_change_is_named_once_and_causes_come_first(now: Lock, kinds: list[str]) -> None:
    found = drift(locked(), now)
    assert [row.kind for row in found] == kinds
    assert all(row.locked != row.now for row in found)


def test_the_change_of_an_answer_says_what_it_was_and_what_it_is() -> None:
    row = next(row for row in drift(locked(), locked(on=device(32768))) if row.kind == "answer" and "65536" in row.what)
    assert row.what == "vulkan://0: limit maxComputeSharedMemorySize >= 65536"
    assert (row.locked, row.now) == ("satisfied (device offers 65536)", "unsatisfied (device offers 32768)")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TE4302"),
        (b"[]", "TE3041"),
        (b"{}", "TE3041"),
        (b'{"schema": 2}', "TE4303"),
        (b'{"schema": true}', "TE3041"),
        (write_lock(locked()).replace(b'"reject"', b"true"), "TE3041"),
        (write_lock(locked()).replace(b'"satisfied"', b'"yes"'), "TE3041"),
        (write_lock(locked())[:-40], "TE4302"),
    ],
)
def test_a_file_that_is_no_lock_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(TargetEnvError) as refused:
        parse_lock(data, name="targetenv.lock")
    assert {diagnostic.code for diagnostic in refused.value.diagnostics} == {code}


def test_no_cut_and_no_changed_byte_of_a_lock_raises_anything_foreign() -> None:
    data = write_lock(locked())
    for place in range(0, len(data), 7):
        for damaged in (data[:place], data[:place] + bytes([data[place] ^ 0x5F]) + data[place + 1 :]):
            try:
                parse_lock(damaged, name="targetenv.lock")
            except TargetEnvError as error:
                assert error.code in ("TE4302", "TE4303", "TE3041")  # noqa: PT017


@given(locks)
def test_every_lock_is_read_back_as_it_was_written(made: Lock) -> None:
    assert parse_lock(write_lock(made), name="x") == made
    assert drift(made, made) == ()
