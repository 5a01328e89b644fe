"""Queues: work goes in with what it waits for and what it signals, and nothing else orders it.

Submission happens in the caller's thread when everything waited for is there or can be waited for by the device, else in the
thread that resolves the last wait. Completion is noticed by whoever waits. A thread of the queue's own exists only while
something besides a waiting host depends on a submission.
"""

from __future__ import annotations

from functools import partial

from targetenv_runtime import commands
from targetenv_runtime.buffer import Slot
from targetenv_runtime.deferral import Completion
from targetenv_runtime.foreign import guarded, unraisable
from targetenv_runtime.operation import NOTHING, Held, Operation
from targetenv_runtime.semaphore import HIGHEST, Semaphore
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from os import PathLike

    from targetenv_runtime.backend import Memory
    from targetenv_runtime.buffer import Buffer, BufferRef
    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.commands import Bindable, Recording
    from targetenv_runtime.executable import Function
    from targetenv_runtime.ownership import Ownership
    from targetenv_runtime.semaphore import Point


class Queue:
    """One queue of a device. Every operation takes `wait` and `signal`, lists of (semaphore, value), and returns at once.

    Arguments are checked and captured at the call. What goes wrong later is told to the semaphores in `signal`, and by them to
    everything that waits for them.
    """

    __slots__ = ("__weakref__", "_lane", "index", "owner")

    def __init__(self, owner: Ownership, index: int) -> None:
        self.owner = owner
        self.index = index
        self._lane = owner.lanes[index]

    def __repr__(self) -> str:
        return f"<Queue {self.index} of {self.owner.uri}>"

    # --- operations

    def barrier(self, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Signal once everything waited for is there."""
        self.submit(NOTHING, (), wait, signal)

    def fill(self, target: Bindable, pattern: bytes, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Repeat a pattern of 1, 2 or 4 bytes over the target."""
        self.submit(commands.single(commands.fill(self.owner, commands.direct(target), pattern)), (), wait, signal)

    def update(
        self,
        target: Bindable,
        data: bytes | bytearray | memoryview,
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Write bytes, captured now, over the target."""
        self.submit(commands.single(commands.update(self.owner, commands.direct(target), data)), (), wait, signal)

    def copy(self, source: Bindable, target: Bindable, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Copy the source over the target."""
        self.submit(
            commands.single(commands.copy(self.owner, commands.direct(source), commands.direct(target))), (), wait, signal
        )

    def dispatch(
        self,
        function: Function,
        grid: Sequence[int] | Bindable,
        bindings: Sequence[Bindable] = (),
        constants: bytes = b"",
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Run `grid` workgroups of a kernel; a zero in any dimension runs nothing, but waits and signals all the same.

        The grid may be memory (a buffer or a range of it): three words, read once everything waited for is there.
        """
        if isinstance(grid, Slot):
            commands.direct(grid)
        refs = [commands.direct(binding) for binding in bindings]
        recording = commands.single(commands.dispatch(self.owner, function, grid, refs, constants))
        if recording.counted:
            self.enqueue(recording, (), wait, signal)
        else:
            self.submit(recording, (), wait, signal)

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
        table = buffer.bind(bindings) if bindings or recording.extents else ()
        if recording.counted:
            self.enqueue(recording, table, wait, signal)
        else:
            self.submit(recording, table, wait, signal)
        buffer.submitted = True

    def alloca(
        self, size: int, memory: Memory = "device", *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()
    ) -> Buffer:
        """A buffer that gets its memory once everything waited for is there. It may be recorded and submitted before that.

        The memory comes from the device's pool, and goes back there when the buffer is deallocated or gone.
        """
        owner = self.owner
        buffer = owner.reserve(size, memory)

        def effect() -> None:
            owner.commit(buffer, owner.pooled(size, memory))

        self.submit(NOTHING, (), wait, signal, native=False, effect=effect, name="alloca")
        return buffer

    def dealloca(self, buffer: Buffer, *, wait: Iterable[Point] = (), signal: Iterable[Point] = ()) -> None:
        """Close a buffer once everything waited for is there; if a wait fails the buffer lives on."""
        if buffer.owner is not self.owner:
            raise HalError(Code.INVALID_ARGUMENT, f"a buffer of {buffer.owner.uri} was given to {self.owner.uri}")

        def effect() -> None:
            buffer.require_live()
            buffer.close()

        self.submit(NOTHING, (), wait, signal, effect=effect, name="dealloca")

    def host_call(
        self,
        function: Callable[[], object],
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
        blocking: bool = True,
    ) -> None:
        """Call a Python function once everything waited for is there, in the thread that noticed; what it raises fails
        `signal`.

        Where it is not `blocking`, `signal` is signalled first; what the function then raises reaches `sys.unraisablehook`.
        """
        if blocking:
            effect = partial(guarded, "the host call", function)
            self.submit(NOTHING, (), wait, signal, native=False, effect=effect, name="host_call")
            return
        go = Semaphore()
        self.submit(NOTHING, (), wait, (*signal, (go, 1)), native=False, name="host_call")
        go.on(1, lambda error: None if error is not None else unraisable(function))

    def deferred_call(
        self,
        function: Callable[[Completion], object],
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """A host call that is over when somebody says so: `done` or `fail` of what the function is given, in any thread.

        What the function raises fails `signal` too, and so does closing the device before the answer.
        """
        begun, answered = Semaphore(), Semaphore()
        self.submit(NOTHING, (), ((begun, 1), (answered, 1)), signal, native=False, name="deferred_call")

        def effect() -> None:
            guarded("the deferred call", function, Completion(answered))

        self.submit(NOTHING, (), wait, ((begun, 1),), native=False, effect=effect, name="host_call")

    def read(
        self,
        file: str | PathLike[str] | int | bytes | bytearray | memoryview,
        offset: int,
        target: Bindable,
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Fill the target from a file, from byte `offset` on, once everything waited for is there.

        `file` is a path or a descriptor, opened or duplicated now, or bytes (also a memory map), which are used later. What a
        file lacks is OUT_OF_RANGE. The work is done by a thread of the device's own.
        """
        from targetenv_runtime.files import Source  # few programs have files

        source = Source(file, offset, commands.direct(target), self.owner)
        self.deferred_call(source.begin, wait=wait, signal=signal)

    def write(
        self,
        source: Bindable,
        file: str | PathLike[str] | int | bytearray | memoryview,
        offset: int,
        *,
        wait: Iterable[Point] = (),
        signal: Iterable[Point] = (),
    ) -> None:
        """Write the source into a file, from byte `offset` on, once everything waited for is there.

        A path is created now where there is no such file; see `read` for the rest.
        """
        from targetenv_runtime.files import Target

        target = Target(file, offset, commands.direct(source), self.owner)
        self.deferred_call(target.begin, wait=wait, signal=signal)

    def flush(self) -> None:
        """Start what the driver may have only batched."""
        self.owner.backend.flush(self.index)

    # --- the way in

    def submit(
        self,
        recording: Recording,
        table: Sequence[BufferRef],
        wait: Iterable[Point],
        signal: Iterable[Point],
        *,
        native: bool = True,
        effect: Callable[[], object] | None = None,
        name: str = "",
    ) -> None:
        """What every operation comes down to: a checked recording with its binding table. See `Operation` for the rest."""
        if self.owner.refusal is not None:
            raise self.owner.refusal.again()
        signals = tuple(signal)
        for semaphore, value in signals:
            if not semaphore.reached < value <= HIGHEST:
                raise _impossible(semaphore, value)
        lane = self._lane
        operation = Operation(self.owner, lane, recording, table, signals, native=native)
        operation.effect = effect
        if self.owner.observers:
            operation.notes = [observer.called(operation, name) for observer in self.owner.observers]
        held: list[Point] = []
        for semaphore, value in wait:
            if semaphore.failure is None:
                if semaphore.reached >= value:
                    continue
                promise = semaphore.promised(value) if native else None
                if promise is not None and lane.backend.can_wait(promise[1].backend):
                    operation.device_waits.append((semaphore, promise))
                    continue
            held.append((semaphore, value))
        if held:
            Held(operation, held)
        else:
            lane.issue(operation)

    def enqueue(self, recording: Recording, table: Sequence[BufferRef], wait: Iterable[Point], signal: Iterable[Point]) -> None:
        """Submit what may have grids in memory: as it is, or in stages where the driver cannot read them."""
        if recording.counted and not self.owner.backend.indirect:
            from targetenv_runtime.stages import submit  # few drivers need it

            submit(self, recording, table, wait, signal)
        else:
            self.submit(recording, table, wait, signal)


def require(signals: Iterable[Point]) -> None:
    """INVALID_ARGUMENT for semaphores that are there already."""
    for semaphore, value in signals:
        if not semaphore.reached < value <= HIGHEST:
            raise _impossible(semaphore, value)


def _impossible(semaphore: Semaphore, value: int) -> HalError:
    return HalError(Code.INVALID_ARGUMENT, f"the semaphore is at {semaphore.reached} and cannot be signalled to {value}")


def now(owner: Ownership, recording: Recording) -> None:
    """Submit to the first queue, and wait for it."""
    done = Semaphore()
    Queue(owner, 0).enqueue(recording, (), (), ((done, 1),))
    done.wait(1)


def copy_now(owner: Ownership, source: BufferRef, target: BufferRef) -> None:
    """Copy, and wait for it."""
    now(owner, commands.single(commands.copy(owner, source, target)))
