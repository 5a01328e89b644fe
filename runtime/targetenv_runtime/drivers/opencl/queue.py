"""A command queue that counts its submissions: each is a graph of events, and its epoch is done when the last of them is."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from threading import Condition, Thread
from time import monotonic_ns

from targetenv.model.record import record
from targetenv_runtime.commands import Copy, Fill, Update
from targetenv_runtime.drivers.opencl import api as cl
from targetenv_runtime.drivers.opencl.status import failure
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Command, Dispatch, Recording
    from targetenv_runtime.drivers.opencl.api import Api
    from targetenv_runtime.drivers.opencl.memory import Heap
    from targetenv_runtime.drivers.opencl.program import Entry

_LOOKS = 5
_PATIENCE = 1.0  # seconds for the thread of a queue that is closed


class Recorder:
    """Enqueues the commands of one submission: those of a level wait for the level before, and for nothing else."""

    def __init__(self, queue: DeviceQueue, waits: list[c_void_p]) -> None:
        self.api = queue.api
        self._queue = queue.handle
        self._before = waits  # what the commands of this level wait for
        self._level: list[c_void_p] = []
        self._made: list[c_void_p] = []
        self._kept: list[object] = []

    def enqueue(self, call: str, *arguments: object) -> None:
        """One command of this level."""
        event = c_void_p()
        self.api.call(call, self._queue, *arguments, *cl.handles(self._before), byref(event))
        self._level.append(event)
        self._made.append(event)

    def keep(self, data: bytes) -> c_void_p:
        """The address of bytes that stay where they are until the submission is done."""
        held = ctypes.create_string_buffer(data, len(data))
        self._kept.append(held)
        return c_void_p(ctypes.addressof(held))

    def end_level(self) -> None:
        """What is enqueued from now on waits for what was enqueued before."""
        if len(self._level) > 1:
            self.join()
        elif self._level:
            self._before, self._level = self._level, []

    def join(self) -> c_void_p:
        """One event for all that was enqueued in this level."""
        event = c_void_p()
        self.api.call("clEnqueueMarkerWithWaitList", self._queue, *cl.handles(self._level or self._before), byref(event))
        self._made.append(event)
        self._before, self._level = [event], []
        return event

    def abandon(self) -> None:
        """Something could not be enqueued: wait for what was, since its memory may be given back now."""
        if self._made:
            self.api["clFlush"](self._queue)
            self.api["clWaitForEvents"](*cl.handles(self._made))
        self.release()

    @property
    def events(self) -> list[c_void_p]:
        """Every event of the submission, in the order of its commands."""
        return self._made

    def release(self) -> None:
        """Give the events back, and what was kept."""
        for event in self._made:
            self.api["clReleaseEvent"](event)
        self._made.clear()
        self._kept.clear()


@record
class Flight:
    """A submission under way: its last event, and what belongs to it."""

    last: c_void_p
    recorder: Recorder


class DeviceQueue:
    """Submits in any thread, one at a time. OpenCL's own wait has no timeout, so that a thread of this queue does the waiting
    from the first time on that somebody waits."""

    def __init__(self, api: Api, handle: c_void_p, heap: Heap, uri: str) -> None:
        self.api = api
        self.handle = handle
        self.heap = heap
        self.uri = uri
        self._shift: int | None = None
        self.times: dict[int, tuple[int, int]] = {}
        self.failures: dict[int, HalError] = {}
        self._changed = Condition()
        self._flying: dict[int, Flight] = {}
        self._next = 0
        self._done = 0
        self._thread: Thread | None = None
        self._closed = False
        self._collecting = False

    def submit(self, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[DeviceQueue, int]]) -> int:
        """Enqueue a recording after the epochs of other queues; its own epoch."""
        awaited = [event for queue, epoch in waits if (event := queue.retained(epoch)) is not None]
        recorder = Recorder(self, awaited)
        try:
            self._record(recording, table, recorder)
            last = recorder.join()
            self.api.call("clFlush", self.handle)
        except BaseException:
            recorder.abandon()
            raise
        finally:
            for event in awaited:
                self.api["clReleaseEvent"](event)
        with self._changed:
            self._next += 1
            self._flying[self._next] = Flight(last, recorder)
            if self._thread is not None:
                self._changed.notify_all()
            return self._next

    def completed(self) -> int:
        """The newest epoch before which, itself included, everything is done."""
        with self._changed:
            self._collect()
            return self._done

    def wait(self, epoch: int, timeout: float | None) -> bool:
        """Block until an epoch is complete or the time is over; whether it is complete."""
        with self._changed:
            self._collect()
            if self._done >= epoch:
                return True
            if self._thread is None:
                self._thread = Thread(target=self._watch, name=f"{self.uri} completions", daemon=True)
                self._thread.start()
            return self._changed.wait_for(lambda: self._done >= epoch, timeout)

    def retained(self, epoch: int) -> c_void_p | None:
        """The event of an epoch that is under way, to be released by the caller; None when it is done."""
        with self._changed:
            flight = self._flying.get(epoch)
            if flight is None:
                return None
            self.api.call("clRetainEvent", flight.last)
            return flight.last

    def close(self) -> None:
        """Give the queue back; one whose work never ends is left, since releasing it would wait for that."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None and not self.stuck:
            self._thread.join(_PATIENCE)
        if not self.stuck:
            self.api["clReleaseCommandQueue"](self.handle)

    @property
    def stuck(self) -> bool:
        """Whether something is under way."""
        with self._changed:
            self._collect()
            return bool(self._flying)

    def _record(self, recording: Recording, table: Sequence[BufferRef], recorder: Recorder) -> None:
        refs = [ref.resolve(table) for level in recording.levels for command in level for ref in command.refs]
        self.heap.bring(refs, recorder)
        recorder.end_level()
        for level in recording.levels:
            for command in level:
                self._enqueue(command, table, recorder)
            recorder.end_level()
        self.heap.take_back(refs, recorder)

    def _enqueue(self, command: Command, table: Sequence[BufferRef], recorder: Recorder) -> None:
        heap = self.heap
        if isinstance(command, Fill):
            heap.fill(command.target.resolve(table), command.pattern, recorder)
        elif isinstance(command, Update):
            heap.write(command.target.resolve(table), command.data, recorder)
        elif isinstance(command, Copy):
            heap.copy(command.source.resolve(table), command.target.resolve(table), recorder)
        else:
            self._dispatch(command, [ref.resolve(table) for ref in command.bindings], recorder)

    def _dispatch(self, command: Dispatch, bindings: list[BufferRef], recorder: Recorder) -> None:
        entry: Entry = command.function.entry  # type: ignore[assignment]  # loaded images are ours
        local = entry.workgroup_size
        items = [count * size for count, size in zip(command.grid, local, strict=True)]
        refs = iter(bindings)
        with entry.lock:
            for parameter in entry.parameters:
                index = c_uint(parameter.index)
                if parameter.kind == "binding":
                    self.heap.argument(entry.handle, parameter.index, next(refs), recorder)
                elif parameter.kind == "local":
                    self.api.call("clSetKernelArg", entry.handle, index, c_size_t(entry.local_memory), None)
                else:
                    value = command.constants[parameter.offset : parameter.offset + parameter.size]
                    self.api.call("clSetKernelArg", entry.handle, index, c_size_t(parameter.size), c_char_p(value))
            shape = (c_size_t * 3)(*items), (c_size_t * 3)(*local)
            recorder.enqueue("clEnqueueNDRangeKernel", entry.handle, c_uint(3), None, *shape)

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._flying or self._closed)
                if self._closed:
                    return
                self._collect()
                flight = self._flying.get(self._done + 1)
                if flight is None:
                    continue
                self.api.call("clRetainEvent", flight.last)
                last = flight.last
                del flight  # it holds memory
            self.api["clWaitForEvents"](*cl.handles([last]))
            self.api["clReleaseEvent"](last)

    def _collect(self) -> None:
        """Notice what is done, in order. The lock is held; a garbage collection in the middle of this may call it again."""
        if self._collecting:
            return
        self._collecting = True
        before = self._done
        try:
            while (flight := self._flying.get(self._done + 1)) is not None:
                status = self._status(flight.last)
                if status > cl.COMPLETE:
                    break
                epoch = self._done + 1
                if status < cl.COMPLETE:
                    self.failures[epoch] = self._failure(flight.recorder, status)
                elif self._shift is not None:
                    self._note_times(epoch, flight.recorder.events, self._shift)
                del self._flying[epoch]
                self._done = epoch
                flight.recorder.release()
        finally:
            self._collecting = False
        if self._done != before:
            self._changed.notify_all()

    def _status(self, event: c_void_p) -> int:
        status = c_int()
        self.api.call("clGetEventInfo", event, c_uint(cl.EVENT_STATUS), c_size_t(4), byref(status), None)
        return status.value

    def _failure(self, recorder: Recorder, status: int) -> HalError:
        """The first command that failed of itself; what waited for it only says so."""
        own = [found for event in recorder.events if (found := self._status(event)) < 0 and found != cl.WAITED_FOR_FAILURE]
        return failure("a command", own[0] if own else status).within(device=self.uri)

    def profile(self, shift: int | None) -> None:
        """Note the times of every submission from now on, with `shift` added (see `calibrated`), or no more with None."""
        self.times.clear()
        self._shift = shift

    def calibrated(self) -> int | None:
        """What turns the device's nanoseconds into the host's: the best of a few commands that are queued between two looks at
        the host's clock. None on a queue without profiling."""
        best: tuple[int, int] | None = None
        for _ in range(_LOOKS):
            event = c_void_p()
            before = monotonic_ns()
            self.api.call("clEnqueueMarkerWithWaitList", self.handle, c_uint(0), None, byref(event))
            after = monotonic_ns()
            self.api["clWaitForEvents"](*cl.handles([event]))
            try:
                queued = self.api.whole("clGetEventProfilingInfo", event, c_uint(cl.PROFILING_QUEUED))
            except HalError:
                return None
            finally:
                self.api["clReleaseEvent"](event)
            found = after - before, (before + after) // 2 - queued
            best = found if best is None else min(best, found)
        return best[1] if best is not None else None

    def _note_times(self, epoch: int, events: Sequence[c_void_p], shift: int) -> None:
        ask, info = self.api.whole, "clGetEventProfilingInfo"
        begin = min(ask(info, event, c_uint(cl.PROFILING_START)) for event in events)
        end = max(ask(info, event, c_uint(cl.PROFILING_END)) for event in events)
        self.times[epoch] = begin + shift, end + shift
