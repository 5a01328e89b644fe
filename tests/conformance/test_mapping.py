"""Memory as the host sees it, and transient memory: BufferMappingTest and TransientBufferTest of IREE's suite."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.buffer import State

from tests.conformance.outcome import TIMEOUT, deterministic, finish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.queue import Queue


@pytest.fixture(params=["host", "shared"])
def buffer(request: pytest.FixtureRequest, device: Device) -> Buffer:
    """64 bytes that the host sees, told apart."""
    buffer = device.allocate(64, request.param)
    buffer.write(deterministic(64))
    return buffer


class TestBufferMapping:
    """BufferMappingTest; zeroing, filling and copying are what a memoryview does."""

    def test_zero(self, buffer: Buffer) -> None:
        """ZeroWholeBuffer, ZeroWithOffset, ZeroSubspan."""
        buffer.map()[40:] = bytes(24)
        buffer[8:24].map()[4:8] = bytes(4)
        assert buffer.read() == deterministic(64)[:12] + bytes(4) + deterministic(64)[16:40] + bytes(24)
        buffer.map()[:] = bytes(64)
        assert buffer.read() == bytes(64)

    @pytest.mark.parametrize("pattern", [b"\x11", b"\x11\x22", b"\x11\x22\x33\x44"], ids=["1", "2", "4"])
    def test_fill(self, buffer: Buffer, pattern: bytes) -> None:
        """FillEmpty, FillWholeBuffer, FillWithOffset, FillSubspan."""
        buffer.map()[8:8] = b""
        assert buffer.read() == deterministic(64)
        for view, size in ((buffer.map(), 64), (buffer.map()[16:], 48), (buffer[4:32].map()[4:20], 16)):
            buffer.map()[:] = bytes(64)
            view[:] = pattern * (size // len(pattern))
            assert buffer.read().count(0) == 64 - size
            assert bytes(view) == pattern * (size // len(pattern))

    def test_read_data(self, buffer: Buffer) -> None:
        """ReadData, ReadDataSubspan, MapRangeRead."""
        assert bytes(buffer.map()) == buffer.read() == deterministic(64)
        assert bytes(buffer[7:20].map()) == buffer.read(7, 13) == deterministic(64)[7:20]
        assert bytes(buffer[7:20][2:4].map()) == deterministic(64)[9:11]

    def test_write_data(self, buffer: Buffer) -> None:
        """WriteDataWholeBuffer, WriteDataWithOffset, WriteDataSubspan, MapRangeWrite."""
        buffer.write(bytes(64))
        assert bytes(buffer.map()) == bytes(64)
        buffer.write(b"here", 10)
        buffer[20:30].map()[2:7] = b"there"
        assert buffer.read() == bytes(10) + b"here" + bytes(8) + b"there" + bytes(37)

    def test_copy_data(self, device: Device, buffer: Buffer) -> None:
        target = device.allocate(32)
        target.map()[3:19] = buffer[5:21].map()
        assert target.read(3, 16) == deterministic(64)[5:21]


@pytest.mark.needs("executes")
class TestTransientBuffer:
    """TransientBufferTest: commands over a buffer that a queue has allocated."""

    @pytest.fixture(params=["device", "shared"])
    def transient(self, request: pytest.FixtureRequest, device: Device, queue: Queue) -> Iterator[Buffer]:
        """32 bytes; given back at the end."""
        live = device.semaphore()
        buffer = queue.alloca(32, request.param, signal=[(live, 1)])
        live.wait(1, TIMEOUT)
        yield buffer
        finish(device, partial(queue.dealloca, buffer))
        assert buffer.state is State.DEAD

    @pytest.mark.parametrize("pattern", [b"\x5a", b"\x5a\xa5", b"\x01\x02\x03\x04"], ids=["1Byte", "2Byte", "4Byte"])
    def test_fill_transient_buffer(self, device: Device, queue: Queue, transient: Buffer, pattern: bytes) -> None:
        """FillTransientBuffer, FillTransientBuffer1Byte; there are no access flags that could be zero."""
        finish(device, partial(queue.fill, transient, pattern))
        assert transient.read() == pattern * (32 // len(pattern))

    def test_fill_transient_buffer_subrange(self, device: Device, queue: Queue, transient: Buffer) -> None:
        finish(device, partial(queue.fill, transient, b"\x01"), partial(queue.fill, transient[8:20], b"\x02"))
        assert transient.read() == b"\x01" * 8 + b"\x02" * 12 + b"\x01" * 12

    def test_copy_to_transient_buffer(self, device: Device, queue: Queue, transient: Buffer) -> None:
        source = device.allocate(32)
        source.write(deterministic(32))
        finish(device, partial(queue.copy, source, transient))
        assert transient.read() == deterministic(32)

    def test_copy_from_transient_buffer(self, device: Device, queue: Queue, transient: Buffer) -> None:
        target = device.allocate(32)
        finish(device, partial(queue.update, transient, deterministic(32)), partial(queue.copy, transient, target))
        assert target.read() == deterministic(32)

    def test_fill_then_copy_in_single_command_buffer(self, device: Device, queue: Queue, transient: Buffer) -> None:
        target, commands = device.allocate(32), device.command_buffer()
        commands.fill(transient, b"\x44")
        commands.barrier()
        commands.copy(transient, target)
        finish(device, partial(queue.execute, commands.end()))
        assert target.read() == b"\x44" * 32

    def test_update_transient_buffer(self, device: Device, queue: Queue, transient: Buffer) -> None:
        finish(device, partial(queue.update, transient, deterministic(32)))
        assert transient.read() == deterministic(32)
