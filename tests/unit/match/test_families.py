"""Rules that belong to one family of devices: NPUs, Metal, 32-bit code on 64-bit processors, Tegra."""

from __future__ import annotations

import pytest

from targetenv.match.check import Judge, check
from targetenv.match.environment import offers_of, requirements_of
from targetenv.model.capabilities import Capabilities
from targetenv.model.requirement import NeedsIsa, NeedsVersion
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import npu
from targetenv.resolve.implication import implies
from targetenv.syntax import parse

YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("code", "device", "outcome"),
    [
        ("npu1_1col", "npu1_4col", YES),
        ("npu1_4col", "npu1_4col", YES),
        ("npu1_4col", "npu1", YES),
        ("npu1", "npu1_4col", NO),
        ("npu1_4col", "npu4", NO),
        ("npu4", "npu1", NO),
        ("xcve2302", "npu1", NO),
        ("gfx90a", "npu1", NO),
    ],
)
def test_a_partition_fits_an_array_of_its_kind_with_as_many_columns(code: str, device: str, outcome: Outcome) -> None:
    found = check(NeedsIsa(code), Capabilities("aie", isa=device))
    assert (found.outcome, found.rule) == (outcome, "aie.array")


def test_more_columns_imply_fewer() -> None:
    for one in npu.aie_devices():
        for other in npu.aie_devices():
            if implies(NeedsIsa(one), NeedsIsa(other)):
                for device in npu.aie_devices():
                    offers = Capabilities("aie", isa=device)
                    if check(NeedsIsa(one), offers).outcome is YES:
                        assert check(NeedsIsa(other), offers).outcome is YES, (one, other, device)
    assert implies(NeedsIsa("npu1_4col"), NeedsIsa("npu1_1col"))


def test_a_tpc_kernel_keeps_to_its_generation() -> None:
    for device, outcome in (("gaudi2", YES), ("gaudi3", NO)):
        found = check(NeedsIsa("gaudi2"), Capabilities("habana", isa=device))
        assert (found.outcome, found.rule) == (outcome, "habana.generation")


@pytest.mark.parametrize(
    ("code", "device", "outcome"),
    [
        ("air64-apple-macosx14.0.0", "air64-apple-macosx15.0.0", YES),
        ("air64-apple-macosx14.0.0", "air64-apple-macosx13.0.0", NO),
        ("air64-apple-macosx14.0.0", "air64-apple-ios17.0", NO),
    ],
)
def test_a_metal_library_runs_on_its_system_from_its_deployment_target_on(code: str, device: str, outcome: Outcome) -> None:
    judge = Judge(offers_of(parse(device).env))
    outcomes = {judge.check(need).outcome for need in requirements_of(parse(code).env)}
    assert outcomes - {UNKNOWN} <= {YES, outcome}  # of the other system's name it is only not stated
    assert outcome in outcomes


@pytest.mark.parametrize(
    ("system", "language", "outcome"),
    [("macosx14.0", "3.1", YES), ("macosx14.0", "3.2", NO), ("ios15.2", "2.4", YES), ("ios15.2", "3.0", NO)],
)
def test_a_system_compiles_the_metal_that_came_with_it(system: str, language: str, outcome: Outcome) -> None:
    offers = offers_of(parse(f"air64-apple-{system}").env)
    found = check(NeedsVersion("metal", Version.parse(language)), offers)
    assert (found.outcome, found.rule) == (outcome, "metal.language")


def test_of_a_device_whose_system_is_not_stated_nothing_is_known() -> None:
    offers = Capabilities("metal", formats=frozenset({"metallib"}))
    assert check(NeedsVersion("metal", Version(3, 0)), offers).outcome is UNKNOWN
    assert check(NeedsVersion("macos", Version(13)), offers).outcome is UNKNOWN


@pytest.mark.parametrize(
    ("code", "device", "feature", "rule"),
    [("armv7", "armv8.2-a", "aarch32", "oci.arm32"), ("386", "x86-64-v2", "ia32", "oci.ia32")],
)
def test_narrower_code_runs_only_where_the_device_says_so(code: str, device: str, feature: str, rule: str) -> None:
    asked = NeedsIsa(code)
    with_it, without = frozenset({feature}), frozenset[str]()
    for features, denied, outcome in ((without, without, UNKNOWN), (with_it, without, YES), (without, with_it, NO)):
        found = check(asked, Capabilities("cpu", isa=device, features=features, denied=denied))
        assert (found.outcome, found.rule) == (outcome, rule)


def test_nothing_is_promised_between_a_tegra_and_other_gpus() -> None:
    for code, device, outcome in (("sm_87", "sm_87", YES), ("sm_86", "sm_87", UNKNOWN), ("sm_87", "sm_89", UNKNOWN)):
        assert check(NeedsIsa(code), Capabilities("cuda", isa=device)).outcome is outcome
    assert check(NeedsIsa("compute_86"), Capabilities("cuda", isa="sm_87")).outcome is YES


@pytest.mark.parametrize("triple", ["amdgcn-amd-amdhsa", "amdgpu9-amd-amdhsa", "nvptx64-nvidia-cuda"])
def test_a_triple_without_a_processor_does_not_say_who_runs_its_code(triple: str) -> None:
    needs = requirements_of(parse(triple).env)
    device = "sm_90" if triple.startswith("nvptx") else "gfx900"
    found = {finding.outcome: finding.rule for finding in map(Judge(offers_of(parse(device).env)).check, needs)}
    assert found == {YES: "format.listed", UNKNOWN: "offload.triple"}
