"""Memory of a device, and ranges of it."""

from __future__ import annotations

from enum import Enum

from targetenv_runtime.backend import Allocation
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    import numpy as np

    from targetenv_runtime.backend import Memory
    from targetenv_runtime.ownership import Ownership

    Ref: TypeAlias = "BufferRef | Slot"

NOTHING = Allocation(None, 0)
"""The allocation of a buffer that has no memory."""


class BufferRef:
    """A range of a buffer, in bytes. `buffer[a:b]` makes one; slicing it again narrows it."""

    __slots__ = ("buffer", "length", "offset")

    def __init__(self, buffer: Buffer, offset: int, length: int) -> None:
        self.buffer = buffer
        self.offset = offset
        self.length = length

    def __getitem__(self, part: slice) -> BufferRef:
        start, stop = _bytes_of(part, self.length)
        return BufferRef(self.buffer, self.offset + start, stop - start)

    def __repr__(self) -> str:
        return f"BufferRef({self.buffer!r}, offset={self.offset}, length={self.length})"

    @property
    def ref(self) -> BufferRef:
        return self

    @property
    def address(self) -> int:
        """Where kernels see the first byte of the range; 0 where the driver's kernels take no addresses."""
        return self.buffer.allocation.address + self.offset if self.buffer.allocation.address else 0

    def resolve(self, table: Sequence[BufferRef]) -> BufferRef:
        """The range itself; see `Slot.resolve`."""
        del table
        return self

    def map(self) -> memoryview:
        """The host's view of the range; see `Buffer.map`."""
        return self.buffer.map()[self.offset : self.offset + self.length]


class Slot:
    """A range whose buffer is given when the command buffer is executed: entry `slot` of the binding table.

    `length` None reaches to the end of what is bound.
    """

    __slots__ = ("length", "offset", "slot")

    def __init__(self, slot: int, offset: int = 0, length: int | None = None) -> None:
        self.slot = slot
        self.offset = offset
        self.length = length

    def __repr__(self) -> str:
        return f"Slot({self.slot}, offset={self.offset}, length={self.length})"

    @property
    def ref(self) -> Slot:
        return self

    def resolve(self, table: Sequence[BufferRef]) -> BufferRef:
        """The range of the table's entry that this slot stands for; the table was checked when it was captured."""
        bound = table[self.slot]
        length = bound.length - self.offset if self.length is None else self.length
        return BufferRef(bound.buffer, bound.offset + self.offset, length)


class State(Enum):
    """A buffer is RESERVED until its `queue.alloca` completes, LIVE while it has memory, DEAD once that is given back."""

    RESERVED = "reserved"
    LIVE = "live"
    DEAD = "dead"


class Buffer:
    """Memory of one device. It is given back when the last reference goes, or by `close`, and never while work uses it.

    `allocation` is for drivers; it is empty unless the state is LIVE.
    """

    __slots__ = ("__weakref__", "allocation", "memory", "owner", "size", "state")

    def __init__(self, owner: Ownership, size: int, memory: Memory) -> None:
        self.owner = owner
        self.size = size
        self.memory: Memory = memory
        self.allocation = NOTHING
        self.state = State.RESERVED

    def __repr__(self) -> str:
        return f"<Buffer of {self.size} bytes of {self.memory} memory on {self.owner.uri}, {self.state.value}>"

    def __getitem__(self, part: slice) -> BufferRef:
        start, stop = _bytes_of(part, self.size)
        return BufferRef(self, start, stop - start)

    def __len__(self) -> int:
        return self.size

    @property
    def ref(self) -> BufferRef:
        """The whole buffer as a range."""
        return BufferRef(self, 0, self.size)

    def commit(self, allocation: Allocation) -> None:
        """Give a reserved buffer its memory; the core's business, not the user's."""
        self.allocation = allocation
        self.state = State.LIVE

    def close(self) -> None:
        """Give the memory back, as soon as no submitted work, mapped view or bound dispatch uses it."""
        self.state = State.DEAD
        self.allocation = NOTHING

    def require_live(self) -> None:
        """FAILED_PRECONDITION unless the buffer has memory now, and its device is open."""
        if self.state is State.LIVE and self.owner.refusal is None:
            return
        self.owner.require_open()
        if self.state is State.DEAD:
            raise HalError(Code.FAILED_PRECONDITION, "the buffer was deallocated", help="keep the buffer until its last use")
        raise HalError(
            Code.FAILED_PRECONDITION,
            "the buffer has no memory yet: its allocation has not completed",
            help="wait for what `queue.alloca` signals",
        )

    # --- the host's side

    def map(self) -> memoryview:
        """The memory as the host sees it: writable bytes, shared with the device, nothing copied and nothing synchronised.

        The view keeps the memory. FAILED_PRECONDITION where the host cannot reach the memory: `read` and `write` still work. So
        it is, on a device with checks, while submitted work may still write there.
        """
        self.require_live()
        if self.owner.checks is not None:
            self.owner.checks.require_idle(self, writing=False)
        view = self.allocation.view
        if view is None:
            raise HalError(
                Code.FAILED_PRECONDITION,
                f"{self.memory} memory of {self.owner.uri} is not visible to the host",
                help='allocate it with memory="shared", or use `read` and `write`',
            )
        if self.size == 0:
            return view[:0]
        import ctypes  # 2 ms; drivers have it already

        start = ctypes.addressof(ctypes.c_char.from_buffer(view))
        window = (ctypes.c_ubyte * self.size).from_address(start)
        window._allocation = self.allocation  # type: ignore[attr-defined]  # the view must not outlive the memory
        return memoryview(window).cast("B")

    def numpy(self, dtype: str | type | np.dtype[Any] = "uint8", shape: tuple[int, ...] | None = None) -> np.ndarray[Any, Any]:
        """The memory as an array that shares it (see `map`); `shape` defaults to as many elements as fit."""
        import numpy  # 116 ms; only when an array is asked for

        array: np.ndarray[Any, Any] = numpy.frombuffer(self.map(), dtype, self.size // numpy.dtype(dtype).itemsize)
        return array if shape is None else array[: numpy.prod(shape, dtype=int)].reshape(shape)

    def __dlpack__(self, **options: Any) -> Any:
        """The memory as a tensor of bytes that shares it (see `map`), for `numpy.from_dlpack` and its like."""
        return self.numpy().__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Where DLPack finds the memory: in what the host sees, whatever the device (kDLCPU, 0)."""
        return 1, 0

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """A copy of the bytes now in memory, through the device where the host cannot see them. Waits for nothing else."""
        part = self[offset : None if length is None else offset + length]
        self.require_live()
        if self.owner.checks is not None:
            self.owner.checks.require_idle(self, writing=False)
        if self.allocation.view is not None:
            return bytes(self.allocation.view[part.offset : part.offset + part.length])
        from targetenv_runtime.queue import copy_now  # queues are made of buffers

        staging = self.owner.allocate(part.length, "host")
        copy_now(self.owner, part, staging.ref)
        return staging.read()

    def write(self, data: bytes | bytearray | memoryview, offset: int = 0) -> None:
        """Replace the bytes from `offset` on, through the device where the host cannot see them. Waits for nothing else."""
        source = memoryview(data).cast("B")
        part = self[offset : offset + len(source)]
        if part.length != len(source):
            raise HalError(Code.OUT_OF_RANGE, f"{len(source)} bytes at {offset} do not fit a buffer of {self.size}")
        self.require_live()
        if self.owner.checks is not None:
            self.owner.checks.require_idle(self, writing=True)
        if self.allocation.view is not None:
            self.allocation.view[part.offset : part.offset + part.length] = source
            return
        from targetenv_runtime.queue import copy_now

        staging = self.owner.allocate(part.length, "host")
        staging.write(source)
        copy_now(self.owner, staging.ref, part)


def _bytes_of(part: slice, size: int) -> tuple[int, int]:
    """The bounds of a slice of bytes; like Python's own they never exceed the size, but steps and reversals are refused."""
    start, stop, step = part.indices(size)
    if step != 1 or stop < start:
        raise HalError(Code.INVALID_ARGUMENT, "a range of bytes is contiguous and runs forward")
    return start, stop
