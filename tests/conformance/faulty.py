"""A device with faults in it, for the test to choose: no memory, refused submissions, loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv_runtime.device import Device
from targetenv_runtime.drivers.host.backend import ThreadedBackend
from targetenv_runtime.drivers.host.probe import DEVICES
from targetenv_runtime.status import Code, HalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv_runtime.backend import Allocation, Backend, Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Recording


class FaultyBackend(ThreadedBackend):
    """The threaded host device. `room` bytes are left; the next `refusals` submissions are refused; `lost` ends everything.

    A `silent` one never says that anything is done.
    """

    def __init__(self) -> None:
        super().__init__(DEVICES[1])
        self.room = 1 << 30
        self.refusals = 0
        self.silent = False
        self.lost: HalError | None = None

    def lose(self) -> None:
        """The device is gone from now on."""
        with self._changed:
            self.lost = HalError(Code.DATA_LOSS, "the device is lost", native=(-4, "VK_ERROR_DEVICE_LOST"))
            self._changed.notify_all()

    def alloc(self, size: int, memory: Memory) -> Allocation:
        if size > self.room:
            raise HalError(Code.RESOURCE_EXHAUSTED, f"no memory for {size} bytes")
        self.room -= size
        return super().alloc(size, memory)

    def free(self, handle: object) -> None:
        assert isinstance(handle, bytearray)
        self.room += len(handle)

    def submit(
        self, queue: int, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        if self.lost is not None:
            raise self.lost.again()
        if self.refusals:
            self.refusals -= 1
            raise HalError(Code.INTERNAL, "the driver could not make a native graph of it")
        return super().submit(queue, recording, table, waits)

    def completed(self, queue: int) -> int:
        if self.silent:
            return 0
        return self._submitted[queue] if self.lost is not None else super().completed(queue)

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.completed(queue) >= epoch, timeout)

    def failure(self, queue: int, epoch: int) -> HalError | None:
        return self.lost or super().failure(queue, epoch)


def open_faulty() -> tuple[Device, FaultyBackend]:
    """A new one, and where its faults are chosen."""
    backend = FaultyBackend()
    return Device(backend), backend
