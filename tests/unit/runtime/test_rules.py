"""The rules of the runtime, one class each, on a device that the test steers (docs/concepts/runtime.md states them)."""

from __future__ import annotations

import _thread
import gc
import signal
import threading
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from targetenv_runtime.buffer import Slot, State
from targetenv_runtime.semaphore import Semaphore, wait_all, wait_any
from targetenv_runtime.status import Code, HalError

from tests.unit.runtime.manual import complete_all, open_manual

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.device import Device


@pytest.fixture(autouse=True)
def settled() -> Iterator[None]:
    """Devices that a test leaves with work are done with it."""
    yield
    complete_all()


@contextmanager
def fails_with(status: Code) -> Iterator[None]:
    with pytest.raises(HalError) as caught:
        yield
    assert caught.value.status is status, caught.value


def planted(status: Code = Code.DATA_LOSS) -> HalError:
    return HalError(status, "planted")


def later(work: Callable[[], object], seconds: float = 0.02) -> threading.Timer:
    timer = threading.Timer(seconds, work)
    timer.start()
    return timer


def work(device: Device) -> CommandBuffer:
    commands = device.command_buffer()
    commands.fill(device.allocate(16), b"\x01")
    return commands.end()


class TestRule1ValuesGrow:
    """A value strictly increases; a failed semaphore raises its failure when it is signalled."""

    @pytest.mark.parametrize("value", [0, 4, 5])
    def test_a_value_at_or_below_the_current_is_refused(self, value: int) -> None:
        semaphore = Semaphore(5)
        with fails_with(Code.INVALID_ARGUMENT):
            semaphore.signal(value)
        assert semaphore.query() == 5

    def test_a_value_beyond_64_bits_is_refused(self) -> None:
        with fails_with(Code.INVALID_ARGUMENT):
            Semaphore().signal(2**64)
        for initial in (-1, 2**64):
            with fails_with(Code.INVALID_ARGUMENT):
                Semaphore(initial)

    def test_signalling_a_failed_semaphore_raises_its_failure(self) -> None:
        semaphore = Semaphore()
        semaphore.fail(planted())
        with fails_with(Code.DATA_LOSS):
            semaphore.signal(1)


class TestRule2FailuresStay:
    """The first failure wins, and everybody sees it, now and later."""

    def test_waits_queries_and_operations_see_it(self) -> None:
        device, _ = open_manual()
        semaphore, done = Semaphore(7), Semaphore()
        semaphore.fail(planted())
        semaphore.fail(planted(Code.ABORTED))
        device.queue.barrier(wait=[(semaphore, 1)], signal=[(done, 1)])
        for look in (semaphore.query, lambda: semaphore.wait(1), lambda: semaphore.wait(100), done.query):
            with fails_with(Code.DATA_LOSS):
                look()

    def test_each_reader_gets_an_error_of_its_own(self) -> None:
        semaphore = Semaphore()
        semaphore.fail(planted())
        seen = []
        for _ in range(2):
            with pytest.raises(HalError) as caught:
                semaphore.wait(1)
            seen.append(caught.value)
        assert seen[0] is not seen[1]
        assert str(seen[0]) == str(seen[1])


class TestRule3Callbacks:
    """They run without the lock, once, in the thread that signals; cancelling one that was run changes nothing."""

    def test_they_run_once_in_the_thread_that_signals(self) -> None:
        semaphore, seen = Semaphore(), list[tuple[HalError | None, int]]()
        semaphore.on(2, lambda error: seen.append((error, threading.get_ident())))
        semaphore.signal(1)
        assert seen == []
        thread = threading.Thread(target=semaphore.signal, args=(3,))
        thread.start()
        ident = thread.ident
        thread.join()
        semaphore.signal(4)
        assert seen == [(None, ident)]

    def test_one_for_a_value_that_was_reached_runs_at_once(self) -> None:
        seen = list[object]()
        point = Semaphore(3).on(2, seen.append)
        assert seen == [None]
        assert not point.cancel()

    def test_they_may_signal_and_fail_and_register_and_submit(self) -> None:
        device, backend = open_manual()
        semaphore, other, seen = Semaphore(), Semaphore(), list[object]()
        semaphore.on(1, lambda _: semaphore.signal(2))
        semaphore.on(2, lambda _: semaphore.on(3, seen.append))
        semaphore.on(2, lambda _: other.fail(planted()))
        semaphore.on(3, lambda _: device.queue.execute(work(device)))
        semaphore.signal(1)
        assert semaphore.query() == 2
        assert other.failure is not None
        semaphore.signal(3)
        assert seen == [None]
        assert len(backend.submitted) == 1

    def test_a_failure_runs_all_of_them_with_the_error(self) -> None:
        semaphore, seen = Semaphore(), list[HalError | None]()
        for value in (1, 5, 9):
            semaphore.on(value, seen.append)
        semaphore.fail(planted())
        assert [error and error.status for error in seen] == [Code.DATA_LOSS] * 3

    def test_cancel_says_whether_it_came_in_time(self) -> None:
        semaphore, seen = Semaphore(), list[object]()
        early, late = semaphore.on(1, seen.append), semaphore.on(1, seen.append)
        assert early.cancel()
        assert not early.cancel()
        semaphore.signal(1)
        assert not late.cancel()
        assert seen == [None]

    def test_one_that_raises_stops_no_other(self) -> None:
        semaphore, seen = Semaphore(), list[object]()
        semaphore.on(1, lambda _: 1 // 0)
        semaphore.on(1, seen.append)
        with pytest.raises(ZeroDivisionError):
            semaphore.signal(1)
        assert seen == [None]
        assert semaphore.query() == 1

    def test_it_comes_though_nobody_waits_for_the_device(self) -> None:
        device, backend = open_manual()
        done, heard = Semaphore(), threading.Event()
        device.queue.execute(work(device), signal=[(done, 1)])
        done.on(1, lambda _: heard.set())
        backend.complete()
        assert heard.wait(10)


class TestRule4WaitsBeforeSignals:
    """Waits may be registered before their signal exists, by the host and by queues."""

    def test_the_host_may_wait_for_work_that_is_submitted_later(self) -> None:
        device, backend = open_manual()
        done = Semaphore()
        timer = later(lambda: (device.queue.execute(work(device), signal=[(done, 1)]), backend.complete()))  # type: ignore[func-returns-value]
        done.wait(1, 10)
        timer.join()

    def test_a_queue_may_wait_for_work_that_is_submitted_later_and_leaves_it_to_the_device(self) -> None:
        device, backend = open_manual()
        first, second = Semaphore(), Semaphore()
        device.queues[1].execute(work(device), wait=[(first, 1)], signal=[(second, 1)])
        assert backend.submitted == []
        device.queues[0].execute(work(device), signal=[(first, 1)])
        assert [(queue, waits) for queue, _, _, waits in backend.submitted] == [(0, []), (1, [(0, 1)])]
        backend.complete(0)
        backend.complete(1)
        second.wait(1, 10)
        assert first.query() == 1

    def test_any_number_of_operations_may_wait_for_one_value(self) -> None:
        device, backend = open_manual()
        ready = Semaphore()
        for _ in range(500):
            device.queue.execute(work(device), wait=[(ready, 1)])
        ready.signal(1)
        assert len(backend.submitted) == 500


class TestRule5OrderIsBySemaphores:
    """An operation that waits holds back nothing that comes after it."""

    def test_a_later_operation_overtakes_one_that_waits(self) -> None:
        device, backend = open_manual()
        ready, done = Semaphore(), Semaphore()
        held, free = work(device), work(device)
        device.queue.execute(held, wait=[(ready, 1)])
        device.queue.execute(free, signal=[(done, 1)])
        assert [recording for _, recording, _, _ in backend.submitted] == [free.recording]
        ready.signal(1)
        assert [recording for _, recording, _, _ in backend.submitted] == [free.recording, held.recording]

    def test_waits_that_are_over_are_not_handed_to_the_device(self) -> None:
        device, backend = open_manual()
        done = Semaphore()
        device.queue.execute(work(device), signal=[(done, 1)])
        backend.complete()
        done.wait(1, 10)
        device.queue.execute(work(device), wait=[(done, 1)])
        assert backend.submitted[1][3] == []

    def test_a_chain_becomes_device_waits_on_the_right_epochs(self) -> None:
        device, backend = open_manual()
        chain = Semaphore()
        for value in range(1, 5):
            device.queues[value % 2].execute(work(device), wait=[(chain, value - 1)], signal=[(chain, value)])
        assert [(queue, waits) for queue, _, _, waits in backend.submitted] == [
            (1, []),
            (0, [(1, 1)]),
            (1, [(0, 1)]),
            (0, [(1, 2)]),
        ]


class TestRule6Arguments:
    """Arguments are checked and captured at the call; what goes wrong later appears on the signals only."""

    def test_a_binding_table_is_captured(self) -> None:
        device, backend = open_manual()
        ready = Semaphore()
        commands = device.command_buffer(slots=1)
        commands.fill(Slot(0), b"\x01")
        table = [device.allocate(4)]
        first = table[0]
        device.queue.execute(commands.end(), table, wait=[(ready, 1)])
        table[0] = device.allocate(8)
        ready.signal(1)
        assert backend.submitted[0][2][0].buffer is first

    def test_a_refused_call_leaves_no_trace(self) -> None:
        device, backend = open_manual()
        done = Semaphore(1)
        with fails_with(Code.INVALID_ARGUMENT):
            device.queue.execute(work(device), signal=[(done, 1)])
        assert done.query() == 1
        assert backend.submitted == []

    @pytest.mark.parametrize("held", [False, True])
    def test_a_driver_that_refuses_the_submission_fails_the_signals(self, held: bool) -> None:
        device, backend = open_manual()
        ready, done = Semaphore(0 if held else 1), Semaphore()
        backend.refuses = planted(Code.RESOURCE_EXHAUSTED)
        device.queue.execute(work(device), wait=[(ready, 1)], signal=[(done, 1)])
        if held:
            ready.signal(1)
        with pytest.raises(HalError) as caught:
            done.wait(1)
        assert caught.value.status is Code.RESOURCE_EXHAUSTED
        assert caught.value.context == {"device": "manual://0", "queue": 0}


class TestRule7SignalsComeOnce:
    """Every operation signals all its semaphores once, or fails them all."""

    def test_all_signals_come_together(self) -> None:
        device, backend = open_manual()
        one, two, seen = Semaphore(), Semaphore(), list[tuple[int, int]]()
        one.on(1, lambda _: seen.append((one.query(), two.query())))
        device.queue.execute(work(device), signal=[(one, 1), (two, 5)])
        backend.complete()
        wait_all([(one, 1), (two, 5)], 10)
        assert seen == [(1, 5)]

    def test_epochs_are_retired_in_order_whoever_notices(self) -> None:
        device, backend = open_manual()
        timeline, values = Semaphore(), list[int]()
        for value in range(1, 101):
            device.queue.execute(work(device), signal=[(timeline, value)])
        threads = [threading.Thread(target=lambda: values.append(timeline.query())) for _ in range(8)]
        backend.complete()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        timeline.wait(100, 10)
        assert timeline.failure is None

    def test_a_grid_with_a_zero_signals_without_the_device(self) -> None:
        device, backend = open_manual()
        from targetenv.model.artifact import Kernel

        function = device.load(b"", "manual", [Kernel("k", bindings=0, constants=0)])["k"]
        ready, done = Semaphore(), Semaphore()
        device.queue.dispatch(function, (4, 0, 1), wait=[(ready, 1)], signal=[(done, 1)])
        assert done.query() == 0
        ready.signal(1)
        assert done.query() == 1
        assert backend.submitted == []


class TestRule8FailedWaits:
    """A failed wait fails the signals and skips what the host would have done, also when the device went ahead."""

    def test_effects_are_skipped(self) -> None:
        device, _ = open_manual()
        ready, done, seen = Semaphore(), Semaphore(), list[int]()
        buffer = device.allocate(4)
        reserved = device.queue.alloca(4, wait=[(ready, 1)])
        device.queue.dealloca(buffer, wait=[(ready, 1)])
        device.queue.host_call(lambda: seen.append(1), wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(planted())
        assert (buffer.state, reserved.state, seen) == (State.LIVE, State.RESERVED, [])
        with fails_with(Code.DATA_LOSS):
            done.query()

    def test_a_failure_is_prompt_though_other_waits_are_open(self) -> None:
        device, _ = open_manual()
        never, ready, done = Semaphore(), Semaphore(), Semaphore()
        device.queue.barrier(wait=[(never, 1), (ready, 1)], signal=[(done, 1)])
        ready.fail(planted())
        with fails_with(Code.DATA_LOSS):
            done.query()

    def test_a_consumer_that_the_device_has_run_fails_all_the_same(self) -> None:
        device, backend = open_manual()
        first, second, buffer = Semaphore(), Semaphore(), device.allocate(4)
        device.queues[0].execute(work(device), signal=[(first, 1)])
        device.queues[1].execute(work(device), wait=[(first, 1)], signal=[(second, 1)])
        device.queues[1].dealloca(buffer, wait=[(second, 1)])
        backend.failures[0, 1] = planted(Code.ABORTED)
        backend.complete(0)
        backend.complete(1)
        with fails_with(Code.ABORTED):
            second.wait(1, 10)
        device.queues[1].barrier()
        assert buffer.state is State.LIVE

    def test_failing_a_semaphore_by_hand_while_its_producer_is_in_flight(self) -> None:
        device, backend = open_manual()
        first, second = Semaphore(), Semaphore()
        device.queues[0].execute(commands := work(device), signal=[(first, 1)])
        device.queues[1].execute(work(device), wait=[(first, 1)], signal=[(second, 1)])
        recording = weakref.ref(commands.recording)
        del commands
        first.fail(planted())
        with fails_with(Code.DATA_LOSS):
            first.wait(1, 10)
        backend.submitted.clear()
        gc.collect()
        assert recording() is not None, "the device still uses it"
        backend.complete(0)
        backend.complete(1)
        with fails_with(Code.DATA_LOSS):
            second.wait(1, 10)


class TestRule9DeviceLoss:
    """A lost device fails what is pending and what comes later, on all its queues."""

    def test_pending_and_later_operations_fail_with_the_drivers_error(self) -> None:
        device, backend = open_manual()
        semaphores = [Semaphore() for _ in range(4)]
        device.queues[0].execute(work(device), signal=[(semaphores[0], 1)])
        device.queues[1].execute(work(device), signal=[(semaphores[1], 1)])
        backend.lose(HalError(Code.DATA_LOSS, "planted", native=(-4, "VK_ERROR_DEVICE_LOST")))
        device.queues[0].execute(work(device), signal=[(semaphores[2], 1)])
        device.queues[1].execute(work(device), signal=[(semaphores[3], 1)])
        for semaphore in semaphores:
            with pytest.raises(HalError) as caught:
                semaphore.wait(1, 10)
            assert caught.value.native == (-4, "VK_ERROR_DEVICE_LOST")

    def test_a_host_that_waits_is_woken(self) -> None:
        device, backend = open_manual()
        done = Semaphore()
        device.queue.execute(work(device), signal=[(done, 1)])
        timer = later(lambda: backend.lose(planted()))
        with fails_with(Code.DATA_LOSS):
            done.wait(1)
        timer.join()

    def test_it_can_be_closed(self) -> None:
        device, backend = open_manual()
        device.queue.execute(work(device))
        backend.lose(planted())
        backend.submitted.clear()
        device.close()
        assert backend.closed == 1


class TestRule10Retention:
    """Everything that an operation uses stays until it retires, and no longer."""

    def test_recording_function_buffers_and_table(self) -> None:
        from targetenv.model.artifact import Kernel

        device, backend = open_manual()
        done = Semaphore()
        function = device.load(b"image", "manual", [Kernel("k", bindings=2, constants=0)])["k"]
        direct, bound = device.allocate(4), device.allocate(4)
        commands = device.command_buffer(slots=1)
        commands.dispatch(function, (1,), [direct, Slot(0)])
        device.queue.execute(commands.end(), [bound], signal=[(done, 1)])
        held: list[weakref.ref[object]] = [weakref.ref(direct), weakref.ref(bound), weakref.ref(commands.recording)]
        del function, direct, bound, commands
        backend.submitted.clear()
        gc.collect()
        assert all(reference() is not None for reference in held)
        assert (backend.freed, backend.unloaded, backend.released) == ([], [], [])
        backend.complete()
        done.wait(1, 10)
        assert [reference() for reference in held] == [None] * 3
        assert (len(backend.freed), backend.unloaded, backend.released) == (2, [b"image"], [{"native": 1}])

    def test_memory_of_a_closed_buffer_goes_when_the_device_is_done(self) -> None:
        device, backend = open_manual()
        buffer, done = device.allocate(4), Semaphore()
        device.queue.fill(buffer, b"\x01", signal=[(done, 1)])
        buffer.close()
        assert backend.freed == []
        backend.complete()
        done.wait(1, 10)
        assert len(backend.freed) == 1


class TestRule11BufferStates:
    """RESERVED until its alloca completes, LIVE while it has memory, DEAD after its dealloca."""

    def test_the_way_of_a_transient_buffer(self) -> None:
        device, backend = open_manual()
        ready, timeline = Semaphore(), Semaphore()
        buffer = device.queue.alloca(4, wait=[(ready, 1)], signal=[(timeline, 1)])
        states = [buffer.state]
        device.queue.fill(buffer, b"\x01", wait=[(timeline, 1)], signal=[(timeline, 2)])
        ready.signal(1)
        states.append(buffer.state)
        device.queue.dealloca(buffer, wait=[(timeline, 2)], signal=[(timeline, 3)])
        states.append(buffer.state)
        backend.complete()
        timeline.wait(3, 10)
        states.append(buffer.state)
        assert states == [State.RESERVED, State.LIVE, State.LIVE, State.DEAD]

    @pytest.mark.parametrize("dead", [False, True])
    def test_executing_without_memory_is_a_failed_precondition(self, dead: bool) -> None:
        device, backend = open_manual()
        never, done = Semaphore(), Semaphore()
        buffer = device.queue.alloca(4, wait=[(never, 1)] if not dead else [])
        if dead:
            device.queue.dealloca(buffer)
        device.queue.fill(buffer, b"\x01", signal=[(done, 1)])
        with fails_with(Code.FAILED_PRECONDITION):
            done.query()
        assert backend.submitted == []

    def test_deallocating_twice_is_a_failed_precondition(self) -> None:
        device, _ = open_manual()
        buffer, done = device.allocate(4), Semaphore()
        device.queue.dealloca(buffer)
        device.queue.dealloca(buffer, signal=[(done, 1)])
        with fails_with(Code.FAILED_PRECONDITION):
            done.query()


class TestRule14Graphs:
    """Barriers with nothing before them are nothing; width has no limit; slots and buffers mix; executions overlap."""

    def test_empty_barriers_are_nothing(self) -> None:
        device, _ = open_manual()
        buffer = device.allocate(4)
        commands = device.command_buffer()
        commands.barrier()
        commands.fill(buffer, b"\x01")
        commands.barrier()
        commands.barrier()
        commands.fill(buffer, b"\x02")
        commands.barrier()
        assert [len(level) for level in commands.end().recording.levels] == [1, 1]

    def test_ten_thousand_commands_side_by_side_are_one_level(self) -> None:
        device, _ = open_manual()
        buffer = device.allocate(40000)
        commands = device.command_buffer()
        for index in range(10000):
            commands.fill(buffer[4 * index : 4 * index + 4], b"\x01")
        assert [len(level) for level in commands.end().recording.levels] == [10000]

    def test_edges_alone_make_levels(self) -> None:
        device, _ = open_manual()
        buffer = device.allocate(4)
        commands = device.command_buffer()
        top = commands.fill(buffer, b"\x01")
        left, right = (commands.fill(buffer, b"\x02", after=[top]) for _ in range(2))
        commands.fill(buffer, b"\x03", after=[left, right])
        lone = commands.fill(buffer, b"\x04")
        assert [len(level) for level in commands.end().recording.levels] == [2, 2, 1]
        assert commands.recording.levels[0][1] is not None
        assert lone == 4

    def test_two_executions_may_be_in_flight(self) -> None:
        device, backend = open_manual()
        commands, one, two = work(device), Semaphore(), Semaphore()
        device.queue.execute(commands, signal=[(one, 1)])
        device.queue.execute(commands, signal=[(two, 1)])
        assert [recording for _, recording, _, _ in backend.submitted] == [commands.recording] * 2
        backend.complete(0, 1)
        one.wait(1, 10)
        assert two.query() == 0


class TestRule16Transfers:
    """No size and no alignment of an update, fill or copy is refused; a transfer of nothing never reaches the driver."""

    @pytest.mark.parametrize("size", [1, 3, 65537, 1 << 20])
    def test_any_size_is_taken(self, size: int) -> None:
        device, backend = open_manual()
        buffer, target = device.allocate(size + 1), device.allocate(size + 1)
        device.queue.update(buffer[1:], bytes(size))
        device.queue.fill(buffer[1:], b"\x01\x02\x03\x04")
        device.queue.copy(buffer[1:], target[:size])
        assert len(backend.submitted) == 3

    def test_nothing_is_nothing(self) -> None:
        device, backend = open_manual()
        done, buffer = Semaphore(), device.allocate(4)
        commands = device.command_buffer()
        commands.update(buffer[4:], b"")
        device.queue.execute(commands.end(), signal=[(done, 1)])
        assert done.query() == 1
        assert backend.submitted == []


class TestRule17Waits:
    """They take 0, finite and no time limits, and stay interruptible."""

    @pytest.mark.parametrize("submitted", [False, True])
    @pytest.mark.parametrize("timeout", [0, 0.03])
    @pytest.mark.parametrize("wait", [wait_all, wait_any])
    def test_a_time_limit_is_kept(self, submitted: bool, timeout: float, wait: Callable[..., None]) -> None:
        device, _ = open_manual()
        one, two = Semaphore(), Semaphore()
        if submitted:
            device.queue.execute(work(device), signal=[(one, 1)])
        started = time.monotonic()
        with fails_with(Code.DEADLINE_EXCEEDED):
            wait([(one, 1), (two, 1)], timeout)
        assert timeout <= time.monotonic() - started < 5

    def test_asking_once_still_notices_what_is_done(self) -> None:
        device, backend = open_manual()
        done = Semaphore()
        device.queue.execute(work(device), signal=[(done, 1)])
        backend.complete()
        done.wait(1, 0)

    @pytest.mark.parametrize("submitted", [False, True])
    def test_ctrl_c_ends_a_wait_without_limit(self, submitted: bool) -> None:
        device, backend = open_manual()
        done = Semaphore()
        if submitted:
            device.queue.execute(work(device), signal=[(done, 1)])
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        timer = later(lambda: _thread.interrupt_main() if submitted else signal.raise_signal(signal.SIGINT), 0.05)
        try:
            with pytest.raises(KeyboardInterrupt):
                done.wait(1)
        finally:
            signal.signal(signal.SIGINT, before)
            timer.join()
        backend.complete()
        if submitted:
            done.wait(1, 10)

    def test_no_thread_is_made_for_a_host_that_waits(self) -> None:
        device, backend = open_manual()
        chain, before = Semaphore(), threading.active_count()
        for value in range(1, 11):
            device.queues[value % 2].execute(work(device), wait=[(chain, value - 1)], signal=[(chain, value)])
        backend.complete(0)
        backend.complete(1)
        chain.wait(10, 10)
        assert threading.active_count() == before
        assert backend.waits, "the waiting thread asked the device itself"

    def test_the_thread_that_looks_after_a_queue_ends(self) -> None:
        device, backend = open_manual()
        done, heard = Semaphore(), threading.Event()
        before = threading.active_count()
        device.queue.execute(work(device), signal=[(done, 1)])
        done.on(1, lambda _: heard.set())
        assert threading.active_count() == before + 1
        backend.complete()
        assert heard.wait(10)
        for _ in range(200):
            if threading.active_count() == before:
                break
            time.sleep(0.01)
        assert threading.active_count() == before

    def test_any_of_two_queues_ends_the_wait(self) -> None:
        device, backend = open_manual()
        one, two = Semaphore(), Semaphore()
        device.queues[0].execute(work(device), signal=[(one, 1)])
        device.queues[1].execute(work(device), signal=[(two, 1)])
        timer = later(lambda: backend.complete(1))
        wait_any([(one, 1), (two, 1)], 10)
        timer.join()
        assert (one.query(), two.query()) == (0, 1)
        backend.complete(0)


class TestRule18TheEnd:
    """Closing refuses, cancels, drains, and gives back, in this order; it never hangs."""

    def test_closing_in_order(self) -> None:
        device, backend = open_manual()
        never, held, done = Semaphore(), Semaphore(), Semaphore()
        buffer = device.allocate(4)
        device.queue.execute(work(device), wait=[(never, 1)], signal=[(held, 1)])
        device.queue.fill(buffer, b"\x01", signal=[(done, 1)])
        backend.submitted.clear()
        timer = later(backend.complete)
        device.close()
        timer.join()
        with fails_with(Code.CANCELLED):
            held.query()
        assert done.query() == 1
        assert (buffer.state, len(backend.freed), backend.closed) == (State.DEAD, 2, 1)

    def test_a_device_that_never_answers_is_abandoned(self) -> None:
        device, backend = open_manual()
        done = Semaphore()
        device.queue.execute(work(device), signal=[(done, 1)])
        device.close(timeout=0.05)
        with fails_with(Code.DEADLINE_EXCEEDED):
            done.query()
        assert (backend.freed, backend.closed) == ([], 0)
        backend.complete()

    def test_a_mapped_view_keeps_the_device_until_it_is_gone(self) -> None:
        device, backend = open_manual()
        view = device.allocate(4).map()
        device.close()
        view[:] = b"safe"
        assert (backend.freed, backend.closed) == ([], 0)
        del view
        assert (len(backend.freed), backend.closed) == (1, 1)

    def test_a_thread_that_is_still_inside_the_driver_is_waited_for(self) -> None:
        device, backend = open_manual()
        done, order = Semaphore(), list[str]()
        wait, close = backend.wait, backend.close

        def slow_wait(*arguments: Any) -> bool:
            answer = wait(*arguments)
            if threading.current_thread() is not threading.main_thread():
                time.sleep(0.05)
                order.append("left")
            return answer

        def noted_close() -> None:
            order.append("closed")
            close()

        backend.wait, backend.close = slow_wait, noted_close  # type: ignore[method-assign,assignment]
        device.queue.execute(work(device), signal=[(done, 1)])
        backend.submitted.clear()
        thread = threading.Thread(target=done.wait, args=(1, 10))
        thread.start()
        while not backend.waits:
            time.sleep(0.001)
        backend.complete()
        device.close()
        thread.join()
        assert order == ["left", "closed"]

    def test_what_is_freed_inside_a_driver_waits_until_it_is_out(self) -> None:
        device, backend = open_manual()
        buffer = device.allocate(4)
        submit = backend.submit

        def collecting(*arguments: Any) -> int:
            nonlocal buffer
            buffer = None  # type: ignore[assignment]  # as a garbage collection might
            assert backend.freed == []
            return submit(*arguments)

        backend.submit = collecting  # type: ignore[method-assign,assignment]
        device.queue.execute(device_work := work(device))
        assert buffer is None
        backend.complete()
        device.queue.barrier()
        del device_work
        device.close()
        assert len(backend.freed) == 2
