"""A device that can do only what every driver must: what the core does in the place of a driver is tested on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv_runtime.backend import Allocation, Backend
from targetenv_runtime.device import Device
from targetenv_runtime.drivers.host.backend import ThreadedBackend
from targetenv_runtime.drivers.host.probe import DEVICES

if TYPE_CHECKING:
    from targetenv_runtime.backend import Memory


class LimitedBackend(ThreadedBackend):
    """The threaded host device without grids in memory, waits between queues, memory of the host's, and sight of its own."""

    indirect = False

    def __init__(self) -> None:
        super().__init__(DEVICES[1])

    def alloc(self, size: int, memory: Memory) -> Allocation:
        allocation = super().alloc(size, memory)
        if memory == "device":
            allocation.view = None
        return allocation

    def import_host(self, memory: memoryview) -> Allocation:
        return Backend.import_host(self, memory)

    def can_wait(self, producer: Backend) -> bool:
        del producer
        return False


def open_limited() -> Device:
    """A new one."""
    return Device(LimitedBackend())
