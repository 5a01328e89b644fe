"""Kernels: the Dispatch suites of IREE, through queues, command buffers (direct and by slots), at once and bound."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from itertools import pairwise
from struct import pack, unpack
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import Slot
from targetenv_runtime.status import Code

from targetenv.model.record import replace
from tests.conformance.outcome import TIMEOUT, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv_runtime.buffer import Buffer, Ref
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable, Function
    from targetenv_runtime.queue import Queue

    from tests.conformance.kernels import Image

    Load = Callable[[str], Executable]
    Dispatch = Callable[..., None]


def floats(device: Device, *values: float) -> Buffer:
    """A buffer with these."""
    buffer = device.allocate(4 * len(values))
    buffer.write(pack(f"<{len(values)}f", *values))
    return buffer


def ints(device: Device, *values: int) -> Buffer:
    """A buffer with these."""
    buffer = device.allocate(4 * len(values))
    buffer.write(pack(f"<{len(values)}i", *values))
    return buffer


def read(buffer: Buffer, letter: str) -> tuple[float, ...]:
    """All of a buffer."""
    return unpack(f"<{buffer.size // 4}{letter}", buffer.read())


@pytest.fixture(params=["queue", "direct", "indirect", "run", "bound"])
def dispatch(request: pytest.FixtureRequest, device: Device, queue: Queue) -> Dispatch:
    """Each way of running a kernel to its end."""

    def run(function: Function, grid: Sequence[int], buffers: Sequence[Buffer | Ref], constants: bytes = b"") -> None:
        match request.param:
            case "queue":
                finish(device, partial(queue.dispatch, function, grid, buffers, constants))
            case "run":
                function.run(grid, buffers, constants)
            case "bound":
                function.bind(grid, buffers, constants).run()
            case way:
                slots = way == "indirect"
                commands = device.command_buffer(slots=len(buffers) if slots else 0)
                commands.dispatch(function, grid, [Slot(at) for at in range(len(buffers))] if slots else buffers, constants)
                finish(device, partial(queue.execute, commands.end(), buffers if slots else ()))

    return run


@pytest.mark.needs("executes")
class TestDispatch:
    """DispatchTest, DispatchConstantsTest, DispatchConstantsBindingsTest, DispatchMultiWorkgroupTest."""

    def test_dispatch_abs(self, device: Device, load: Load, dispatch: Dispatch) -> None:
        source, target = floats(device, -1.0, 2.5), floats(device, 0.0, 0.0)
        dispatch(load("abs")["abs"], (2, 1, 1), [source, target])
        assert read(target, "f") == (1.0, 2.5)

    def test_dispatch_abs_on_ranges(self, device: Device, load: Load, dispatch: Dispatch) -> None:
        """As IREE has it: a range bound with an offset."""
        step = max(device.backend.binding_alignment, 4)
        source, target = device.allocate(2 * step + 8), device.allocate(2 * step + 8)
        source.write(b"\xff" * source.size)
        source.write(pack("<2f", -5.5, -0.0), 2 * step)
        target.write(bytes(target.size))
        dispatch(load("abs")["abs"], (2, 1, 1), [source[2 * step : 2 * step + 8], target[step : step + 8]])
        assert unpack("<2f", target.read(step, 8)) == (5.5, 0.0)
        assert target.read(0, step) == bytes(step)
        assert target.read(step + 8) == bytes(step)

    def test_dispatch_with_dispatch_constants(self, device: Device, load: Load, dispatch: Dispatch) -> None:
        target = ints(device, 0, 0, 0, 0)
        dispatch(load("write_constants")["write_constants"], (1, 1, 1), [target], pack("<4i", 11, -22, 33, 44))
        assert read(target, "i") == (11, -22, 33, 44)

    def test_scale_and_offset(self, device: Device, load: Load, dispatch: Dispatch) -> None:
        source, target = ints(device, 1, 2, 3, 4), ints(device, 0, 0, 0, 0)
        dispatch(load("scale_and_offset")["scale_and_offset"], (4, 1, 1), [source, target], pack("<2i", 3, 10))
        assert read(target, "i") == (13, 16, 19, 22)

    @pytest.mark.parametrize("grid", [(32,), (32, 1, 1), (8, 4), (4, 3, 2), (1, 1, 7)], ids=str)
    def test_write_workgroup_ids(self, device: Device, load: Load, dispatch: Dispatch, grid: tuple[int, ...]) -> None:
        x, y, z = (*grid, 1, 1)[:3]
        target = ints(device, *[-1] * (x * y * z))
        dispatch(load("write_workgroup_ids")["write_workgroup_ids"], grid, [target])
        assert read(target, "I") == tuple(i | j << 10 | k << 20 for k in range(z) for j in range(y) for i in range(x))

    def test_large_workgroup_count(self, device: Device, load: Load, dispatch: Dispatch) -> None:
        target = ints(device, *[-1] * 1024)
        dispatch(load("write_workgroup_ids")["write_workgroup_ids"], (1024, 1, 1), [target])
        assert read(target, "I") == tuple((i & 0x3FF) | i for i in range(1024))

    @pytest.mark.parametrize("grid", [(0, 0, 0), (0, 1, 1), (4, 0, 1), (4, 1, 0), (0,)], ids=str)
    def test_noop_dispatch_signals_and_does_not_touch_buffers(
        self, device: Device, load: Load, dispatch: Dispatch, grid: tuple[int, ...]
    ) -> None:
        target = ints(device, 7, 7, 7, 7)
        dispatch(load("write_workgroup_ids")["write_workgroup_ids"], grid, [target])
        assert read(target, "i") == (7, 7, 7, 7)

    def test_write_dispatch_params(self, device: Device, load: Load, dispatch: Dispatch) -> None:
        target = ints(device, 0, 0, 0)
        dispatch(load("write_dispatch_params")["write_dispatch_params"], (1,), [target])
        assert read(target, "i") == (4, 1, 1)


@pytest.mark.needs("executes")
class TestDispatchMultiEntrypoint:
    """DispatchMultiEntrypointTest."""

    def test_negate_and_double(self, device: Device, queue: Queue, load: Load) -> None:
        executable = load("negate_and_double")
        source, middle, target = floats(device, 1.0, -2.0), floats(device, 0.0, 0.0), floats(device, 0.0, 0.0)
        commands = device.command_buffer()
        commands.dispatch(executable["negate"], (2,), [source, middle])
        commands.barrier()
        commands.dispatch(executable["double_it"], (2,), [middle, target])
        finish(device, partial(queue.execute, commands.end()))
        assert read(middle, "f") == (-1.0, 2.0)
        assert read(target, "f") == (-2.0, 4.0)


@pytest.mark.needs("executes")
class TestQueueDispatch:
    """QueueDispatchTest."""

    def test_deferred_noop_dispatch(self, device: Device, queue: Queue, load: Load) -> None:
        ready, done, target = device.semaphore(), device.semaphore(), ints(device, 7)
        function = load("write_workgroup_ids")["write_workgroup_ids"]
        queue.dispatch(function, (0, 1, 1), [target], wait=[(ready, 1)], signal=[(done, 1)])
        with fails_with(Code.DEADLINE_EXCEEDED):
            done.wait(1, 0)
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert read(target, "i") == (7,)

    def test_deferred_wait_before_signal_dispatch(self, device: Device, queue: Queue, other: Queue, load: Load) -> None:
        ready, done = device.semaphore(), device.semaphore()
        source, target = ints(device, 0), ints(device, 0)
        function = load("scale_and_offset")["scale_and_offset"]
        other.dispatch(function, (1,), [source, target], pack("<2i", 2, 1), wait=[(ready, 1)], signal=[(done, 1)])
        queue.update(source, pack("<i", 20), signal=[(ready, 1)])
        done.wait(1, TIMEOUT)
        assert read(target, "i") == (41,)


@pytest.mark.needs("executes")
class TestDispatchPipeline:
    """DispatchPipelineTest."""

    def test_update_then_dispatch(self, device: Device, queue: Queue, load: Load) -> None:
        source, target = ints(device, 0, 0), ints(device, 0, 0)
        commands = device.command_buffer()
        commands.update(source, pack("<2i", 5, 6))
        commands.barrier()
        commands.dispatch(load("scale_and_offset")["scale_and_offset"], (2,), [source, target], pack("<2i", 10, 1))
        finish(device, partial(queue.execute, commands.end()))
        assert read(target, "i") == (51, 61)

    def test_chained_dispatches(self, device: Device, queue: Queue, load: Load) -> None:
        function = load("scale_and_offset")["scale_and_offset"]
        buffers = [ints(device, 1, 2)] + [ints(device, 0, 0) for _ in range(10)]
        commands = device.command_buffer()
        for source, target in pairwise(buffers):
            commands.dispatch(function, (2,), [source, target], pack("<2i", 2, 1))
            commands.barrier()
        finish(device, partial(queue.execute, commands.end()))
        assert [read(buffer, "i") for buffer in buffers] == [(2 ** (n + 1) - 1, 3 * 2**n - 1) for n in range(11)]

    def test_fill_dispatch_dispatch_pipeline(self, device: Device, queue: Queue, load: Load) -> None:
        function = load("scale_and_offset")["scale_and_offset"]
        source, one, two = (ints(device, 0, 0) for _ in range(3))
        commands = device.command_buffer()
        fill = commands.fill(source, b"\x05\x00\x00\x00")
        commands.dispatch(function, (2,), [source, one], pack("<2i", 1, 1), after=[fill])
        commands.dispatch(function, (2,), [source, two], pack("<2i", 2, 0), after=[fill])
        finish(device, partial(queue.execute, commands.end()))
        assert (read(one, "i"), read(two, "i")) == ((6, 6), (10, 10))

    def test_transient_input_pipeline(self, device: Device, queue: Queue, load: Load) -> None:
        timeline, target = device.semaphore(), ints(device, 0, 0)
        source = queue.alloca(8, signal=[(timeline, 1)])
        queue.update(source, pack("<2i", 3, 4), wait=[(timeline, 1)], signal=[(timeline, 2)])
        queue.dispatch(
            load("scale_and_offset")["scale_and_offset"],
            (2,),
            [source, target],
            pack("<2i", 1, 100),
            wait=[(timeline, 2)],
            signal=[(timeline, 3)],
        )
        queue.dealloca(source, wait=[(timeline, 3)], signal=[(timeline, 4)])
        timeline.wait(4, TIMEOUT)
        assert read(target, "i") == (103, 104)

    def test_reusable_pipeline_with_different_inputs(self, device: Device, queue: Queue, load: Load) -> None:
        source, middle, target = (ints(device, 0) for _ in range(3))
        function = load("scale_and_offset")["scale_and_offset"]
        commands = device.command_buffer()
        commands.dispatch(function, (1,), [source, middle], pack("<2i", 2, 0))
        commands.barrier()
        commands.dispatch(function, (1,), [middle, target], pack("<2i", 1, 1))
        commands.end()
        for value in (1, 10, 100):
            finish(device, partial(queue.update, source, pack("<i", value)), partial(queue.execute, commands))
            assert read(target, "i") == (2 * value + 1,)


@pytest.mark.needs("executes")
class TestDispatchReuse:
    """DispatchReuseTest."""

    def test_resubmit_with_different_bindings(self, device: Device, queue: Queue, load: Load) -> None:
        commands = device.command_buffer(slots=1)
        commands.dispatch(load("write_workgroup_ids")["write_workgroup_ids"], (64,), [Slot(0)])
        commands.end()
        for _ in range(3):
            target = ints(device, *[-1] * 64)
            finish(device, partial(queue.execute, commands, [target]))
            assert read(target, "I") == tuple(range(64))

    def test_mixed_direct_and_indirect_bindings(self, device: Device, queue: Queue, load: Load) -> None:
        source, target = floats(device, -3.0), floats(device, 0.0)
        commands = device.command_buffer(slots=1)
        commands.dispatch(load("abs")["abs"], (1,), [source, Slot(0)])
        finish(device, partial(queue.execute, commands.end(), [target]))
        assert read(target, "f") == (3.0,)

    def test_deferred_execute_retains_dispatch_binding_table(self, device: Device, queue: Queue, load: Load) -> None:
        ready, done, target = device.semaphore(), device.semaphore(), floats(device, 0.0)
        commands = device.command_buffer(slots=2)
        commands.dispatch(load("abs")["abs"], (1,), [Slot(0), Slot(1)])
        queue.execute(commands.end(), [floats(device, -9.0), target], wait=[(ready, 1)], signal=[(done, 1)])
        del commands
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert read(target, "f") == (9.0,)

    def test_alloca_execute_dealloca_cycle(self, device: Device, queue: Queue, load: Load) -> None:
        commands = device.command_buffer(slots=2)
        commands.dispatch(load("write_workgroup_ids")["write_workgroup_ids"], (4,), [Slot(0, 0, 16)])
        commands.barrier()
        commands.copy(Slot(0, 0, 16), Slot(1))
        commands.end()
        timeline = device.semaphore()
        for cycle in range(3):
            at, target = 4 * cycle, ints(device, 0, 0, 0, 0)
            transient = queue.alloca(16, signal=[(timeline, at + 1)])
            queue.execute(commands, [transient, target], wait=[(timeline, at + 1)], signal=[(timeline, at + 2)])
            queue.dealloca(transient, wait=[(timeline, at + 2)], signal=[(timeline, at + 4)])
            timeline.wait(at + 4, TIMEOUT)
            assert read(target, "i") == (0, 1, 2, 3)

    def test_pipelined_alloca_execute_dealloca(self, device: Device, load: Load) -> None:
        function = load("write_workgroup_ids")["write_workgroup_ids"]
        chains = []
        for index in range(2):
            queue, timeline, target = device.queues[index % len(device.queues)], device.semaphore(), ints(device, 0, 0)
            transient = queue.alloca(8, signal=[(timeline, 1)])
            queue.dispatch(function, (2,), [transient], wait=[(timeline, 1)], signal=[(timeline, 2)])
            queue.copy(transient, target, wait=[(timeline, 2)], signal=[(timeline, 3)])
            queue.dealloca(transient, wait=[(timeline, 3)], signal=[(timeline, 4)])
            chains.append((timeline, target))
        for timeline, target in chains:
            timeline.wait(4, TIMEOUT)
            assert read(target, "i") == (0, 1)

    def test_multi_dispatch_multi_resubmit(self, device: Device, queue: Queue, load: Load) -> None:
        """MultipleDispatchesInSingleCommandBuffer and MultiDispatchMultiResubmit."""
        step = max(device.backend.binding_alignment, 16)
        commands = device.command_buffer(slots=1)
        for index in range(4):
            commands.dispatch(load("write_workgroup_ids")["write_workgroup_ids"], (4,), [Slot(0, index * step, 16)])
        commands.end()
        for _ in range(5):
            target = device.allocate(4 * step)
            finish(device, partial(queue.execute, commands, [target]))
            assert [target.read(index * step, 16) for index in range(4)] == [pack("<4I", 0, 1, 2, 3)] * 4

    def test_a_thousand_dispatches_with_barriers_count_to_a_thousand(self, device: Device, queue: Queue, load: Load) -> None:
        function = load("scale_and_offset")["scale_and_offset"]
        one, two = ints(device, 0), ints(device, 0)
        commands = device.command_buffer()
        for _ in range(500):
            commands.dispatch(function, (1,), [one, two], pack("<2i", 1, 1))
            commands.barrier()
            commands.dispatch(function, (1,), [two, one], pack("<2i", 1, 1))
            commands.barrier()
        finish(device, partial(queue.execute, commands.end()))
        assert read(one, "i") == (1000,)

    def test_a_bound_dispatch_sees_new_contents_each_time(self, device: Device, load: Load) -> None:
        source, target = ints(device, 0), ints(device, 0)
        bound = load("scale_and_offset")["scale_and_offset"].bind((1,), [source, target], pack("<2i", 3, 1))
        for value in range(5):
            source.write(pack("<i", value))
            bound.run()
            assert read(target, "i") == (3 * value + 1,)


class TestDispatchArguments:
    """BdaDispatchValidationTest, for every driver: what is wrong is said at the call, by queues, recordings, run and bind."""

    @pytest.fixture(params=["queue", "commands", "run", "bind"])
    def call(self, request: pytest.FixtureRequest, device: Device, queue: Queue) -> Dispatch:
        def make(function: Function, *arguments: object) -> None:
            commands = device.command_buffer(slots=1)
            ways = {
                "queue": partial(queue.dispatch, function),
                "commands": partial(commands.dispatch, function),
                "run": function.run,
                "bind": function.bind,
            }
            ways[request.param](*arguments)  # type: ignore[operator]

        return make

    def test_rejects_binding_count_mismatch(self, device: Device, load: Load, call: Dispatch) -> None:
        buffer = device.allocate(4)
        for bindings in ([], [buffer], [buffer] * 3):
            with fails_with(Code.INVALID_ARGUMENT):
                call(load("abs")["abs"], (1, 1, 1), bindings)

    def test_rejects_constant_size_mismatch(self, device: Device, load: Load, call: Dispatch) -> None:
        buffer = device.allocate(16)
        for constants in (b"", bytes(4), bytes(12)):
            with fails_with(Code.INVALID_ARGUMENT):
                call(load("scale_and_offset")["scale_and_offset"], (1, 1, 1), [buffer, buffer], constants)

    def test_rejects_empty_binding_range(self, device: Device, load: Load, call: Dispatch) -> None:
        buffer = device.allocate(16)
        with fails_with(Code.INVALID_ARGUMENT):
            call(load("abs")["abs"], (1, 1, 1), [buffer[4:4], buffer])

    def test_rejects_bindings_below_the_minimum_length(
        self, device: Device, queue: Queue, image: Callable[[str], Image], image_format: str, call: Dispatch
    ) -> None:
        """QueueDispatchRejectsMinimumBindingLength and CommandBufferExecuteRejectsMinimumBindingLength."""
        data, (kernel,) = image("abs")
        function = device.load(data, image_format, [replace(kernel, least=(8, 4))])["abs"]
        buffer, commands = device.allocate(512), device.command_buffer(slots=1)
        call(function, (1, 1, 1), [buffer[0:8], buffer[256:260]])
        with fails_with(Code.OUT_OF_RANGE):
            call(function, (1, 1, 1), [buffer[0:4], buffer[256:260]])
        commands.dispatch(function, (1,), [Slot(0), buffer[256:260]])
        commands.end()
        with fails_with(Code.OUT_OF_RANGE):
            queue.execute(commands, [buffer[0:4]])

    def test_rejects_misaligned_bindings(self, device: Device, load: Load, call: Dispatch) -> None:
        buffer = device.allocate(1024)
        with fails_with(Code.INVALID_ARGUMENT) if device.backend.binding_alignment > 1 else nullcontext():
            call(load("abs")["abs"], (1, 1, 1), [buffer[1:9], buffer])

    @pytest.mark.parametrize("grid", [(), (1, 1, 1, 1)], ids=str)
    def test_rejects_grids_of_other_dimensions(self, device: Device, load: Load, call: Dispatch, grid: object) -> None:
        buffer = device.allocate(16)
        with fails_with(Code.INVALID_ARGUMENT):
            call(load("abs")["abs"], grid, [buffer, buffer])

    @pytest.mark.parametrize("grid", [(-1, 1, 1), (1, 2**32, 1)], ids=str)
    def test_rejects_impossible_grids(self, device: Device, load: Load, call: Dispatch, grid: object) -> None:
        buffer = device.allocate(16)
        with fails_with(Code.OUT_OF_RANGE):
            call(load("abs")["abs"], grid, [buffer, buffer])

    def test_rejects_ranges_outside_of_the_buffer(self, device: Device, load: Load, call: Dispatch) -> None:
        from targetenv_runtime.buffer import BufferRef

        buffer = device.allocate(16)
        for offset, length in ((0, 17), (32, 4), (-16, 4)):
            with fails_with(Code.OUT_OF_RANGE):
                call(load("abs")["abs"], (1, 1, 1), [BufferRef(buffer, offset, length), buffer])

    def test_rejects_closed_buffers(self, device: Device, load: Load) -> None:
        buffer, closed = device.allocate(16), device.allocate(16)
        closed.close()
        for way in (load("abs")["abs"].run, load("abs")["abs"].bind):
            with fails_with(Code.FAILED_PRECONDITION):
                way((1, 1, 1), [buffer, closed])

    @pytest.mark.needs("executes")
    def test_rejects_slots_at_once(self, device: Device, load: Load) -> None:
        buffer = device.allocate(16)
        for way in (load("abs")["abs"].run, load("abs")["abs"].bind):
            with fails_with(Code.INVALID_ARGUMENT):
                way((1, 1, 1), [buffer, Slot(0)])

    def test_a_table_range_is_checked_when_it_is_bound(self, device: Device, queue: Queue, load: Load) -> None:
        """CommandBufferExecuteRejectsEmptyBindingRange and ...MinimumBindingAlignment."""
        buffer = device.allocate(1024)
        commands = device.command_buffer(slots=2)
        commands.dispatch(load("abs")["abs"], (1,), [Slot(0), Slot(1)])
        commands.end()
        with fails_with(Code.OUT_OF_RANGE):
            queue.execute(commands, [buffer[0:0], buffer])
        if device.backend.binding_alignment > 1:
            with fails_with(Code.INVALID_ARGUMENT):
                queue.execute(commands, [buffer, buffer[1:1024]])
