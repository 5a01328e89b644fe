"""Fleets: what they hold in memory, what they know of their devices, and how unknown and padding stay what they are."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.model.requirement import AllOf, AnyOf, NeedsFeature, NeedsSubgroupSize, NeedsUnknown, Not
from targetenv.model.verdict import Outcome
from targetenv.resolve import fleet
from targetenv.resolve.planes import answers, pack, unpack

INT64 = "VkPhysicalDeviceFeatures::shaderInt64"


def gpu(number: int, *, complete: bool = True) -> Device:
    offers = Capabilities("vulkan", subgroup_sizes=frozenset({number}), complete=complete)
    return Device(f"vulkan://{number}", f"gpu {number}", "vulkan", offers)


def test_no_more_than_a_block_of_devices_is_held() -> None:
    alive: weakref.WeakSet[Device] = weakref.WeakSet()
    most = 0

    def devices() -> Iterator[Device]:
        nonlocal most
        for number in range(1, 200):
            device = gpu(number)
            alive.add(device)
            most = max(most, len(alive))
            yield device

    found = fleet([Artifact("k", "spirv", "", (NeedsSubgroupSize(8),))], devices(), block=16)
    assert found.classes == 199
    assert most <= 16 + 2  # the block, the one that is read and the one before it
    gc.collect()
    assert len(alive) <= 1


def test_what_did_not_change_the_answer_of_a_block_is_judged_once() -> None:
    found = fleet([Artifact("k", "spirv", "", (NeedsSubgroupSize(8),))], [gpu(8)] * 1000)
    assert (found.classes, len(found.members)) == (1, 1000)


def test_progress_counts_devices() -> None:
    told: list[int] = []
    fleet([Artifact("k", "spirv", "")], [gpu(8)] * 600, progress=told.append)
    assert told == [0, 256, 512, 600]


def test_an_empty_population_has_no_answers() -> None:
    found = fleet({"k": [Artifact("a", "spirv", "")]}, [])
    assert (found.classes, found.chosen("k"), found.misses("k")) == (0, {"a": [], None: []}, ())


def test_a_kernel_without_variants_runs_nowhere() -> None:
    found = fleet({"k": []}, [gpu(8)], reasons=("k",))
    assert found.chosen("k") == {None: [0]}
    (miss,) = found.misses("k")
    assert (miss.variant, miss.reasons, miss.devices) == (None, (), (0,))


def test_unknown_is_neither_yes_nor_no() -> None:
    silent = Artifact("silent", "spirv", "", (NeedsUnknown("what it needs"),))
    assert fleet([silent], [gpu(8)]).outcome("silent", 0, 0) is Outcome.UNKNOWN
    assert fleet([silent], [gpu(8)]).chosen("silent")[None] == [0]
    assert fleet([silent], [gpu(8)], unknown="allow").chosen("silent")["silent"] == [0]


@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_negation_does_not_reach_beyond_the_last_device(count: int) -> None:
    block = [gpu(8).offers] * count
    rows = answers([Not(NeedsSubgroupSize(16)), AllOf(()), AnyOf(()), Not(NeedsFeature(INT64))], block)
    for row, expected in zip(rows.known, (count, count, 0, count), strict=True):
        assert sum(int(word).bit_count() for word in row) == expected
        assert np.array_equal(pack(unpack(row, count)), row)


def test_devices_that_lack_the_same_are_one_miss() -> None:
    wide = Artifact("wide", "spirv", "", (NeedsSubgroupSize(32),))
    (miss,) = fleet([wide], [gpu(8), gpu(32), gpu(16)], reasons=("wide",)).misses("wide")
    assert miss.devices == (0, 2)
    assert [(reason.code, reason.offers) for reason in miss.reasons] == [("TE3108", ("device offers 8", "device offers 16"))]
