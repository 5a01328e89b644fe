"""Operations that somebody else ends: the answer to a deferred host call, and a thread that does what blocks."""

from __future__ import annotations

from _thread import allocate_lock, get_ident, start_new_thread
from collections import deque
from time import monotonic, sleep

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.semaphore import Semaphore


class Completion:
    """What a deferred host call is given: `done()` or `fail(error)` ends the operation, once; later answers change nothing.

    One that is dropped without an answer fails the operation with ABORTED, in a thread of its own.
    """

    __slots__ = ("_answered", "_lock", "_semaphore")

    def __init__(self, semaphore: Semaphore) -> None:
        self._semaphore = semaphore
        self._lock = allocate_lock()
        self._answered = False

    def done(self) -> None:
        """The call is over: its semaphores are signalled."""
        if self._first():
            self._semaphore.signal(1)

    def fail(self, error: HalError) -> None:
        """The call has failed, and so have its semaphores."""
        if self._first():
            self._semaphore.fail(error)

    def _first(self) -> bool:
        with self._lock:
            first, self._answered = not self._answered, True
        return first

    def __del__(self) -> None:
        if self._answered:
            return
        error = HalError(Code.ABORTED, "a deferred call was dropped without an answer", help="call `done` or `fail`")
        try:
            # A finalizer may run while this thread holds any lock of the timeline's.
            start_new_thread(self._semaphore.fail, (error,))
        except RuntimeError:
            return  # the interpreter is ending


class Worker:
    """One thread that does jobs in order; it is there only while there are some."""

    __slots__ = ("_ident", "_jobs", "_lock", "_name", "_running")

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = allocate_lock()
        self._jobs: deque[Callable[[], object]] = deque()
        self._running = False
        self._ident = 0

    def finish(self, deadline: float) -> None:
        """Return once all jobs are done, at the deadline at the latest, and at once in a job."""
        while self._running and self._ident != get_ident() and monotonic() < deadline:
            sleep(0.001)

    def post(self, job: Callable[[], object]) -> None:
        """Have a job done, which raises nothing."""
        with self._lock:
            self._jobs.append(job)
            if self._running:
                return
            self._running = True
        from threading import Thread  # 2 ms; most programs never need it

        Thread(target=self._work, name=self._name, daemon=True).start()

    def _work(self) -> None:
        self._ident = get_ident()
        while True:
            with self._lock:
                if not self._jobs:
                    self._running = False
                    return
                job = self._jobs.popleft()
            job()
            del job  # it holds memory
