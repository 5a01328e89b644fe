"""One thing in a queue, from the call until its semaphores are signalled or failed."""

from __future__ import annotations

from _thread import allocate_lock

from targetenv_runtime.commands import Recording
from targetenv_runtime.semaphore import Timepoint, notify
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.lane import Lane
    from targetenv_runtime.observe import Note
    from targetenv_runtime.ownership import Ownership
    from targetenv_runtime.semaphore import Point, Promise, Semaphore

NOTHING = Recording((), ())
"""What an operation without commands executes."""


class Operation:
    """What to execute, with everything that it uses, and what to signal.

    `effect` happens on the host when all waits are good, just before the signals. `native` operations let the device wait for
    what `device_waits` lists; the others are held back until the host knows. An operation keeps its device open.
    """

    __slots__ = (
        "device_waits",
        "effect",
        "epoch",
        "lane",
        "native",
        "notes",
        "owner",
        "points",
        "recording",
        "signals",
        "table",
    )

    def __init__(
        self,
        owner: Ownership,
        lane: Lane,
        recording: Recording,
        table: Sequence[BufferRef],
        signals: tuple[Point, ...],
        *,
        native: bool,
    ) -> None:
        self.owner = owner
        self.lane = lane
        self.recording = recording
        self.table = table
        self.signals = signals
        self.native = native
        self.effect: Callable[[], object] | None = None
        self.device_waits: list[tuple[Semaphore, Promise]] = []
        self.points: list[Timepoint] = []
        self.notes: Sequence[Note] = ()  # what observers take down
        self.epoch = 0

    def retire(self, error: HalError | None) -> None:
        """Let go of everything that was used, and signal or fail. A wait that failed meanwhile fails the operation.

        All semaphores have their new value before anybody is called back.
        """
        if error is None:
            for semaphore, _ in self.device_waits:
                if semaphore.failure is not None:
                    error = semaphore.failure
        if error is None and self.effect is not None:
            try:
                self.effect()
            except HalError as raised:
                error = raised
        if self.notes:
            for note in self.notes:
                note.retired(error)
        self.recording, self.table, self.effect = NOTHING, (), None
        if self.device_waits:
            self.device_waits = []
        due: list[tuple[Sequence[Timepoint], HalError | None]] = []
        for semaphore, value in self.signals:
            try:
                due.append((semaphore.advance(value), None) if error is None else (semaphore.end(error), error))
            except HalError as refused:
                due.append((semaphore.end(refused), refused))
        for points, outcome in due:
            if points:
                notify(points, outcome)


class Held:
    """An operation that the host holds back. Each wait arrives once; the last one, or the first failure, decides."""

    __slots__ = ("_left", "_lock", "operation")

    def __init__(self, operation: Operation, waits: Sequence[Point]) -> None:
        self.operation = operation
        self._lock = allocate_lock()
        self._left = len(waits) + 1  # one more, so that nothing is decided while waits are being registered
        operation.lane.deferred.add(self)
        operation.points = [Timepoint(semaphore, value, self.arrive, self.promised) for semaphore, value in waits]
        for point in tuple(operation.points):
            point.semaphore.register(point)
        self.arrive(None)

    def arrive(self, error: HalError | None) -> None:
        """One wait is over."""
        operation = self.operation
        with self._lock:
            if self._left <= 0:
                return
            self._left = 0 if error is not None else self._left - 1
            if self._left:
                return
        operation.lane.deferred.discard(self)
        points, operation.points = operation.points, []
        if error is None:
            operation.lane.issue(operation)
            return
        for point in points:
            point.cancel()
        operation.retire(error)

    def promised(self, promise: Promise) -> None:
        """A queue has taken what this operation waits for: let the device wait, or see to it that somebody watches."""
        operation = self.operation
        if not (operation.native and operation.lane.backend.can_wait(promise[1].backend)):
            promise[1].look_after()
            return
        for point in tuple(operation.points):
            if point.value <= promise[0] and point.semaphore.promised(point.value) == promise and point.cancel():
                with self._lock:
                    operation.device_waits.append((point.semaphore, promise))
                self.arrive(None)
