"""Memory and devices from beginning to end: allocation, queue allocation, closing, dropping, forking."""

from __future__ import annotations

import gc
import mmap
import os
import subprocess
import sys
import threading
import weakref
from functools import partial
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import Slot, State
from targetenv_runtime.status import Code, HalError

from tests.conformance.outcome import TIMEOUT, deterministic, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable
    from targetenv_runtime.queue import Queue

    from tests.conformance.backends import Backend

    Load = Callable[[str], Executable]
    Open = Callable[[], Device]

MEMORY = pytest.mark.parametrize("memory", ["device", "host", "shared"])


class TestAllocator:
    """AllocatorTest and BufferMappingTest."""

    @MEMORY
    @pytest.mark.parametrize("size", [0, 1, 3, 64, 4097, 1 << 20])
    def test_allocate_buffer(self, device: Device, memory: str, size: int) -> None:
        buffer = device.allocate(size, memory)  # type: ignore[arg-type]
        assert (buffer.size, buffer.memory, buffer.state) == (size, memory, State.LIVE)
        buffer.write(deterministic(size))
        assert buffer.read() == deterministic(size)

    @pytest.mark.parametrize("memory", ["host", "shared"])
    def test_mapped_memory_is_the_memory(self, device: Device, memory: str) -> None:
        buffer = device.allocate(64, memory)  # type: ignore[arg-type]
        view = buffer.map()
        view[8:16] = b"abcdefgh"
        assert buffer.read(8, 8) == b"abcdefgh"
        assert bytes(buffer[10:12].map()) == b"cd"

    def test_numpy_shares_the_memory(self, device: Device) -> None:
        numpy = pytest.importorskip("numpy")
        buffer = device.allocate(48)
        array = buffer.numpy("float32", (3, 4))
        array[:] = numpy.arange(12).reshape(3, 4)
        assert buffer.numpy("float32")[5] == 5.0
        assert array.flags.writeable

    def test_a_view_outlives_its_buffer(self, device: Device) -> None:
        view = device.allocate(1 << 16).map()
        gc.collect()
        view[:4] = b"here"
        device.allocate(1 << 16).write(bytes(1 << 16))
        assert bytes(view[:4]) == b"here"

    def test_impossible_sizes_are_refused(self, device: Device) -> None:
        with fails_with(Code.INVALID_ARGUMENT):
            device.allocate(-1)
        for size in (1 << 60, 1 << 80):
            with fails_with(Code.RESOURCE_EXHAUSTED):
                device.allocate(size)

    def test_writing_beyond_the_end_is_refused(self, device: Device) -> None:
        with fails_with(Code.OUT_OF_RANGE):
            device.allocate(4).write(b"12345")
        with fails_with(Code.OUT_OF_RANGE):
            device.allocate(4).write(b"1", 4)

    def test_a_closed_buffer_cannot_be_used(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(4)
        buffer.close()
        buffer.close()
        for use in (buffer.map, buffer.read, partial(buffer.write, b"1")):
            with fails_with(Code.FAILED_PRECONDITION):
                use()
        done = device.semaphore()
        queue.fill(buffer, b"\x01", signal=[(done, 1)])
        with fails_with(Code.FAILED_PRECONDITION):
            done.wait(1, TIMEOUT)


@pytest.mark.needs("import_host")
class TestImportHost:
    """AllocatorTest.ImportHostAllocation*: the host's own memory as a buffer."""

    @staticmethod
    def memory(size: int) -> memoryview:
        """Memory that begins at a page."""
        return memoryview(mmap.mmap(-1, size))

    @pytest.mark.needs("executes")
    def test_import_host_allocation_without_callback(self, device: Device, queue: Queue) -> None:
        memory = self.memory(8192)
        for pattern in (b"\x11", b"\x22"):
            buffer = device.import_host(memory)
            finish(device, partial(queue.fill, buffer[16:32], pattern))
            assert bytes(memory[12:36]) == bytes(4) + pattern * 16 + bytes(4)
            memory[20:24] = b"host"
            assert buffer.read(20, 4) == b"host"
            del buffer

    def test_import_host_allocation_with_callback(self, fresh: Open) -> None:
        device, released = fresh(), list[int]()
        buffer: Buffer | None = device.import_host(self.memory(4096), lambda: released.append(1))
        assert buffer is not None
        view = buffer.map()
        buffer = None
        gc.collect()
        assert released == []  # the view looks at it
        del view
        gc.collect()
        assert released == [1]
        device.close()
        assert released == [1]

    @pytest.mark.needs("executes")
    def test_work_in_flight_keeps_the_memory(self, device: Device, queue: Queue) -> None:
        ready, done, released = device.semaphore(), device.semaphore(), list[int]()
        target = device.allocate(4096)
        queue.copy(
            device.import_host(self.memory(4096), lambda: released.append(1)), target, wait=[(ready, 1)], signal=[(done, 1)]
        )
        gc.collect()
        assert released == []
        ready.signal(1)
        done.wait(1, TIMEOUT)
        gc.collect()
        assert released == [1]

    def test_memory_that_cannot_be_written_is_refused(self, device: Device) -> None:
        with fails_with(Code.INVALID_ARGUMENT):
            device.import_host(memoryview(bytes(4096)))


class TestQueueAlloca:
    """QueueAllocaTest and TransientBufferTest."""

    def test_basic_alloca(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()
        buffer = queue.alloca(16, "shared", signal=[(done, 1)])
        done.wait(1, TIMEOUT)
        buffer.write(bytes(16))
        assert (buffer.state, buffer.read()) == (State.LIVE, bytes(16))

    def test_alloca_with_wait_semaphores(self, device: Device, queue: Queue) -> None:
        ready, done = device.semaphore(), device.semaphore()
        buffer = queue.alloca(16, wait=[(ready, 1)], signal=[(done, 1)])
        assert (buffer.state, buffer.size) == (State.RESERVED, 16)
        with fails_with(Code.FAILED_PRECONDITION):
            buffer.read()
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert buffer.state is State.LIVE

    def test_executing_a_reserved_buffer_fails(self, device: Device, queue: Queue) -> None:
        ready, done = device.semaphore(), device.semaphore()
        buffer = queue.alloca(16, wait=[(ready, 1)])
        queue.fill(buffer, b"\x01", signal=[(done, 1)])
        with fails_with(Code.FAILED_PRECONDITION):
            done.wait(1, TIMEOUT)
        ready.signal(1)

    @pytest.mark.needs("executes")
    def test_static_ref_recorded_before_alloca_commit_executes(self, device: Device, queue: Queue) -> None:
        """StaticRefRecordedBeforeAllocaCommitExecutes and IndirectRefResolvedAfterAllocaCommit."""
        ready, timeline = device.semaphore(), device.semaphore()
        buffer = queue.alloca(8, wait=[(ready, 1)], signal=[(timeline, 1)])
        target = device.allocate(8)
        commands = device.command_buffer(slots=1)
        commands.fill(buffer, b"\x21")
        commands.barrier()
        commands.copy(Slot(0, 0, 8), target)
        queue.execute(commands.end(), [buffer], wait=[(timeline, 1)], signal=[(timeline, 2)])
        ready.signal(1)
        timeline.wait(2, TIMEOUT)
        assert target.read() == b"\x21" * 8

    @pytest.mark.needs("executes")
    def test_default_pool_repeated_chained_alloca_dealloca(self, device: Device, queue: Queue) -> None:
        timeline, target = device.semaphore(), device.allocate(32)
        for index in range(32):
            at = 4 * index
            buffer = queue.alloca(1, wait=[(timeline, at)], signal=[(timeline, at + 1)])
            queue.fill(buffer, bytes([index]), wait=[(timeline, at + 1)], signal=[(timeline, at + 2)])
            queue.copy(buffer, target[index : index + 1], wait=[(timeline, at + 2)], signal=[(timeline, at + 3)])
            queue.dealloca(buffer, wait=[(timeline, at + 3)], signal=[(timeline, at + 4)])
        timeline.wait(128, TIMEOUT)
        assert target.read() == bytes(range(32))

    def test_dealloca_releases_memory(self, device: Device, queue: Queue) -> None:
        buffer, done = device.allocate(4), device.semaphore()
        finish(device, partial(queue.dealloca, buffer))
        assert buffer.state is State.DEAD
        queue.fill(buffer, b"\x01", signal=[(done, 1)])
        with fails_with(Code.FAILED_PRECONDITION):
            done.wait(1, TIMEOUT)

    @pytest.mark.needs("executes")
    def test_failed_dealloca_wait_does_not_dealloca(self, device: Device, queue: Queue) -> None:
        buffer, ready, done = device.allocate(4), device.semaphore(), device.semaphore()
        queue.dealloca(buffer, wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        finish(device, partial(queue.fill, buffer, b"\x07"))
        assert buffer.read() == b"\x07" * 4

    def test_failed_alloca_wait_does_not_alloca(self, device: Device, queue: Queue) -> None:
        ready, done = device.semaphore(), device.semaphore()
        buffer = queue.alloca(16, wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        assert buffer.state is State.RESERVED

    def test_memory_that_was_deallocated_is_used_again(self, fresh: Open) -> None:
        device = fresh()
        queue, pool, timeline = device.queue, device.owner.reclaim.pool, device.semaphore()
        for round_ in range(5):
            at = 2 * round_
            buffer = queue.alloca(1000, "shared", wait=[(timeline, at)], signal=[(timeline, at + 1)])
            timeline.wait(at + 1, TIMEOUT)
            buffer.write(bytes(1000))
            queue.dealloca(buffer, signal=[(timeline, at + 2)])
            timeline.wait(at + 2, TIMEOUT)
        del buffer
        assert (pool.reused, pool.held) == (4, 1024)
        device.trim()
        assert pool.held == 0

    @pytest.mark.needs("executes", "async")
    def test_memory_is_not_used_again_while_work_may_use_it(self, fresh: Open) -> None:
        device = fresh()
        queue, pool, done, live = device.queue, device.owner.reclaim.pool, device.semaphore(), device.semaphore()
        big, target = 8 << 20, device.allocate(8 << 20)
        first = queue.alloca(big, "shared", signal=[(live, 1)])
        live.wait(1, TIMEOUT)
        first.write(b"\x2a" * big)
        for value in range(1, 6):
            queue.copy(first, target, signal=[(done, value)])
        queue.dealloca(first)
        second = queue.alloca(big, "shared", signal=[(live, 2)])
        live.wait(2, TIMEOUT)
        assert pool.reused == 0 or done.query() == 5
        second.write(bytes(big))
        done.wait(5, TIMEOUT)
        assert target.read() == b"\x2a" * big

    def test_an_alloca_that_finds_no_memory_fails_its_signals(self, device: Device, queue: Queue) -> None:
        done = device.semaphore()
        queue.alloca(1 << 60, signal=[(done, 1)])
        with fails_with(Code.RESOURCE_EXHAUSTED):
            done.wait(1, TIMEOUT)


class TestRetention:
    """Everything that work uses stays until it is done, and no longer."""

    @pytest.mark.needs("executes")
    def test_resources_live_until_the_signal_and_go_then(self, device: Device, queue: Queue) -> None:
        ready, done, result = device.semaphore(), device.semaphore(), device.allocate(8)
        commands = device.command_buffer(slots=1)
        source = device.allocate(8)
        source.write(b"retained")
        commands.copy(source, Slot(0))
        queue.execute(commands.end(), [result], wait=[(ready, 1)], signal=[(done, 1)])
        held: list[weakref.ref[object]] = [weakref.ref(commands.recording), weakref.ref(source)]
        del commands, source
        gc.collect()
        assert all(reference() is not None for reference in held)
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert result.read() == b"retained"
        gc.collect()
        assert [reference() for reference in held] == [None, None]

    @pytest.mark.needs("executes")
    def test_a_buffer_closed_while_work_uses_it_keeps_its_memory(self, device: Device, queue: Queue) -> None:
        big, target, done = device.allocate(1 << 22), device.allocate(1 << 22), device.semaphore()
        big.write(b"\x3c" * big.size)
        queue.copy(big, target, signal=[(done, 1)])
        big.close()
        others = [device.allocate(1 << 22) for _ in range(3)]
        done.wait(1, TIMEOUT)
        assert target.read() == b"\x3c" * target.size
        assert len(others) == 3

    @pytest.mark.needs("executes")
    def test_a_bound_dispatch_keeps_closed_memory(self, device: Device, load: Load) -> None:
        source, target = device.allocate(4), device.allocate(4)
        view = target.map()
        bound = load("abs")["abs"].bind((1, 1, 1), [source, target])
        source.write(b"\x00\x00\x80\xbf")
        bound.run()
        assert bytes(view) == b"\x00\x00\x80\x3f"


class TestDeviceEnd:
    """Closing and dropping devices."""

    def test_a_closed_device_refuses_everything(self, fresh: Open) -> None:
        device = fresh()
        buffer, commands = device.allocate(4), device.command_buffer().end()
        device.close()
        device.close()
        uses: list[Callable[[], object]] = [
            partial(device.allocate, 4),
            buffer.read,
            partial(device.queue.execute, commands),
            partial(device.queue.fill, buffer, b"\x01"),
            partial(device.load, b"", "anything"),
        ]
        for use in uses:
            with fails_with(Code.FAILED_PRECONDITION):
                use()

    def test_closing_cancels_what_is_held_back_and_finishes_what_was_submitted(self, fresh: Open) -> None:
        device = fresh()
        never, held, done = device.semaphore(), device.semaphore(), device.semaphore()
        big = device.allocate(1 << 20)
        device.queue.fill(big, b"\x01", wait=[(never, 1)], signal=[(held, 1)])
        for value in range(1, 11):
            device.queue.fill(big, b"\x02", signal=[(done, value)])
        device.close()
        with fails_with(Code.CANCELLED):
            held.query()
        assert done.query() == 10
        never.signal(1)

    def test_a_host_that_waits_is_woken_when_the_device_is_closed(self, fresh: Open) -> None:
        device = fresh()
        never, held = device.semaphore(), device.semaphore()
        device.queue.barrier(wait=[(never, 1)], signal=[(held, 1)])
        outcome: list[Code] = []

        def wait() -> None:
            with pytest.raises(HalError) as caught:
                held.wait(1, TIMEOUT)
            outcome.append(caught.value.status)

        thread = threading.Thread(target=wait)
        thread.start()
        device.close()
        thread.join(TIMEOUT)
        assert outcome == [Code.CANCELLED]

    def test_the_last_reference_frees_everything_without_the_collector(self, fresh: Open) -> None:
        gc.collect()
        gc.disable()
        try:
            device = fresh()
            freed, closed = _watch(device)
            buffers = [device.allocate(64) for _ in range(4)]
            commands = device.command_buffer(slots=1)
            commands.fill(buffers[0], b"\x01")
            commands.barrier()
            commands.copy(buffers[0], Slot(0))
            finish(device, partial(device.queue.execute, commands.end(), [buffers[1]]))
            owner = weakref.ref(device.owner)
            del buffers, commands
            assert len(freed) == 4
            del device
            assert owner() is None
            assert closed == [1]
        finally:
            gc.enable()

    def test_a_child_keeps_its_device_open(self, fresh: Open) -> None:
        device = fresh()
        _, closed = _watch(device)
        buffer: Buffer | None = device.allocate(4)
        del device
        assert buffer is not None
        buffer.write(b"open")
        assert buffer.read() == b"open"
        assert closed == []
        buffer = None
        gc.collect()
        assert closed == [1]

    @pytest.mark.needs("executes")
    def test_a_device_dropped_with_work_pending_finishes_it(self, fresh: Open) -> None:
        device = fresh()
        _, closed = _watch(device)
        big = device.allocate(1 << 20)
        view = big.map()
        for value in range(1, 21):
            device.queue.fill(big, bytes([value]))
        del device, big
        gc.collect()
        assert closed == []  # the view keeps the memory, and with it the device
        del view
        gc.collect()
        assert closed == [1]

    def test_devices_open_and_close_many_times(self, fresh: Open) -> None:
        before = threading.active_count()
        for _ in range(10):
            with fresh() as device:
                finish(device, partial(device.queue.fill, device.allocate(16), b"\x01"))
        assert threading.active_count() <= before + 2

    @pytest.mark.parametrize("callback", [False, True])
    def test_the_interpreter_may_end_with_work_pending(self, fresh: Open, backend: Backend, callback: bool) -> None:
        fresh().close()  # skips where there is no such device
        program = f"""
from targetenv_runtime.device import open_device
device = open_device({backend.uri!r}, **{dict(backend.options)!r})
never, done = device.semaphore(), device.semaphore()
buffer = device.allocate(1 << 20)
view = buffer.map()
device.queue.fill(buffer, b"1", wait=[(never, 1)])
for value in range(1, 51):
    device.queues[value % len(device.queues)].fill(buffer, b"2", wait=[(done, value - 1)], signal=[(done, value)])
if {callback}:
    done.on(50, lambda error: None)
"""
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")

    def test_a_forked_child_may_not_use_the_device(self, fresh: Open, backend: Backend) -> None:
        device = fresh()
        buffer, done = device.allocate(4), device.semaphore()
        device.queue.fill(buffer, b"\x02", signal=[(done, 1)])
        uses: list[Callable[[], object]] = [
            partial(device.queue.fill, buffer, b"\x01"),
            partial(device.queue.host_call, int),
            partial(device.allocate, 4),
            buffer.map,
            buffer.read,
            device.trim,
            partial(device.load, b"", "anything"),
        ]
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                refused = 0
                for use in uses:
                    try:
                        use()
                    except HalError as error:
                        refused += error.status is Code.UNAVAILABLE
                device.close()
                status = 0 if refused == len(uses) else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        done.wait(1, TIMEOUT)
        buffer.write(b"mine")
        assert buffer.read() == b"mine"
        device.close()
        assert backend.driver


def _watch(device: Device) -> tuple[list[object], list[int]]:
    """What the backend is asked to free, and that it is closed, from now on."""
    freed: list[object] = []
    closed: list[int] = []
    backend = device.backend
    free, close = backend.free, backend.close

    def watched_free(handle: object) -> None:
        freed.append(1)
        free(handle)

    def watched_close() -> None:
        closed.append(1)
        close()

    backend.free, backend.close = watched_free, watched_close  # type: ignore[method-assign]
    return freed, closed
