"""A fleet: 10,000 artifacts on 40,000 devices, beside Polars, DuckDB and plain Python sets, on one core, answers held equal.

Building tables is no part of a pair's time, for nobody; our own index is a row of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device
from targetenv.model.requirement import NeedsFeature, NeedsFormat, NeedsLimit, Relation
from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.resolve.capability_class import Classifier
from targetenv.resolve.fleets import fleet
from targetenv.resolve.planes import Conjunctions, Planes, answers, table
from tests.benchmarks import fleet_peers, options
from tests.benchmarks import table as tables
from tests.benchmarks.measure import Timing, case, interleave, pin, timed
from tests.benchmarks.table import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

REPORTS = Path(__file__).parents[1] / "corpora" / "devices"
DEVICES, ARTIFACTS, VARIANTS, MODELS, BLOCK = 40_000, 10_000, 8, 400, 4096
FEATURES = vulkan.feature_names()[:600]
LIMITS = tuple(name for name in vulkan.property_names() if vulkan.relation(name) is Relation.AT_LEAST)[:200]


class World:
    """Devices of 400 models, each with its own deviations, and artifacts that were made for some model."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)
        prevalence = self.random.beta(0.6, 0.6, len(FEATURES))
        self.features = self.random.random((MODELS, len(FEATURES))) < prevalence
        self.limits = 1 << self.random.integers(8, 20, (MODELS, len(LIMITS)))

    def devices(self, count: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
        for _ in range(count):
            model = int(self.random.zipf(1.3)) % MODELS
            features = self.features[model] ^ (self.random.random(len(FEATURES)) < 0.01)
            limits = np.where(self.random.random(len(LIMITS)) < 0.03, self.limits[model] * 2, self.limits[model])
            yield features, limits

    def artifacts(self, count: int) -> Iterator[tuple[list[int], dict[int, int]]]:
        for _ in range(count):
            model = int(self.random.integers(MODELS))
            there = np.flatnonzero(self.features[model])
            features = self.random.choice(there, int(self.random.integers(4, 24)), replace=False).tolist()
            limits = self.random.choice(len(LIMITS), int(self.random.integers(0, 10)), replace=False).tolist()
            yield features, {at: int(self.limits[model, at]) >> int(self.random.integers(0, 2)) for at in limits}


def offers(features: NDArray[np.bool_], limits: NDArray[np.int64]) -> Capabilities:
    names = frozenset(name for name, yes in zip(FEATURES, features.tolist(), strict=True) if yes)
    properties = tuple(Property(name, value) for name, value in sorted(zip(LIMITS, limits.tolist(), strict=True)))
    return Capabilities(
        "vulkan",
        Version(1, 3),
        formats=frozenset({"spirv"}),
        features=names,
        denied=frozenset(FEATURES) - names,
        properties=properties,
    )


def requires(features: list[int], limits: dict[int, int]) -> tuple[Requirement, ...]:
    asked: list[Requirement] = [NeedsFormat("spirv"), *(NeedsFeature(FEATURES[at]) for at in features)]
    return (*asked, *(NeedsLimit(LIMITS[at], Relation.AT_LEAST, value) for at, value in limits.items()))


class Index:
    """The rows of bits of a population, block by block as `fleet` makes them, and the artifacts laid out over them."""

    def __init__(self, artifacts: list[tuple[Requirement, ...]]) -> None:
        place: dict[Requirement, int] = {}
        lists = [[place.setdefault(need, len(place)) for need in needs] for needs in artifacts]
        self.requirements = list(place)
        self.artifacts = Conjunctions(lists, len(place))
        self.blocks: list[Planes] = []

    def add(self, devices: list[Capabilities]) -> None:
        self.blocks.append(answers(self.requirements, devices))

    def judge(self) -> list[Planes]:
        return [self.artifacts.of(block) for block in self.blocks]


def rows(chosen: options.Options) -> list[Row]:
    if chosen.pin is None:
        pin(max(os.sched_getaffinity(0)))
    world = World()
    plain = list(world.artifacts(ARTIFACTS))
    needs = [requires(*one) for one in plain]
    index = Index(needs)
    facts = list(world.devices(DEVICES))
    building = Timing(0.0, 0.0, 0.0, 1, 0)
    for start in range(0, DEVICES, BLOCK):
        block = [offers(*one) for one in facts[start : start + BLOCK]]
        sample = timed(partial(index.add, block))()
        building = building._replace(median=building.median + sample.wall, cpu=building.cpu + sample.cpu)
    building = building._replace(least=building.median)
    features = np.array([one[0] for one in facts])
    limits = np.array([one[1] for one in facts])
    expected = table([(found.known[: fleet_peers.ASKED], found.count) for found in index.judge()])
    pairs = DEVICES * ARTIFACTS
    cases = [case("ours", index.judge, jobs=pairs), *fleet_peers.cases(features, limits, plain, expected)]
    timing = interleave(cases, rounds=chosen.rounds)
    made = [Row(f"one of {ARTIFACTS:,} artifacts x {DEVICES:,} devices, all different", timing["ours"], budget="0.333 ns")]
    made += [
        Row("the same, one core", timing["ours"], name, timing[name])
        for name in ("Polars", "DuckDB", "Python sets")
        if name in timing
    ]
    made.append(Row("the index for it: 40,000 devices, every requirement judged", building))
    return made + collapsed(chosen, world, facts[:1200], needs) + reports(chosen, world)


def collapsed(
    chosen: options.Options,
    world: World,
    facts: list[tuple[NDArray[np.bool_], NDArray[np.int64]]],
    needs: list[tuple[Requirement, ...]],
) -> list[Row]:
    """40,000 devices of 1,200 kinds."""
    kinds = [offers(*one) for one in facts]
    which = world.random.integers(0, len(kinds), DEVICES).tolist()
    index = Index(needs)
    index.add(kinds)
    devices = [Device(f"vulkan://{at}", "", "vulkan", kinds[kind]) for at, kind in enumerate(which)]
    kernels: dict[str, list[Artifact]] = {}
    for at, one in enumerate(needs):
        kernels.setdefault(f"kernel {at // VARIANTS}", []).append(Artifact(str(at), "spirv", "", one))
    classifier = Classifier(index.requirements)
    found = fleet(kernels, devices)
    direct = table([(block.known, block.count) for block in index.judge()])
    of_class = {member.kind: kind for member, kind in zip(found.members, which, strict=True)}
    order = [of_class[kind] for kind in range(found.classes)]
    for kernel in list(kernels)[::13]:
        for variant, row in zip(found.variants(kernel), found.runs(kernel), strict=True):
            assert np.array_equal(row, direct[int(variant), order])
    pairs = DEVICES * ARTIFACTS
    cases = [
        case("classes", index.judge, jobs=pairs),
        case("key", lambda: [classifier.key(one) for one in kinds[:100]], jobs=100),
        case("whole", lambda: fleet(kernels, devices), jobs=pairs),
    ]
    timing = interleave(cases, rounds=min(chosen.rounds, 5), patience=0)
    return [
        Row(f"the same in {found.classes:,} capability classes", timing["classes"]),
        Row("finding a device's class, 3,000 requirements", timing["key"]),
        Row(f"`fleet` as a whole: classes, index, verdicts, the best of {VARIANTS} variants", timing["whole"]),
    ]


def reports(chosen: options.Options, world: World) -> list[Row]:
    """The recorded real devices, tiled."""
    from targetenv.wire.device_files import read_devices

    real = [each.device for each in read_devices(str(REPORTS)) if hasattr(each, "device")]
    needs = [reported(world, real[int(world.random.integers(len(real)))].offers) for _ in range(ARTIFACTS)]
    index = Index(needs)
    tiled = (real * -(-DEVICES // len(real)))[:DEVICES]
    for start in range(0, DEVICES, BLOCK):
        index.add([device.offers for device in tiled[start : start + BLOCK]])
    folded = Index(needs)
    folded.add([device.offers for device in real])
    whole, some = (table([(block.known, block.count) for block in one.judge()]) for one in (index, folded))
    assert np.array_equal(whole, some[:, np.arange(DEVICES) % len(real)])
    pairs = DEVICES * ARTIFACTS
    cases = [case("all", index.judge, jobs=pairs), case("classes", folded.judge, jobs=pairs)]
    timing = interleave(cases, rounds=chosen.rounds)
    return [
        Row(f"{len(real)} real reports tiled to {DEVICES:,}, each judged", timing["all"], budget="0.333 ns"),
        Row(f"the same in {len(real)} capability classes", timing["classes"]),
    ]


def reported(world: World, device: Capabilities) -> tuple[Requirement, ...]:
    """What code made for a reported device might require: some of its features, and of its limits as much or half as much."""
    names = sorted(device.features)
    chosen = world.random.choice(len(names), min(len(names), int(world.random.integers(4, 24))), replace=False)
    asked: list[Requirement] = [NeedsFormat("spirv"), *(NeedsFeature(names[at]) for at in chosen)]
    whole = [row for row in device.properties if type(row.value) is int and vulkan.relation(row.name) is Relation.AT_LEAST]
    for at in world.random.choice(len(whole), int(world.random.integers(0, 10)), replace=False):
        value = whole[at].value
        assert isinstance(value, int)
        asked.append(NeedsLimit(whole[at].name, Relation.AT_LEAST, value >> int(world.random.integers(0, 2))))
    return tuple(asked)


if __name__ == "__main__":
    tables.emit(rows(options.parse()))
