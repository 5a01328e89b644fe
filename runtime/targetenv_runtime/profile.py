"""What happened when: every operation of a device between two points in time, on the host's clock, and as a Chrome trace."""

from __future__ import annotations

from time import monotonic_ns

from targetenv.model.record import record
from targetenv_runtime.commands import Copy, Dispatch, Fill
from targetenv_runtime.observe import Note, Observer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from types import TracebackType
    from typing import Any

    from targetenv_runtime.commands import Recording
    from targetenv_runtime.operation import Operation
    from targetenv_runtime.ownership import Ownership
    from targetenv_runtime.status import HalError


@record
class Span:
    """One operation. Times are nanoseconds of `time.monotonic_ns`.

    It was `called` for, handed to the driver when it was `issued` (None: never, it needed no driver or was cancelled), and over
    on the host when it `retired`. `device` is when it began and ended on the device, where the driver can tell. `error` is the
    code that it failed with.
    """

    name: str
    queue: int
    called: int
    issued: int | None
    retired: int
    device: tuple[int, int] | None = None
    error: str | None = None


class Profile(Observer):
    """Times every operation of a device while it is entered: `with device.profile() as profile: ...`

    `spans` are those that have retired, in that order; wait for the semaphores of what should be among them. Bound dispatches
    pass no queue and are not seen.

    >>> from targetenv_runtime.device import open_device
    >>> with open_device("host://0") as device, device.profile() as profile:
    ...     device.queue.fill(device.allocate(16), b"!")
    >>> [span.name for span in profile.spans]
    ['fill 16 bytes']
    """

    __slots__ = ("_owner", "_spans")

    def __init__(self, owner: Ownership) -> None:
        self._owner = owner
        self._spans: list[Span] = []

    def __enter__(self) -> Profile:
        self._owner.require_open()
        self._owner.backend.profile(on=True)
        self._owner.observe(self, here=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._owner.observe(self, here=False)
        if not self._owner.reclaim.shut and not any(isinstance(other, Profile) for other in self._owner.observers):
            self._owner.backend.profile(on=False)

    @property
    def spans(self) -> tuple[Span, ...]:
        """What has retired so far."""
        return tuple(self._spans)

    def called(self, operation: Operation, name: str) -> Note:
        return _Timing(self._spans, operation, name or _named(operation.recording))

    def trace(self) -> dict[str, Any]:
        """The Chrome trace: what chrome://tracing and ui.perfetto.dev read.

        Every queue has a row for the host, where operations may overlap, and one for the device.
        """
        device = self._owner.uri
        events: list[dict[str, Any]] = [{"ph": "M", "pid": 1, "name": "process_name", "args": {"name": device}}]
        for queue in sorted({span.queue for span in self._spans}):
            for row, where in enumerate(("host", "device")):
                name = {"name": f"queue {queue}, {where}"}
                events.append({"ph": "M", "pid": 1, "tid": 2 * queue + row, "name": "thread_name", "args": name})
        for index, span in enumerate(self._spans):
            common = {"pid": 1, "cat": "host", "name": span.name, "id": index, "tid": 2 * span.queue}
            facts = {} if span.error is None else {"error": span.error}
            events.append({**common, "ph": "b", "ts": span.called / 1000, "args": facts})
            if span.issued is not None:
                events.append({**common, "ph": "n", "ts": span.issued / 1000, "args": {"what": "issued"}})
            events.append({**common, "ph": "e", "ts": span.retired / 1000, "args": {}})
            if span.device is not None:
                begin, end = span.device
                place = {"pid": 1, "tid": 2 * span.queue + 1, "cat": "device", "name": span.name, "args": facts}
                events.append({**place, "ph": "X", "ts": begin / 1000, "dur": (end - begin) / 1000})
        return {"displayTimeUnit": "ns", "traceEvents": events}

    def save(self, path: str | PathLike[str]) -> None:
        """Write the Chrome trace into a file."""
        import json

        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  pathlib is not imported here
            json.dump(self.trace(), file)


class _Timing(Note):
    __slots__ = ("_called", "_issued", "_name", "_operation", "_spans")

    def __init__(self, spans: list[Span], operation: Operation, name: str) -> None:
        self._spans = spans
        self._operation: Operation | None = operation
        self._name = name
        self._issued: int | None = None
        self._called = monotonic_ns()

    def issued(self) -> None:
        self._issued = monotonic_ns()

    def retired(self, error: HalError | None) -> None:
        operation, self._operation = self._operation, None
        if operation is None:
            return
        lane = operation.lane
        device = lane.backend.times(lane.index, operation.epoch) if operation.epoch else None
        status = None if error is None else error.status.name
        self._spans.append(Span(self._name, lane.index, self._called, self._issued, monotonic_ns(), device, status))


def _named(recording: Recording) -> str:
    """An operation that is nothing but its recording, in a few words."""
    commands = [command for level in recording.levels for command in level]
    if not commands:
        return "barrier"
    if len(commands) > 1 or recording.extents:
        return f"execute {len(commands)} commands" if len(commands) > 1 else "execute 1 command"
    (command,) = commands
    if isinstance(command, Dispatch):
        grid = "x".join(map(str, command.grid)) if command.count is None else "a grid in memory"
        return f"dispatch {command.function.name} {grid}"
    what = "fill" if isinstance(command, Fill) else "copy" if isinstance(command, Copy) else "update"
    return f"{what} {command.target.length} bytes"
