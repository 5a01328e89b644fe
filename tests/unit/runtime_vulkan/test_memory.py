"""Which memory serves which purpose, and ranges inside an allocation."""

from __future__ import annotations

import ctypes

from hypothesis import given
from hypothesis import strategies as st
from targetenv_runtime.drivers.vulkan.memory import Chunk, preferences

LOCAL, VISIBLE, COHERENT, CACHED, LAZY, UNCACHED = 1, 2, 4, 8, 16, 128
LAVAPIPE = [(LOCAL | VISIBLE | COHERENT | CACHED, 0)]
# A discrete GPU: its own memory, the host's (write-combined and cached), the part of its own that the host sees, and oddities.
DISCRETE = [
    (LOCAL, 0),
    (VISIBLE | COHERENT, 1),
    (VISIBLE | COHERENT | CACHED, 1),
    (LOCAL | VISIBLE | COHERENT, 2),
    (LOCAL | LAZY, 0),
    (LOCAL | UNCACHED, 0),
    (VISIBLE | CACHED, 1),
]
INTEGRATED = [(LOCAL, 0), (LOCAL | VISIBLE | COHERENT, 0), (LOCAL | VISIBLE | COHERENT | CACHED, 0)]


def test_a_device_with_one_kind_of_memory_uses_it_for_everything() -> None:
    for memory in ("device", "host", "shared"):
        assert preferences(memory, LAVAPIPE, unified=True) == [0]


def test_behind_a_bus_kernels_get_memory_that_the_host_does_not_see() -> None:
    assert preferences("device", DISCRETE, unified=False)[:2] == [0, 3]
    assert preferences("host", DISCRETE, unified=False) == [2, 1, 3]
    assert preferences("shared", DISCRETE, unified=False) == [3, 2, 1]


def test_on_an_integrated_device_everything_is_mapped() -> None:
    assert preferences("device", INTEGRATED, unified=True)[0] == 2
    assert preferences("host", INTEGRATED, unified=True)[0] == 2
    assert preferences("shared", INTEGRATED, unified=True)[0] == 2


def test_memory_that_asks_for_care_is_never_used() -> None:
    for memory in ("device", "host", "shared"):
        assert not {4, 5, 6} & set(preferences(memory, DISCRETE, unified=False))


@given(
    st.lists(st.one_of(st.tuples(st.integers(1, 300), st.sampled_from([1, 4, 16, 64, 256])), st.integers(0, 20)), max_size=60)
)
def test_ranges_never_overlap_are_aligned_and_come_back(steps: list[tuple[int, int] | int]) -> None:
    chunk = Chunk(ctypes.c_uint64(), 0, 4096, 0)
    taken: list[tuple[int, int]] = []
    for step in steps:
        if isinstance(step, int):
            if taken:
                chunk.give(*taken.pop(step % len(taken)))
            continue
        size, alignment = step
        offset = chunk.take(size, alignment)
        if offset is None:
            free = {byte for start, length in chunk.free for byte in range(start, start + length)}
            starts = range(0, 4096 - size + 1, alignment)
            assert not any(all(byte in free for byte in range(start, start + size)) for start in starts)
            continue
        assert offset % alignment == 0
        assert 0 <= offset <= 4096 - size
        assert all(offset + size <= start or start + length <= offset for start, length in taken)
        taken.append((offset, size))
    used = sum(length for _, length in taken)
    assert sum(length for _, length in chunk.free) + used == 4096
    while taken:
        empty = chunk.give(*taken.pop())
        assert empty == (not taken)
