"""Policies: what a user wants beyond what fits, and what is refused because it names nothing."""

from __future__ import annotations

import pytest

from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device
from targetenv.model.requirement import NeedsFeature, NeedsFormat, NeedsIsa, NeedsSubgroupSize
from targetenv.resolve import Chooser, require, resolve
from targetenv.resolve.choice import Choice
from targetenv.resolve.kinds import kind_of_artifact
from targetenv.resolve.policy import Policy, PolicyError, parse_pins, policy
from targetenv.resolve.tuning import SUBGROUP, distance

CPU = Device("cpu://0", "a processor", "cpu", Capabilities("cpu", isa="x86-64-v4", formats=frozenset({"elf-x86_64", "spirv"})))


def elf(name: str, isa: str = "x86-64-v3", **more: object) -> Artifact:
    return Artifact(name, "elf-x86_64", "", (NeedsFormat("elf-x86_64"), NeedsIsa(isa)), **more)  # type: ignore[arg-type]


def choice(variants: list[Artifact], wanted: Policy, device: Device = CPU) -> Choice:
    return resolve({"k": variants}, [device], policy=wanted).choices[0]


@pytest.mark.parametrize(
    ("prefer", "winner", "rule"),
    [
        (["b"], "b", "rank.prefer"),
        (["elf-x86_64", "b"], "b", "rank.prefer"),
        (["smaller"], "b", "rank.prefer"),
        (["native"], "a", "rank.preference"),
        ([], "a", "rank.preference"),
    ],
)
def test_a_preference_decides_before_the_packages_own(prefer: list[str], winner: str, rule: str) -> None:
    found = choice([elf("a", preference=9, size=20), elf("b", size=10)], policy(prefer))
    assert (found.variant, found.rule) == (winner, rule)


def test_a_preference_never_decides_against_specificity_or_kind() -> None:
    portable = Artifact("portable", "spirv", "", (NeedsFormat("spirv"),))
    assert choice([elf("v2", "x86-64-v2"), elf("v4", "x86-64-v4")], policy(["v2"])).variant == "v4"
    assert choice([elf("native"), portable], policy(["jit"])).variant == "native"


def test_a_pinned_variant_runs_or_nothing_does() -> None:
    variants = [elf("v2", "x86-64-v2"), elf("v4", "x86-64-v4"), elf("arm", "armv8-a")]
    pinned = choice(variants, policy(pin={"k": "v2"}))
    assert (pinned.variant, pinned.rule, pinned.because) == ("v2", "rank.pinned", "pinned")
    assert choice(variants, policy(pin={"k": "arm"})).variant is None


def test_what_only_the_policy_forbids_is_said_with_what_to_do() -> None:
    portable = Artifact("portable", "spirv", "", (NeedsFormat("spirv"),))
    resolution = resolve({"k": [portable]}, [CPU], policy=policy(never_jit=True))
    with pytest.raises(LookupError) as refused:
        require(resolution)
    text = str(refused.value)
    assert "portable runs, but it is compiled by the driver when it is loaded, which `--never-jit` forbids" in text
    assert "leave `--never-jit` out to run `portable`" in text


@pytest.mark.parametrize(
    ("wanted", "code", "help_"),
    [
        (policy(["nativ"]), "TE3021", "did you mean `native`?"),
        (policy(pin={"kk": "v2"}), "TE3022", "there is `k`"),
        (policy(pin={"k": "v22"}), "TE3022", "did you mean `v2`?"),
    ],
)
def test_a_policy_that_names_nothing_is_refused(wanted: Policy, code: str, help_: str) -> None:
    with pytest.raises(PolicyError) as refused:
        resolve({"k": [elf("v2")]}, [CPU], policy=wanted)
    assert refused.value.code == code
    assert refused.value.diagnostics[0].help == help_


@pytest.mark.parametrize("texts", [["v3"], ["=v3"], ["k="], ["k=a", "k=b"]])
def test_what_is_no_pin_is_refused(texts: list[str]) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_pins(texts)
    assert refused.value.code == "TE3023"


def test_only_the_digest_makes_a_choice_ambiguous() -> None:
    one, two = (Artifact(name, "spirv", digest, (NeedsFormat("spirv"),)) for name, digest in (("a", "22"), ("b", "11")))
    found = choice([one, two], Policy())
    assert (found.variant, found.rule, found.ambiguous) == ("b", "rank.digest", True)
    same = choice([one, Artifact("c", "spirv", "22", one.requires)], Policy())
    assert (same.variant, same.ambiguous) == ("a", False)


def test_code_for_a_family_is_a_kind_of_its_own() -> None:
    names = {
        isa: kind_of_artifact(Artifact("a", "hsaco" if isa.startswith("gfx") else "cubin", "", (NeedsIsa(isa),))).name
        for isa in ("gfx942", "gfx9-4-generic", "sm_100", "sm_100a", "sm_100f")
    }
    assert [name for name, kind in names.items() if kind == "family"] == ["gfx9-4-generic", "sm_100f"]
    assert kind_of_artifact(Artifact("a", "ptx", "", (NeedsIsa("compute_100f"),))).name == "jit"


def test_of_incomparable_variants_the_nearer_one_wins_and_a_chooser_agrees() -> None:
    offers = Capabilities(
        "vulkan",
        formats=frozenset({"spirv"}),
        features=frozenset({"f", "g"}),
        subgroup_sizes=frozenset({8, 32, 64}),
        properties=(Property(SUBGROUP, 32),),
    )
    gpu = Device("vulkan://0", "a GPU", "vulkan", offers)
    wide = Artifact("wide", "spirv", "", (NeedsFormat("spirv"), NeedsSubgroupSize(64), NeedsFeature("f")), preference=7)
    own = Artifact("own", "spirv", "", (NeedsFormat("spirv"), NeedsSubgroupSize(32), NeedsFeature("g")))
    assert distance(wide, offers) > distance(own, offers)
    found = choice([wide, own], Policy(), gpu)
    assert (found.variant, found.rule) == ("own", "rank.tuning")
    assert found.because == "it is for subgroups of 32, nearer to this device's own 32 than wide"
    chosen = Chooser({"k": [wide, own]}).on(offers).choose("k")
    assert chosen == own


def test_the_processor_variant_that_uses_more_of_the_device_wins() -> None:
    offers = CPU.offers
    small = elf("small", "x86-64-v2", preference=4)
    extra = Artifact("small", "elf-x86_64", "", (*small.requires, NeedsFeature("avx512f")), preference=4)
    large = elf("large", "x86-64-v3")
    found = choice([extra, large], Policy())
    assert distance(large, offers) < distance(extra, offers)
    assert (found.variant, found.rule) == ("large", "rank.tuning")
    assert found.because == "it uses more of what this device has than small: it is built for x86-64-v3, not for x86-64-v2"
