"""What a device opened with `checks=True` looks at besides arguments: which buffers are in use, and whether new ones are."""

from __future__ import annotations

from _thread import allocate_lock

from targetenv_runtime.commands import fill, single
from targetenv_runtime.hazards import READ, accesses, told
from targetenv_runtime.observe import Note, Observer
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.operation import Operation

FRESH = 0xCD
"""What every byte of new memory is: neither zero nor a plausible number."""


def mark(buffer: Buffer) -> None:
    """Make new memory look new, through the device where the host cannot see it."""
    view = buffer.allocation.view
    if view is not None:
        view[:] = bytes([FRESH]) * len(view)
        return
    from targetenv_runtime.queue import now  # queues are made of what is checked

    now(buffer.owner, single(fill(buffer.owner, buffer.ref, bytes([FRESH]))))


class Checks(Observer):
    """Which operations use which buffers, from when they are handed to the device until they retire."""

    __slots__ = ("_lock", "_uses")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._uses: dict[Buffer, list[_Use]] = {}

    def called(self, operation: Operation, name: str) -> Note:
        del name
        return _Use(self, operation)

    def require_idle(self, buffer: Buffer, *, writing: bool) -> None:
        """FAILED_PRECONDITION while submitted work may write the buffer, or read it where the host wants to write."""
        with self._lock:
            uses = self._uses.get(buffer)
        if uses is None:
            return
        for lane in buffer.owner.lanes:
            lane.poll()
        with self._lock:
            uses = list(self._uses.get(buffer, ()))
        for use in uses:
            what = use.writes.get(buffer) or (writing and use.reads.get(buffer))
            if what:
                raise HalError(
                    Code.FAILED_PRECONDITION,
                    f"the host wants to {'write' if writing else 'see'} a buffer that submitted work is not done with: {what}",
                    help="wait for what that work signals first",
                    device=buffer.owner.uri,
                    queue=use.queue,
                )

    def add(self, use: _Use) -> None:
        """These buffers are in use."""
        with self._lock:
            for buffer in (*use.reads, *use.writes):
                self._uses.setdefault(buffer, []).append(use)

    def remove(self, use: _Use) -> None:
        """And no more."""
        with self._lock:
            for buffer in (*use.reads, *use.writes):
                left = [other for other in self._uses.get(buffer, ()) if other is not use]
                if left:
                    self._uses[buffer] = left
                else:
                    self._uses.pop(buffer, None)


class _Use(Note):
    """The buffers of one operation, with the command that uses each, in words."""

    __slots__ = ("_checks", "_operation", "queue", "reads", "writes")

    def __init__(self, checks: Checks, operation: Operation) -> None:
        self._checks = checks
        self._operation: Operation | None = operation
        self.queue = operation.lane.index
        self.reads: dict[Buffer, str] = {}
        self.writes: dict[Buffer, str] = {}

    def issued(self) -> None:
        operation = self._operation
        assert operation is not None, "it has not retired yet"
        index = 0
        for level in operation.recording.levels:
            for command in level:
                for buffer, _, _, mode in accesses(command, operation.table):
                    (self.reads if mode == READ else self.writes).setdefault(buffer, told(index, command))  # type: ignore[arg-type]
                index += 1
        self._checks.add(self)

    def retired(self, error: HalError | None) -> None:
        del error
        self._operation = None
        self._checks.remove(self)
