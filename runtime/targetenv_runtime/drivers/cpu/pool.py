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

    __slots__ = ("_loops", "_queue", "_workers", "threads")

    def __init__(self, loops: Loops, threads: int) -> None:
        self._loops = loops
        self.threads = threads
        self._workers: list[Thread] = []
        self._queue: SimpleQueue[_Task | None] | None = None

    def run(self, block: Block, first: int, last: int) -> int:
        """Run these workgroups of the block on all threads; 0, or what a kernel returned.

        On the first failure nobody begins another workgroup.
        """
        queue = self._queue or self._start()
        task = _Task(self._loops, block, first, last, self.threads)
        for _ in range(min(len(self._workers), last - first - 1)):
            queue.put(task)
        return task.lead()

    def close(self) -> None:
        """End the threads."""
        if self._queue is not None:
            for _ in self._workers:
                self._queue.put(None)
            for worker in self._workers:
                worker.join()
            self._workers.clear()
            self._queue = None

    def _start(self) -> SimpleQueue[_Task | None]:
        from queue import SimpleQueue  # only where a grid is worth it
        from threading import Thread

        queue: SimpleQueue[_Task | None] = SimpleQueue()
        for number in range(1, self.threads):
            worker = Thread(target=_work, args=(queue,), name=f"targetenv-cpu-{number}", daemon=True)
            worker.start()
            self._workers.append(worker)
        self._queue = queue
        return queue


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

    def lead(self) -> int:
        """Work until nothing is left to begin, then wait for those who are still at it."""
        try:
            status = self._share(ctypes.byref(self._work), ctypes.c_void_p(self._block.dispatch))
        finally:
            self._finish()
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

    def _finish(self) -> None:
        with self._lock:
            self._closed = True
            waiting = self._active > 0
        interruption: BaseException | None = None
        while waiting:
            try:
                self._idle.acquire()
                waiting = False
            except BaseException as error:  # noqa: BLE001  a signal handler's, raised again as soon as no buffer is in use
                interruption = error
                self._work[0] = self._work[2]  # begin nothing more
        if interruption is not None:
            raise interruption
