"""Timelines on the host: SemaphoreTest and SemaphoreThreadTest of IREE's suite, and what Python adds."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.semaphore import wait_all, wait_any
from targetenv_runtime.status import Code, HalError

from tests.conformance.outcome import fails_with, in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from targetenv_runtime.device import Device
    from targetenv_runtime.semaphore import Point

    Wait = Callable[[Iterable[Point], float | None], None]

both = pytest.mark.parametrize("wait", [wait_all, wait_any], ids=["all", "any"])


class TestSemaphore:
    """SemaphoreTest."""

    def test_no_op(self, device: Device) -> None:
        assert device.semaphore(123).query() == 123

    def test_normal_signaling(self, device: Device) -> None:
        semaphore = device.semaphore(2)
        assert semaphore.query() == 2
        semaphore.signal(3)
        assert semaphore.query() == 3
        semaphore.signal(40)
        assert semaphore.query() == 40

    def test_failure(self, device: Device) -> None:
        semaphore = device.semaphore(2)
        semaphore.fail(HalError(Code.UNKNOWN, "planted"))
        with fails_with(Code.UNKNOWN):
            semaphore.query()

    @both
    @pytest.mark.parametrize("timeout", [0, 1, None])
    @pytest.mark.usefixtures("device")
    def test_empty_wait(self, wait: Wait, timeout: float | None) -> None:
        wait([], timeout)

    @both
    def test_wait_already_signaled(self, device: Device, wait: Wait) -> None:
        semaphore = device.semaphore(2)
        wait([(semaphore, 1)], None)
        wait([(semaphore, 2)], None)

    @both
    def test_wait_unsignaled(self, device: Device, wait: Wait) -> None:
        with fails_with(Code.DEADLINE_EXCEEDED):
            wait([(device.semaphore(2), 3)], 0)

    def test_wait_all_but_not_all_signaled(self, device: Device) -> None:
        with fails_with(Code.DEADLINE_EXCEEDED):
            wait_all([(device.semaphore(0), 1), (device.semaphore(1), 1)], 0)

    def test_wait_all_and_all_signaled(self, device: Device) -> None:
        wait_all([(device.semaphore(1), 1), (device.semaphore(1), 1)], None)

    def test_wait_any_already_signaled(self, device: Device) -> None:
        wait_any([(device.semaphore(0), 1), (device.semaphore(1), 1)], None)

    @both
    def test_fail_then_wait(self, device: Device, wait: Wait) -> None:
        semaphore = device.semaphore()
        semaphore.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            wait([(semaphore, 1)], None)

    def test_failure_preserves_status_code(self, device: Device) -> None:
        semaphore = device.semaphore()
        semaphore.fail(HalError(Code.DATA_LOSS, "planted", native=(-4, "VK_ERROR_DEVICE_LOST")))
        with pytest.raises(HalError) as caught:
            semaphore.wait(1)
        assert (caught.value.status, caught.value.native) == (Code.DATA_LOSS, (-4, "VK_ERROR_DEVICE_LOST"))

    def test_double_failure_preserves_first(self, device: Device) -> None:
        semaphore = device.semaphore()
        semaphore.fail(HalError(Code.DATA_LOSS, "first"))
        semaphore.fail(HalError(Code.ABORTED, "second"))
        with fails_with(Code.DATA_LOSS):
            semaphore.wait(1)


class TestSemaphoreThread:
    """SemaphoreThreadTest."""

    def test_wait_later_signaled_beyond(self, device: Device) -> None:
        semaphore = device.semaphore(2)
        with in_thread(lambda: semaphore.signal(10), after=0.01):
            semaphore.wait(3, 10)

    def test_wait_any_later_signaled(self, device: Device) -> None:
        first, second = device.semaphore(), device.semaphore()
        with in_thread(lambda: second.signal(1), after=0.01):
            wait_any([(first, 1), (second, 1)], 10)
        assert first.query() == 0

    def test_ping_pong(self, device: Device) -> None:
        ping, pong = device.semaphore(), device.semaphore()

        def peer() -> None:
            for value in range(1, 201):
                ping.wait(value, 10)
                pong.signal(value)

        with in_thread(peer):
            for value in range(1, 201):
                ping.signal(value)
                pong.wait(value, 10)

    def test_wait_on_the_same_value_multiple_times(self, device: Device) -> None:
        semaphore = device.semaphore()
        with in_thread(lambda: semaphore.signal(2)):
            for _ in range(3):
                semaphore.wait(1, 10)
                semaphore.wait(2, 10)

    @pytest.mark.parametrize("timeout", [0, 0.001, 0.05])
    def test_wait_for_finite_time(self, device: Device, timeout: float) -> None:
        semaphore = device.semaphore(1)
        started = time.monotonic()
        with fails_with(Code.DEADLINE_EXCEEDED):
            semaphore.wait(2, timeout)
        assert time.monotonic() - started >= timeout
        semaphore.signal(2)
        semaphore.wait(2, timeout)

    def test_simultaneous_multi_wait_all(self, device: Device) -> None:
        one, two, three = (device.semaphore() for _ in range(3))
        with in_thread(lambda: wait_all([(one, 1), (two, 1)], 10)), in_thread(lambda: wait_all([(two, 1), (three, 1)], 10)):
            for semaphore in (one, two, three):
                semaphore.signal(1)

    def test_wait_then_fail(self, device: Device) -> None:
        semaphore = device.semaphore()
        with in_thread(lambda: semaphore.fail(HalError(Code.ABORTED, "planted")), after=0.01), fails_with(Code.ABORTED):
            semaphore.wait(1, 10)

    @both
    def test_multi_wait_then_fail(self, device: Device, wait: Wait) -> None:
        """MultiWaitThenFail and DeviceMultiWaitThenFail."""
        one, two = device.semaphore(), device.semaphore()
        with in_thread(lambda: one.fail(HalError(Code.CANCELLED, "planted")), after=0.01), fails_with(Code.CANCELLED):
            wait([(two, 1), (one, 1)], 10)
        assert two.query() == 0

    def test_every_one_of_many_waiters_is_woken(self, device: Device) -> None:
        semaphore = device.semaphore()
        woken: list[int] = []

        def wait(number: int) -> None:
            semaphore.wait(number % 3 + 1, 10)
            woken.append(number)

        threads = [threading.Thread(target=wait, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for value in (1, 2, 3):
            semaphore.signal(value)
        for thread in threads:
            thread.join(10)
        assert sorted(woken) == list(range(30))
