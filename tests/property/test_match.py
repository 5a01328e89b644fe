"""Laws of match: what holds for every requirement and every device."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from targetenv.match import check, match, match_env, requirements_of
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, SpirvEnvironment
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsIsa, NeedsLimit, NeedsVersion, Relation
from targetenv.model.target_env import TargetEnv
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.resolve.implication import implies, subject
from tests.property import worlds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

BAD_NEWS = (Outcome.SATISFIED, Outcome.UNKNOWN, Outcome.UNSATISFIED)


@given(worlds.growing, worlds.offers, worlds.offers)
def test_a_device_that_offers_more_never_answers_worse(need: Requirement, less: Capabilities, more: Capabilities) -> None:
    before, after = check(need, less), check(need, worlds.stronger(less, more))
    assert BAD_NEWS.index(after.outcome) <= BAD_NEWS.index(before.outcome)


@given(worlds.requirements, worlds.offers)
def test_what_an_incomplete_source_answers_stands_when_it_is_complete(need: Requirement, offers: Capabilities) -> None:
    complete, partial = check(need, replace(offers, complete=True)), check(need, replace(offers, complete=False))
    assert partial.outcome in (Outcome.UNKNOWN, complete.outcome)


@given(worlds.simple, worlds.offers)
def test_what_a_complete_source_offers_the_incomplete_one_does_too(need: Requirement, offers: Capabilities) -> None:
    if check(need, replace(offers, complete=True)).outcome is Outcome.SATISFIED:
        assert check(need, replace(offers, complete=False)).outcome is Outcome.SATISFIED


@given(st.lists(worlds.requirements, max_size=6), worlds.devices, st.randoms())
def test_findings_do_not_depend_on_the_order_of_requirements(needs: list[Requirement], device: Device, random: object) -> None:
    shuffled = [*needs, *needs[:2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (match(Artifact("a", "spirv", "", tuple(order)), device) for order in (needs, shuffled))
    assert one.findings == other.findings
    assert {finding.requirement for finding in one.findings} == set(needs)


@given(worlds.offers)
def test_code_that_requires_what_a_device_offers_fits_it(offers: Capabilities) -> None:
    outcome, findings = match_env(TargetEnv(offers), TargetEnv(offers))
    assert outcome is Outcome.SATISFIED, [finding for finding in findings if finding.outcome is not Outcome.SATISFIED]


@given(st.lists(worlds.requirements, min_size=1, max_size=6), worlds.devices)
def test_a_verdict_is_its_worst_finding(needs: list[Requirement], device: Device) -> None:
    verdict = match(Artifact("a", "spirv", "", tuple(needs)), device)
    assert verdict.outcome is max((check(need, device.offers).outcome for need in needs), key=BAD_NEWS.index)
    assert set(verdict.unmet) == {finding for finding in verdict.findings if finding.outcome is not Outcome.SATISFIED}


EMPTY = Capabilities("spirv", spirv=SpirvEnvironment(Version(0)))


@given(st.lists(worlds.growing, min_size=1, max_size=6, unique_by=subject))
def test_granting_what_is_unmet_makes_it_fit_and_all_but_one_does_not(needs: list[Requirement]) -> None:
    device = Device("x://0", "an empty device", "x", EMPTY)
    artifact = Artifact("a", "spirv", "", tuple(needs))
    unmet = [finding.requirement for finding in match(artifact, device).unmet]
    # A level brings features, and an implied requirement is met by granting another: not the law under test.
    assume(not any(implies(one, other) for one in needs for other in needs if one != other))
    granted = EMPTY
    for need in unmet:
        granted = worlds.grant(granted, need)
    if any(isinstance(need, NeedsVersion) and need.of == "vulkan" for need in unmet):
        granted = replace(granted, api="vulkan")
    assert match(artifact, replace(device, offers=granted)).outcome is Outcome.SATISFIED
    for left in unmet:
        if isinstance(left, NeedsVersion) or (isinstance(left, NeedsLimit) and granted.api == "vulkan"):
            continue  # 0.0 meets 0.0, and every device of Vulkan offers a minimum
        lacking = EMPTY
        for need in unmet:
            lacking = lacking if need == left else worlds.grant(lacking, need)
        assert match(artifact, replace(device, offers=lacking)).outcome is not Outcome.SATISFIED


@given(worlds.requirements, worlds.requirements, worlds.offers)
def test_who_meets_a_requirement_meets_what_it_implies(one: Requirement, other: Requirement, offers: Capabilities) -> None:
    if implies(one, other) and check(one, offers).outcome is Outcome.SATISFIED:
        assert check(other, offers).outcome is Outcome.SATISFIED


@given(worlds.requirements, worlds.requirements, worlds.requirements)
def test_implication_is_reflexive_and_transitive(one: Requirement, other: Requirement, third: Requirement) -> None:
    assert implies(one, one)
    if implies(one, other) and implies(other, third):
        assert implies(one, third)


@given(st.sampled_from(worlds.ISAS), st.sampled_from(worlds.ISAS))
def test_instruction_sets_that_imply_each_other_have_the_same_features(one: str, other: str) -> None:
    from targetenv.match import isa

    if implies(NeedsIsa(one), NeedsIsa(other)) and implies(NeedsIsa(other), NeedsIsa(one)):
        assert isa.features(one) == isa.features(other)


values = st.integers(-(2**40), 2**40)


@given(st.sampled_from(list(Relation)), values, values, values)
def test_relations_are_transitive(relation: Relation, one: int, other: int, third: int) -> None:
    if relation.holds(one, other) and relation.holds(other, third):
        assert relation.holds(one, third)


@given(worlds.offers)
def test_requirements_of_an_environment_are_distinct(offers: Capabilities) -> None:
    needs = requirements_of(TargetEnv(offers))
    assert len(set(needs)) == len(needs)
