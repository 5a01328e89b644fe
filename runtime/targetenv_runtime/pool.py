"""Memory that went through the queues and will again: what `queue.alloca` takes from and `queue.dealloca` gives back to."""

from __future__ import annotations

from _thread import allocate_lock

from targetenv_runtime.backend import Allocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.backend import Memory

KEPT = 64 << 20
"""Bytes that one pool keeps at most while nobody uses them."""

_SMALLEST = 256


def size_class(size: int) -> int:
    """The bytes that are really taken for a buffer: eight sizes between powers of two, so at most an eighth is wasted.

    >>> [size_class(size) for size in (0, 1, 257, 1000, 1025, 1 << 20)]
    [256, 256, 288, 1024, 1152, 1048576]
    """
    if size <= _SMALLEST:
        return _SMALLEST
    step = 1 << (size - 1).bit_length() - 4
    return -(-size // step) * step


class Pool:
    """Allocations of one device by kind of memory and class of size, kept for the next one that fits, newest first.

    Nothing comes back here before all work that was submitted until its buffer went is done.
    """

    __slots__ = ("_alloc", "_free", "_idle", "_lock", "held", "reused")

    def __init__(self, alloc: Callable[[int, Memory], Allocation], free: Callable[[object], None]) -> None:
        self._alloc = alloc
        self._free = free
        self._lock = allocate_lock()
        self._idle: dict[tuple[Memory, int], list[Allocation]] = {}
        self.held = 0
        """Bytes that are kept and not in use."""
        self.reused = 0
        """How often an allocation was answered from here."""

    def take(self, size: int, memory: Memory) -> Allocation:
        """An allocation of at least `size` bytes, for `put`."""
        room = size_class(size)
        with self._lock:
            idle = self._idle.get((memory, room))
            if idle:
                self.held -= room
                self.reused += 1
                return idle.pop()
        return self._alloc(room, memory)

    def put(self, allocation: Allocation, memory: Memory) -> None:
        """Take an allocation back. What is too much goes to the driver."""
        with self._lock:
            keep = self.held + allocation.size <= KEPT
            if keep:
                self.held += allocation.size
                self._idle.setdefault((memory, allocation.size), []).append(allocation)
        if not keep:
            self._free(allocation.handle)

    def trim(self) -> None:
        """Give everything that is not in use to the driver."""
        with self._lock:
            idle, self._idle, self.held = self._idle, {}, 0
        for allocations in idle.values():
            for allocation in allocations:
                self._free(allocation.handle)


def part(whole: Allocation, size: int) -> Allocation:
    """The first `size` bytes, as an allocation of its own; no buffer sees more than was asked for."""
    view = None if whole.view is None else whole.view[:size]
    return Allocation(whole.handle, size, address=whole.address, view=view)
