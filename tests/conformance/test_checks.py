"""Rules 12, 13 and 15: fresh memory, memory in use, and commands without an order; and the order that is made automatically."""

from __future__ import annotations

import random
import threading
from functools import partial
from struct import pack, unpack
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import Slot
from targetenv_runtime.drivers.host.image import PythonImage
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel
from targetenv.model.record import replace
from tests.conformance.outcome import TIMEOUT, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Function
    from targetenv_runtime.queue import Queue

    from tests.conformance.kernels import Image

    Open = Callable[[], Device]


def unordered(record: Callable[[], object], *named: str) -> None:
    """The call is refused for want of an order, and the message has these names in it."""
    with pytest.raises(HalError) as caught:
        record()
    assert caught.value.status is Code.FAILED_PRECONDITION
    assert all(name in caught.value.message for name in named), caught.value.message


@pytest.mark.needs("checks")
class TestFreshMemory:
    """Rule 12: it is filled with 0xCD."""

    @pytest.mark.parametrize("memory", ["device", "host", "shared"])
    def test_allocated(self, device: Device, memory: str) -> None:
        assert device.allocate(100, memory).read() == b"\xcd" * 100  # type: ignore[arg-type]
        assert device.allocate(0, memory).read() == b""  # type: ignore[arg-type]

    def test_allocated_in_queue_order_and_used_before(self, device: Device, queue: Queue) -> None:
        timeline = device.semaphore()
        for round_ in range(3):
            at = 2 * round_
            buffer = queue.alloca(64, "shared", wait=[(timeline, at)], signal=[(timeline, at + 1)])
            timeline.wait(at + 1, TIMEOUT)
            assert buffer.read() == b"\xcd" * 64
            buffer.write(bytes(64))
            queue.dealloca(buffer, signal=[(timeline, at + 2)])
            timeline.wait(at + 2, TIMEOUT)


@pytest.mark.needs("checks")
class TestMemoryInUse:
    """Rule 13: the host is kept from what submitted work is not done with."""

    @pytest.fixture
    def hold(self, device: Device) -> Iterator[Function]:
        """A kernel that is at its first binding, which it writes, and its second, which it reads, until the test is over."""
        enough = threading.Event()
        image = PythonImage.of(hold=lambda *_: enough.wait(TIMEOUT))
        kernel = Kernel("hold", (1, 1, 1), 2, 0, access=("write", "read"))
        yield device.load(image, "python", [kernel])["hold"]
        enough.set()

    def test_mapping_a_buffer_with_a_pending_writer_is_refused(self, device: Device, queue: Queue, hold: Function) -> None:
        written, read = device.allocate(16), device.allocate(16)
        queue.dispatch(hold, (1,), [written, read])
        for look in (written.map, written.read, written.numpy, written[4:8].map, partial(written.write, b"x")):
            unordered(look, "a dispatch of `hold`")

    def test_reading_beside_a_pending_reader_is_fine_and_writing_is_not(
        self, device: Device, queue: Queue, hold: Function
    ) -> None:
        written, read = device.allocate(16), device.allocate(16)
        queue.dispatch(hold, (1,), [written, read])
        assert read.read(0, 1) == b"\xcd"
        assert len(read.map()) == 16
        unordered(partial(read.write, b"x"), "a dispatch of `hold`")

    def test_what_is_done_is_not_in_the_way(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(4)
        finish(device, partial(queue.fill, buffer, b"\x01"))
        assert bytes(buffer.map()) == b"\x01" * 4

    def test_work_that_the_host_holds_back_is_not_in_the_way(self, device: Device, queue: Queue) -> None:
        buffer, ready, done = device.allocate(4), device.semaphore(), device.semaphore()
        queue.fill(buffer, b"\x01", wait=[(ready, 1)], signal=[(done, 1)])
        buffer.write(b"mine")
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert buffer.read() == b"\x01" * 4

    def test_work_that_failed_is_over(self, device: Device, queue: Queue) -> None:
        buffer, ready, done = device.allocate(4), device.semaphore(), device.semaphore()
        queue.fill(buffer, b"\x01", wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        buffer.write(b"mine")


@pytest.mark.needs("checks")
class TestHazards:
    """Rule 15: commands that touch the same bytes, one of them writing, without a path between them."""

    def test_write_after_write_names_both_commands(self, device: Device) -> None:
        buffer, commands = device.allocate(32), device.command_buffer()
        commands.fill(buffer[0:16], b"\x01")
        unordered(lambda: commands.update(buffer[12:20], bytes(8)), "command 0 (a fill of 16 bytes)", "command 1 (an update")
        assert len(commands) == 1
        commands.update(buffer[16:24], bytes(8))
        commands.barrier()
        commands.update(buffer[12:20], bytes(8))

    def test_write_after_read_and_read_after_write(self, device: Device) -> None:
        a, b, commands = device.allocate(16), device.allocate(16), device.command_buffer()
        copied = commands.copy(a, b)
        unordered(lambda: commands.fill(a, b"\x01"), "command 0 (a copy")
        unordered(lambda: commands.copy(b, a), "command 0 (a copy")
        commands.fill(a, b"\x01", after=[copied])

    def test_reads_need_no_order(self, device: Device) -> None:
        source, targets, commands = device.allocate(16), [device.allocate(16) for _ in range(3)], device.command_buffer()
        for target in targets:
            commands.copy(source, target)
        assert commands.stats()["width"] == 3

    def test_a_path_through_others_is_enough_and_a_shared_level_is_not(self, device: Device) -> None:
        a, b, commands = device.allocate(16), device.allocate(16), device.command_buffer()
        first = commands.fill(a, b"\x01")
        other = commands.fill(b, b"\x02")
        between = commands.copy(a, b, after=[first, other])
        last = commands.fill(a, b"\x03", after=[between])
        commands.fill(a, b"\x04", after=[last])
        stranger = commands.fill(device.allocate(4), b"\x05", after=[other])
        unordered(lambda: commands.fill(b, b"\x06", after=[stranger]), "command 2 (a copy")

    def test_commands_that_do_nothing_conflict_with_nothing(self, device: Device) -> None:
        buffer, commands = device.allocate(16), device.command_buffer()
        commands.fill(buffer, b"\x01")
        commands.fill(buffer[4:4], b"\x02")

    def test_slots_that_are_the_same_memory_are_found_at_execution(self, device: Device, queue: Queue) -> None:
        buffer, other, commands = device.allocate(32), device.allocate(16), device.command_buffer(slots=2)
        commands.fill(Slot(0, 0, 16), b"\x01")
        commands.fill(Slot(1, 0, 16), b"\x02")
        commands.end()
        finish(device, partial(queue.execute, commands, [buffer[0:16], buffer[16:32]]))
        finish(device, partial(queue.execute, commands, [buffer, other]))
        unordered(lambda: queue.execute(commands, [buffer[0:16], buffer[8:24]]), "command 0", "command 1")

    def test_a_thousand_commands_of_one_level_are_checked_quickly(self, device: Device) -> None:
        buffer, commands = device.allocate(4000), device.command_buffer()
        for at in random.Random(0).sample(range(0, 4000, 4), 1000):
            commands.fill(buffer[at : at + 4], b"\x01")
        unordered(lambda: commands.fill(buffer[100:104], b"\x02"), "command 1000")

    def test_kernels_conflict_by_what_they_do_with_their_bindings(
        self, device: Device, image: Callable[[str], Image], image_format: str
    ) -> None:
        data, (kernel,) = image("scale_and_offset")
        declared = device.load(data, image_format, [replace(kernel, access=("read", "write"))])["scale_and_offset"]
        unknown = device.load(data, image_format, [kernel])["scale_and_offset"]
        a, b, c = (device.allocate(16) for _ in range(3))
        commands = device.command_buffer()
        commands.dispatch(declared, (4,), [a, b], bytes(8))
        commands.dispatch(declared, (4,), [a, c], bytes(8))
        unordered(lambda: commands.dispatch(declared, (4,), [b, c], bytes(8)), "a dispatch of `scale_and_offset`")
        commands.barrier()
        commands.dispatch(unknown, (4,), [a, b], bytes(8))
        commands.dispatch(unknown, (4,), [a, b], bytes(8))  # both may only read
        unordered(lambda: commands.fill(b, b"\x01"), "a fill", "a dispatch of `scale_and_offset`")

    def test_the_grid_is_read(self, device: Device, image: Callable[[str], Image], image_format: str) -> None:
        data, kernels = image("write_workgroup_ids")
        function = device.load(data, image_format, kernels)["write_workgroup_ids"]
        grid, target, commands = device.allocate(12), device.allocate(16), device.command_buffer()
        commands.fill(grid, b"\x01\x00\x00\x00")
        unordered(lambda: commands.dispatch(function, grid, [target]), "a dispatch", "a fill")


@pytest.mark.needs("executes")
class TestAutomaticBarriers:
    """`auto_barriers=True`: the order in which commands are recorded is what they compute in, and no more is ordered."""

    def test_a_chain_is_ordered_and_strangers_are_not(self, device: Device, queue: Queue) -> None:
        a, b, c = (device.allocate(4) for _ in range(3))
        commands = device.command_buffer(auto_barriers=True)
        commands.update(a, b"seed")
        commands.copy(a, b)
        commands.fill(c, b"\x07")
        commands.update(a, b"next")
        finish(device, partial(queue.execute, commands.end()))
        assert (a.read(), b.read(), c.read()) == (b"next", b"seed", b"\x07" * 4)
        assert commands.stats() == {"commands": 4, "edges": 2, "depth": 3, "width": 2}

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("slots", [False, True])
    def test_random_commands_compute_what_they_compute_one_by_one(
        self, device: Device, queue: Queue, seed: int, slots: bool
    ) -> None:
        pick = random.Random(seed)
        buffers = [device.allocate(64) for _ in range(4)]
        expected = [bytearray(64) for _ in buffers]
        for buffer in buffers:
            buffer.write(bytes(64))
        commands = device.command_buffer(auto_barriers=True, slots=len(buffers) if slots else 0)
        for _ in range(120):
            one, two = pick.sample(range(4), 2)
            at, to, length = pick.randrange(48), pick.randrange(48), pick.randrange(17)
            target = Slot(one, at, length) if slots else buffers[one][at : at + length]
            if pick.random() < 0.5:
                byte = pick.randbytes(1)
                commands.fill(target, byte)
                expected[one][at : at + length] = byte * length
            else:
                commands.copy(Slot(two, to, length) if slots else buffers[two][to : to + length], target)
                expected[one][at : at + length] = expected[two][to : to + length]
        finish(device, partial(queue.execute, commands.end(), buffers if slots else []))
        assert [buffer.read() for buffer in buffers] == [bytes(each) for each in expected]
        assert commands.stats()["depth"] < 120

    def test_kernels_are_ordered(self, device: Device, queue: Queue, image: Callable[[str], Image], image_format: str) -> None:
        data, (kernel,) = image("scale_and_offset")
        for described in (kernel, replace(kernel, access=("read", "write"))):
            function = device.load(data, image_format, [described])["scale_and_offset"]
            one, two = device.allocate(4), device.allocate(4)
            one.write(bytes(4))
            commands = device.command_buffer(auto_barriers=True)
            for _ in range(20):
                commands.dispatch(function, (1,), [one, two], pack("<2i", 1, 1))
                commands.dispatch(function, (1,), [two, one], pack("<2i", 1, 1))
            finish(device, partial(queue.execute, commands.end()))
            assert unpack("<i", one.read()) == (40,)

    def test_known_accesses_leave_readers_side_by_side(
        self, device: Device, image: Callable[[str], Image], image_format: str
    ) -> None:
        data, (kernel,) = image("scale_and_offset")
        depth: dict[bool, int] = {}
        for known in (False, True):
            described = replace(kernel, access=("read", "write")) if known else kernel
            function: Function = device.load(data, image_format, [described])["scale_and_offset"]
            source, commands = device.allocate(16), device.command_buffer(auto_barriers=True)
            for _ in range(5):
                commands.dispatch(function, (1,), [source, device.allocate(16)], bytes(8))
            depth[known] = commands.stats()["depth"]
        assert depth == {False: 5, True: 1}

    def test_slots_that_turn_out_to_be_the_same_memory_are_refused(self, device: Device, queue: Queue) -> None:
        commands: CommandBuffer = device.command_buffer(auto_barriers=True, slots=2)
        commands.fill(Slot(0, 0, 16), b"\x01")
        commands.copy(Slot(1, 0, 8), Slot(1, 8, 8))
        commands.end()
        buffer, other = device.allocate(16), device.allocate(16)
        finish(device, partial(queue.execute, commands, [buffer, other]))
        unordered(lambda: queue.execute(commands, [buffer, buffer]), "command 0", "command 1")
