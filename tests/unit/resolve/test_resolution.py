"""Resolution: rows, reasons, refusals; the laws are in tests/property, whole worlds in tests/scenarios."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import NoCompatibleArtifact
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device, Unavailable
from targetenv.model.requirement import (
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsFormat,
    NeedsIsa,
    NeedsLimit,
    NeedsMatrix,
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
    Relation,
)
from targetenv.model.version import Version
from targetenv.resolve import Chooser, require, resolve
from targetenv.resolve.explain import explain
from targetenv.resolve.implication import implies, subject
from targetenv.resolve.kinds import kind_of
from targetenv.resolve.ranking import Ranking
from targetenv.resolve.repair import Situation, hints_for
from tests.property.worlds import MATRICES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

SHARED = "VkPhysicalDeviceLimits::maxComputeSharedMemorySize"
FLOAT16 = "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"


def cpu(isa: str = "x86-64-v3", uri: str = "cpu://0", name: str = "a processor") -> Device:
    return Device(uri, name, "cpu", Capabilities("cpu", isa=isa, formats=frozenset({"elf-x86_64"})))


def variant(name: str, *needs: Requirement, preference: int = 0) -> Artifact:
    return Artifact(name, "elf-x86_64", "", (NeedsFormat("elf-x86_64"), *needs), preference=preference)


def test_rows_are_in_the_order_of_kernels_and_uris_with_numbers_as_numbers() -> None:
    devices = [cpu(uri=f"cpu://{number}") for number in (10, 2, 0)]
    resolution = resolve({"b": [variant("v")], "a": [variant("v")]}, devices)
    order = [(choice.kernel, choice.device) for choice in resolution.choices]
    assert order == [(kernel, f"cpu://{number}") for kernel in "ab" for number in (0, 2, 10)]


def test_recorded_devices_with_one_uri_keep_their_own_trees() -> None:
    devices = [cpu("x86-64-v2", name="an old one"), cpu("x86-64-v4", name="a new one")]
    text = explain(resolve({"k": [variant("v3", NeedsIsa("x86-64-v3"))]}, devices))
    assert "\N{MULTIPLICATION SIGN} an old one" in text
    assert "✓ a new one" in text


def test_a_winner_that_stands_alone_needs_no_reason() -> None:
    (choice,) = resolve({"k": [variant("v")]}, [cpu()]).choices
    assert (choice.variant, choice.because) == ("v", "")


def test_an_allowed_winner_says_that_it_is_a_chance() -> None:
    silent = variant("silent", NeedsUnknown("what it needs"))
    (choice,) = resolve({"k": [silent]}, [cpu()], unknown="allow").choices
    assert (choice.variant, choice.because) == ("silent", "allowed although it is not known to run")


def test_a_kernel_without_variants_runs_nowhere() -> None:
    resolution = resolve({"k": []}, [cpu()])
    assert resolution.choices[0].variant is None
    assert "there are no variants" in explain(resolution)
    with pytest.raises(NoCompatibleArtifact):
        require(resolution)


def test_the_refusal_names_the_nearest_miss_and_every_absent_driver() -> None:
    absent = Unavailable("cuda", "TE5101", "no library", "install it")
    resolution = resolve({"k": [variant("v4", NeedsIsa("x86-64-v4"))]}, [cpu()], unavailable=[absent])
    with pytest.raises(NoCompatibleArtifact) as refused:
        require(resolution)
    (diagnostic,) = refused.value.diagnostics
    assert diagnostic.code == "TE3001"
    assert diagnostic.message == "no variant of `k` can run on `cpu://0`"
    assert "v4 is nearest" in diagnostic.notes[0]
    assert "cuda: no library" in diagnostic.notes[1]
    assert "build `v4` for `x86-64-v3`, which this device offers: `gcc -march=x86-64-v3`" in diagnostic.help


def test_without_a_device_the_help_is_the_drivers_own() -> None:
    resolution = resolve({"k": [variant("v")]}, [], unavailable=[Unavailable("cuda", "TE5101", "no library", "install it")])
    with pytest.raises(NoCompatibleArtifact) as refused:
        require(resolution)
    assert refused.value.diagnostics[0].help == "cuda: install it"


@pytest.mark.parametrize(
    ("variants", "situations"),
    [
        ([variant("a", NeedsIsa("x86-64-v4")), variant("b", NeedsIsa("znver4"))], {Situation.REPAIR}),
        (
            [variant("a", NeedsSubgroupSize(32)), variant("b", NeedsSubgroupSize(64))],
            {Situation.SHARED_CAUSE, Situation.REPAIR},
        ),
        ([variant("a", NeedsLimit("count", Relation.AT_LEAST, 9))], {Situation.REPAIR}),
        ([variant("a", NeedsUnknown("what it needs"))], {Situation.SILENT_ARTIFACT, Situation.ONLY_UNKNOWN}),
        ([Artifact("a", "spirv", "", (NeedsFormat("spirv"),))], {Situation.NO_LOADABLE_FORMAT}),
    ],
)
def test_a_situation_has_its_hint(variants: list[Artifact], situations: set[Situation]) -> None:
    offers = Capabilities("cpu", isa="x86-64-v3", formats=frozenset({"elf-x86_64"}), properties=(Property("count", 4),))
    resolution = resolve({"k": variants}, [Device("cpu://0", "a processor", "cpu", offers)])
    found = hints_for(resolution.ranked[0], resolution)
    assert {hint.situation for hint in found} == situations


def test_a_kernel_that_runs_elsewhere_points_there() -> None:
    devices = [cpu("x86-64-v2"), cpu("x86-64-v4", uri="cpu://1")]
    resolution = resolve({"k": [variant("v4", NeedsIsa("x86-64-v4"))]}, devices)
    elsewhere = [hint for hint in hints_for(resolution.ranked[0], resolution) if hint.situation is Situation.RUNS_ELSEWHERE]
    assert [hint.text for hint in elsewhere] == ["pass `--device cpu://1`, which runs `v4`"]
    assert hints_for(resolution.ranked[1], resolution) == ()


@pytest.mark.parametrize(
    ("one", "other", "follows"),
    [
        (NeedsVersion("spirv", Version(1, 5)), NeedsVersion("spirv", Version(1, 3)), True),
        (NeedsVersion("spirv", Version(1, 5)), NeedsVersion("vulkan", Version(1, 0)), False),
        (NeedsLimit(SHARED, Relation.AT_LEAST, 9), NeedsLimit(SHARED, Relation.AT_LEAST, 8), True),
        (NeedsLimit(SHARED, Relation.AT_MOST, 8), NeedsLimit(SHARED, Relation.AT_MOST, 9), True),
        (NeedsLimit(SHARED, Relation.AT_MOST, 9), NeedsLimit(SHARED, Relation.AT_MOST, 8), False),
        (NeedsLimit(SHARED, Relation.EXACTLY, 9), NeedsLimit(SHARED, Relation.AT_LEAST, 8), True),
        (NeedsLimit(SHARED, Relation.EXACTLY, 9), NeedsLimit(SHARED, Relation.AT_LEAST, 10), False),
        (NeedsLimit(SHARED, Relation.AT_LEAST, 9), NeedsLimit(SHARED, Relation.EXACTLY, 9), False),
        (NeedsLimit("mask", Relation.ALL_BITS, 7), NeedsLimit("mask", Relation.ALL_BITS, 5), True),
        (NeedsLimit("mask", Relation.ALL_BITS, 5), NeedsLimit("mask", Relation.ALL_BITS, 7), False),
        (NeedsLimit("by", Relation.MULTIPLE_OF, 8), NeedsLimit("by", Relation.MULTIPLE_OF, 16), True),
        (NeedsLimit("by", Relation.MULTIPLE_OF, 16), NeedsLimit("by", Relation.MULTIPLE_OF, 8), False),
        (NeedsLimit("range", Relation.WITHIN, (0, 9)), NeedsLimit("range", Relation.WITHIN, (1, 8)), True),
        (NeedsLimit("range", Relation.WITHIN, (1, 8)), NeedsLimit("range", Relation.WITHIN, (0, 9)), False),
        (NeedsLimit("size", Relation.AT_LEAST, (8, 8, 8)), NeedsLimit("size", Relation.AT_LEAST, (8, 4, 1)), True),
        (NeedsLimit("size", Relation.AT_LEAST, (8, 2, 8)), NeedsLimit("size", Relation.AT_LEAST, (8, 4, 1)), False),
        (NeedsIsa("haswell"), NeedsIsa("x86-64-v3"), True),
        (NeedsIsa("haswell"), NeedsIsa("x86-64-v4"), False),
        (NeedsIsa("x86-64-v4"), NeedsIsa("armv8-a"), False),
        (NeedsIsa("x86-64-v4"), NeedsFeature("avx512f"), True),
        (NeedsIsa("gfx942"), NeedsIsa("gfx942"), True),
        (NeedsFeature(FLOAT16), NeedsFeature(FLOAT16), True),
        (NeedsFeature(FLOAT16), NeedsCapability("Float16"), False),
        (NeedsSubgroupSize(32), NeedsSubgroupSize(64), False),
    ],
)
def test_implication(one: Requirement, other: Requirement, follows: bool) -> None:
    assert implies(one, other) is follows


@pytest.mark.parametrize(
    ("need", "about"),
    [
        (NeedsLimit(SHARED, Relation.AT_LEAST, 1), "maxComputeSharedMemorySize"),
        (NeedsExtension("VK_KHR_x"), "VK_KHR_x"),
        (NeedsVersion("spirv", Version(1, 3)), "spirv version"),
        (NeedsSubgroupSize(8), "subgroup size"),
        (NeedsMatrix(MATRICES[0]), "cooperative matrix"),
        (NeedsIsa("gfx942"), "instruction set"),
        (NeedsFormat("ptx"), "format"),
        (NeedsUnknown("what"), "what"),
    ],
)
def test_every_requirement_is_about_something(need: Requirement, about: str) -> None:
    assert subject(need) == about


def test_a_limit_that_every_device_meets_makes_nobody_more_specific() -> None:
    small, large = ((NeedsLimit(SHARED, Relation.AT_LEAST, size),) for size in (512, 65536))
    ranking = Ranking(
        [Artifact("plain", "spirv", ""), Artifact("small", "spirv", "", small), Artifact("large", "spirv", "", large)]
    )
    order = [ranking.variants[place].name for place in ranking.order(0b111)]
    assert order == ["large", "plain", "small"]


def test_a_variant_of_another_format_is_never_more_specific() -> None:
    more = (NeedsFeature("f"), NeedsFeature("g"))
    ranking = Ranking([Artifact("native", "elf-x86_64", "", more[:1]), Artifact("portable", "spirv", "", more)])
    assert [ranking.above(place) for place in (0, 1)] == [0, 0]
    assert ranking.variants[ranking.first(0b11)].name == "native"
    because = "it is native code, while portable is compiled by the driver when it is loaded"
    assert ranking.because(0, 1) == ("rank.kind", because)


def test_kinds_are_ordered_by_what_loading_costs() -> None:
    costs = [kind_of(name).cost for name in ("cubin", "unheard-of", "spirv", "opencl-c", "vmvx")]
    assert costs == sorted(set(costs))


def test_a_chooser_knows_only_its_kernels() -> None:
    chooser = Chooser({"k": [variant("v3", NeedsIsa("x86-64-v3")), variant("v2", NeedsIsa("x86-64-v2"))]})
    chosen = chooser.on(cpu().offers).choose("k")
    assert chosen is not None
    assert chosen.name == "v3"
    assert chooser.on(cpu("armv8-a").offers).choose("k") is None
    with pytest.raises(KeyError):
        chooser.on(cpu().offers).choose("other")
