"""Laws of repairs: the one that is named is enough, and nothing less is."""

from __future__ import annotations

from hypothesis import assume, given

from targetenv.match import match
from targetenv.match.check import Judge
from targetenv.model.record import replace
from targetenv.model.requirement import AllOf, AnyOf, NeedsFeature, NeedsIsa, NeedsUnknown, NeedsVersion, Not, Relation
from targetenv.model.verdict import Outcome
from targetenv.resolve.change import Means, cheapest
from tests.property import worlds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.artifact import Artifact
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.device import Device
    from targetenv.model.requirement import Requirement
    from targetenv.resolve.change import Repair

_CODE = (Means.BUILD, Means.SOURCE)


def granted(offers: Capabilities, need: Requirement) -> Capabilities:
    """`offers` with `need` met, by the first part where one is enough; what is offered already stays."""
    if Judge(offers).check(need).outcome is Outcome.SATISFIED:
        return offers
    match need:
        case AllOf(parts):
            for part in parts:
                offers = granted(offers, part)
            return offers
        case AnyOf(parts):
            found = [granted(offers, part) for part in parts]
            return next(each for each in found if Judge(each).check(need).outcome is Outcome.SATISFIED)
        case _:
            return worlds.grant(offers, need)


def carried_out(repair: Repair, artifact: Artifact, device: Device) -> tuple[Artifact, Device]:
    offers, dropped = device.offers, set()
    for change in repair.changes:
        for need in change.settles:
            if change.means in _CODE:
                dropped.add(need)
            else:
                offers = granted(offers, need)
    left = tuple(need for need in artifact.requires if need not in dropped)
    return replace(artifact, requires=left), replace(device, offers=offers)


def can_be_granted(need: Requirement) -> bool:
    """A device can be given what stands alone: not the lack of something, not a value that another requirement excludes."""
    match need:
        case AllOf(parts) | AnyOf(parts):
            return bool(parts) and all(map(can_be_granted, parts))
        case Not() | NeedsUnknown() | NeedsIsa() | NeedsFeature():
            return False
        case _:
            return getattr(need, "relation", Relation.AT_LEAST) is Relation.AT_LEAST


def of_another_api(need: Requirement, device: Device) -> bool:
    """A version of an API that the device is none of cannot be given to it."""
    return isinstance(need, NeedsVersion) and need.of != device.offers.api


@given(worlds.artifacts, worlds.devices)
def test_after_the_repair_the_variant_fits(artifact: Artifact, device: Device) -> None:
    assume(all(map(can_be_granted, artifact.requires)))
    assume(not any(of_another_api(need, device) for need in artifact.requires))
    assume(len({getattr(need, "name", None) for need in artifact.requires}) == len(artifact.requires))
    repair = cheapest(match(artifact, device))
    if repair is not None:
        assert match(*carried_out(repair, artifact, device)).outcome is Outcome.SATISFIED


@given(worlds.artifacts, worlds.devices)
def test_a_repair_settles_what_is_unmet_each_once_and_nothing_else(artifact: Artifact, device: Device) -> None:
    verdict = match(artifact, device)
    repair = cheapest(verdict)
    settled = [need for change in repair.changes for need in change.settles] if repair is not None else []
    assert repair is None or sorted(map(repr, settled)) == sorted(repr(finding.requirement) for finding in verdict.unmet)
    if verdict.outcome is Outcome.SATISFIED:
        assert repair is None


@given(worlds.artifacts, worlds.devices)
def test_every_requirement_of_a_repair_stands_in_the_way_by_itself(artifact: Artifact, device: Device) -> None:
    repair = cheapest(match(artifact, device))
    for change in repair.changes if repair is not None else ():
        for need in change.settles:
            assert match(replace(artifact, requires=(need,)), device).outcome is not Outcome.SATISFIED


@given(worlds.artifacts, worlds.devices)
def test_a_repair_reads_as_a_sentence(artifact: Artifact, device: Device) -> None:
    repair = cheapest(match(artifact, device))
    if repair is not None:
        assert str(repair)
        assert "  " not in str(repair)
        assert "``" not in str(repair)
