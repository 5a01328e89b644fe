"""Fences: sets of points."""

from __future__ import annotations

import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.fence import Fence
from targetenv_runtime.semaphore import Semaphore
from targetenv_runtime.status import Code, HalError


def test_a_semaphore_is_in_it_once_at_its_largest_value() -> None:
    one, two = Semaphore(), Semaphore()
    fence = Fence([(one, 3)])
    fence.insert(one, 2)
    fence.join(Fence([(two, 5), (one, 4)]))
    assert list(fence) == [(one, 4), (two, 5)]
    assert len(fence) == 2


def test_it_is_reached_when_all_are() -> None:
    one, two = Semaphore(), Semaphore()
    fence = Fence([(one, 1), (two, 1)])
    one.signal(1)
    assert not fence.query()
    with pytest.raises(HalError) as caught:
        fence.wait(0)
    assert caught.value.status is Code.DEADLINE_EXCEEDED
    two.signal(9)
    fence.wait()
    assert fence.query()
    assert Fence().query()


def test_a_failure_of_one_is_its_failure_and_it_may_fail_all() -> None:
    one, two = Semaphore(), Semaphore()
    fence = Fence([(one, 1), (two, 1)])
    fence.fail(HalError(Code.DATA_LOSS, "planted"))
    for look in (fence.query, fence.wait, one.query, two.query):
        with pytest.raises(HalError) as caught:
            look()
        assert caught.value.status is Code.DATA_LOSS


def test_queues_take_it_for_a_list_of_points() -> None:
    with open_device("host://1") as device:
        ready, done = Fence([(device.semaphore(), 1), (device.semaphore(), 2)]), Fence([(device.semaphore(), 1)])
        buffer = device.allocate(4)
        device.queue.fill(buffer, b"\x05", wait=ready, signal=done)
        assert not done.query()
        ready.signal()
        done.wait(10)
        assert buffer.read() == b"\x05" * 4
