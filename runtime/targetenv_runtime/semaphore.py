"""Timelines: a number that only grows, and at most one failure, which is final."""

from __future__ import annotations

from _thread import allocate_lock
from bisect import bisect_left, bisect_right, insort
from operator import itemgetter
from time import monotonic

from targetenv_runtime.backend import SLICE
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from targetenv_runtime.lane import Lane

    Point: TypeAlias = "tuple[Semaphore, int]"
    Promise: TypeAlias = "tuple[int, Lane, int]"
    Reached: TypeAlias = Callable[[HalError | None], object]
    Promised: TypeAlias = Callable[[Promise], object]

_VALUE = itemgetter(0)

HIGHEST = 2**64 - 1
"""The largest value of a timeline."""


class Timepoint:
    """Somebody who wants to know when a semaphore reaches a value or fails."""

    __slots__ = ("promised", "reached", "semaphore", "value")

    def __init__(self, semaphore: Semaphore, value: int, reached: Reached, promised: Promised) -> None:
        self.semaphore = semaphore
        self.value = value
        self.reached = reached
        self.promised = promised

    def cancel(self) -> bool:
        """Whether the callback will not run any more; False when it has run or is about to."""
        return self.semaphore.forget(self)


class Semaphore:
    """A timeline. It belongs to no device: the host, queues of one device and queues of several devices meet here.

    >>> ready = Semaphore()
    >>> ready.signal(3)
    >>> ready.wait(2)
    >>> ready.query()
    3
    """

    __slots__ = ("__weakref__", "_failure", "_lock", "_points", "_promises", "_value")

    def __init__(self, initial: int = 0) -> None:
        if not 0 <= initial <= HIGHEST:
            raise HalError(Code.INVALID_ARGUMENT, f"a semaphore cannot begin at {initial}; values are 0 to 2**64-1")
        self._lock = allocate_lock()
        self._value = initial
        self._failure: HalError | None = None
        self._points: list[Timepoint] = []
        self._promises: list[Promise] = []

    def __repr__(self) -> str:
        return f"<Semaphore {'failed ' if self._failure is not None else ''}at {self._value}>"

    # --- the host's side

    @property
    def failure(self) -> HalError | None:
        """Why the timeline failed, or None. Asks no device."""
        return self._failure

    def query(self) -> int:
        """The value now; raises the failure of a failed semaphore. Asks the queues that will signal, without blocking."""
        if self._promises:
            with self._lock:
                lanes = {promise[1] for promise in self._promises}
            for lane in lanes:
                lane.poll()
        if self._failure is not None:
            raise self._failure.again()
        return self._value

    def signal(self, value: int) -> None:
        """Move the timeline to `value`, which must be larger than where it is. Callbacks run before this returns."""
        points = self.advance(value)
        if points:
            notify(points, None)

    def fail(self, error: HalError) -> None:
        """End the timeline: every wait, now and later, raises this error. A second failure changes nothing."""
        notify(self.end(error), error)

    def wait(self, value: int, timeout: float | None = None) -> None:
        """Return once the timeline is at `value` or beyond; DEADLINE_EXCEEDED after `timeout` seconds (0 asks once).

        A failed timeline raises its failure, whatever the value. The waiting thread does the device's bookkeeping itself.
        """
        if self._value >= value and self._failure is None:
            return
        if timeout is None and (promise := self.promised(value)) is not None:
            promise[1].wait_epoch(promise[2], SLICE)  # the usual case: one submission, done soon
            promise[1].poll()
            if self._value >= value and self._failure is None:
                return
        _wait(((self, value),), timeout, every=True)

    def on(self, value: int, callback: Reached) -> Timepoint:
        """Have `callback(None)` called once when `value` is reached, or `callback(error)` when the timeline fails first.

        It runs in the thread that signals, at once where there is nothing to wait for, and without a lock: it may signal, fail
        and submit. An exception that it raises reaches whoever signalled, after all other callbacks have run.
        """
        point = Timepoint(self, value, callback, _keep_going)
        self.register(point)
        return point

    async def until(self, value: int) -> None:
        """Wait in an event loop until `value` is reached; raises the failure of the timeline. No thread waits for it.

        >>> import asyncio
        >>> ready = Semaphore()
        >>> async def both() -> int:
        ...     asyncio.get_running_loop().call_later(0.01, ready.signal, 1)
        ...     await ready.until(1)
        ...     return ready.query()
        >>> asyncio.run(both())
        1
        """
        from asyncio import get_running_loop  # 30 ms; who awaits has it already

        loop = get_running_loop()
        future = loop.create_future()

        def settle(error: HalError | None) -> None:
            if future.done():
                return  # cancelled
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error.again())

        point = self.on(value, lambda error: loop.call_soon_threadsafe(settle, error))
        try:
            await future
        finally:
            point.cancel()

    # --- the queues' side

    @property
    def reached(self) -> int:
        """The value that was signalled last, also of a failed timeline. Asks no device."""
        return self._value

    def register(self, point: Timepoint) -> None:
        """Add a timepoint. What it waits for may have happened, or may be promised: then it is told at once."""
        promise = None
        with self._lock:
            failure = self._failure
            pending = failure is None and self._value < point.value
            if pending:
                self._points.append(point)
                promise = self._promise(point.value)
        if not pending:
            point.reached(failure)
        elif promise is not None:
            point.promised(promise)

    def forget(self, point: Timepoint) -> bool:
        """Remove a timepoint; whether it was still there."""
        with self._lock:
            if point in self._points:
                self._points.remove(point)
                return True
            return False

    def promised(self, value: int) -> Promise | None:
        """The submission that will bring the timeline to `value`, as (value, lane, epoch), if there is one."""
        if not self._promises:
            return None
        with self._lock:
            return self._promise(value)

    def _promise(self, value: int) -> Promise | None:
        promises = self._promises
        if not promises or promises[-1][0] < value:
            return None
        if len(promises) == 1 or promises[-2][0] < value:  # the usual question is for the newest
            return promises[-1]
        return promises[bisect_left(promises, value, key=_VALUE)]

    def pledge(self, promise: Promise) -> bool:
        """Remember that a submission will signal; whether somebody wants to hear of it (then `announce` it, without locks)."""
        with self._lock:
            if not self._promises or self._promises[-1][0] < promise[0]:
                self._promises.append(promise)
            else:  # submitted out of order: keep the values ascending
                insort(self._promises, promise, key=_VALUE)
            return bool(self._points)

    def announce(self, promise: Promise) -> None:
        """Tell everybody whose value this promise covers."""
        with self._lock:
            points = [point for point in self._points if point.value <= promise[0]]
        for point in points:
            point.promised(promise)

    def advance(self, value: int) -> Sequence[Timepoint]:
        """Move to `value`; whoever is to be notified of it."""
        with self._lock:
            if self._failure is not None:
                raise self._failure.again()
            if not self._value < value <= HIGHEST:
                raise HalError(
                    Code.INVALID_ARGUMENT,
                    f"the semaphore is at {self._value} and cannot be signalled to {value}",
                    help="signal values that grow, below 2**64",
                )
            self._value = value
            promises = self._promises
            if promises and promises[0][0] <= value:
                del promises[: bisect_right(promises, value, key=_VALUE)]
            if not self._points:
                return ()
            due = [point for point in self._points if point.value <= value]
            if due:
                self._points = [point for point in self._points if point.value > value]
            return due

    def end(self, error: HalError) -> Sequence[Timepoint]:
        """Fail, unless that has happened already; whoever is to be notified of it."""
        with self._lock:
            if self._failure is not None:
                return ()
            self._failure = error.again()
            due, self._points = self._points, []
            self._promises.clear()
            return due


def notify(points: Iterable[Timepoint], error: HalError | None) -> None:
    """Call back everybody, also when one of them raises."""
    rest = iter(points)
    for point in rest:
        try:
            point.reached(error)
        except BaseException:
            notify(rest, error)
            raise


def wait_all(points: Iterable[Point], timeout: float | None = None) -> None:
    """Return once every semaphore is at its value, at once when there is none; the first failure of any is raised."""
    _wait(tuple(points), timeout, every=True)


def wait_any(points: Iterable[Point], timeout: float | None = None) -> None:
    """Return once one semaphore is at its value; a failure is raised when no other has been reached."""
    _wait(tuple(points), timeout, every=False)


class _Gate:
    """What a blocked thread sleeps on; far cheaper than an Event."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def open(self, _: object = None) -> None:
        try:
            self._lock.release()
        except RuntimeError:  # it is open
            return

    def sleep(self, seconds: float) -> None:
        self._lock.acquire(True, seconds)  # a signal interrupts it only in the thread that the system gives the signal to


def _wait(points: Sequence[Point], timeout: float | None, *, every: bool) -> None:
    """Wait for points. Where a queue has promised to signal, this thread waits for the device itself and retires the work.

    With several points of which any will do there is no one device to wait for: each queue gets a thread that looks after it.
    """
    deadline = None if timeout is None else monotonic() + timeout
    drives = every or len(points) == 1
    gate: _Gate | None = None
    registered: list[Timepoint] = []
    asked = False
    try:
        while missing := _missing(points, every=every):
            left = None if deadline is None else deadline - monotonic()
            if asked and left is not None and left <= 0:
                raise HalError(Code.DEADLINE_EXCEEDED, f"waited {timeout:g} s for {_describe(missing)}")
            asked = True
            slice_ = SLICE if left is None else max(0.0, min(left, SLICE))
            promises = [
                (semaphore, promise) for semaphore, value in missing if (promise := semaphore.promised(value)) is not None
            ]
            if promises and drives:
                semaphore, (value, lane, epoch) = promises[0]
                if not lane.wait_epoch(epoch, slice_):
                    continue
                lane.poll()
                if semaphore.reached >= value or semaphore.failure is not None:
                    continue  # else another thread is about to signal
            else:
                for _, (_, lane, _) in promises:
                    lane.poll()
            if left is not None and left <= 0:
                continue
            if gate is None:
                gate = _Gate()
                registered = [Timepoint(semaphore, value, gate.open, gate.open) for semaphore, value in points]
                for point in registered:
                    point.semaphore.register(point)
                continue
            if not drives:
                for _, (_, lane, _) in promises:
                    lane.look_after()
            gate.sleep(slice_)
    finally:
        for point in registered:
            point.cancel()


def _missing(points: Sequence[Point], *, every: bool) -> list[Point]:
    """The points still to wait for; empty when the wait is over. Raises a failure that nothing can make good."""
    missing: list[Point] = []
    failure: HalError | None = None
    for semaphore, value in points:
        if semaphore.failure is not None:
            failure = failure or semaphore.failure
        elif semaphore.reached < value:
            missing.append((semaphore, value))
        elif not every:
            return []
    if failure is not None:
        raise failure.again()
    return missing


def _describe(missing: Sequence[Point]) -> str:
    semaphore, value = missing[0]
    more = f", and for {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"a semaphore at {semaphore.reached} to reach {value}{more}"


def _keep_going(promise: Promise) -> None:
    """A callback depends on this submission: nobody may be waiting for the queue, so it gets a thread."""
    promise[1].look_after()
