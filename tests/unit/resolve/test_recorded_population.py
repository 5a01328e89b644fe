"""The forty recorded devices as a population: fleets and covers of real hardware, held against asking one by one."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from targetenv.artifacts import inspect
from targetenv.match.check import Judge
from targetenv.match.environment import requirements_of
from targetenv.model.artifact import Artifact
from targetenv.model.device import Device
from targetenv.model.verdict import Outcome
from targetenv.resolve import fleet, resolve
from targetenv.resolve.cover import Candidate, Cover, candidates_of, cover, derived
from targetenv.resolve.fleets import Fleet
from targetenv.resolve.kernel_features import FORMAT, ROWS, refinement
from targetenv.syntax import parse
from targetenv.wire.device_files import DeviceFile, read_devices

CORPORA = Path(__file__).parents[2] / "corpora"
ASKED = [str(at) for at in range(len(ROWS))]


@cache
def devices() -> tuple[Device, ...]:
    found = read_devices(str(CORPORA / "devices"))
    return tuple(each.device for each in found if isinstance(each, DeviceFile))


@cache
def asked() -> Fleet:
    kernels = {name: [Artifact("met", "spirv", "", (FORMAT, row))] for name, row in zip(ASKED, ROWS, strict=True)}
    return fleet(kernels, devices())


@cache
def candidates() -> tuple[Candidate, ...]:
    sets, whole = derived(asked(), ASKED, [1.0] * len(devices()))
    assert whole
    names = [str(refinement(row for at, row in enumerate(ROWS) if rows >> at & 1)) for rows in sets]
    return tuple(candidates_of(asked(), ASKED, sets, names))


@cache
def covered(k: int) -> Cover:
    return cover(asked(), candidates(), [1.0] * len(devices()), k)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_the_best_targets_for_forty_real_devices_are_proved_to_be(k: int) -> None:
    answer = covered(k)
    assert answer.reach.proved
    assert (answer.reach.covered, answer.left) == (40, ())
    promised = [reach.rows for reach in (*answer.fewer, answer.reach)]
    assert promised == sorted(promised)


def test_no_pair_of_candidates_is_better_than_the_best_two() -> None:
    runs = np.array([[one.runs >> member.kind & 1 for member in asked().members] for one in candidates()], np.bool_)
    worth = np.where(runs, np.array([one.worth for one in candidates()])[:, None], 0)
    best = (0, 0)
    for at in range(len(runs)):
        everywhere = (runs | runs[at]).sum(axis=1)
        together = np.maximum(worth, worth[at]).sum(axis=1)
        other = int(np.lexsort((together, everywhere))[-1])
        best = max(best, (int(everywhere[other]), int(together[other])))
    assert best == (covered(2).reach.covered, covered(2).reach.rows)


def test_a_picked_target_runs_on_exactly_the_devices_that_it_says() -> None:
    for pick in covered(4).picks:
        needs = requirements_of(parse(pick.name).env)
        for number, device in enumerate(devices()):
            judge = Judge(device.offers)
            fits = all(judge.check(need).outcome is Outcome.SATISFIED for need in needs)
            assert fits == (number in pick.runs), f"{pick.name} on {device.name}"


def test_every_device_is_served_by_one_pick_and_by_the_best_that_it_runs() -> None:
    picks = covered(4).picks
    for number in range(len(devices())):
        serving = [pick for pick in picks if number in pick.serves]
        running = [pick.worth for pick in picks if number in pick.runs]
        assert [pick.worth for pick in serving] == [max(running)]
        assert sum(number in pick.adds for pick in picks) == 1


def test_a_fleet_of_real_devices_runs_what_each_of_them_runs_alone() -> None:
    names = ("saxpy_spv10", "saxpy_spv16", "reduce", "reduce_subgroup", "matmul_f16")
    modules = [CORPORA / "artifacts" / f"{name}.spv" for name in names]
    variants = [artifact for file in modules for artifact in inspect(file.read_bytes(), name=file.stem).artifacts]
    found = fleet({"all": variants, **{one.name: [one] for one in variants}}, devices(), reasons=("all",))
    assert found.classes <= len(devices())
    for member, device in zip(found.members, devices(), strict=True):
        alone = resolve({"all": variants, **{one.name: [one] for one in variants}}, [device])
        for choice in alone.choices:
            assert found.variant_on(choice.kernel, member.kind) == choice.variant


def test_what_one_variant_adds_is_what_it_alone_runs() -> None:
    for one, other in combinations(covered(4).picks, 2):
        assert not set(one.alone) & set(other.runs)
