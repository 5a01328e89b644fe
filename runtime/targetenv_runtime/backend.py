"""What a driver's author writes: mechanism only. All semantics (timelines, deferral, failure, lifetimes) are in the core.

A backend is one open device. Each of its queues counts submissions: `submit` answers with the *epoch* of the submission, a
number that grows by one or more each time, and epoch e is complete when `completed(queue) >= e`. User semaphores never reach a
backend. The core never asks a backend to wait for something that is not submitted yet.

A driver must have `describe close alloc free load unload submit completed wait`, and `failure` where work can fail after it was
taken. It may have, where it can do better than the core: `release` (with `Recording.replay`), `can_wait`, `flush`, `indirect`,
`import_host`, `trim`, `profile` with `times`, `forked`, `bind`, `run`. The core's alone, and the same for all drivers, are:
arguments, binding tables, levels and automatic barriers, hazard checks, timelines, deferral, failures, host calls, files, the
pool behind `queue.alloca`, buffer states, closing, exit and fork.

Threads: `submit` is called by one thread at a time per queue; everything else may be called from any thread at any time, `wait`
by several at once. Nothing here is called from a garbage collection that runs inside another call of the same thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal, TypeAlias

    from targetenv.model.artifact import Kernel
    from targetenv.model.device import Device
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Bindable, Recording
    from targetenv_runtime.executable import Function
    from targetenv_runtime.ownership import Ownership

    Grid: TypeAlias = tuple[int, int, int]
    Memory: TypeAlias = Literal["device", "host", "shared"]


SLICE = 0.1
"""Seconds that one native wait lasts at most, so that Ctrl-C is heard."""


class Allocation:
    """Memory of a device. It lives as long as this object: buffers, mapped views and bound dispatches hold it.

    `handle` is the driver's own (a VkBuffer, a CUdeviceptr, an mmap) and what `Backend.free` gets; it must not refer back to
    the Allocation. `address` is where kernels see the first byte, 0 when they do not take addresses; `view` is the same memory
    for the host, writable bytes, or None when the host cannot reach it. `owner` is set by the core.
    """

    __slots__ = ("__weakref__", "address", "handle", "owner", "size", "view")

    def __init__(self, handle: object, size: int, *, address: int = 0, view: memoryview | None = None) -> None:
        self.handle = handle
        self.size = size
        self.address = address
        self.view = view
        self.owner: Ownership | None = None


class Loaded:
    """A loaded image: the driver's `handle` (what `Backend.unload` gets), and one entry per kernel, in order.

    `kernels` may say more than was asked with (a binding count read from the image); `entries` are what the driver wants to
    find as `Function.entry` when it dispatches (a pipeline, a function pointer).
    """

    __slots__ = ("__weakref__", "entries", "handle", "kernels")

    def __init__(self, handle: object, kernels: Sequence[Kernel], entries: Sequence[object]) -> None:
        self.handle = handle
        self.kernels = tuple(kernels)
        self.entries = tuple(entries)


class Backend(ABC):
    """One open device of one driver. A driver's `backend.py` exports `open(selector, **options) -> Backend`.

    `selector` is what stands behind `driver://`: an ordinal in decimal, an identity (a UUID), or "" for the first device. A
    selector that names nothing raises `HalError(Code.NOT_FOUND)`; the core adds what exists. Missing libraries, nodes and
    rights raise `HalError(Code.UNAVAILABLE)` with the reason.
    """

    name: str
    """The driver's name, `vulkan`."""

    uri: str
    """The device in canonical form, `vulkan://0`."""

    formats: frozenset[str] = frozenset()
    """The executable formats that `load` takes."""

    queue_count: int = 1

    synchronous: bool = False
    """Whether `submit` returns only after the work is done (and raises what went wrong with it)."""

    indirect: bool = False
    """Whether `submit` takes dispatches whose grid is in memory (`Dispatch.count`). If not, the core submits in stages, and the
    host reads the grid in between."""

    binding_alignment: int = 1
    """Bytes that the offset of every kernel binding must be a multiple of; allocations are aligned at least as well."""

    @abstractmethod
    def describe(self) -> Device:
        """This device with everything it offers. May probe; asked for only when somebody wants to know."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back. All queues are idle, unless an earlier `wait` said that the device is lost."""

    # --- memory

    @abstractmethod
    def alloc(self, size: int, memory: Memory) -> Allocation:
        """`size` bytes (0 is allowed).

        `device`: best for kernels, the host may not reach it. `host`: host memory that the device can reach. `shared`:
        reachable by both (coherent: no flush is asked for), on the device where possible. Contents are undefined. Too much is
        `RESOURCE_EXHAUSTED`.
        """

    @abstractmethod
    def free(self, handle: object) -> None:
        """Called once with an `Allocation.handle`, when nothing that was submitted can still use the memory."""

    def import_host(self, memory: memoryview) -> Allocation:
        """Memory of the host's own as memory of the device: the same bytes, `memory` (writable, contiguous) being the view.

        The core keeps what is behind the view until the allocation is gone, and then calls `free`. UNIMPLEMENTED where the
        driver cannot, INVALID_ARGUMENT where it cannot for this piece (say how it should be aligned).
        """
        del memory
        raise HalError(Code.UNIMPLEMENTED, f"{self.uri} cannot use memory that the host has allocated")

    def trim(self) -> None:  # noqa: B027  most drivers keep nothing
        """Give back what the driver itself keeps for later; called when memory is short and by `Device.trim`."""

    # --- executables

    def takes(self, image_format: str) -> bool:
        """Whether `load` knows this format."""
        return image_format in self.formats

    @abstractmethod
    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        """Hand the image to the driver. Damaged images are `INVALID_ARGUMENT`, a kernel that is not there is `NOT_FOUND`."""

    @abstractmethod
    def unload(self, handle: object) -> None:
        """Called once with a `Loaded.handle`, when no function of the image is in use."""

    # --- work

    @abstractmethod
    def submit(
        self,
        queue: int,
        recording: Recording,
        table: Sequence[BufferRef],
        waits: Sequence[tuple[Backend, int, int]],
    ) -> int:
        """Start the recording after the epochs in `waits` (backend, queue, epoch) and answer with its epoch, at once.

        `recording.levels` are groups of commands: those in one level may run in any order or at the same time, and see
        everything that earlier levels wrote; one barrier between levels is enough. Slots are resolved with
        `ref.resolve(table)`. Only an `indirect` backend gets to see grids in memory. Nothing orders this submission against
        others except `waits`; writes of the submissions waited for are visible. Everything used stays alive until the epoch
        completes. A recording without levels is an empty submission.

        `recording.replay` is a dict for what the backend wants to keep for later submissions of the same recording (never of
        commands whose `recording.reusable` is false); it is handed to `release` at the end. A recording may be in flight
        several times at once.

        A failure to submit is raised; on a `synchronous` backend so is a failure of the work.
        """

    def release(self, replay: dict[object, object]) -> None:
        """Give back what `submit` kept for a recording that is gone. Called once, when no submission uses it."""
        replay.clear()

    @abstractmethod
    def completed(self, queue: int) -> int:
        """The newest complete epoch. Must not block; a lost device has completed everything."""

    @abstractmethod
    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        """Block (never spin) until the epoch is complete or `timeout` seconds are over; whether it is complete.

        The core asks for slices of at most 0.1 s where somebody may want to interrupt, so an uninterruptible call is fine.
        """

    def failure(self, queue: int, epoch: int) -> HalError | None:
        """What went wrong with a complete submission. A lost device answers for every epoch of every queue."""
        del queue, epoch
        return None

    def profile(self, *, on: bool) -> None:
        """From now on `times` is asked about every submission, or no more. Drivers without timestamps ignore it."""
        del on

    def times(self, queue: int, epoch: int) -> tuple[int, int] | None:
        """When a complete submission began and ended on the device, in nanoseconds of `time.monotonic_ns`; None if unknown.

        Asked at most once for each epoch, right after it is noticed to be complete.
        """
        del queue, epoch
        return None

    def forked(self) -> None:  # noqa: B027  most drivers gave out nothing
        """This is a forked child: the driver's threads are not here, and its handles are the parent's. Touch none of them.

        The core refuses everything from now on. Left to the driver is what it gave out itself: the callables of `bind` must
        raise UNAVAILABLE if they would reach the device.
        """

    def can_wait(self, producer: Backend) -> bool:
        """Whether `submit` takes waits for epochs of `producer`'s queues; otherwise the core holds the work back."""
        return producer is self and not self.synchronous

    def flush(self, queue: int) -> None:
        """Start what `submit` has only batched."""
        del queue

    # --- one kernel, at once: a driver overrides these where it can beat a submission and a wait

    def bind(
        self, function: Function, grid: Grid, bindings: Sequence[BufferRef], constants: bytes
    ) -> Callable[[], object] | None:
        """A callable that runs exactly this dispatch to its end, raises its failure, and costs as little as the driver can.

        Arguments were checked, the grid holds no zero, and function and memory stay alive as long as the callable. None leaves
        it to a submission and a wait.
        """
        del function, grid, bindings, constants
        return None

    def run(self, function: Function, grid: Sequence[int], bindings: Sequence[Bindable], constants: bytes) -> bool:
        """Run one dispatch to its end now and raise its failure; False leaves it to the core.

        Arguments are as the user gave them, *unchecked*: answer False on anything but the plain case (grid of three positive
        ints, as many bindings as the function takes, each a `Buffer` or `BufferRef` of this device that is LIVE, not empty and
        aligned, the right number of bytes of constants, a function without `least`). The core then checks everything and says
        what is wrong.
        """
        del function, grid, bindings, constants
        return False
