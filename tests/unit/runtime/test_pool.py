"""The pool's classes of sizes, and what it keeps."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from targetenv_runtime.drivers import bytearrays
from targetenv_runtime.pool import KEPT, Pool, part, size_class


@given(st.integers(1, 1 << 40))
def test_a_class_wastes_an_eighth_at_most(size: int) -> None:
    room = size_class(size)
    assert size <= room <= max(256, size * 9 // 8 + 1)
    assert size_class(room) == room


def test_what_comes_back_goes_out_again_and_too_much_goes_to_the_driver() -> None:
    freed: list[object] = []
    pool = Pool(lambda size, _: bytearrays.allocate(size, "test"), freed.append)
    one = pool.take(1000, "device")
    pool.put(one, "device")
    assert pool.take(1020, "device") is one
    assert pool.take(1020, "device") is not one
    big = pool.take(KEPT, "device")
    pool.put(big, "device")
    pool.put(one, "device")
    assert freed == [one.handle]
    assert pool.take(KEPT, "shared") is not big
    pool.trim()
    assert (freed, pool.held) == ([one.handle, big.handle], 0)


def test_a_part_shows_no_more_than_was_asked_for() -> None:
    whole = bytearrays.allocate(1024, "test")
    first = part(whole, 1000)
    assert first.view is not None
    assert (first.size, len(first.view), first.handle is whole.handle) == (1000, 1000, True)
