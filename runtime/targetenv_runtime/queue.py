"""Queues: work goes in with what it waits for and what it signals, and nothing else orders it.

Submission happens in the caller's thread when everything waited for is there or can be waited for by the device, else in the
thread that resolves the last wait. Completion is noticed by whoever waits. A thread of the queue's own exists only while
something besides a waiting host depends on a submission.
"""

from __future__ import annotations

from _thread import RLock, allocate_lock, get_ident
from collections import deque
from time import monotonic, sleep

from targetenv_runtime import commands
from targetenv_runtime.buffer import Buffer, BufferRef, State
from targetenv_runtime.foreign import guarded
from targetenv_runtime.ownership import SLICE
from targetenv_runtime.semaphore import HIGHEST, Semaphore, Timepoint, notify
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from targetenv_runtime.backend import Memory
    from targetenv_runtime.commands import Bindable, CommandBuffer, Recording
    from targetenv_runtime.executable import Function
    from targetenv_runtime.ownership import Ownership
    from targetenv_runtime.semaphore import Point, Promise

_NOTHING = commands.Recording((), ())


class _Operation:
    """One thing that was put into a queue, from the call until its semaphores are signalled or failed."""

    __slots__ = ("device_waits", "effect", "epoch", "native", "points", "queue", "recording", "signals", "table")

    def __init__(
        self, queue: Queue, recording: Recording, table: Sequence[BufferRef], signals: tuple[Point, ...], *, native: bool
    ) -> None:
        self.queue = queue
        self.recording = recording
        self.table = table
        self.signals = signals
        self.native = native
        self.effect: Callable[[], object] | None = None
        self.device_waits: list[tuple[Semaphore, Promise]] = []
        self.points: list[Timepoint] = []
        self.epoch = 0


class _Held:
    """Waits of one operation that only the host can resolve. Each arrives once; the last one, or the first failure, decides."""

    __slots__ = ("_left", "_lock", "operation")

    def __init__(self, operation: _Operation, waits: Sequence[Point]) -> None:
        self.operation = operation
        self._lock = allocate_lock()
        self._left = len(waits) + 1
        operation.queue.deferred.add(self)
        for semaphore, value in waits:
            point = Timepoint(semaphore, value, self.arrive, self.promised)
            operation.points.append(point)
        for point in tuple(operation.points):
            point.semaphore.register(point)
        self.arrive(None)

    def arrive(self, error: HalError | None) -> None:
        operation = self.operation
        with self._lock:
            if self._left <= 0:
                return
            self._left = 0 if error is not None else self._left - 1
            if self._left:
                return
        operation.queue.deferred.discard(self)
        points, operation.points = operation.points, []
        if error is None:
            operation.queue.issue(operation)
            return
        for point in points:
            point.cancel()
        operation.queue.retire(operation, error)

    def promised(self, promise: Promise) -> None:
        """A queue has taken what this operation waits for: let the device wait, or see to it that somebody watches."""
        operation = self.operation
        if not (operation.native and operation.queue.backend.can_wait(promise[1].backend)):
            promise[1].look_after()
            return
        for point in tuple(operation.points):
            if point.value <= promise[0] and point.semaphore.promised(point.value) == promise and point.cancel():
                with self._lock:
                    operation.device_waits.append((point.semaphore, promise))
                self.arrive(None)


class Queue:
    """One queue of a device. Every operation takes `wait` and `signal`, lists of (semaphore, value), and returns at once.

    Arguments are checked and captured at the call. What goes wrong later is told to the semaphores in `signal`, and by them to
    everything that waits for them.
    """

    __slots__ = ("__weakref__", "_again", "_drainer", "_lock", "_pending", "_watched", "backend", "deferred", "index", "owner")

    def __init__(self, owner: Ownership, index: int) -> None:
        self.owner = owner
        self.backend = owner.backend
        self.index = index
        self.deferred: set[_Held] = set()
        self._lock = RLock()
        self._pending: deque[_Operation] = deque()
        self._drainer: int | None = None
        self._again = False
        self._watched = False

    def __repr__(self) -> str:
        return f"<Queue {self.index} of {self.owner.uri}>"

    # --- operations

    def barrier(self, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Signal once everything waited for is there."""
        self._submit(_NOTHING, (), wait, signal)

    def fill(self, target: Bindable, pattern: bytes, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Repeat a pattern of 1, 2 or 4 bytes over the target."""
        self._submit(commands.single(commands.fill(self.owner, _direct(target), pattern)), (), wait, signal)

    def update(
        self,
        target: Bindable,
        data: bytes | bytearray | memoryview,
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Write bytes, captured now, over the target."""
        self._submit(commands.single(commands.update(self.owner, _direct(target), data)), (), wait, signal)

    def copy(self, source: Bindable, target: Bindable, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Copy the source over the target."""
        self._submit(commands.single(commands.copy(self.owner, _direct(source), _direct(target))), (), wait, signal)

    def dispatch(
        self,
        function: Function,
        grid: Sequence[int],
        bindings: Sequence[Bindable] = (),
        constants: bytes = b"",
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Run `grid` workgroups of a kernel; a zero in any dimension runs nothing, but waits and signals all the same."""
        refs = [_direct(binding) for binding in bindings]
        self._submit(commands.single(commands.dispatch(self.owner, function, grid, refs, constants)), (), wait, signal)

    def execute(
        self,
        buffer: CommandBuffer,
        bindings: Sequence[Bindable] = (),
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Execute a command buffer, with the buffers (or ranges) that its slots stand for."""
        if buffer.owner is not self.owner:
            raise HalError(
                Code.INVALID_ARGUMENT, f"the command buffer was recorded for {buffer.owner.uri}, not for {self.owner.uri}"
            )
        recording = buffer.recording
        if buffer.one_shot and buffer.submitted:
            raise HalError(Code.FAILED_PRECONDITION, "a one-shot command buffer was executed before")
        table = commands.bind(recording, self.owner, [_direct(binding) for binding in bindings])
        self._submit(recording, table, wait, signal)
        buffer.submitted = True

    def alloca(
        self, size: int, memory: Memory = "device", *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()
    ) -> Buffer:
        """A buffer that gets its memory once everything waited for is there. It may be recorded and submitted before that."""
        buffer = self.owner.reserve(size, memory)
        self._submit(
            _NOTHING, (), wait, signal, native=False, effect=lambda: buffer.commit(self.owner.allocation(size, memory))
        )
        return buffer

    def dealloca(self, buffer: Buffer, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Close a buffer once everything waited for is there; if a wait fails the buffer lives on."""
        if buffer.owner is not self.owner:
            raise HalError(Code.INVALID_ARGUMENT, f"a buffer of {buffer.owner.uri} was given to {self.owner.uri}")

        def effect() -> None:
            buffer.require_live()
            buffer.close()

        self._submit(_NOTHING, (), wait, signal, effect=effect)

    def host_call(self, function: Callable[[], object], *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Call a Python function once everything waited for is there, in the thread that noticed; what it raises fails
        `signal`.
        """
        self._submit(_NOTHING, (), wait, signal, native=False, effect=lambda: guarded("the host call", function))

    def flush(self) -> None:
        """Start what the driver may have only batched."""
        self.backend.flush(self.index)

    # --- at once

    def now(self, recording: Recording) -> None:
        """Submit, and wait for it."""
        done = Semaphore()
        self._submit(recording, (), (), ((done, 1),))
        done.wait(1)

    def copy_now(self, source: BufferRef, target: BufferRef) -> None:
        """Copy, and wait for it."""
        self.now(commands.single(commands.copy(self.owner, source, target)))

    # --- the way in

    def _submit(
        self,
        recording: Recording,
        table: Sequence[BufferRef],
        wait: Iterable[Point],
        signal: Iterable[Point],
        *,
        native: bool = True,
        effect: Callable[[], object] | None = None,
    ) -> None:
        if self.owner.refusal is not None:
            raise self.owner.refusal.again()
        signals = tuple(signal)
        for semaphore, value in signals:
            if not semaphore.reached < value <= HIGHEST:
                raise HalError(
                    Code.INVALID_ARGUMENT, f"the semaphore is at {semaphore.reached} and cannot be signalled to {value}"
                )
        operation = _Operation(self, recording, table, signals, native=native)
        operation.effect = effect
        held: list[Point] = []
        for semaphore, value in wait:
            if semaphore.failure is None:
                if semaphore.reached >= value:
                    continue
                promise = semaphore.promised(value) if native else None
                if promise is not None and self.backend.can_wait(promise[1].backend):
                    operation.device_waits.append((semaphore, promise))
                    continue
            held.append((semaphore, value))
        if held:
            _Held(operation, held)
        else:
            self.issue(operation)

    def issue(self, operation: _Operation) -> None:
        """Hand an operation to the device, now that nothing on the host holds it back."""
        recording, waits = operation.recording, operation.device_waits
        if not recording.levels and not waits:
            self.retire(operation, None)
            return
        try:
            for buffer in recording.buffers:
                if buffer.state is not State.LIVE:
                    buffer.require_live()
            for ref in operation.table:
                if ref.buffer.state is not State.LIVE:
                    ref.buffer.require_live()
            with self._lock, self.owner.reclaim:
                told = self._send(operation)
        except HalError as error:
            self.retire(operation, error.within(device=self.owner.uri, queue=self.index))
            return
        if self.backend.synchronous:
            self.retire(operation, self.backend.failure(self.index, operation.epoch))
        elif told:
            for semaphore, value in operation.signals:
                semaphore.announce((value, self, operation.epoch))

    def _send(self, operation: _Operation) -> bool:
        """Submit, under the lock; whether somebody wants to hear of the promises that this makes."""
        if self.owner.refusal is not None:
            raise HalError(Code.CANCELLED, f"{self.owner.uri} was closed before the work could start")
        epochs = [(promise[1].backend, promise[1].index, promise[2]) for _, promise in operation.device_waits]
        epoch = self.backend.submit(self.index, operation.recording, operation.table, epochs)
        self.owner.reclaim.submitted[self.index] = operation.epoch = epoch
        if self.backend.synchronous:
            return False
        self._pending.append(operation)
        told = False
        for semaphore, value in operation.signals:
            told |= semaphore.pledge((value, self, epoch))
        return told

    # --- the way out

    def retire(self, operation: _Operation, error: HalError | None) -> None:
        """Let go of everything an operation used, and signal or fail its semaphores."""
        if error is None:
            for semaphore, _ in operation.device_waits:
                if semaphore.failure is not None:
                    error = semaphore.failure
        if error is None and operation.effect is not None:
            try:
                operation.effect()
            except HalError as raised:
                error = raised
        operation.recording, operation.table, operation.effect = _NOTHING, (), None
        operation.device_waits = []
        due: list[tuple[Sequence[Timepoint], HalError | None]] = []
        for semaphore, value in operation.signals:
            try:
                due.append((semaphore.advance(value), None) if error is None else (semaphore.end(error), error))
            except HalError as refused:
                due.append((semaphore.end(refused), refused))
        for points, outcome in due:
            if points:
                notify(points, outcome)

    def wait_epoch(self, epoch: int, timeout: float | None) -> bool:
        """Wait for the device; whether the epoch is complete."""
        return self.backend.wait(self.index, epoch, timeout)

    def poll(self) -> None:
        """Retire what the device has completed, in order. Never blocks; if another thread is at it, that one goes on."""
        if not self._pending:
            return
        me = get_ident()
        with self._lock:
            if self._drainer not in (None, me):
                self._again = True
                return
            nested = self._drainer == me
            self._drainer = me
        finished = False
        try:
            while not finished:
                finished = self._retire_next(nested=nested)
        finally:
            if not finished and not nested:
                self._drainer = None
        if not nested and self.owner.reclaim.pending:
            self.owner.reclaim.drain()

    def _retire_next(self, *, nested: bool) -> bool:
        """Retire the oldest operation if it is complete; whether there is nothing more to do."""
        self._again = False
        completed = self.backend.completed(self.index)
        operation = None
        if self._pending and self._pending[0].epoch <= completed and self._settled(self._pending[0]):
            operation = self._pending.popleft()
            self.retire(operation, self.backend.failure(self.index, operation.epoch))
            return False
        with self._lock:
            if self._again:
                return False
            if not nested:
                self._drainer = None
            return True

    def _settled(self, operation: _Operation) -> bool:
        """Whether it is known how everything ended that the device waited for on behalf of this operation."""
        for semaphore, promise in operation.device_waits:
            if semaphore.failure is None and semaphore.reached < promise[0]:
                if promise[1] is not self:
                    promise[1].poll()
                if semaphore.failure is None and semaphore.reached < promise[0]:
                    if not operation.points:  # another thread is about to signal
                        point = Timepoint(semaphore, promise[0], self._resume, _ignore)
                        operation.points.append(point)
                        semaphore.register(point)
                    return False
        return True

    def _resume(self, _: HalError | None) -> None:
        self.poll()

    def look_after(self) -> None:
        """Have a thread retire work as long as there is any, because something besides a waiting host depends on it."""
        with self._lock:
            if self._watched or not self._pending:
                return
            self._watched = True
        from threading import Thread  # 2 ms; most programs never need it

        Thread(target=self._watch, name=f"{self.owner.uri} queue {self.index}", daemon=True).start()

    def _watch(self) -> None:
        try:
            while True:
                with self._lock:
                    if not self._pending:
                        self._watched = False
                        return
                    oldest = self._pending[0]
                if self.wait_epoch(oldest.epoch, SLICE):
                    self.poll()
                    if self._pending and self._pending[0] is oldest:
                        sleep(0.001)  # another thread is retiring it
        except BaseException:
            self._watched = False  # a callback raised: the next one in need starts a new thread
            raise

    # --- the end

    def cancel_deferred(self) -> None:
        """Fail everything that is still held back."""
        for held in tuple(self.deferred):
            held.arrive(HalError(Code.CANCELLED, f"{self.owner.uri} was closed before the work could start"))

    def finish(self, deadline: float) -> bool:
        """Wait until all submitted work is retired; whether it is. What the device does not finish in time is failed."""
        while self._pending:
            left = deadline - monotonic()
            if left <= 0:
                break
            oldest = self._pending[0]
            if self.wait_epoch(oldest.epoch, min(left, SLICE)):
                self.poll()
                if self._pending and self._pending[0] is oldest:
                    sleep(0.001)
        lost = HalError(Code.DEADLINE_EXCEEDED, f"{self.owner.uri} did not finish its work before it was closed")
        abandoned = bool(self._pending)
        while self._pending:
            self.retire(self._pending.popleft(), lost)
        return not abandoned


def _direct(binding: Bindable) -> BufferRef:
    ref = binding.ref
    if not isinstance(ref, BufferRef):
        raise HalError(Code.INVALID_ARGUMENT, f"slot {ref.slot} has a meaning only in command buffers")
    return ref


def _ignore(_: Promise) -> None:
    """A promise that changes nothing."""
