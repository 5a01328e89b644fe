"""Timelines without any device: what IREE's async/semaphore_test.cc checks, beyond the rules."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from targetenv_runtime.semaphore import Semaphore, wait_all, wait_any
from targetenv_runtime.status import Code, HalError


def test_a_large_jump_satisfies_everything_below() -> None:
    semaphore, seen = Semaphore(), list[int]()
    for value in (1, 10, 100, 1000):
        semaphore.on(value, lambda _, value=value: seen.append(value))  # type: ignore[misc]
    semaphore.signal(500)
    assert seen == [1, 10, 100]


def test_a_chain_through_callbacks() -> None:
    semaphores = [Semaphore() for _ in range(50)]
    for semaphore, following in pairwise(semaphores):
        semaphore.on(1, lambda _, following=following: following.signal(1))  # type: ignore[misc]
    semaphores[0].signal(1)
    assert semaphores[-1].query() == 1


def test_a_failure_may_be_relayed() -> None:
    source, target = Semaphore(), Semaphore()
    source.on(1, lambda error: target.fail(error) if error is not None else target.signal(1))
    source.fail(HalError(Code.DATA_LOSS, "planted"))
    with pytest.raises(HalError) as caught:
        target.query()
    assert caught.value.status is Code.DATA_LOSS


def test_waiting_for_two_hundred() -> None:
    semaphores = [Semaphore() for _ in range(200)]
    thread = threading.Thread(target=lambda: [semaphore.signal(1) for semaphore in semaphores])  # type: ignore[func-returns-value]
    thread.start()
    wait_all([(semaphore, 1) for semaphore in semaphores], 10)
    thread.join()


def test_any_prefers_what_was_reached_over_what_failed() -> None:
    failed, reached = Semaphore(), Semaphore(1)
    failed.fail(HalError(Code.ABORTED, "planted"))
    wait_any([(failed, 1), (reached, 1)], 0)


def test_concurrent_signals_of_many_threads_are_all_heard_once() -> None:
    semaphores, heard = [Semaphore() for _ in range(8)], list[int]()
    for number, semaphore in enumerate(semaphores):
        for value in range(1, 51):
            semaphore.on(value, lambda _, number=number: heard.append(number))  # type: ignore[misc]

    def signal(semaphore: Semaphore) -> None:
        for value in range(1, 51):
            semaphore.signal(value)

    threads = [threading.Thread(target=signal, args=(semaphore,)) for semaphore in semaphores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == sorted(list(range(8)) * 50)


def test_registering_while_signals_come_loses_nothing() -> None:
    semaphore, heard = Semaphore(), list[int]()

    def register() -> None:
        for value in range(1, 501):
            semaphore.on(value, lambda _, value=value: heard.append(value))  # type: ignore[misc]

    thread = threading.Thread(target=register)
    thread.start()
    for value in range(1, 501):
        semaphore.signal(value)
    thread.join()
    assert sorted(heard) == list(range(1, 501))


def test_it_says_where_it_is() -> None:
    semaphore = Semaphore(3)
    assert repr(semaphore) == "<Semaphore at 3>"
    semaphore.fail(HalError(Code.ABORTED, "planted"))
    assert repr(semaphore) == "<Semaphore failed at 3>"
