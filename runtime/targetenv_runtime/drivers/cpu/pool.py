"""Threads that help with grids too big for one.

The caller always works too, and never waits for a thread that has not begun: handing work to a sleeping thread takes 10 to
60 us, and by then a grid may be done. Which thread computes which workgroup is settled while they run, a few at a time.
"""

from __future__ import annotations

import ctypes
from _thread import allocate_lock

from targetenv_runtime.drivers.cpu.dispatch import ENVIRONMENT
from targetenv_runtime.drivers.cpu.memory import Pages
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from queue import SimpleQueue
    from threading import Thread

    from targetenv_runtime.drivers.cpu.dispatch import Block
    from targetenv_runtime.drivers.cpu.loops import Loops

_PARTS = 16  # pieces of a grid for each thread, so that one that is held up does not hold up the rest


class Pool:
    """Up to `threads` threads, the caller's among them; none is started before a grid is spread."""

    __slots__ = ("_lock", "_loops", "_queue", "_workers", "threads")

    def __init__(self, loops: Loops, threads: int) -> None:
        self._loops = loops
        self.threads = threads
        self._lock = allocate_lock()
        self._workers: list[Thread] = []
        self._queue: SimpleQueue[_Task | None] | None = None

    def run(self, block: Block, first: int, last: int) -> int:
        """Run these workgroups of the block on all threads; 0, or what a kernel returned.

        On the first failure nobody begins another workgroup.
        """
        queue = self._queue if self._queue is not None else self._start()
        task = _Task(self._loops, block, first, last, self.threads)
        return task.lead(queue, min(len(self._workers), last - first - 1))

    def close(self) -> None:
        """End the threads."""
        with self._lock:
            queue, self._queue = self._queue, None
            workers, self._workers = self._workers, []
        if queue is not None:
            for _ in workers:
                queue.put(None)
            for worker in workers:
                if worker.is_alive():
                    worker.join()

    def _start(self) -> SimpleQueue[_Task | None]:
        from queue import SimpleQueue  # only where a grid is worth it
        from threading import Thread

        with self._lock:
            if self._queue is None:
                # All is in place before a thread starts: a signal's handler may raise anywhere in here.
                queue: SimpleQueue[_Task | None] = SimpleQueue()
                names = [f"targetenv-cpu-{number}" for number in range(1, self.threads)]
                self._workers = [Thread(target=_work, args=(queue,), name=name, daemon=True) for name in names]
                self._queue = queue
                for worker in self._workers:
                    worker.start()
            return self._queue


def _work(queue: SimpleQueue[_Task | None]) -> None:
    scratch: Pages | None = None
    while (task := queue.get()) is not None:
        scratch = task.help(scratch)
        del task  # or its buffers would live until there is more to do


class _Task:
    """One grid being worked on: what is left of it, and how many helpers are at it."""

    __slots__ = ("_active", "_block", "_closed", "_idle", "_lock", "_share", "_status", "_work")

    def __init__(self, loops: Loops, block: Block, first: int, last: int, threads: int) -> None:
        step = max(1, (last - first) // (threads * _PARTS))
        self._work = (ctypes.c_uint64 * 5)(first, step, last, block.entry.address, ENVIRONMENT)
        self._share = loops.share
        self._block = block
        self._lock = allocate_lock()
        self._idle = allocate_lock()
        self._idle.acquire()
        self._active = 0
        self._closed = False
        self._status = 0

    def lead(self, queue: SimpleQueue[_Task | None], helpers: int) -> int:
        """Ask for help, work until nothing is left to begin, then wait for those who are still at it.

        A signal's handler may raise anywhere in here; it is raised again when nobody uses the buffers any more.
        """
        status = 0
        interruption: BaseException | None = None
        try:
            for _ in range(helpers):
                queue.put(self)
            status = self._share(ctypes.byref(self._work), ctypes.c_void_p(self._block.dispatch))
        except BaseException:
            self._work[0] = self._work[2]  # begin nothing more
            raise
        finally:
            self._closed = True
            waiting = True
            while waiting:
                try:
                    with self._lock:
                        waiting = self._active > 0
                    if waiting:
                        self._idle.acquire()
                except BaseException as error:  # noqa: BLE001  whatever a handler raises
                    interruption = error
                    self._work[0] = self._work[2]
        if interruption is not None:
            raise interruption
        return status or self._status

    def help(self, scratch: Pages | None) -> Pages | None:
        """Work too, unless it is done already; `scratch` is the thread's, and perhaps replaced by a bigger one."""
        with self._lock:
            if self._closed:
                return scratch
            self._active += 1
        status = 0
        try:
            needed = self._block.entry.local_memory
            if needed:
                if scratch is None or scratch.size < needed:
                    scratch = Pages(needed)
                own = self._block.copy(scratch.address)
                status = self._share(ctypes.byref(self._work), ctypes.c_void_p(ctypes.addressof(own)))
            else:
                status = self._share(ctypes.byref(self._work), ctypes.c_void_p(self._block.dispatch))
        except HalError:
            pass  # no memory for another thread; those that are at it do the work
        finally:
            with self._lock:
                self._active -= 1
                self._status = self._status or status
                if self._closed and self._active == 0:
                    self._idle.release()
        return scratch
