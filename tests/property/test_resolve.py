"""Laws of resolve: what no world may break."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targetenv.match import check, match
from targetenv.match.guaranteed import met_by_all
from targetenv.match.rules import rule
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device, Unavailable
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsLimit, NeedsSubgroupSize, NeedsUnknown, Relation
from targetenv.model.verdict import Outcome
from targetenv.resolve import Chooser, resolve
from targetenv.resolve.explain import explain
from targetenv.resolve.implication import implies
from targetenv.resolve.kinds import kind_of_artifact
from targetenv.resolve.policy import Policy
from targetenv.resolve.ranking import Ranking
from targetenv.resolve.tuning import distance
from tests.property import worlds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random

    from targetenv.resolve.choice import Choice, Resolution

NO_POLICY = Policy()
policies = st.sampled_from(("reject", "allow"))
policies_of_users = st.builds(
    Policy,
    st.lists(st.sampled_from(("native", "jit", "family", "smaller")), max_size=2, unique=True).map(tuple),
    never_jit=st.booleans(),
)
kernels = st.dictionaries(st.sampled_from(("one", "two")), worlds.variants, min_size=1)
device_lists = st.lists(worlds.devices, max_size=3, unique_by=lambda device: device.uri)


def choice(variants: list[Artifact], device: Device, unknown: str = "reject") -> Choice:
    return resolve({"k": variants}, [device], unknown=unknown).choices[0]  # type: ignore[arg-type]


def outcome(variant: Artifact, device: Device) -> Outcome:
    return match(variant, device).outcome


def requires_more(one: Artifact, other: Artifact) -> bool:
    """By the definition: whoever meets `one` meets `other`, and not the other way round."""

    def covers(more: Artifact, less: Artifact) -> bool:
        return all(met_by_all(need) or any(implies(have, need) for have in more.requires) for need in less.requires)

    alike = one.format == other.format and kind_of_artifact(one) == kind_of_artifact(other)
    return alike and covers(one, other) and not covers(other, one)


@given(kernels, device_lists, policies, st.randoms())
def test_the_order_of_what_comes_in_changes_nothing(
    kernels: dict[str, list[Artifact]], devices: list[Device], unknown: str, random: Random
) -> None:
    absent = [Unavailable("cuda", "TE5101", "no library"), Unavailable("hip", "TE5101", "no library")]
    one = resolve(kernels, devices, unavailable=absent, unknown=unknown)  # type: ignore[arg-type]
    names = list(kernels)
    for shuffled in (names, devices, absent, *kernels.values()):
        random.shuffle(shuffled)  # type: ignore[arg-type]
    other = resolve({name: kernels[name] for name in names}, devices, unavailable=absent, unknown=unknown)  # type: ignore[arg-type]
    assert one == other
    assert explain(one) == explain(other)


@given(worlds.variants, worlds.devices, policies)
def test_nothing_is_chosen_that_does_not_run_and_something_is_when_something_does(
    variants: list[Artifact], device: Device, unknown: str
) -> None:
    chosen = choice(variants, device, unknown).variant
    outcomes = {variant.name: outcome(variant, device) for variant in variants}
    if chosen is not None:
        best = Outcome.SATISFIED if Outcome.SATISFIED in outcomes.values() else Outcome.UNKNOWN
        assert outcomes[chosen] is best
        assert best is Outcome.SATISFIED or unknown == "allow"
    else:
        assert Outcome.SATISFIED not in outcomes.values()
        assert unknown == "reject" or Outcome.UNKNOWN not in outcomes.values()


@given(worlds.variants, worlds.devices)
def test_nobody_that_runs_and_requires_more_is_passed_over(variants: list[Artifact], device: Device) -> None:
    chosen = choice(variants, device).variant
    running = [variant for variant in variants if outcome(variant, device) is Outcome.SATISFIED]
    winner = next((variant for variant in running if variant.name == chosen), None)
    if winner is None:
        return
    assert not any(requires_more(other, winner) for other in running)
    rivals = [one for one in running if not any(requires_more(other, one) for other in running)]
    assert winner == min(rivals, key=lambda one: rank(one, device))


def rank(one: Artifact, device: Device, policy: Policy = NO_POLICY) -> tuple[object, ...]:
    """The steps of the order after soundness and specificity, by the definition."""
    near = distance(one, device.offers)
    return kind_of_artifact(one).cost, near, policy.key(one), -one.preference, one.digest, one.name


@given(worlds.variants, worlds.devices, policies_of_users, st.randoms())
def test_a_policy_decides_only_what_nothing_before_it_does(
    variants: list[Artifact], device: Device, policy: Policy, random: Random
) -> None:
    (row,) = resolve({"k": variants}, [device], policy=policy).ranked
    runs = [one for one in variants if outcome(one, device) is Outcome.SATISFIED]
    may = [one for one in runs if policy.excludes("k", one) is None]
    rivals = [one for one in may if not any(requires_more(other, one) for other in may)]
    wanted = min(rivals, key=lambda one: rank(one, device, policy), default=None)
    assert row.choice.variant == (None if wanted is None else wanted.name)
    assert {one.variant for one in row.excluded} == {one.name for one in runs} - {one.name for one in may}
    assert all(one.why and one.rule for one in row.excluded)
    random.shuffle(variants)
    assert resolve({"k": variants}, [device], policy=policy).ranked == (row,)


@given(worlds.variants, worlds.devices, st.data())
def test_a_pinned_kernel_runs_as_that_variant_or_not_at_all(
    variants: list[Artifact], device: Device, data: st.DataObject
) -> None:
    if not variants:
        return
    pinned = data.draw(st.sampled_from(variants))
    (row,) = resolve({"k": variants}, [device], policy=Policy(pins=(("k", pinned.name),))).ranked
    runs = outcome(pinned, device) is Outcome.SATISFIED
    assert row.choice.variant == (pinned.name if runs else None)


@given(worlds.variants, worlds.devices, policies_of_users)
def test_every_choice_names_the_step_that_made_it_and_says_when_none_did(
    variants: list[Artifact], device: Device, policy: Policy
) -> None:
    (row,) = resolve({"k": variants}, [device], policy=policy).ranked
    choice = row.choice
    assert not choice.rule or rule(choice.rule)
    assert bool(choice.rule) == bool(choice.because)
    assert choice.ambiguous == ("ambiguous" in choice.because)
    if choice.ambiguous:
        first, second = (verdict.artifact for verdict in row.verdicts[:2])
        assert rank(first, device, policy)[:-2] == rank(second, device, policy)[:-2]
        assert first.digest != second.digest or not first.digest


@given(worlds.variants, worlds.artifacts, worlds.devices)
def test_a_variant_that_does_not_run_never_changes_the_winner(
    variants: list[Artifact], extra: Artifact, device: Device
) -> None:
    extra = replace(extra, name="extra")
    if outcome(extra, device) is not Outcome.SATISFIED:
        assert choice([*variants, extra], device).variant == choice(variants, device).variant


@given(worlds.variants, worlds.artifacts, worlds.devices)
def test_a_variant_that_requires_less_than_one_that_runs_never_changes_the_winner(
    variants: list[Artifact], extra: Artifact, device: Device
) -> None:
    extra = replace(extra, name="extra")
    running = [variant for variant in variants if outcome(variant, device) is Outcome.SATISFIED]
    if any(requires_more(variant, extra) for variant in running):
        assert choice([*variants, extra], device).variant == choice(variants, device).variant


@given(worlds.variants, worlds.devices, worlds.offers)
def test_a_device_that_offers_more_never_gets_a_variant_that_requires_less(
    variants: list[Artifact], device: Device, more: Capabilities
) -> None:
    better = replace(device, offers=worlds.stronger(device.offers, more))
    by_name = {variant.name: variant for variant in variants}
    before, after = choice(variants, device).variant, choice(variants, better).variant
    if before is not None and outcome(by_name[before], better) is Outcome.SATISFIED:
        assert after is not None
        assert not requires_more(by_name[before], by_name[after])


@given(worlds.variants, worlds.devices)
def test_every_variant_has_its_verdict_and_every_miss_a_reason(variants: list[Artifact], device: Device) -> None:
    (row,) = resolve({"k": variants}, [device]).ranked
    assert {verdict.artifact for verdict in row.verdicts} == set(variants)
    for verdict in row.verdicts:
        assert set(verdict.findings) == set(match(verdict.artifact, device).findings)
        if verdict.outcome is not Outcome.SATISFIED:
            assert verdict.unmet


@given(worlds.variants, worlds.devices)
def test_among_misses_the_nearest_comes_first(variants: list[Artifact], device: Device) -> None:
    (row,) = resolve({"k": variants}, [device]).ranked
    misses = [verdict for verdict in row.verdicts if verdict.outcome is not Outcome.SATISFIED]
    loadable = [one for one in misses if not any(f.code == "TE3107" and f.outcome is Outcome.UNSATISFIED for f in one.findings)]
    assert misses[: len(loadable)] == loadable
    wrong = [sum(finding.outcome is Outcome.UNSATISFIED for finding in verdict.findings) for verdict in loadable]
    assert wrong == sorted(wrong)


@given(kernels, worlds.devices)
def test_a_chooser_chooses_what_resolve_does(kernels: dict[str, list[Artifact]], device: Device) -> None:
    prepared = Chooser(kernels).on(device.offers)
    for chosen in resolve(kernels, [device]).choices:
        found = prepared.choose(chosen.kernel)
        assert (None if found is None else found.name) == chosen.variant


@given(kernels, device_lists, policies, st.booleans())
def test_every_world_can_be_explained(
    kernels: dict[str, list[Artifact]], devices: list[Device], unknown: str, everything: bool
) -> None:
    resolution = resolve(kernels, devices, unknown=unknown)  # type: ignore[arg-type]
    text = explain(resolution, everything=everything)
    assert text == "\n".join(line.rstrip() for line in text.split("\n"))
    assert_explained(resolution, text)


def assert_explained(resolution: Resolution, text: str) -> None:
    for row in resolution.ranked:
        for verdict in row.verdicts:
            codes = {finding.code for finding in verdict.unmet}
            foreign = any(one.code == "TE3107" and one.outcome is Outcome.UNSATISFIED for one in verdict.unmet)
            shown = {"TE3107"} if foreign else codes
            assert foreign or f" {verdict.artifact.name}" in text
            assert not shown or any(code in text for code in shown)


@given(worlds.artifacts, worlds.devices)
def test_what_is_not_known_is_never_chosen_under_reject(variant: Artifact, device: Device) -> None:
    silent = replace(variant, requires=(*variant.requires, NeedsUnknown("what it links")))
    assert choice([silent], device).variant is None
    allowed = choice([silent], device, "allow").variant
    certain = all(check(need, device.offers).outcome is not Outcome.UNSATISFIED for need in variant.requires)
    assert (allowed is not None) == certain


tuned = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(-1, 1), st.booleans()), min_size=1, max_size=40, unique=True
)


@given(tuned, st.integers(0, 7), st.integers(0, 7), st.booleans())
def test_the_bits_answer_as_the_definitions_do(rows: list[tuple[int, int, int, bool]], one: int, two: int, wide: bool) -> None:
    """Many variants that ask more and less of the same limits: whole chains stand above one another."""
    variants = [
        Artifact(
            f"v{at:02}",
            "spirv",
            "",
            (
                NeedsLimit("one", Relation.AT_LEAST, first),
                NeedsLimit("two", Relation.AT_LEAST, second),
                *((NeedsSubgroupSize(32),) if sub else ()),
            ),
            preference=preference,
        )
        for at, (first, second, preference, sub) in enumerate(rows)
    ]
    ranking = Ranking(variants)
    offers = Capabilities(
        "x", properties=(Property("one", one), Property("two", two)), subgroup_sizes=frozenset({32 if wide else 8})
    )
    met = sum(1 << at for at, need in enumerate(ranking.requirements) if check(need, offers).outcome is Outcome.SATISFIED)
    runs = ranking.runs(met)
    assert [bool(runs >> at & 1) for at in range(len(variants))] == [
        all(check(need, offers).outcome is Outcome.SATISFIED for need in variant.requires) for variant in ranking.variants
    ]
    for at, variant in enumerate(ranking.variants):
        above = {other for other in range(len(variants)) if ranking.above(at) >> other & 1}
        assert above == {other for other, more in enumerate(ranking.variants) if requires_more(more, variant)}
    left, ordered = runs, []
    while left:
        rivals = [at for at in range(len(variants)) if left >> at & 1 and not ranking.above(at) & left]
        assert ranking.first(left) == min(rivals)
        ordered.append(min(rivals))
        left ^= 1 << min(rivals)
    assert ranking.order(runs) == ordered
