"""Picking targets for a population: the best there are, and known to be."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.match.environment import requirements_of
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.model.requirement import NeedsFeature, NeedsSubgroupSize
from targetenv.resolve.common_ground import closed_sets
from targetenv.resolve.cover import Candidate, candidates_of, cover, derived, promised
from targetenv.resolve.fleets import Fleet, fleet
from targetenv.resolve.kernel_features import ROWS, refinement
from targetenv.resolve.optimum import best
from targetenv.syntax import parse

numbers = st.integers(0, 5)
tables = st.integers(1, 8).flatmap(
    lambda columns: st.lists(st.lists(numbers, min_size=columns, max_size=columns), min_size=1, max_size=9)
)


def gpus(*sizes: int) -> list[Device]:
    return [
        Device(f"vulkan://{at}", f"gpu {at}", "vulkan", Capabilities("vulkan", subgroup_sizes=frozenset({size})))
        for at, size in enumerate(sizes)
    ]


def population(sizes: list[int]) -> Fleet:
    kernels = {str(size): [Artifact("met", "spirv", "", (NeedsSubgroupSize(size),))] for size in (8, 16, 32)}
    return fleet(kernels, gpus(*sizes))


@given(tables, st.integers(1, 4), st.booleans(), st.randoms())
def test_the_optimum_is_what_trying_everything_finds(rows: list[list[int]], k: int, fractions: bool, random: object) -> None:
    table = np.array(rows, np.float64)
    weights = np.array([random.random() if fractions else random.randint(0, 3) for _ in rows[0]], np.float64)  # type: ignore[attr-defined]
    found = best(table, weights, k)
    every = (float(table[list(some)].max(axis=0) @ weights) for some in combinations(range(len(rows)), min(k, len(rows))))
    assert found.value == pytest.approx(max(every))
    assert found.proved
    assert float(table[list(found.picked)].max(axis=0) @ weights) == pytest.approx(found.value)


def test_a_search_without_time_says_how_far_it_may_be_from_the_best() -> None:
    random = np.random.default_rng(0)
    table = random.integers(1, 100, (60, 40)) * (random.random((60, 40)) < 0.3)
    hurried = best(table.astype(np.float64), np.ones(40), 6, seconds=0.0)
    patient = best(table.astype(np.float64), np.ones(40), 6, seconds=60.0)
    assert patient.proved
    assert hurried.value <= patient.value <= hurried.bound


@given(st.lists(st.integers(0, 255), min_size=1, max_size=8))
def test_closed_sets_are_all_that_devices_have_in_common(devices: list[int]) -> None:
    sets, whole = closed_sets(devices, [1.0] * len(devices))
    expected = set()
    for size in range(1, len(devices) + 1):
        for some in combinations(devices, size):
            common = ~0
            for rows in some:
                common &= rows
            expected.add(common)
    assert whole
    assert set(sets) == expected


def test_too_many_closed_sets_keep_what_everybody_shares() -> None:
    devices = [0x1FF & ~(1 << bit) | 0x8000 for bit in range(9)]
    sets, whole = closed_sets(devices, [1.0] * 9, most=20)
    assert not whole
    assert len(sets) <= 20
    assert 0x8000 in sets


def test_coverage_comes_before_promises() -> None:
    found = population([8, 8, 16, 32])
    kinds = {size: next(m.kind for m in found.members if found.runs(str(size))[0][m.kind]) for size in (8, 16, 32)}
    wide = Candidate("wide", 1, 1 << kinds[16] | 1 << kinds[32] | 1 << kinds[8])
    rich = Candidate("rich", 1000, 1 << kinds[8])
    answer = cover(found, [rich, wide], [1.0] * 4, 1)
    assert [pick.name for pick in answer.picks] == ["wide"]
    assert answer.reach.proved
    both = cover(found, [rich, wide], [1.0] * 4, 2)
    first, second = both.picks
    assert (first.name, first.adds, first.alone, first.serves) == ("wide", (0, 1, 2, 3), (2, 3), (2, 3))
    assert (second.name, second.adds, second.lifts, second.serves) == ("rich", (), (0, 1), (0, 1))


def test_a_heavy_device_counts_more() -> None:
    found = population([8, 16, 16])
    kinds = [member.kind for member in found.members]
    candidates = [Candidate("eight", 1, 1 << kinds[0]), Candidate("sixteen", 1, 1 << kinds[1])]
    assert cover(found, candidates, [1.0, 1.0, 1.0], 1).picks[0].name == "sixteen"
    assert cover(found, candidates, [9.0, 1.0, 1.0], 1).picks[0].name == "eight"


def test_nothing_covers_nobody() -> None:
    found = population([8])
    answer = cover(found, [Candidate("none", 3, 0)], [1.0], 4)
    assert (answer.picks, answer.left, answer.reach.covered) == ((), (0,), 0.0)


def test_what_devices_have_in_common_runs_where_it_says() -> None:
    found = population([8, 16, 16, 32])
    names = ["8", "16", "32"]
    sets, whole = derived(found, names, [1.0] * 4)
    assert (whole, sorted(sets)) == (True, [0b001, 0b010, 0b100])
    for candidate in candidates_of(found, names, sets, names):
        assert candidate.runs.bit_count() == 1


def test_every_row_can_be_said_in_a_target_that_requires_it() -> None:
    for row in ROWS:
        required = requirements_of(parse(str(refinement([row]))).env)
        assert row in required, str(refinement([row]))


def test_a_target_that_promises_several_rows_requires_them() -> None:
    rows = [row for row in ROWS if not isinstance(row, NeedsSubgroupSize)]
    assert promised(None, requirements_of(parse(str(refinement(rows))).env), rows) == len(rows)
    sizes = [NeedsSubgroupSize(size) for size in (8, 16, 32)]
    assert set(sizes) <= set(requirements_of(parse(str(refinement(sizes))).env))


def test_a_version_promises_what_it_makes_mandatory() -> None:
    memory_model = NeedsFeature("VkPhysicalDeviceVulkanMemoryModelFeatures::vulkanMemoryModel")
    assert promised(parse("vulkan1.3").env.offers, (), [memory_model]) == 1
    assert promised(parse("vulkan1.1").env.offers, (), [memory_model]) == 0
