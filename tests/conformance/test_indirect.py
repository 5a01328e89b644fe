"""Grids in memory: DispatchIndirectParametersTest and QueueDispatchIndirectParametersTest of IREE's suite."""

from __future__ import annotations

from functools import partial
from struct import pack, unpack
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import Slot
from targetenv_runtime.status import Code, HalError

from tests.conformance.outcome import TIMEOUT, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.buffer import Buffer, Ref
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable, Function
    from targetenv_runtime.queue import Queue

    Load = Callable[[str], Executable]

UNTOUCHED = 0xCDCDCDCD
RAN = (0, 1, 2, 3, *[UNTOUCHED] * 28)
FOUR = pack("<3I", 4, 1, 1)


@pytest.fixture
def ids(load: Load) -> Function:
    """Each of its workgroups writes its own id."""
    return load("write_workgroup_ids")["write_workgroup_ids"]


@pytest.fixture
def target(device: Device) -> Buffer:
    """Room for 32 workgroups."""
    buffer = device.allocate(128)
    buffer.write(pack("<I", UNTOUCHED) * 32)
    return buffer


@pytest.fixture(params=["device", "shared"])
def grid(request: pytest.FixtureRequest, device: Device) -> Buffer:
    """Room for a grid."""
    buffer = device.allocate(12, request.param)
    buffer.write(pack("<3I", 32, 1, 1))
    return buffer


def words(buffer: Buffer) -> tuple[int, ...]:
    """All of a buffer."""
    return unpack(f"<{buffer.size // 4}I", buffer.read())


@pytest.mark.needs("executes")
class TestDispatchIndirectParameters:
    """DispatchIndirectParametersTest: in command buffers."""

    def test_static_parameters_from_queue_update(
        self, device: Device, queue: Queue, ids: Function, grid: Buffer, target: Buffer, indirect: bool
    ) -> None:
        """And WholeBufferParameterRef."""
        commands = device.command_buffer(slots=2 if indirect else 0)
        refs: list[Ref] = [Slot(0), Slot(1)] if indirect else [grid.ref, target.ref]
        commands.dispatch(ids, refs[0], [refs[1]])
        commands.end()
        finish(device, partial(queue.update, grid, FOUR), partial(queue.execute, commands, [grid, target] if indirect else []))
        assert words(target) == RAN

    def test_dynamic_parameters_from_update(
        self, device: Device, queue: Queue, ids: Function, grid: Buffer, target: Buffer
    ) -> None:
        commands = device.command_buffer()
        commands.update(grid, FOUR)
        commands.barrier()
        commands.dispatch(ids, grid, [target])
        finish(device, partial(queue.execute, commands.end()))
        assert words(target) == RAN

    def test_dynamic_parameters_from_fill(
        self, device: Device, queue: Queue, ids: Function, grid: Buffer, target: Buffer
    ) -> None:
        commands = device.command_buffer()
        four = commands.fill(grid[0:4], pack("<I", 4))
        one = commands.fill(grid[4:12], pack("<I", 1))
        commands.dispatch(ids, grid, [target], after=[four, one])
        finish(device, partial(queue.execute, commands.end()))
        assert words(target) == RAN

    def test_dynamic_parameters_from_dispatch(
        self, device: Device, queue: Queue, load: Load, ids: Function, grid: Buffer, target: Buffer
    ) -> None:
        commands = device.command_buffer()
        commands.dispatch(load("write_dispatch_params")["write_dispatch_params"], (1,), [grid])
        commands.barrier()
        commands.dispatch(ids, grid, [target])
        finish(device, partial(queue.execute, commands.end()))
        assert words(target) == RAN

    def test_sub_allocated_parameter_buffer(self, device: Device, queue: Queue, ids: Function, target: Buffer) -> None:
        grids = device.allocate(1024)
        grids.write(pack("<3I", 32, 1, 1) * 85)
        commands = device.command_buffer(slots=1)
        commands.update(Slot(0, 24, 12), FOUR)
        commands.barrier()
        commands.dispatch(ids, Slot(0, 24), [target])
        finish(device, partial(queue.execute, commands.end(), [grids[256:512]]))
        assert words(target) == RAN

    def test_several_grids_in_several_levels_again_and_again(
        self, device: Device, queue: Queue, load: Load, ids: Function
    ) -> None:
        """A chain of stages where the host has to read them: every one sees what the one before has written."""
        grids, targets = [device.allocate(12, "device") for _ in range(3)], [device.allocate(128) for _ in range(3)]
        commands = device.command_buffer()
        commands.update(grids[0], FOUR)
        commands.barrier()
        commands.dispatch(ids, grids[0], [targets[0]])
        commands.dispatch(load("write_dispatch_params")["write_dispatch_params"], (1,), [grids[1]])
        commands.barrier()
        commands.dispatch(ids, grids[1], [targets[1]])
        commands.copy(grids[1], grids[2])
        commands.barrier()
        commands.fill(grids[0], b"\x00")
        commands.dispatch(ids, grids[2], [targets[2]])
        commands.end()
        for _ in range(3):
            for buffer in targets:
                buffer.write(pack("<I", UNTOUCHED) * 32)
            finish(device, partial(queue.execute, commands))
            assert [words(buffer) for buffer in targets] == [RAN] * 3

    def test_a_zero_in_memory_is_a_noop(
        self, device: Device, queue: Queue, ids: Function, grid: Buffer, target: Buffer
    ) -> None:
        commands = device.command_buffer()
        commands.dispatch(ids, grid, [target])
        commands.end()
        for dimensions in ((0, 1, 1), (1, 0, 1), (1, 1, 0), (0, 0, 0)):
            grid.write(pack("<3I", *dimensions))
            finish(device, partial(queue.execute, commands))
        assert words(target) == (UNTOUCHED,) * 32


@pytest.mark.needs("executes")
class TestQueueDispatchIndirectParameters:
    """QueueDispatchIndirectParametersTest: straight into queues, and at once."""

    def test_static_parameters(self, device: Device, queue: Queue, ids: Function, grid: Buffer, target: Buffer) -> None:
        """And WholeBufferParameterRef."""
        grid.write(FOUR)
        finish(device, partial(queue.dispatch, ids, grid, [target]))
        assert words(target) == RAN

    def test_dynamic_parameters(
        self, device: Device, queue: Queue, other: Queue, ids: Function, grid: Buffer, target: Buffer
    ) -> None:
        ready, written, done = device.semaphore(), device.semaphore(), device.semaphore()
        other.dispatch(ids, grid[0:12], [target], wait=[(written, 1)], signal=[(done, 1)])
        queue.update(grid, FOUR, wait=[(ready, 1)], signal=[(written, 1)])
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert words(target) == RAN

    def test_at_once(self, ids: Function, grid: Buffer, target: Buffer) -> None:
        grid.write(FOUR)
        ids.run(grid, [target])
        assert words(target) == RAN

    def test_a_failed_wait_runs_nothing(
        self, device: Device, queue: Queue, ids: Function, grid: Buffer, target: Buffer
    ) -> None:
        ready, done = device.semaphore(), device.semaphore()
        queue.dispatch(ids, grid, [target], wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        assert words(target) == (UNTOUCHED,) * 32


class TestGridArguments:
    """What is refused at the call."""

    def test_a_range_that_is_too_short(self, device: Device, queue: Queue, ids: Function) -> None:
        buffer = device.allocate(64)
        for grid in (device.allocate(11), buffer[8:16], buffer[60:64]):
            with fails_with(Code.OUT_OF_RANGE):
                queue.dispatch(ids, grid, [buffer])

    def test_a_range_that_is_not_aligned(self, device: Device, queue: Queue, ids: Function) -> None:
        buffer = device.allocate(64)
        with fails_with(Code.INVALID_ARGUMENT):
            queue.dispatch(ids, buffer[2:16], [buffer])
        commands = device.command_buffer(slots=1)
        commands.dispatch(ids, Slot(0), [buffer])
        with fails_with(Code.INVALID_ARGUMENT):
            queue.execute(commands.end(), [buffer[2:16]])
        with fails_with(Code.OUT_OF_RANGE):
            queue.execute(commands, [buffer[4:12]])

    def test_a_slot_outside_of_command_buffers(self, device: Device, queue: Queue, ids: Function) -> None:
        buffer = device.allocate(64)
        for use in (partial(queue.dispatch, ids), ids.run, ids.bind):
            with fails_with(Code.INVALID_ARGUMENT):
                use(Slot(0), [buffer])  # type: ignore[arg-type]

    def test_memory_of_another_device(self, device: Device, queue: Queue, ids: Function) -> None:
        from targetenv_runtime.device import open_device

        with open_device("null://0") as stranger, fails_with(Code.INVALID_ARGUMENT):
            queue.dispatch(ids, stranger.allocate(12), [device.allocate(4)])
