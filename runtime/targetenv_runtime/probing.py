"""Asking all drivers what there is, so that none of them can hurt: each in a child process, at the same time, with a time
limit.

A driver's code may crash, hang, print, start threads or leave the process changed. The child is a fork as long as this process
has one thread (a fork of more copies locks whose owners do not exist in the child), else a fresh interpreter. Answers come back
as JSON documents (`targetenv.model.document`) through a pipe.
"""

from __future__ import annotations

import os
import sys
from time import monotonic

from targetenv.model import document
from targetenv.model.device import Device, Unavailable
from targetenv_runtime.drivers import table
from targetenv_runtime.foreign import guarded
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal, NoReturn, TypeAlias

    Answer: TypeAlias = tuple[list[Device], list[Unavailable]]

TIMEOUT = 20.0
"""Seconds that all drivers together may take."""

_TAIL = 4096  # bytes of a failed child's stderr that are worth reading
_LARGEST = 64 << 20  # bytes of an answer beyond which a driver talks nonsense


def probe_all(
    drivers: Sequence[str] | None = None, *, isolation: Literal["child", "inline"] = "child", timeout: float = TIMEOUT
) -> tuple[tuple[Device, ...], tuple[Unavailable, ...]]:
    """Every device of these drivers, and every driver that has none with the reason, both in the order of the drivers.

    None means the drivers that commands ask by default (`Driver.default`). `inline` asks in this process: quicker, and as safe
    as the drivers are. A name that is no driver is `NOT_FOUND`.

    >>> devices, unavailable = probe_all(["null"])
    >>> [device.uri for device in devices], unavailable
    (['null://0'], ())
    """
    rows = [table.driver(name) for name in dict.fromkeys(drivers)] if drivers is not None else table.default()
    ask = _inline if isolation == "inline" else _isolated
    answers = ask(rows, monotonic() + timeout, timeout)
    return (
        tuple(device for row in rows for device in answers[row.name][0]),
        tuple(reason for row in rows for reason in answers[row.name][1]),
    )


def _inline(rows: Iterable[table.Driver], deadline: float, timeout: float) -> dict[str, Answer]:
    del deadline, timeout
    return {row.name: _ask(row) for row in rows}


def _ask(row: table.Driver) -> Answer:
    answers: list[Answer] = []
    try:
        guarded(f"the {row.name} prober", lambda: answers.append(row.probe().probe()))
    except HalError as error:
        return [], [Unavailable(row.name, "TE5103", error.message, error.diagnostics[0].help)]
    return answers[0]


# --- children


class _Child:
    """A process that probes one driver, and what it has said so far."""

    def __init__(self, row: table.Driver, *, fork: bool) -> None:
        self.row = row
        self.said: dict[int, bytearray] = {}
        answer, to_answer = os.pipe()
        errors, to_errors = os.pipe()
        self.answer, self.errors = answer, errors
        self.said = {answer: bytearray(), errors: bytearray()}
        if fork:
            self.pid = os.fork()
            if self.pid == 0:
                _in_fork(row, to_answer, to_errors)
        else:
            self.pid = _fresh_interpreter(row, to_answer, to_errors)
        os.close(to_answer)
        os.close(to_errors)

    def reap(self, *, kill: bool) -> int:
        """End the child, or wait for its end; its exit status, negative for a signal."""
        if kill:
            os.kill(self.pid, 9)
        for descriptor in self.said:
            os.close(descriptor)
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:  # this process has its children reaped by the system
            return 0

    def outcome(self, *, late: bool, timeout: float) -> Answer:
        """What the child found out, or how it ended. Reaps it."""
        name = self.row.name
        code = self.reap(kill=late)
        if late:
            reason = f"the {name} driver did not answer within {timeout:g} s"
            return [], [Unavailable(name, "TE5107", reason, "probe with `--driver` to leave this driver out")]
        words = bytes(self.said[self.errors]).decode(errors="replace").strip().splitlines()
        last = f"; its last words: {words[-1][:200]}" if words else ""
        if code < 0:
            return [], [Unavailable(name, "TE5106", f"the {name} driver crashed the prober with {_signal(-code)}{last}")]
        if code:
            return [], [Unavailable(name, "TE5106", f"the {name} driver ended the prober with exit status {code}{last}")]
        return _decode(name, bytes(self.said[self.answer]))


def _isolated(rows: Sequence[table.Driver], deadline: float, timeout: float) -> dict[str, Answer]:
    children: list[_Child] = []
    try:
        fork = _one_thread()
        for row in rows:
            children.append(_Child(row, fork=fork))  # noqa: PERF401  what was started is ended whatever happens
        late = _listen(children, deadline)
    except BaseException:
        for child in children:
            child.reap(kill=True)
        raise
    return {child.row.name: child.outcome(late=child in late, timeout=timeout) for child in children}


def _listen(children: Iterable[_Child], deadline: float) -> set[_Child]:
    """Hear the children until all have ended; those that have not when the time is over."""
    from select import POLLHUP, POLLIN, poll

    speakers = {descriptor: child for child in children for descriptor in child.said}
    poller = poll()
    for descriptor in speakers:
        poller.register(descriptor, POLLIN | POLLHUP)
    while speakers and (left := deadline - monotonic()) > 0:
        for descriptor, _ in poller.poll(left * 1000):
            heard = os.read(descriptor, 1 << 20)
            said = speakers[descriptor].said[descriptor]
            said += heard
            if descriptor == speakers[descriptor].errors:
                del said[:-_TAIL]
            if not heard or len(said) > _LARGEST:
                poller.unregister(descriptor)
                del speakers[descriptor]
    return set(speakers.values())


def _one_thread() -> bool:
    """Whether a fork copies everything that runs. Threads that Python does not know of count too."""
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  pathlib is not loaded on this path
    except OSError:
        return False


def _in_fork(row: table.Driver, answer: int, errors: int) -> NoReturn:
    """Probe, and leave without running anything that belongs to the parent."""
    status = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)  # what a driver prints is not ours to pass on
        os.dup2(errors, 2)
        answer_with(row.name, row.package, answer)
        status = 0
    finally:
        os._exit(status)


def _fresh_interpreter(row: table.Driver, answer: int, errors: int) -> int:
    """Start `python -c ...` with this process' import path; its pid."""
    program = f"from targetenv_runtime.probing import answer_with; answer_with({row.name!r}, {row.package!r}, 3)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(entry or "." for entry in sys.path)}
    nothing = os.open(os.devnull, os.O_RDWR)
    redirections = ((nothing, 0), (nothing, 1), (errors, 2), (answer, 3))
    actions = [(os.POSIX_SPAWN_DUP2, source, target) for source, target in redirections]
    try:
        return os.posix_spawn(sys.executable, [sys.executable, "-c", program], environment, file_actions=actions)
    finally:
        os.close(nothing)


def answer_with(name: str, package: str, descriptor: int) -> None:
    """The child's whole task: probe one driver, whether its table knows it or not, and write the answer."""
    import json

    devices, unavailable = _ask(table.Driver(name, package, drives=""))
    answer = {
        "devices": [document.of_device(device) for device in devices],
        "unavailable": [document.of_unavailable(reason) for reason in unavailable],
    }
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(json.dumps(answer).encode())


def _decode(name: str, answer: bytes) -> Answer:
    import json

    try:
        found = json.loads(answer)
    except ValueError:
        return [], [Unavailable(name, "TE5106", f"the {name} driver ended the prober before it could answer")]
    return (
        [document.to_device(device) for device in found["devices"]],
        [document.to_unavailable(reason) for reason in found["unavailable"]],
    )


def _signal(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
