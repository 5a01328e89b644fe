"""Laws of the relations between what is offered and what is required."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.model.requirement import Relation

scalars = st.integers(min_value=0, max_value=2**33)
tuples = st.lists(scalars, min_size=1, max_size=4).map(tuple)
ranges = st.tuples(scalars, scalars).map(lambda pair: (min(pair), max(pair)))
REFLEXIVE = [Relation.AT_LEAST, Relation.AT_MOST, Relation.EXACTLY, Relation.ALL_BITS]


@pytest.mark.parametrize("relation", REFLEXIVE)
@given(value=tuples)
def test_what_is_offered_exactly_is_enough(relation: Relation, value: tuple[int, ...]) -> None:
    assert relation.holds(value, value)


@given(scalars, scalars, scalars)
def test_at_least_is_monotone_in_the_offer(offered: int, required: int, more: int) -> None:
    if Relation.AT_LEAST.holds(offered, required):
        assert Relation.AT_LEAST.holds(offered + more, required)


@given(scalars, scalars)
def test_at_most_mirrors_at_least(offered: int, required: int) -> None:
    assert Relation.AT_MOST.holds(offered, required) == Relation.AT_LEAST.holds(required, offered)


@given(scalars, scalars)
def test_exactly_is_both(offered: int, required: int) -> None:
    both = Relation.AT_LEAST.holds(offered, required) and Relation.AT_MOST.holds(offered, required)
    assert Relation.EXACTLY.holds(offered, required) == both


@given(scalars, scalars, scalars)
def test_bits_are_a_subset_order(one: int, two: int, three: int) -> None:
    assert Relation.ALL_BITS.holds(one | two, two)
    if Relation.ALL_BITS.holds(one, two) and Relation.ALL_BITS.holds(two, three):
        assert Relation.ALL_BITS.holds(one, three)


@given(st.integers(1, 2**16), st.integers(1, 2**16))
def test_a_finer_granularity_serves_every_multiple(granularity: int, factor: int) -> None:
    assert Relation.MULTIPLE_OF.holds(granularity, granularity * factor)


@given(st.integers(1, 2**16))
def test_a_granularity_of_zero_serves_nothing(required: int) -> None:
    assert not Relation.MULTIPLE_OF.holds(0, required)


@given(ranges, ranges)
def test_a_range_holds_when_it_encloses(offered: tuple[int, int], required: tuple[int, int]) -> None:
    assert Relation.WITHIN.holds(offered, required) == (offered[0] <= required[0] and required[1] <= offered[1])


@given(ranges, scalars)
def test_a_single_value_is_a_range_of_one(offered: tuple[int, int], required: int) -> None:
    assert Relation.WITHIN.holds(offered, required) == (offered[0] <= required <= offered[1])


@given(tuples, tuples)
def test_arrays_hold_component_by_component(offered: tuple[int, ...], required: tuple[int, ...]) -> None:
    expected = len(offered) >= len(required) and all(have >= need for have, need in zip(offered, required, strict=False))
    assert Relation.AT_LEAST.holds(offered, required) == expected


@pytest.mark.parametrize("relation", list(Relation))
def test_a_shorter_array_never_holds_against_a_longer_one(relation: Relation) -> None:
    if relation is not Relation.WITHIN:
        assert not relation.holds((1, 1), (1, 1, 1))
