"""Command buffers without kernels: the Basic, Copy, Fill, Update and Stress suites of IREE, and graphs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import Slot
from targetenv_runtime.status import Code

from tests.conformance.outcome import TIMEOUT, deterministic, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.buffer import Buffer, Ref
    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.queue import Queue

    Record = Callable[[CommandBuffer, list[Ref]], object]


def execute(device: Device, queue: Queue, buffers: list[Buffer], record: Record, *, indirect: bool = False) -> None:
    """Record commands over buffers, named directly or by slots, and run them to their end."""
    commands = device.command_buffer(slots=len(buffers) if indirect else 0)
    record(commands, [Slot(index, 0, buffer.size) if indirect else buffer.ref for index, buffer in enumerate(buffers)])
    finish(device, partial(queue.execute, commands.end(), buffers if indirect else ()))


def part(ref: Ref, start: int, stop: int) -> Ref:
    """A range of a range or slot."""
    return Slot(ref.slot, ref.offset + start, stop - start) if isinstance(ref, Slot) else ref[start:stop]


class TestCommandBufferBasic:
    """CommandBufferBasicTest, and the rules of recording."""

    def test_create(self, device: Device) -> None:
        assert device.command_buffer().stats() == {"commands": 0, "edges": 0, "depth": 0, "width": 0}

    def test_begin_end(self, device: Device) -> None:
        assert device.command_buffer().end().recording.levels == ()

    def test_submit_empty(self, device: Device, queue: Queue) -> None:
        finish(device, partial(queue.execute, device.command_buffer().end()))

    def test_a_recording_cannot_be_executed_before_its_end(self, device: Device, queue: Queue) -> None:
        with fails_with(Code.FAILED_PRECONDITION):
            queue.execute(device.command_buffer())

    def test_nothing_can_be_recorded_after_the_end(self, device: Device) -> None:
        commands = device.command_buffer().end()
        for record in (commands.barrier, commands.end, partial(commands.fill, device.allocate(4), b"\x01")):
            with fails_with(Code.FAILED_PRECONDITION):
                record()

    def test_one_shot_resubmit_is_refused(self, device: Device, queue: Queue) -> None:
        commands = device.command_buffer(one_shot=True).end()
        finish(device, partial(queue.execute, commands))
        with fails_with(Code.FAILED_PRECONDITION):
            queue.execute(commands)

    def test_a_binding_table_must_cover_all_slots(self, device: Device, queue: Queue) -> None:
        commands = device.command_buffer(slots=2).end()
        with fails_with(Code.OUT_OF_RANGE):
            queue.execute(commands, [device.allocate(4)])

    def test_a_binding_must_cover_what_its_slot_is_used_for(self, device: Device, queue: Queue) -> None:
        commands = device.command_buffer(slots=1)
        commands.fill(Slot(0, 8, 8), b"\x01")
        commands.end()
        with fails_with(Code.OUT_OF_RANGE):
            queue.execute(commands, [device.allocate(15)])
        finish(device, partial(queue.execute, commands, [device.allocate(16)]))

    def test_a_slot_must_be_among_the_slots(self, device: Device) -> None:
        with fails_with(Code.OUT_OF_RANGE):
            device.command_buffer(slots=1).fill(Slot(1), b"\x01")

    def test_a_slot_means_nothing_to_a_queue(self, queue: Queue) -> None:
        with fails_with(Code.INVALID_ARGUMENT):
            queue.fill(Slot(0), b"\x01")

    def test_an_edge_must_lead_to_an_earlier_command(self, device: Device) -> None:
        commands = device.command_buffer()
        with fails_with(Code.OUT_OF_RANGE):
            commands.fill(device.allocate(4), b"\x01", after=[0])

    def test_a_command_buffer_belongs_to_its_device(self, device: Device) -> None:
        from targetenv_runtime.device import open_device

        with open_device("null://0") as stranger, fails_with(Code.INVALID_ARGUMENT):
            stranger.queue.execute(device.command_buffer().end())


@pytest.mark.needs("executes")
class TestCommandBufferCopyBuffer:
    """CommandBufferCopyBufferTest."""

    def test_copy_whole_buffer(self, device: Device, queue: Queue, indirect: bool) -> None:
        source, target = device.allocate(64, "host"), device.allocate(64, "device")
        source.write(deterministic(64))
        execute(device, queue, [source, target], lambda c, r: c.copy(r[0], r[1]), indirect=indirect)
        assert target.read() == deterministic(64)

    def test_copy_sub_buffer(self, device: Device, queue: Queue, indirect: bool) -> None:
        source, target = device.allocate(64), device.allocate(64)

        def record(commands: CommandBuffer, refs: list[Ref]) -> None:
            commands.fill(refs[0], b"\x0c")
            commands.fill(refs[1], b"\x02")
            commands.barrier()
            commands.copy(part(refs[0], 8, 24), part(refs[1], 40, 56))
            commands.fill(part(refs[1], 60, 64), b"\x03")

        execute(device, queue, [source, target], record, indirect=indirect)
        assert target.read() == b"\x02" * 40 + b"\x0c" * 16 + b"\x02" * 4 + b"\x03" * 4

    def test_copy_size_and_alignment_classes(self, device: Device, queue: Queue, indirect: bool) -> None:
        sizes = (4, 5, 7, 8, 12, 15, 64, 255, 256, 1021, 4096, 16387, 65536)
        for size in (*sizes, 1 << 20):
            source, target = device.allocate(size + 8), device.allocate(size + 8)
            data = deterministic(size + 8)
            source.write(data)
            for from_, to in ((0, 0), (4, 0), (1, 4), (3, 2)):
                target.write(bytes(target.size))
                execute(
                    device,
                    queue,
                    [source, target],
                    lambda c, r, size=size, from_=from_, to=to: c.copy(  # type: ignore[misc]
                        part(r[0], from_, from_ + size), part(r[1], to, to + size)
                    ),
                    indirect=indirect,
                )
                assert target.read() == bytes(to) + data[from_ : from_ + size] + bytes(8 - to), (size, from_, to)


FILLS = [
    # pattern bytes, buffer size, offset, length: the cases that IREE names one by one
    (1, 1, 0, 1),
    (1, 5, 0, 5),
    (1, 16, 0, 1),
    (1, 16, 0, 3),
    (1, 16, 0, 8),
    (1, 16, 2, 8),
    (2, 2, 0, 2),
    (2, 16, 0, 8),
    (2, 16, 0, 10),
    (2, 16, 2, 8),
    (4, 4, 0, 4),
    (4, 20, 16, 4),
    (4, 16, 0, 8),
    (4, 16, 8, 8),
]


@pytest.mark.needs("executes")
class TestCommandBufferFillBuffer:
    """CommandBufferFillBufferTest."""

    @pytest.mark.parametrize(
        ("width", "size", "offset", "length"), FILLS, ids=[f"Pattern{w}_Size{s}_Offset{o}_Length{n}" for w, s, o, n in FILLS]
    )
    def test_fill(self, device: Device, queue: Queue, indirect: bool, width: int, size: int, offset: int, length: int) -> None:
        buffer, pattern = device.allocate(size), bytes(range(1, width + 1))
        buffer.write(bytes(size))
        execute(device, queue, [buffer], lambda c, r: c.fill(part(r[0], offset, offset + length), pattern), indirect=indirect)
        assert buffer.read() == bytes(offset) + pattern * (length // width) + bytes(size - offset - length)

    def test_fill_size_alignment_and_pattern_classes(self, device: Device, queue: Queue, indirect: bool) -> None:
        for width in (1, 2, 4):
            pattern = b"\xde\xad\xbe\xef"[:width]
            for size, offset in ((1, 1), (3, 5), (4, 1), (6, 2), (13, 3), (256, 4), (257, 7), (1021, 2), (4096, 12)):
                buffer = device.allocate(5000)
                buffer.write(bytes(5000))
                execute(
                    device,
                    queue,
                    [buffer],
                    lambda c, r, size=size, offset=offset, pattern=pattern: c.fill(part(r[0], offset, offset + size), pattern),  # type: ignore[misc]
                    indirect=indirect,
                )
                filled = (pattern * size)[:size]
                assert buffer.read() == bytes(offset) + filled + bytes(5000 - offset - size), (width, size, offset)


@pytest.mark.needs("executes")
class TestCommandBufferUpdateBuffer:
    """CommandBufferUpdateBufferTest."""

    @pytest.mark.parametrize("size", [16, 256, 65537], ids=["WholeBuffer", "LargerPayload", "BeyondNativeLimit"])
    def test_whole_buffer(self, device: Device, queue: Queue, indirect: bool, size: int) -> None:
        buffer = device.allocate(size)
        execute(device, queue, [buffer], lambda c, r: c.update(r[0], deterministic(size)), indirect=indirect)
        assert buffer.read() == deterministic(size)

    def test_with_offsets(self, device: Device, queue: Queue, indirect: bool) -> None:
        """WithOffsets and Subspan."""
        buffer = device.allocate(32)
        buffer.write(bytes(32))
        source = memoryview(deterministic(32))
        execute(device, queue, [buffer], lambda c, r: c.update(part(r[0], 9, 20), source[5:16]), indirect=indirect)
        assert buffer.read() == bytes(9) + deterministic(32)[5:16] + bytes(12)

    def test_the_data_is_captured_when_it_is_recorded(self, device: Device, queue: Queue, indirect: bool) -> None:
        buffer, source = device.allocate(4), bytearray(b"then")

        def record(commands: CommandBuffer, refs: list[Ref]) -> None:
            commands.update(refs[0], source)
            source[:] = b"now!"

        execute(device, queue, [buffer], record, indirect=indirect)
        assert buffer.read() == b"then"


class TestCommandBufferStress:
    """CommandBufferStressTest."""

    @pytest.mark.needs("executes")
    def test_rapid_fill_submit(self, device: Device, queue: Queue) -> None:
        buffer, done = device.allocate(200 * 16), device.semaphore()
        for index in range(200):
            commands = device.command_buffer(one_shot=True)
            commands.fill(buffer[index * 16 : index * 16 + 16], bytes([index]))
            queue.execute(commands.end(), signal=[(done, index + 1)])
        done.wait(200, TIMEOUT)
        assert buffer.read() == b"".join(bytes([index]) * 16 for index in range(200))

    @pytest.mark.needs("executes")
    def test_rapid_copy_submit(self, device: Device, queue: Queue) -> None:
        source, target, done = device.allocate(16), device.allocate(200 * 16), device.semaphore()
        source.write(deterministic(16))
        for index in range(200):
            commands = device.command_buffer(one_shot=True)
            commands.copy(source, target[index * 16 : index * 16 + 16])
            queue.execute(commands.end(), signal=[(done, index + 1)])
        done.wait(200, TIMEOUT)
        assert target.read() == deterministic(16) * 200

    @pytest.mark.needs("executes")
    @pytest.mark.parametrize("count", [512, 1000])
    def test_large_fill_command_buffer(self, device: Device, queue: Queue, count: int) -> None:
        """LargeFillCommandBuffer, without any barrier: a level has no limit."""
        buffer = device.allocate(count * 4)
        commands = device.command_buffer()
        for index in range(count):
            commands.fill(buffer[index * 4 : index * 4 + 4], index.to_bytes(4, "little"))
        commands.end()
        assert commands.stats()["width"] == count
        for _ in range(3):
            buffer.write(bytes(buffer.size))
            finish(device, partial(queue.execute, commands))
            assert buffer.read() == b"".join(index.to_bytes(4, "little") for index in range(count))

    @pytest.mark.needs("executes")
    def test_a_thousand_barriers_keep_a_thousand_commands_in_order(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(8)
        commands = device.command_buffer()
        for index in range(1000):
            commands.update(buffer, index.to_bytes(8, "little"))
            commands.barrier()
        finish(device, partial(queue.execute, commands.end()))
        assert buffer.read() == (999).to_bytes(8, "little")


class TestCommandGraph:
    """Barriers and edges: the cases that CUDA's graph backend in IREE gets wrong, and shapes that barriers cannot express."""

    @pytest.mark.needs("executes")
    def test_empty_barriers_lose_no_order(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(4)

        def record(commands: CommandBuffer, refs: list[Ref]) -> None:
            commands.barrier()
            commands.fill(refs[0], b"\x01")
            commands.barrier()
            commands.barrier()
            commands.fill(refs[0], b"\x02")
            commands.barrier()

        execute(device, queue, [buffer], record)
        assert buffer.read() == b"\x02" * 4

    @pytest.mark.needs("executes")
    def test_diamond(self, device: Device, queue: Queue) -> None:
        a, b, c, d = (device.allocate(4) for _ in range(4))
        commands = device.command_buffer()
        top = commands.update(a, b"seed")
        left = commands.copy(a, b, after=[top])
        right = commands.copy(a, c, after=[top])
        commands.update(a, b"done", after=[left, right])
        commands.copy(c, d, after=[right])
        finish(device, partial(queue.execute, commands.end()))
        assert [buffer.read() for buffer in (a, b, c, d)] == [b"done", b"seed", b"seed", b"seed"]
        assert commands.stats() == {"commands": 5, "edges": 5, "depth": 3, "width": 2}

    def test_fan_out_and_join_have_three_levels(self, device: Device) -> None:
        buffer = device.allocate(400)
        commands = device.command_buffer()
        root = commands.fill(buffer, b"\x01")
        leaves = [commands.fill(buffer[at : at + 4], b"\x02", after=[root]) for at in range(0, 400, 4)]
        commands.fill(buffer, b"\x03", after=leaves)
        assert commands.stats() == {"commands": 102, "edges": 200, "depth": 3, "width": 100}

    def test_edges_do_not_weaken_a_barrier(self, device: Device) -> None:
        buffer = device.allocate(4)
        commands = device.command_buffer()
        first = commands.fill(buffer, b"\x01")
        commands.fill(buffer, b"\x02", after=[first])
        commands.barrier()
        commands.fill(buffer, b"\x03", after=[first])
        assert [len(level) for level in commands.end().recording.levels] == [1, 1, 1]

    @pytest.mark.needs("executes")
    def test_a_reusable_command_buffer_may_be_in_flight_twice(self, device: Device, queue: Queue, other: Queue) -> None:
        """ConcurrentExecutionsForkCachedNativeReplay."""
        commands = device.command_buffer(slots=2)
        commands.copy(Slot(0, 0, 1 << 16), Slot(1, 0, 1 << 16))
        commands.end()
        source = device.allocate(1 << 16)
        source.write(deterministic(1 << 16))
        targets = [device.allocate(1 << 16) for _ in range(8)]
        dones = [device.semaphore() for _ in targets]
        for index, (target, done) in enumerate(zip(targets, dones, strict=True)):
            (queue, other)[index % 2].execute(commands, [source, target], signal=[(done, 1)])
        for target, done in zip(targets, dones, strict=True):
            done.wait(1, TIMEOUT)
            assert target.read() == deterministic(1 << 16)

    @pytest.mark.needs("executes")
    def test_direct_and_slot_references_mix(self, device: Device, queue: Queue) -> None:
        direct, bound = device.allocate(8), device.allocate(8)
        direct.write(b"directly")
        commands = device.command_buffer(slots=1)
        commands.copy(direct, Slot(0))
        finish(device, partial(queue.execute, commands.end(), [bound]))
        assert bound.read() == b"directly"

    @pytest.mark.needs("executes")
    def test_bindings_may_be_ranges(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(16)
        buffer.write(bytes(16))
        commands = device.command_buffer(slots=1)
        commands.fill(Slot(0, 1, 2), b"\x09")
        finish(device, partial(queue.execute, commands.end(), [buffer[4:8]]))
        assert buffer.read() == bytes(5) + b"\x09\x09" + bytes(9)
