"""Files in queue order: FileTest of IREE's suite, from bytes, paths and descriptors, and what may go wrong."""

from __future__ import annotations

import mmap
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code, HalError

from tests.conformance.outcome import TIMEOUT, deterministic, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv_runtime.device import Device
    from targetenv_runtime.queue import Queue

    File = Callable[[bytes], object]

MEMORY = pytest.mark.parametrize("memory", ["device", "shared"])


@pytest.fixture(params=["bytes", "map", "path", "descriptor"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[File]:
    """A file with these contents, in each form in which a queue takes it."""
    opened: list[int] = []

    def make(contents: bytes) -> object:
        if request.param == "bytes":
            return contents
        path = tmp_path / "file"
        path.write_bytes(contents)
        if request.param == "path":
            return path
        opened.append(os.open(path, os.O_RDWR))
        return mmap.mmap(opened[0], 0) if request.param == "map" else opened[0]

    yield make
    for descriptor in opened:
        os.close(descriptor)


class TestFile:
    """FileTest."""

    @MEMORY
    def test_read_entire_file(self, device: Device, queue: Queue, file: File, memory: str) -> None:
        buffer = device.allocate(100, memory)  # type: ignore[arg-type]
        finish(device, partial(queue.read, file(deterministic(100)), 0, buffer))  # type: ignore[arg-type]
        if memory == "shared" or queue.owner.backend.name != "null":
            assert buffer.read() == deterministic(100)

    @pytest.mark.needs("executes")
    @MEMORY
    def test_read_subrange_with_offsets(self, device: Device, queue: Queue, file: File, memory: str) -> None:
        buffer = device.allocate(64, memory)  # type: ignore[arg-type]
        buffer.write(bytes(64))
        finish(device, partial(queue.read, file(deterministic(100)), 17, buffer[9:20]))  # type: ignore[arg-type]
        assert buffer.read() == bytes(9) + deterministic(100)[17:28] + bytes(44)

    @pytest.mark.needs("executes")
    @MEMORY
    def test_write_subrange_with_offsets(self, device: Device, queue: Queue, tmp_path: Path, memory: str) -> None:
        path, buffer, kept = tmp_path / "file", device.allocate(64, memory), bytearray(40)  # type: ignore[arg-type]
        path.write_bytes(b"-" * 40)
        buffer.write(deterministic(64))
        descriptor = os.open(path, os.O_RDWR)
        finish(
            device,
            partial(queue.write, buffer[5:15], path, 20),
            partial(queue.write, buffer[0:2], descriptor, 0),
            partial(queue.write, buffer[60:64], kept, 36),
        )
        os.close(descriptor)
        assert path.read_bytes() == deterministic(2) + b"-" * 18 + deterministic(64)[5:15] + b"-" * 10
        assert kept == bytes(36) + deterministic(64)[60:]

    @pytest.mark.needs("executes")
    def test_chained_write_then_read_with_semaphores(self, device: Device, queue: Queue, other: Queue, tmp_path: Path) -> None:
        path, timeline = tmp_path / "new", device.semaphore()
        source, target = device.allocate(32, "device"), device.allocate(32)
        other.read(b"", 0, target[0:0], wait=[(timeline, 1)], signal=[(timeline, 2)])
        queue.write(source, path, 8, wait=[(timeline, 3)], signal=[(timeline, 4)])
        other.read(path, 8, target, wait=[(timeline, 4)], signal=[(timeline, 5)])
        queue.fill(source, b"\x5c", wait=[(timeline, 2)], signal=[(timeline, 3)])
        timeline.signal(1)
        timeline.wait(5, TIMEOUT)
        assert target.read() == b"\x5c" * 32
        assert path.read_bytes() == bytes(8) + b"\x5c" * 32

    @pytest.mark.needs("executes")
    @MEMORY
    @pytest.mark.parametrize("size", [(256 << 10) + 31, (5 << 20) + 7])
    def test_large_range_round_trip(self, device: Device, queue: Queue, tmp_path: Path, memory: str, size: int) -> None:
        path, data = tmp_path / "large", os.urandom(size)
        source, target = device.allocate(size, memory), device.allocate(size, memory)  # type: ignore[arg-type]
        source.write(data)
        finish(device, partial(queue.write, source, path, 3), partial(queue.read, path, 3, target))
        assert target.read() == data

    @pytest.mark.parametrize("memory", ["device", "shared"])
    def test_closing_finishes_what_has_begun(self, fresh: Callable[[], Device], tmp_path: Path, memory: str) -> None:
        device = fresh()
        source, done = device.allocate(9 << 20, memory), device.semaphore()  # type: ignore[arg-type]
        device.queue.write(source, tmp_path / "whole", 0, signal=[(done, 1)])
        device.close()
        assert done.query() == 1
        assert (tmp_path / "whole").stat().st_size == 9 << 20

    def test_a_transient_buffer_may_be_named_before_it_has_memory(self, device: Device, queue: Queue) -> None:
        timeline = device.semaphore()
        buffer = queue.alloca(4, "shared", wait=[(timeline, 1)], signal=[(timeline, 2)])
        queue.read(b"file", 0, buffer, wait=[(timeline, 2)], signal=[(timeline, 3)])
        timeline.signal(1)
        timeline.wait(3, TIMEOUT)
        assert buffer.read() == b"file"


class TestFileFailures:
    """What is wrong with a file is said at the call, or fails the signals."""

    def test_a_file_that_is_not_there(self, device: Device, queue: Queue, tmp_path: Path) -> None:
        with fails_with(Code.NOT_FOUND):
            queue.read(tmp_path / "missing", 0, device.allocate(4))
        with fails_with(Code.NOT_FOUND):
            queue.write(device.allocate(4), tmp_path / "missing" / "file", 0)

    def test_a_directory_and_a_closed_descriptor(self, device: Device, queue: Queue, tmp_path: Path) -> None:
        with fails_with(Code.INVALID_ARGUMENT):
            queue.write(device.allocate(4), tmp_path, 0)
        with fails_with(Code.INVALID_ARGUMENT):
            queue.read(1 << 20, 0, device.allocate(4))

    def test_bytes_that_do_not_suffice(self, device: Device, queue: Queue) -> None:
        with fails_with(Code.OUT_OF_RANGE):
            queue.read(b"abc", 0, device.allocate(4))
        with fails_with(Code.OUT_OF_RANGE):
            queue.read(b"abc", -1, device.allocate(1))
        with fails_with(Code.OUT_OF_RANGE):
            queue.write(device.allocate(4), bytearray(6), 3)
        with fails_with(Code.PERMISSION_DENIED):
            queue.write(device.allocate(4), memoryview(bytes(4)), 0)

    def test_a_short_file_fails_the_signals(self, device: Device, queue: Queue, tmp_path: Path) -> None:
        path, done = tmp_path / "short", device.semaphore()
        path.write_bytes(bytes(10))
        queue.read(path, 8, device.allocate(4), signal=[(done, 1)])
        with fails_with(Code.OUT_OF_RANGE):
            done.wait(1, TIMEOUT)

    def test_a_failed_wait_leaves_the_file_alone(self, device: Device, queue: Queue, tmp_path: Path) -> None:
        path, ready, done = tmp_path / "kept", device.semaphore(), device.semaphore()
        path.write_bytes(b"kept")
        queue.write(device.allocate(4), path, 0, wait=[(ready, 1)], signal=[(done, 1)])
        ready.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(1, TIMEOUT)
        assert path.read_bytes() == b"kept"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
    def test_a_full_disk_fails_the_signals(self, device: Device, queue: Queue) -> None:
        done, buffer = device.semaphore(), device.allocate(4)
        queue.write(buffer, "/dev/full", 0, signal=[(done, 1)])
        with pytest.raises(HalError) as caught:
            done.wait(1, TIMEOUT)
        assert caught.value.status is Code.RESOURCE_EXHAUSTED
        assert caught.value.native is not None
        assert caught.value.native[1] == "ENOSPC"

    def test_no_descriptor_is_left_open(self, device: Device, queue: Queue, tmp_path: Path) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for index in range(20):
            finish(device, partial(queue.write, device.allocate(4), tmp_path / str(index), 0))
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
