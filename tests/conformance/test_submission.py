"""Queues and timelines together: SemaphoreSubmissionTest of IREE's suite, failures on their way, and waits before signals."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import Slot
from targetenv_runtime.deferral import Completion
from targetenv_runtime.semaphore import wait_all, wait_any
from targetenv_runtime.status import Code, HalError

from tests.conformance.outcome import TIMEOUT, fails_with, in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.queue import Queue
    from targetenv_runtime.semaphore import Semaphore


def work(device: Device) -> CommandBuffer:
    """A command buffer that takes the device's attention."""
    commands = device.command_buffer()
    commands.fill(device.allocate(1024), b"\x11")
    return commands.end()


def not_yet(semaphore: Semaphore, value: int = 1) -> None:
    """Nothing has signalled this."""
    with fails_with(Code.DEADLINE_EXCEEDED):
        semaphore.wait(value, 0)


class TestSemaphoreSubmission:
    """SemaphoreSubmissionTest."""

    def test_submit_with_no_command_buffers(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()
        queue.barrier(signal=[(done, 1)])
        done.wait(1, TIMEOUT)

    def test_submit_and_signal(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()
        queue.execute(work(device), signal=[(done, 1)])
        done.wait(1, TIMEOUT)
        assert done.query() == 1

    def test_submit_with_wait(self, device: Device, queue: Queue) -> None:
        semaphore = device.semaphore()
        queue.execute(work(device), wait=[(semaphore, 100)], signal=[(semaphore, 101)])
        not_yet(semaphore, 101)
        semaphore.signal(100)
        semaphore.wait(101, TIMEOUT)

    def test_cross_queue_wait_before_signal(self, device: Device, queue: Queue, other: Queue) -> None:
        ready, done = device.semaphore(), device.semaphore()
        other.execute(work(device), wait=[(ready, 1)], signal=[(done, 1)])
        not_yet(done)
        queue.execute(work(device), signal=[(ready, 1)])
        done.wait(1, TIMEOUT)

    def test_multi_queue_fan_out_different_values_before_signal(self, device: Device, queue: Queue) -> None:
        timeline = device.semaphore()
        done = [device.semaphore() for _ in range(6)]
        for value, semaphore in enumerate(done, 1):
            device.queues[value % len(device.queues)].execute(work(device), wait=[(timeline, value)], signal=[(semaphore, 1)])
        for value, semaphore in enumerate(done, 1):
            not_yet(semaphore)
            queue.barrier(wait=[(timeline, value - 1)], signal=[(timeline, value)])
            semaphore.wait(1, TIMEOUT)

    @pytest.mark.needs("executes")
    def test_indirect_command_buffer_binding_table_retained_until_signal(self, device: Device, queue: Queue) -> None:
        ready, done, result = device.semaphore(), device.semaphore(), device.allocate(64)
        commands = device.command_buffer(slots=2)
        commands.copy(Slot(0, 0, 64), Slot(1))
        commands.end()
        source = device.allocate(64)
        source.write(b"\x5a" * 64)
        table = [source, result]
        queue.execute(commands, table, wait=[(ready, 1)], signal=[(done, 1)])
        table.clear()
        del source, commands
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert result.read() == b"\x5a" * 64

    def test_submit_with_multiple_semaphores(self, device: Device, queue: Queue) -> None:
        one, two, three, four = (device.semaphore() for _ in range(4))
        queue.execute(work(device), wait=[(one, 1), (two, 1)], signal=[(three, 1), (four, 1)])
        one.signal(1)
        not_yet(three)
        two.signal(1)
        wait_all([(three, 1), (four, 1)], TIMEOUT)

    def test_wait_all_host_and_device_semaphores(self, device: Device, queue: Queue) -> None:
        ready, host, on_device = device.semaphore(), device.semaphore(), device.semaphore()
        queue.execute(work(device), wait=[(ready, 1)], signal=[(on_device, 1)])
        with in_thread(lambda: (ready.signal(1), host.signal(1)), after=0.01):  # type: ignore[func-returns-value]
            wait_all([(host, 1), (on_device, 1)], TIMEOUT)

    def test_wait_any_host_and_device_semaphores_and_device_signals(self, device: Device, queue: Queue) -> None:
        ready, host, on_device = device.semaphore(), device.semaphore(), device.semaphore()
        queue.execute(work(device), wait=[(ready, 1)], signal=[(on_device, 1)])
        with in_thread(lambda: ready.signal(1), after=0.01):
            wait_any([(host, 1), (on_device, 1)], TIMEOUT)
        assert (host.query(), on_device.query()) == (0, 1)

    def test_wait_any_host_and_device_semaphores_and_host_signals(self, device: Device, queue: Queue) -> None:
        ready, host, on_device = device.semaphore(), device.semaphore(), device.semaphore()
        queue.execute(work(device), wait=[(ready, 1)], signal=[(on_device, 1)])
        with in_thread(lambda: host.signal(1), after=0.01):
            wait_any([(host, 1), (on_device, 1)], TIMEOUT)
        not_yet(on_device)
        ready.signal(1)
        on_device.wait(1, TIMEOUT)

    @pytest.mark.needs("executes")
    def test_intermediate_semaphore_between_device_batches(self, device: Device, queue: Queue, other: Queue) -> None:
        between, done, buffer = device.semaphore(), device.semaphore(), device.allocate(4)
        other.update(buffer, b"two!", wait=[(between, 1)], signal=[(done, 1)])
        not_yet(done)
        queue.update(buffer, b"one!", signal=[(between, 1)])
        done.wait(1, TIMEOUT)
        assert buffer.read() == b"two!"

    def test_two_batches_waiting_on_1_former_batch_amongst_2(self, device: Device, queue: Queue, other: Queue) -> None:
        first, second, one, two = (device.semaphore() for _ in range(4))
        other.execute(work(device), wait=[(first, 1)], signal=[(one, 1)])
        queue.execute(work(device), wait=[(first, 1)], signal=[(two, 1)])
        queue.execute(work(device), signal=[(second, 1)])
        not_yet(one)
        queue.execute(work(device), signal=[(first, 1)])
        wait_all([(one, 1), (two, 1), (second, 1)], TIMEOUT)

    def test_two_batches_waiting_on_different_semaphore_values(self, device: Device, queue: Queue, other: Queue) -> None:
        timeline, one, two = (device.semaphore() for _ in range(3))
        queue.execute(work(device), wait=[(timeline, 1)], signal=[(one, 1)])
        other.execute(work(device), wait=[(timeline, 2)], signal=[(two, 1)])
        timeline.signal(1)
        one.wait(1, TIMEOUT)
        not_yet(two)
        timeline.signal(2)
        two.wait(1, TIMEOUT)

    def test_batch_waiting_on_another_and_host_signal(self, device: Device, queue: Queue, other: Queue) -> None:
        former, host, done = (device.semaphore() for _ in range(3))
        queue.execute(work(device), signal=[(former, 1)])
        other.execute(work(device), wait=[(former, 1), (host, 1)], signal=[(done, 1)])
        former.wait(1, TIMEOUT)
        not_yet(done)
        host.signal(1)
        done.wait(1, TIMEOUT)

    def test_device_batch_signal_another_and_host(self, device: Device, queue: Queue, other: Queue) -> None:
        ready, host, another, done = (device.semaphore() for _ in range(4))
        queue.execute(work(device), wait=[(ready, 1)], signal=[(host, 1), (another, 1)])
        other.execute(work(device), wait=[(another, 1)], signal=[(done, 1)])
        with in_thread(lambda: host.wait(1, TIMEOUT)):
            ready.signal(1)
            done.wait(1, TIMEOUT)

    def test_batch_waiting_on_smaller_value_after_signaled(self, device: Device, queue: Queue) -> None:
        timeline, done = device.semaphore(), device.semaphore()
        timeline.signal(100)
        queue.execute(work(device), wait=[(timeline, 7)], signal=[(done, 1)])
        done.wait(1, TIMEOUT)

    def test_batch_waiting_on_smaller_value_before_signaled(self, device: Device, queue: Queue) -> None:
        timeline, done = device.semaphore(), device.semaphore()
        queue.execute(work(device), wait=[(timeline, 7)], signal=[(done, 1)])
        not_yet(done)
        queue.barrier(signal=[(timeline, 100)])
        done.wait(1, TIMEOUT)

    def test_propagate_fail_signal(self, device: Device, queue: Queue, other: Queue) -> None:
        one, two, three = (device.semaphore() for _ in range(3))
        queue.execute(work(device), wait=[(one, 1)], signal=[(two, 1)])
        other.execute(work(device), wait=[(two, 1)], signal=[(three, 1)])
        with in_thread(lambda: one.fail(HalError(Code.CANCELLED, "planted")), after=0.01), fails_with(Code.CANCELLED):
            three.wait(1, TIMEOUT)


class TestFailures:
    """What IREE's suite lacks: how failures travel."""

    def test_an_operation_that_waits_for_a_failed_semaphore_fails_at_once(self, device: Device, queue: Queue) -> None:
        failed, done = device.semaphore(), device.semaphore()
        failed.fail(HalError(Code.PERMISSION_DENIED, "planted"))
        queue.execute(work(device), wait=[(failed, 1)], signal=[(done, 1)])
        with fails_with(Code.PERMISSION_DENIED):
            done.query()

    @pytest.mark.needs("async")
    def test_failing_a_semaphore_with_a_producer_in_flight_fails_its_consumers(
        self, device: Device, queue: Queue, other: Queue
    ) -> None:
        between, done = device.semaphore(), device.semaphore()
        big = device.allocate(16 << 20)  # enough for what comes to be over before the device is
        for _ in range(5):
            queue.fill(big, b"\x01")
        queue.fill(big, b"\x02", signal=[(between, 1)])
        other.execute(work(device), wait=[(between, 1), (held := device.semaphore(), 1)], signal=[(done, 1)])
        between.fail(HalError(Code.CANCELLED, "planted"))
        held.signal(1)
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)

    def test_a_signal_that_came_too_late_fails_the_timeline(self, device: Device, queue: Queue) -> None:
        ready, done = device.semaphore(), device.semaphore()
        queue.barrier(wait=[(ready, 1)], signal=[(done, 1)])
        done.signal(5)
        ready.signal(1)
        with fails_with(Code.INVALID_ARGUMENT):
            done.wait(6, TIMEOUT)

    def test_a_signal_that_cannot_be_made_is_refused_at_the_call(self, device: Device, queue: Queue) -> None:
        done = device.semaphore(5)
        with fails_with(Code.INVALID_ARGUMENT):
            queue.barrier(signal=[(done, 5)])
        with fails_with(Code.INVALID_ARGUMENT):
            queue.barrier(signal=[(done, 2**64)])

    def test_values_may_leave_gaps_and_use_all_64_bits(self, device: Device, queue: Queue) -> None:
        done = device.semaphore(2**40)
        queue.execute(work(device), signal=[(done, 2**63)])
        done.wait(2**63 - 1, TIMEOUT)
        queue.execute(work(device), signal=[(done, 2**64 - 1)])
        done.wait(2**64 - 1, TIMEOUT)

    def test_later_operations_are_not_held_back(self, device: Device, queue: Queue) -> None:
        never, held, done = (device.semaphore() for _ in range(3))
        queue.execute(work(device), wait=[(never, 1)], signal=[(held, 1)])
        queue.execute(work(device), signal=[(done, 1)])
        done.wait(1, TIMEOUT)
        not_yet(held)
        never.signal(1)
        held.wait(1, TIMEOUT)

    def test_a_thousand_waits_may_come_before_their_signal(self, device: Device, queue: Queue) -> None:
        ready = device.semaphore()
        done = [device.semaphore() for _ in range(1000)]
        for value, semaphore in enumerate(done):
            queue.barrier(wait=[(ready, value % 7 + 1)], signal=[(semaphore, 1)])
        ready.signal(7)
        wait_all([(semaphore, 1) for semaphore in done], TIMEOUT)

    def test_a_chain_through_all_queues_runs_without_the_host(self, device: Device) -> None:
        timeline = device.semaphore()
        for value in range(1, 201):
            queue = device.queues[value % len(device.queues)]
            queue.execute(work(device), wait=[(timeline, value - 1)], signal=[(timeline, value)])
        timeline.wait(200, TIMEOUT)

    def test_threads_may_submit_to_one_queue_at_once(self, device: Device, queue: Queue) -> None:
        commands = work(device)
        timelines = [device.semaphore() for _ in range(4)]

        def submit(timeline: Semaphore) -> None:
            for value in range(1, 101):
                queue.execute(commands, wait=[(timeline, value - 1)], signal=[(timeline, value)])
            timeline.wait(100, TIMEOUT)

        with in_thread(lambda: submit(timelines[1])), in_thread(lambda: submit(timelines[2])):
            submit(timelines[0])
        assert [timeline.query() for timeline in timelines] == [100, 100, 100, 0]


class TestHostCall:
    """QueueHostCallTest."""

    def test_enqueue_before_signal(self, device: Device, queue: Queue) -> None:
        ready, done, seen = device.semaphore(), device.semaphore(), list[int]()
        queue.host_call(lambda: seen.append(1), wait=[(ready, 1)], signal=[(done, 1)])
        assert seen == []
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert seen == [1]

    def test_no_wait_semaphores(self, device: Device, queue: Queue) -> None:
        done, seen = device.semaphore(), list[int]()
        queue.host_call(lambda: seen.append(1), signal=[(done, 1)])
        done.wait(1, TIMEOUT)
        assert seen == [1]

    def test_a_call_that_waits_for_the_device_runs_though_nobody_waits(self, device: Device, queue: Queue) -> None:
        former, done, seen = device.semaphore(), device.semaphore(), device.semaphore()
        queue.execute(work(device), signal=[(former, 1)])
        queue.host_call(lambda: seen.signal(1), wait=[(former, 1)], signal=[(done, 1)])
        seen.wait(1, TIMEOUT)
        done.wait(1, TIMEOUT)

    @pytest.mark.parametrize("held", [False, True])
    def test_callback_returns_error(self, device: Device, queue: Queue, held: bool) -> None:
        """CallbackReturnsError and CallbackReturnsErrorAfterWait."""
        ready, one, two = (device.semaphore() for _ in range(3))

        def refuse() -> None:
            raise HalError(Code.PERMISSION_DENIED, "planted")

        queue.host_call(refuse, wait=[(ready, 1)] if held else [], signal=[(one, 1), (two, 1)])
        ready.signal(1)
        for semaphore in (one, two):
            with fails_with(Code.PERMISSION_DENIED):
                semaphore.wait(1, TIMEOUT)

    def test_any_exception_fails_the_signals(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()
        queue.host_call(lambda: 1 // 0, signal=[(done, 1)])
        with pytest.raises(HalError, match="ZeroDivisionError") as caught:
            done.wait(1, TIMEOUT)
        assert caught.value.status is Code.ABORTED

    def test_a_call_that_is_not_blocking_comes_after_its_signals(self, device: Device, queue: Queue) -> None:
        """NonBlockingFlag."""
        ready, done, seen = device.semaphore(), device.semaphore(), list[int]()
        queue.host_call(lambda: seen.append(done.query()), wait=[(ready, 1)], signal=[(done, 1)], blocking=False)
        assert seen == []
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert seen == [1]

    def test_what_a_call_that_is_not_blocking_raises_fails_nothing(
        self, device: Device, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done, told = device.semaphore(), list[object]()
        monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_type))
        queue.host_call(lambda: 1 // 0, signal=[(done, 1)], blocking=False)
        done.wait(1, TIMEOUT)
        assert told == [ZeroDivisionError]

    def test_a_call_that_is_not_blocking_is_not_made_when_its_wait_fails(self, device: Device, queue: Queue) -> None:
        ready, done, seen = device.semaphore(), device.semaphore(), list[int]()
        queue.host_call(lambda: seen.append(1), wait=[(ready, 1)], signal=[(done, 1)], blocking=False)
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        assert seen == []

    def test_async_callback(self, device: Device, queue: Queue) -> None:
        """AsyncCallback: another thread answers, later."""
        ready, done, asked = device.semaphore(), device.semaphore(), list[Completion]()
        queue.deferred_call(asked.append, wait=[(ready, 1)], signal=[(done, 1)])
        assert asked == []
        ready.signal(1)
        assert len(asked) == 1
        not_yet(done)
        with in_thread(asked[0].done, after=0.01):
            done.wait(1, TIMEOUT)
        asked[0].done()
        asked[0].fail(HalError(Code.ABORTED, "too late"))
        assert done.query() == 1

    def test_a_deferred_call_may_fail_later(self, device: Device, queue: Queue) -> None:
        done, after, asked = device.semaphore(), device.semaphore(), list[Completion]()
        queue.deferred_call(asked.append, signal=[(done, 1)])
        queue.execute(work(device), wait=[(done, 1)], signal=[(after, 1)])
        asked[0].fail(HalError(Code.DATA_LOSS, "planted"))
        for semaphore in (done, after):
            with fails_with(Code.DATA_LOSS):
                semaphore.wait(1, TIMEOUT)

    def test_a_deferred_call_may_raise_at_once(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()

        def refuse(_: Completion) -> None:
            raise HalError(Code.PERMISSION_DENIED, "planted")

        queue.deferred_call(refuse, signal=[(done, 1)])
        with fails_with(Code.PERMISSION_DENIED):
            done.wait(1, TIMEOUT)

    def test_a_deferred_call_is_not_made_when_its_wait_fails(self, device: Device, queue: Queue) -> None:
        ready, done, asked = device.semaphore(), device.semaphore(), list[Completion]()
        queue.deferred_call(asked.append, wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        assert asked == []

    def test_a_deferred_call_that_nobody_will_answer_fails(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()
        queue.deferred_call(lambda _: None, signal=[(done, 1)])
        with fails_with(Code.ABORTED):
            done.wait(1, TIMEOUT)

    def test_a_deferred_call_is_cancelled_when_the_device_is_closed(self, fresh: Callable[[], Device]) -> None:
        device = fresh()
        done, asked = device.semaphore(), list[Completion]()
        device.queue.deferred_call(asked.append, signal=[(done, 1)])
        device.close()
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        asked[0].done()

    def test_a_call_may_submit(self, device: Device, queue: Queue) -> None:
        ready, done = device.semaphore(), device.semaphore()
        queue.host_call(lambda: queue.execute(work(device), signal=[(done, 1)]), wait=[(ready, 1)])
        ready.signal(1)
        done.wait(1, TIMEOUT)
