"""How native handles go back: each when its last holder goes, by one finalizer, and never while submitted work may use it."""

from __future__ import annotations

from _thread import allocate_lock, get_ident
from collections import deque
from time import monotonic, sleep
from weakref import finalize

from targetenv_runtime.backend import SLICE
from targetenv_runtime.pool import Pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from targetenv_runtime.backend import Backend

DRAIN = 30.0
"""Seconds that `close` gives to submitted work before it abandons the device."""


class Reclaim:
    """Native handles whose holder is gone, waiting for the work that was submitted before; and who is inside the backend.

    A finalizer may run inside any allocation, so also in the middle of a backend's own method; `inside` has the threads that
    are in one, and what they let go of waits until they are out. The backend is closed when nobody else is inside.
    """

    __slots__ = ("_once", "abandoned", "backend", "closing", "held", "inside", "pending", "pool", "shut", "submitted")

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.pool = Pool(backend.alloc, backend.free)
        self.submitted = [0] * backend.queue_count
        self.inside: set[int] = set()
        self.pending: deque[tuple[Callable[[Any], None], object, tuple[int, ...]]] = deque()
        self.held: set[int] = set()
        self.closing = False
        self.shut = False
        self.abandoned = False
        self._once = allocate_lock()

    def enter(self) -> bool:
        """Enter the backend; whether this thread was outside, which is what `leave` has to be told."""
        me = get_ident()
        if me in self.inside:
            return False
        self.inside.add(me)
        return True

    def leave(self, *, outside: bool) -> None:
        """Leave the backend, and release what could not be released inside."""
        if outside:
            self.inside.discard(get_ident())
            if self.pending:
                self.drain()

    def track(self, holder: object, release: Callable[[Any], None], handle: object) -> None:
        """Have `release(handle)` called once `holder` is gone and no work can use the handle any more."""
        self.held.add(id(holder))
        finalize(holder, self._gone, id(holder), release, handle)

    def _gone(self, holder: int, release: Callable[[Any], None], handle: object) -> None:
        self.held.discard(holder)
        if self.abandoned:
            _forever(handle)
        elif not self.shut:
            self.pending.append((release, handle, tuple(self.submitted)))
            if get_ident() not in self.inside:
                self.drain()

    def drain(self) -> None:
        """Release what no work can use any more."""
        outside = self.enter()
        try:
            self._release()
        finally:
            if outside:
                self.inside.discard(get_ident())
        if self.closing and not self.held:
            self.close()

    def _release(self) -> None:
        completed = self.backend.completed
        while self.pending and not self.shut:
            try:
                entry = self.pending.popleft()
            except IndexError:  # another thread took the last one
                return
            if any(completed(queue) < epoch for queue, epoch in enumerate(entry[2])):
                self.pending.appendleft(entry)
                return
            entry[0](entry[1])

    def abandon(self) -> None:
        """The device may go on with what it was given: nothing goes back any more, not even when the interpreter ends."""
        self.shut = self.abandoned = True
        _forever(self.backend)
        for _, handle, _ in self.pending:
            _forever(handle)

    def close(self) -> None:
        """Wait for the device and for other threads, release what is pending, close the backend. The last thing of all."""
        if self.shut or not self._once.acquire(blocking=False):
            return
        deadline = monotonic() + DRAIN
        for queue, epoch in enumerate(self.submitted):
            while self.backend.completed(queue) < epoch and monotonic() < deadline:
                self.backend.wait(queue, epoch, SLICE)
        while self.inside - {get_ident()} and monotonic() < deadline:
            sleep(0.001)  # a thread that waits for the device has yet to notice
        if all(self.backend.completed(queue) >= epoch for queue, epoch in enumerate(self.submitted)) and monotonic() < deadline:
            self._release()
            self.shut = True
            self.pool.trim()
            self.backend.close()
        elif not self.shut:
            self.abandon()


def _forever(thing: object) -> None:
    """Keep an object, and the memory behind it, until the process is gone."""
    import ctypes  # 2 ms; nearly all programs never need it

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
