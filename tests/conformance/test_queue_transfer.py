"""Fills, updates and copies straight into queues: QueueTransferTest of IREE's suite."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code

from tests.conformance.outcome import TIMEOUT, deterministic, fails_with, finish

if TYPE_CHECKING:
    from targetenv_runtime.device import Device
    from targetenv_runtime.queue import Queue

PATTERNS = (b"\xa5", b"\x01\x02", b"\x01\x02\x03\x04")
ALIGNMENTS = (0, 1, 2, 3, 4, 7, 16)
SIZES = (1, 2, 3, 4, 5, 7, 16, 31, 64, 255, 4096, 4097, 65536)


@pytest.mark.needs("executes")
class TestQueueTransfer:
    """QueueTransferTest."""

    @pytest.mark.parametrize("pattern", PATTERNS, ids=["1Byte", "2Byte", "4Byte"])
    def test_fill_entire_buffer(self, device: Device, queue: Queue, pattern: bytes) -> None:
        buffer = device.allocate(64)
        finish(device, partial(queue.fill, buffer, pattern))
        assert buffer.read() == pattern * (64 // len(pattern))

    def test_fill_subrange(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(16)
        buffer.write(bytes(16))
        finish(device, partial(queue.fill, buffer[4:8], b"\xff"))
        assert buffer.read() == bytes(4) + b"\xff" * 4 + bytes(8)

    def test_fill_large_buffer(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(256 << 10)
        finish(device, partial(queue.fill, buffer, b"\xde\xad\xbe\xef"))
        assert buffer.read() == b"\xde\xad\xbe\xef" * (64 << 10)

    @pytest.mark.parametrize("pattern", PATTERNS, ids=["1Byte", "2Byte", "4Byte"])
    def test_fill_size_alignment_and_pattern_classes(self, device: Device, queue: Queue, pattern: bytes) -> None:
        for offset in ALIGNMENTS:
            for size in (1, 2, 3, 4, 6, 8, 13, 64, 1021):
                buffer = device.allocate(2048)
                buffer.write(b"\x77" * 2048)
                finish(device, partial(queue.fill, buffer[offset : offset + size], pattern))
                filled = (pattern * size)[:size]
                assert buffer.read() == b"\x77" * offset + filled + b"\x77" * (2048 - offset - size), (offset, size)

    def test_update_entire_buffer(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(256)
        finish(device, partial(queue.update, buffer, deterministic(256)))
        assert buffer.read() == deterministic(256)

    def test_update_subrange(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(16)
        buffer.write(bytes(16))
        finish(device, partial(queue.update, buffer[4:12], b"abcdefgh"))
        assert buffer.read() == bytes(4) + b"abcdefgh" + bytes(4)

    def test_update_with_source_offset(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(8)
        finish(device, partial(queue.update, buffer, memoryview(deterministic(64))[17:25]))
        assert buffer.read() == deterministic(64)[17:25]

    def test_update_larger_than_command_buffer_limit(self, device: Device, queue: Queue) -> None:
        data = deterministic(2 * 65536 + 37)
        buffer = device.allocate(len(data))
        finish(device, partial(queue.update, buffer, data))
        assert buffer.read() == data

    def test_update_captures_source_before_wait_resolves(self, device: Device, queue: Queue) -> None:
        ready, done, buffer, source = device.semaphore(), device.semaphore(), device.allocate(4), bytearray(b"abcd")
        queue.update(buffer, source, wait=[(ready, 1)], signal=[(done, 1)])
        source[:] = b"zzzz"
        ready.signal(1)
        done.wait(1, TIMEOUT)
        assert buffer.read() == b"abcd"

    def test_update_size_and_alignment_classes(self, device: Device, queue: Queue) -> None:
        for offset in ALIGNMENTS:
            for size in SIZES[:10]:
                buffer = device.allocate(512)
                buffer.write(b"\x77" * 512)
                finish(device, partial(queue.update, buffer[offset : offset + size], deterministic(size)))
                assert buffer.read() == b"\x77" * offset + deterministic(size) + b"\x77" * (512 - offset - size), (offset, size)

    def test_copy_entire_buffer(self, device: Device, queue: Queue) -> None:
        source, target = device.allocate(256), device.allocate(256)
        source.write(deterministic(256))
        finish(device, partial(queue.copy, source, target))
        assert target.read() == deterministic(256)

    def test_copy_with_offsets(self, device: Device, queue: Queue) -> None:
        source, target = device.allocate(32), device.allocate(32)
        source.write(deterministic(32))
        target.write(bytes(32))
        finish(device, partial(queue.copy, source[8:16], target[20:28]))
        assert target.read() == bytes(20) + deterministic(32)[8:16] + bytes(4)

    def test_copy_large_buffer(self, device: Device, queue: Queue) -> None:
        data = deterministic(1 << 20)
        source, target = device.allocate(1 << 20), device.allocate(1 << 20)
        source.write(data)
        finish(device, partial(queue.copy, source, target))
        assert target.read() == data

    def test_copy_size_and_alignment_classes(self, device: Device, queue: Queue) -> None:
        source, target = device.allocate(65536 + 16), device.allocate(65536 + 16)
        data = deterministic(source.size)
        source.write(data)
        for size in SIZES:
            for from_, to in ((0, 0), (1, 0), (0, 3), (5, 2)):
                target.write(bytes(target.size))
                finish(device, partial(queue.copy, source[from_ : from_ + size], target[to : to + size]))
                expected = bytes(to) + data[from_ : from_ + size] + bytes(target.size - to - size)
                assert target.read() == expected, (size, from_, to)

    def test_copy_within_one_buffer(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(32)
        buffer.write(deterministic(32))
        finish(device, partial(queue.copy, buffer[0:16], buffer[16:32]))
        assert buffer.read() == deterministic(32)[:16] * 2

    def test_burst_copy_submit(self, device: Device, queue: Queue) -> None:
        source, target, done = device.allocate(64), device.allocate(200 * 64), device.semaphore()
        source.write(deterministic(64))
        for index in range(200):
            queue.copy(source, target[index * 64 : index * 64 + 64], signal=[(done, index + 1)])
        done.wait(200, TIMEOUT)
        assert target.read() == deterministic(64) * 200

    def test_chained_fill_then_copy(self, device: Device, queue: Queue) -> None:
        source, target = device.allocate(16), device.allocate(16)
        finish(device, partial(queue.fill, source, b"\x42"), partial(queue.copy, source, target))
        assert target.read() == b"\x42" * 16

    def test_chained_update_then_copy(self, device: Device, queue: Queue) -> None:
        source, target = device.allocate(16), device.allocate(16)
        finish(device, partial(queue.update, source, deterministic(16)), partial(queue.copy, source, target))
        assert target.read() == deterministic(16)

    def test_chained_fill_copy_fill(self, device: Device, queue: Queue, other: Queue) -> None:
        source, target = device.allocate(8), device.allocate(8)
        finish(
            device,
            partial(queue.fill, source, b"\x11"),
            partial(other.copy, source, target),
            partial(queue.fill, source, b"\x22"),
        )
        assert target.read() == b"\x11" * 8
        assert source.read() == b"\x22" * 8

    def test_barrier_preserves_ordering(self, device: Device, queue: Queue) -> None:
        source, target = device.allocate(16), device.allocate(16)
        finish(device, partial(queue.fill, source, b"\x33"), queue.barrier, partial(queue.copy, source, target))
        assert target.read() == b"\x33" * 16


class TestQueueTransferArguments:
    """What is refused at the call, and what is nothing."""

    def test_barrier_signals(self, device: Device, queue: Queue) -> None:
        finish(device, queue.barrier)

    def test_empty_ranges_are_nothing(self, device: Device, queue: Queue) -> None:
        empty, buffer = device.allocate(0), device.allocate(4)
        buffer.write(b"kept")
        finish(
            device,
            partial(queue.fill, empty, b"\x01"),
            partial(queue.update, empty, b""),
            partial(queue.copy, empty, buffer[2:2]),
            partial(queue.fill, buffer[4:4], b"\x01"),
        )
        assert buffer.read() == b"kept"
        assert empty.read() == b""

    @pytest.mark.parametrize("pattern", [b"", b"abc", b"abcdefgh"])
    def test_patterns_have_1_2_or_4_bytes(self, device: Device, queue: Queue, pattern: bytes) -> None:
        with fails_with(Code.INVALID_ARGUMENT):
            queue.fill(device.allocate(8), pattern)

    def test_lengths_must_agree(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(8)
        with fails_with(Code.INVALID_ARGUMENT):
            queue.update(buffer, b"seven!!")
        with fails_with(Code.INVALID_ARGUMENT):
            queue.copy(buffer, device.allocate(9))

    def test_overlapping_copies_are_refused(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(16)
        with fails_with(Code.INVALID_ARGUMENT):
            queue.copy(buffer[0:9], buffer[7:16])

    def test_buffers_of_another_device_are_refused(self, device: Device, queue: Queue) -> None:
        from targetenv_runtime.device import open_device

        with open_device("null://0") as stranger, fails_with(Code.INVALID_ARGUMENT):
            queue.fill(stranger.allocate(4), b"\x01")
        assert device.allocate(4).size == 4
