"""Noticing what a device has done, and telling everybody: the only path from an epoch to a semaphore."""

from __future__ import annotations

from _thread import allocate_lock, get_ident

from targetenv_runtime.semaphore import Timepoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv_runtime.backend import Backend
    from targetenv_runtime.lane import Lane
    from targetenv_runtime.operation import Operation
    from targetenv_runtime.reclaim import Reclaim
    from targetenv_runtime.semaphore import Promise
    from targetenv_runtime.status import HalError


class Retirement:
    """Retires the complete operations of all queues of one device, each queue's in order.

    One thread at a time does it; a second one that finds it busy leaves word, and the first looks again before it goes. The
    thread that is at it may come again from within a callback.
    """

    __slots__ = ("_again", "_backend", "_drainer", "_lanes", "_lock", "_reclaim")

    def __init__(self, backend: Backend, lanes: Sequence[Lane], reclaim: Reclaim) -> None:
        self._backend = backend
        self._lanes = lanes
        self._reclaim = reclaim
        self._lock = allocate_lock()
        self._drainer: int | None = None
        self._again = False

    def poll(self) -> None:
        """Retire what is complete. Never blocks."""
        me = get_ident()
        with self._lock:
            nested = self._drainer == me
            if self._drainer is not None and not nested:
                self._again = True
                return
            self._drainer = me
        outside = self._reclaim.enter()
        left = False
        try:
            while not left:
                self._again = False
                if not self._pass():
                    left = self._leave(nested=nested)
        finally:
            if not left and not nested:
                self._drainer = None
            self._reclaim.leave(outside=outside)

    def _leave(self, *, nested: bool) -> bool:
        with self._lock:
            if self._again:
                return False
            if not nested:
                self._drainer = None
            return True

    def _pass(self) -> bool:
        """Retire what each queue has ready; whether that may have made more ready."""
        progress = left = False
        for lane in self._lanes:
            pending = lane.pending
            if not pending:
                continue
            completed = self._backend.completed(lane.index)
            while pending:
                operation = pending[0]
                if operation.epoch > completed or (operation.device_waits and not self._settled(operation)):
                    break
                if pending and pending[0] is operation:
                    failure = self._backend.failure(lane.index, operation.epoch)
                    pending.popleft()
                    operation.retire(failure)
                progress = True
            left |= bool(pending)
        return progress and left

    def _settled(self, operation: Operation) -> bool:
        """Whether it is known how everything ended that the device waited for on behalf of this operation.

        What another queue of this device did is retired in one of the next passes. Another device retires its own work.
        """
        for semaphore, promise in operation.device_waits:
            if semaphore.failure is None and semaphore.reached < promise[0]:
                if promise[1].backend is not self._backend:
                    promise[1].poll()
                    if semaphore.failure is None and semaphore.reached < promise[0] and not operation.points:
                        point = Timepoint(semaphore, promise[0], self._resume, _ignore)
                        operation.points.append(point)
                        semaphore.register(point)
                if semaphore.failure is None and semaphore.reached < promise[0]:
                    return False
        return True

    def _resume(self, _: HalError | None) -> None:
        self.poll()


def _ignore(_: Promise) -> None:
    """A promise that changes nothing."""
