"""Memory of the cpu device: anonymous pages."""

from __future__ import annotations

import ctypes
import mmap

from targetenv_runtime.status import Code, HalError

_HUGE = 4 << 20  # from here on, ask for huge pages: a quarter of the page faults' time on a first touch, and fewer TLB misses


class Pages:
    """`size` bytes from `address`, which is a multiple of the page size; zero at first, and given back by `close`.

    RESOURCE_EXHAUSTED when the system has no more.
    """

    __slots__ = ("_map", "address", "size")

    def __init__(self, size: int) -> None:
        try:
            self._map = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except (OSError, OverflowError, ValueError, MemoryError) as error:
            raise HalError(Code.RESOURCE_EXHAUSTED, f"no {size} bytes of memory: {error}") from error
        self.size = size
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        if size >= _HUGE:
            _ask_for_huge_pages(self._map)

    def view(self) -> memoryview:
        """The host's view, writable."""
        return memoryview(self._map)[: self.size]

    def close(self) -> None:
        """Give the pages back, or leave that to the last array that still looks at them."""
        try:
            self._map.close()
        except BufferError:
            del self._map


def _ask_for_huge_pages(pages: mmap.mmap) -> None:
    try:
        pages.madvise(mmap.MADV_HUGEPAGE)
    except OSError:
        return  # a kernel without them
