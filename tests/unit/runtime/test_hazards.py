"""Hazards against the plainest way of finding them: each command compared with each one before it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from targetenv_runtime.hazards import EITHER, READ, WRITE, Hazards

ACCESS = st.tuples(st.sampled_from("ab"), st.integers(0, 20), st.integers(0, 20), st.sampled_from([READ, WRITE, EITHER]))


def conflict(one: str, two: str, *, cautious: bool) -> bool:
    modes = {WRITE if cautious and mode == EITHER else mode for mode in (one, two)}
    return WRITE in modes


@given(st.lists(st.lists(ACCESS, max_size=3), max_size=12), st.booleans())
def test_what_has_to_come_before_is_found_or_comes_before_that(
    commands: list[list[tuple[str, int, int, str]]], cautious: bool
) -> None:
    hazards = Hazards(cautious=cautious)
    ancestors: list[set[int]] = []
    for index, touched in enumerate(commands):
        found = hazards.conflicts(touched)
        true = {
            earlier
            for earlier in range(index)
            for place, start, end, mode in touched
            for other, begin, stop, was in commands[earlier]
            if place == other and max(start, begin) < min(end, stop) and conflict(mode, was, cautious=cautious)
        }
        assert set(found) <= true
        reached = set(found).union(*(ancestors[earlier] for earlier in found))
        assert true <= reached
        ancestors.append(reached)
        hazards.add(index, touched)


def test_a_barrier_ends_it_all() -> None:
    hazards = Hazards(cautious=False)
    hazards.add(0, [("a", 0, 8, WRITE)])
    assert hazards.conflicts([("a", 4, 5, READ)]) == [0]
    hazards.barrier()
    assert hazards.conflicts([("a", 4, 5, READ)]) == []
