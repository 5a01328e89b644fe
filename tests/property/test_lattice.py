"""Laws of meet and join: what all of some devices offer, and what one of them does."""

from __future__ import annotations

from hypothesis import given

from targetenv.match import check, requirements_of
from targetenv.match.lattice import join, meet, normal
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.requirement import NeedsLimit, Relation
from targetenv.model.target_env import TargetEnv
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from tests.property.lattice_worlds import EXACT, alike, needs_of_all, probed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

YES = Outcome.SATISFIED


@given(alike(1))
def test_meet_and_join_are_idempotent(devices: tuple[Capabilities]) -> None:
    (a,) = devices
    assert meet(a, a) == meet(a)
    assert join(a, a) == join(a)
    assert normal(meet(a)) == normal(a) == normal(normal(a)) == normal(join(a))


@given(alike(2))
def test_meet_and_join_are_commutative(devices: tuple[Capabilities, Capabilities]) -> None:
    a, b = devices
    assert meet(a, b) == meet(b, a)
    assert join(a, b) == join(b, a)


@given(alike(3))
def test_meet_and_join_are_associative(devices: tuple[Capabilities, Capabilities, Capabilities]) -> None:
    a, b, c = devices
    assert normal(meet(meet(a, b), c)) == normal(meet(a, meet(b, c))) == normal(meet(a, b, c))
    assert normal(join(join(a, b), c)) == normal(join(a, join(b, c))) == normal(join(a, b, c))


@given(probed, probed)
def test_each_absorbs_the_other_where_everything_is_stated(a: Capabilities, b: Capabilities) -> None:
    assert normal(meet(a, join(a, b))) == normal(a)
    assert normal(join(a, meet(a, b))) == normal(a)


@given(alike(2), needs_of_all)
def test_what_fits_the_meet_fits_each(devices: tuple[Capabilities, ...], need: Requirement) -> None:
    if check(need, meet(*devices)).outcome is YES:
        assert [check(need, one) for one in devices if check(need, one).outcome is not YES] == []


@given(probed, probed, needs_of_all)
def test_what_fits_one_fits_the_join(a: Capabilities, b: Capabilities, need: Requirement) -> None:
    if isinstance(need, NeedsLimit) and need.relation is Relation.EXACTLY:
        return  # what has no order has no bound
    if YES in (check(need, a).outcome, check(need, b).outcome):
        assert check(need, join(a, b)).outcome is YES


@given(alike(2))
def test_each_device_covers_the_meet_as_a_target(devices: tuple[Capabilities, ...]) -> None:
    for need in requirements_of(TargetEnv(meet(*devices))):
        for one in devices:
            assert check(need, one).outcome is YES, need


@given(probed, probed, needs_of_all)
def test_what_fits_both_fits_the_meet_where_everything_is_stated(a: Capabilities, b: Capabilities, need: Requirement) -> None:
    """It is the greatest: nothing is lost that both offer."""
    if check(need, a).outcome is YES and check(need, b).outcome is YES:
        assert check(need, meet(a, b)).outcome is YES


@given(alike(2), needs_of_all)
def test_what_one_source_leaves_open_is_not_promised(devices: tuple[Capabilities, ...], need: Requirement) -> None:
    a, b = devices
    if Outcome.UNKNOWN in (check(need, a).outcome, check(need, b).outcome):
        assert check(need, meet(a, b)).outcome is not YES


def test_nothing_is_known_of_exact_values_that_differ() -> None:
    a, b = (Capabilities("vulkan", Version(1, 3), properties=(Property(EXACT, value),)) for value in (1, 0))
    assert meet(a, b).property(EXACT) is None
    need = NeedsLimit(EXACT, Relation.EXACTLY, 1)
    assert [check(need, one).outcome for one in (a, b, meet(a, b))] == [YES, Outcome.UNSATISFIED, Outcome.UNKNOWN]
