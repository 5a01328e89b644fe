"""A fleet is resolved as each of its devices is: the same outcomes, the same winners, the same reasons."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targetenv.match import match
from targetenv.match.check import Judge
from targetenv.match.dependence import reads
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.requirement import AllOf, AnyOf, NeedsSubgroupSize, Not
from targetenv.model.verdict import Outcome
from targetenv.resolve import fleet, resolve
from targetenv.resolve.capability_class import Classifier
from tests.property import worlds
from tests.property.test_resolve import kernels, policies, policies_of_users

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement
    from targetenv.resolve.policy import Policy

nested = st.recursive(
    worlds.requirements,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=6,
)
artifacts = st.builds(
    lambda one, extra: replace(one, requires=(*one.requires, *extra)), worlds.artifacts, st.lists(nested, max_size=2)
)
worlds_of_kernels = st.dictionaries(
    st.sampled_from(("one", "two")), st.lists(artifacts, max_size=5, unique_by=lambda one: one.name), min_size=1
)
populations = st.lists(worlds.devices, max_size=12)


@given(worlds_of_kernels, populations, policies, policies_of_users, st.integers(1, 5))
def test_a_fleet_is_resolved_as_each_of_its_devices_is(
    kernels: dict[str, list[Artifact]], devices: list[Device], unknown: str, policy: Policy, block: int
) -> None:
    if policy.never_jit and kernels.get("one"):
        policy = replace(policy, pins=(("one", kernels["one"][0].name),))
    found = fleet(kernels, devices, unknown=unknown, policy=policy, reasons=tuple(kernels), block=block)  # type: ignore[arg-type]
    assert len(found.members) == len(devices)
    for member, device in zip(found.members, devices, strict=True):
        for row in resolve(kernels, [device], unknown=unknown, policy=policy).ranked:  # type: ignore[arg-type]
            assert found.variant_on(row.kernel, member.kind) == row.choice.variant
            outcomes = {verdict.artifact.name: verdict.outcome for verdict in row.verdicts}
            for place, variant in enumerate(found.variants(row.kernel)):
                assert found.outcome(row.kernel, place, member.kind) is outcomes[variant]


@given(kernels, populations, st.integers(1, 5))
def test_whoever_runs_nothing_has_the_reasons_of_the_nearest_variant(
    kernels: dict[str, list[Artifact]], devices: list[Device], block: int
) -> None:
    found = fleet(kernels, devices, reasons=tuple(kernels), block=block)
    for kernel, variants in kernels.items():
        told = {number: miss for miss in found.misses(kernel) for number in miss.devices}
        assert sorted(told) == found.chosen(kernel)[None]
        for number, miss in told.items():
            (row,) = resolve({kernel: variants}, [devices[number]]).ranked
            if row.verdicts:
                assert miss.variant == row.verdicts[0].artifact.name
                unmet = row.verdicts[0].unmet
                assert [reason.requires for reason in miss.reasons] == [finding.requires for finding in unmet]
                assert all(finding.offers in reason.offers for reason, finding in zip(miss.reasons, unmet, strict=True))


@given(st.lists(worlds.requirements, max_size=6), worlds.offers, worlds.offers)
def test_devices_of_one_class_answer_alike(asked: list[Requirement], one: Capabilities, other: Capabilities) -> None:
    classify = Classifier(asked).key
    if classify(one) == classify(other):
        assert [Judge(one).check(need).outcome for need in asked] == [Judge(other).check(need).outcome for need in asked]


@given(worlds.requirements, worlds.offers, worlds.offers)
def test_what_an_answer_does_not_read_does_not_change_it(need: Requirement, offers: Capabilities, noise: Capabilities) -> None:
    """Everything that `reads` does not name is exchanged for something else, and the answer stays."""
    asked = reads(need)
    if asked.everything(offers) or (asked.isa and offers.isa is not None):
        return
    features = asked.features | asked.mandatory
    changed = replace(
        offers,
        extensions=(noise.extensions - asked.extensions) | (offers.extensions & asked.extensions),
        features=(noise.features - features) | (offers.features & features),
        denied=(noise.denied - noise.features - features) | (offers.denied & features),
        properties=tuple(
            sorted(
                [row for row in noise.properties if row.name not in asked.properties]
                + [row for row in offers.properties if row.name in asked.properties],
                key=lambda row: row.name,
            )
        ),
    )
    assert Judge(changed).check(need).outcome is Judge(offers).check(need).outcome


def test_a_fleet_takes_executables_that_stand_for_themselves() -> None:
    wide = Artifact("wide", "spirv", "", (NeedsSubgroupSize(32),))
    gpu = Device("vulkan://0", "a GPU", "vulkan", Capabilities("vulkan", subgroup_sizes=frozenset({32})))
    found = fleet([wide], iter([gpu, gpu]))
    assert (found.classes, found.chosen("wide")) == (1, {"wide": [0, 1], None: []})
    assert match(wide, gpu).outcome is Outcome.SATISFIED
