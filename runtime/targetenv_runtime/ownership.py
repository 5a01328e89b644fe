"""What everything on one open device shares, and how a device ends.

Ownership is a tree: buffers, executables, queues and operations hold the `Ownership`; it holds none of them.
"""

from __future__ import annotations

import atexit
import os
from functools import cache
from time import monotonic
from weakref import WeakSet, finalize

from targetenv_runtime.buffer import Buffer
from targetenv_runtime.deferral import Worker
from targetenv_runtime.lane import Lane
from targetenv_runtime.pool import part
from targetenv_runtime.reclaim import DRAIN, Reclaim
from targetenv_runtime.retirement import Retirement
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from targetenv_runtime.backend import Allocation, Backend, Memory
    from targetenv_runtime.checks import Checks
    from targetenv_runtime.observe import Observer


class Ownership:
    """One open device: its backend, what still has to go back, and whether it takes new work.

    `run` is the backend's way of running one kernel past the queues, or one that declines: where the device is closed, checked
    or looked at, everything goes through the queues.
    """

    __slots__ = (
        "__weakref__",
        "backend",
        "buffers",
        "checks",
        "lanes",
        "observers",
        "reclaim",
        "refusal",
        "run",
        "uri",
        "worker",
    )

    run: Callable[..., bool]

    def __init__(self, backend: Backend, checks: Checks | None = None) -> None:
        self.backend = backend
        self.uri = backend.uri
        self.reclaim = Reclaim(backend)
        self.refusal: HalError | None = None
        self.checks = checks
        self.worker = Worker(f"{backend.uri} files")
        self.observers: tuple[Observer, ...] = ()
        self.observe(checks, here=True)
        lanes: list[Lane] = []
        retirement = Retirement(backend, lanes, self.reclaim)
        lanes += [Lane(backend, index, self.reclaim, retirement) for index in range(backend.queue_count)]
        self.lanes = tuple(lanes)
        self.buffers: WeakSet[Buffer] = WeakSet()
        finalize(self, self.reclaim.close)
        _at_exit()
        _OPEN.add(self)

    def observe(self, observer: Observer | None, *, here: bool) -> None:
        """Let somebody look on, or no more."""
        others = tuple(other for other in self.observers if other is not observer)
        self.observers = (*others, observer) if here and observer is not None else others
        self.run = self.backend.run if self.refusal is None and not self.observers else _declined

    def refuse(self, refusal: HalError) -> None:
        """Take no more work, for this reason."""
        self.refusal = refusal
        self.run = _declined

    def require_open(self) -> None:
        """FAILED_PRECONDITION after `close`, UNAVAILABLE in a forked child."""
        if self.refusal is not None:
            raise self.refusal.again()

    def reserve(self, size: int, memory: Memory) -> Buffer:
        """A buffer that has no memory yet."""
        self.require_open()
        if size < 0:
            raise HalError(Code.INVALID_ARGUMENT, f"a buffer cannot have {size} bytes")
        if memory not in ("device", "host", "shared"):
            raise HalError(Code.INVALID_ARGUMENT, f"`{memory}` is no kind of memory", help="use device, host or shared")
        buffer = Buffer(self, size, memory)
        self.buffers.add(buffer)
        return buffer

    def allocate(self, size: int, memory: Memory) -> Buffer:
        """A new buffer with undefined contents."""
        buffer = self.reserve(size, memory)
        self.commit(buffer, self.allocation(size, memory))
        return buffer

    def commit(self, buffer: Buffer, allocation: Allocation) -> None:
        """Give a buffer its memory; where there are checks, it is marked as fresh."""
        buffer.commit(allocation)
        if self.checks is not None and buffer.size:
            from targetenv_runtime.checks import mark

            mark(buffer)

    def allocation(self, size: int, memory: Memory) -> Allocation:
        """New memory, given back when the allocation is gone."""
        backend = self.backend
        return self._tracked(lambda: backend.alloc(size, memory), backend.free)

    def pooled(self, size: int, memory: Memory) -> Allocation:
        """Memory from the pool, given back to it when the allocation is gone and no work can use it."""
        pool = self.reclaim.pool
        taken: list[Allocation] = []

        def make() -> Allocation:
            taken.append(pool.take(size, memory))
            return part(taken[0], size)

        return self._tracked(make, lambda _: pool.put(taken[0], memory))

    def imported(self, memory: memoryview, release: Callable[[], object] | None) -> Allocation:
        """The host's own memory, let go (and `release` called) when the allocation is gone."""
        backend = self.backend
        kept = [memory]

        def free(handle: object) -> None:
            backend.free(handle)
            kept.clear()
            if release is not None:
                release()

        return self._tracked(lambda: backend.import_host(memory), free)

    def trim(self) -> None:
        """Give back what is only kept for later."""
        self.require_open()
        outside = self.reclaim.enter()
        try:
            self.reclaim.pool.trim()
            self.backend.trim()
        finally:
            self.reclaim.leave(outside=outside)

    def _tracked(self, make: Callable[[], Allocation], free: Callable[[Any], None]) -> Allocation:
        reclaim = self.reclaim
        outside = reclaim.enter()
        try:
            self.require_open()
            allocation = self._retried(make)
            allocation.owner = self
            reclaim.track(allocation, free, allocation.handle)
        finally:
            reclaim.leave(outside=outside)
        return allocation

    def _retried(self, make: Callable[[], Allocation]) -> Allocation:
        """Where memory is short, what is only kept goes back first."""
        try:
            return make()
        except HalError as error:
            if error.status is not Code.RESOURCE_EXHAUSTED or not self.reclaim.pool.held:
                raise
        self.trim()
        return make()

    def close(self, timeout: float = DRAIN) -> None:
        """Refuse new work, cancel what is held back, wait for what was submitted, give everything back. Idempotent.

        What a mapped view or a bound dispatch still uses goes back when that is gone. A callback that raises stops nothing of
        this; the first such exception is raised at the end.
        """
        if self.reclaim.shut:
            return
        deadline = monotonic() + timeout
        if self.refusal is None:
            self.worker.finish(deadline)  # files are moved with the device's help
            self.refuse(HalError(Code.FAILED_PRECONDITION, f"{self.uri} was closed"))
        raised: list[Exception] = []
        for lane in self.lanes:
            lane.cancel_deferred(raised)
        for lane in self.lanes:
            if not lane.finish(deadline, raised):
                self.reclaim.abandon()
        for buffer in list(self.buffers):
            buffer.close()
        self.reclaim.closing = True
        self.reclaim.drain()
        if raised:
            raise raised[0]


def _declined(*_: object) -> bool:
    return False


_OPEN: WeakSet[Ownership] = WeakSet()


@cache
def _at_exit() -> None:
    """Close what is open when the interpreter ends, and before finalizers do: what is registered last runs first."""
    atexit.register(_close_all)


def _close_all() -> None:
    """All devices together get as long as one."""
    deadline = monotonic() + DRAIN
    for owner in list(_OPEN):
        owner.close(max(0.0, deadline - monotonic()))


def _forked() -> None:
    """In a forked child the driver's threads and kernel handles are the parent's: touch nothing."""
    for owner in list(_OPEN):
        owner.refuse(
            HalError(
                Code.UNAVAILABLE, f"{owner.uri} was opened before this process was forked", help="open the device in the child"
            )
        )
        owner.reclaim.shut = True
        owner.backend.forked()


os.register_at_fork(after_in_child=_forked)
