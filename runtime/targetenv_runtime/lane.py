"""What a queue is made of: the way of an operation to the device, and the threads that look after it."""

from __future__ import annotations

from _thread import RLock
from collections import deque
from time import monotonic, sleep

from targetenv_runtime.backend import SLICE
from targetenv_runtime.buffer import State
from targetenv_runtime.foreign import survived
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.backend import Backend
    from targetenv_runtime.operation import Held, Operation
    from targetenv_runtime.reclaim import Reclaim
    from targetenv_runtime.retirement import Retirement


class Lane:
    """One native queue. `pending` was submitted and is not retired, oldest first; `deferred` waits for the host.

    `running` is what a synchronous driver is at just now.

    It does not hold the device's `Ownership`; every operation in it does.
    """

    __slots__ = ("_lock", "_reclaim", "_retirement", "_watched", "backend", "deferred", "index", "pending", "running")

    def __init__(self, backend: Backend, index: int, reclaim: Reclaim, retirement: Retirement) -> None:
        self.backend = backend
        self.index = index
        self.deferred: set[Held] = set()
        self.pending: deque[Operation] = deque()
        self.running: Operation | None = None
        self._reclaim = reclaim
        self._retirement = retirement
        self._lock = RLock()  # a kernel in Python may submit to the queue that runs it
        self._watched = False

    def issue(self, operation: Operation) -> None:
        """Hand an operation to the device, now that nothing on the host holds it back."""
        recording, waits = operation.recording, operation.device_waits
        if not recording.levels and not waits:
            operation.retire(None)
            return
        try:
            for buffer in recording.buffers:
                if buffer.state is not State.LIVE:
                    buffer.require_live()
            for ref in operation.table:
                if ref.buffer.state is not State.LIVE:
                    ref.buffer.require_live()
            with self._lock:
                told = self._send(operation)
        except HalError as error:
            operation.retire(error.within(device=self.backend.uri, queue=self.index))
            return
        if self.backend.synchronous:
            operation.retire(None)
        elif told:
            for semaphore, value in operation.signals:
                semaphore.announce((value, self, operation.epoch))

    def _send(self, operation: Operation) -> bool:
        """Submit, under the lock; whether somebody wants to hear of the promises that this makes."""
        if operation.owner.refusal is not None:
            raise HalError(Code.CANCELLED, f"{self.backend.uri} was closed before the work could start")
        waits = operation.device_waits
        epochs = [(promise[1].backend, promise[1].index, promise[2]) for _, promise in waits] if waits else ()
        backend, reclaim = self.backend, self._reclaim
        if operation.notes:
            for note in operation.notes:
                note.issued()
        outer, self.running = self.running, operation
        outside = reclaim.enter()
        try:
            epoch = backend.submit(self.index, operation.recording, operation.table, epochs)
            reclaim.submitted[self.index] = operation.epoch = epoch
        finally:
            self.running = outer
            reclaim.leave(outside=outside)
        if backend.synchronous:
            return False
        self.pending.append(operation)
        told = False
        for semaphore, value in operation.signals:
            told |= semaphore.pledge((value, self, epoch))
        return told

    # --- the way out

    def wait_epoch(self, epoch: int, timeout: float | None) -> bool:
        """Wait for the device; whether the epoch is complete."""
        reclaim = self._reclaim
        outside = reclaim.enter()
        try:
            return reclaim.shut or self.backend.wait(self.index, epoch, timeout)
        finally:
            reclaim.leave(outside=outside)

    def poll(self) -> None:
        """Retire what the device has completed. Never blocks; if another thread is at it, that one goes on."""
        if self.pending:
            self._retirement.poll()

    def look_after(self) -> None:
        """Have a thread retire work as long as there is any, because something besides a waiting host depends on it."""
        with self._lock:
            if self._watched or not self.pending:
                return
            self._watched = True
        from threading import Thread  # 2 ms; most programs never need it

        Thread(target=self._watch, name=f"{self.backend.uri} queue {self.index}", daemon=True).start()

    def _watch(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self.pending:
                        self._watched = False
                        return
                    oldest = self.pending[0]
                if self.wait_epoch(oldest.epoch, SLICE):
                    self.poll()
                    if self.pending and self.pending[0] is oldest:
                        sleep(0.001)  # another thread is retiring it
        except BaseException:
            self._watched = False  # a callback raised, which ends this thread; another goes on
            self.look_after()
            raise

    # --- the end

    def cancel_deferred(self, raised: list[Exception]) -> None:
        """Fail everything that is still held back. What callbacks raise, here and in `finish`, is put into `raised`."""
        for held in tuple(self.deferred):
            error = HalError(Code.CANCELLED, f"{self.backend.uri} was closed before the work could start")
            survived(raised, held.arrive, error)

    def finish(self, deadline: float, raised: list[Exception]) -> bool:
        """Wait until all submitted work is retired; whether it is. What the device does not finish in time is failed.

        No new work comes: whoever is about to submit holds the lock, and has seen or will see that the device is closed.
        """
        idle = self._lock.acquire(timeout=max(0.0, deadline - monotonic()))
        if idle:
            self._lock.release()
        lost = HalError(Code.DEADLINE_EXCEEDED, f"{self.backend.uri} did not finish its work before it was closed")
        while idle and self.pending:
            left = deadline - monotonic()
            if left <= 0:
                break
            oldest = self.pending[0]
            try:
                if self.wait_epoch(oldest.epoch, min(left, SLICE)):
                    survived(raised, self.poll)
                    if self.pending and self.pending[0] is oldest:
                        sleep(0.001)
            except HalError as error:
                lost = error
                break
        abandoned = bool(self.pending) or not idle
        running = self.running
        if not idle and running is not None:
            survived(raised, running.retire, lost)
        for operation in tuple(self.pending):
            survived(raised, operation.retire, lost)
        self.pending.clear()
        return not abandoned
