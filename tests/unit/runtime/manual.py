"""A device that does nothing by itself: the test says which epochs are complete, and what becomes of them."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from targetenv_runtime.backend import Backend, Loaded
from targetenv_runtime.device import Device
from targetenv_runtime.drivers import bytearrays

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device as Described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv_runtime.backend import Allocation, Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Recording
    from targetenv_runtime.status import HalError

    from targetenv.model.artifact import Kernel


class ManualBackend(Backend):
    """Asynchronous, with two queues. `submitted` has every submission as (queue, recording, table, waits), and holds them."""

    name = "manual"
    uri = "manual://0"
    formats = frozenset({"manual"})
    queue_count = 2
    binding_alignment = 4

    def __init__(self) -> None:
        self.submitted: list[tuple[int, Recording, Sequence[BufferRef], list[tuple[int, int]]]] = []
        self.epochs = [0, 0]
        self.done = [0, 0]
        self.failures: dict[tuple[int, int], HalError] = {}
        self.lost: HalError | None = None
        self.refuses: HalError | None = None
        self.freed: list[object] = []
        self.released: list[object] = []
        self.unloaded: list[object] = []
        self.waits: list[tuple[int, int]] = []
        self.closed = 0
        self._changed = threading.Condition()

    # --- the test's side

    def complete(self, queue: int = 0, epoch: int | None = None) -> None:
        """All epochs up to this one are complete; None is all that were submitted."""
        with self._changed:
            self.done[queue] = self.epochs[queue] if epoch is None else epoch
            self._changed.notify_all()

    def lose(self, error: HalError) -> None:
        """The device is gone."""
        with self._changed:
            self.lost = error
            self._changed.notify_all()

    # --- the core's side

    def describe(self) -> Described:
        return Described(self.uri, "manual", self.name, Capabilities(api="manual"))

    def close(self) -> None:
        self.closed += 1

    def alloc(self, size: int, memory: Memory) -> Allocation:
        allocation = bytearrays.allocate(size, self.uri)
        if memory == "device":
            allocation.view = None
        return allocation

    def free(self, handle: object) -> None:
        self.freed.append(handle)

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        assert image_format == "manual"
        return Loaded(bytes(image), kernels, [kernel.name for kernel in kernels])

    def unload(self, handle: object) -> None:
        self.unloaded.append(handle)

    def submit(
        self, queue: int, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        if self.lost is not None:
            raise self.lost.again()
        if self.refuses is not None:
            raise self.refuses.again()
        self.epochs[queue] += 1
        self.submitted.append((queue, recording, table, [(index, epoch) for _, index, epoch in waits]))
        if recording.reusable:
            recording.replay["native"] = len(self.submitted)
        return self.epochs[queue]

    def release(self, replay: dict[object, object]) -> None:
        self.released.append(replay)

    def completed(self, queue: int) -> int:
        return self.epochs[queue] if self.lost is not None else self.done[queue]

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        self.waits.append((queue, epoch))
        with self._changed:
            return self._changed.wait_for(lambda: self.completed(queue) >= epoch, timeout)

    def failure(self, queue: int, epoch: int) -> HalError | None:
        return self.lost or self.failures.get((queue, epoch))


_EVERY: weakref.WeakSet[ManualBackend] = weakref.WeakSet()


def complete_all() -> None:
    """Nothing is left undone: a device that never answers is waited for when it is dropped."""
    for backend in list(_EVERY):
        backend.complete(0)
        backend.complete(1)


def open_manual() -> tuple[Device, ManualBackend]:
    """A new one, with the backend to steer it."""
    backend = ManualBackend()
    _EVERY.add(backend)
    return Device(backend), backend
