"""Memory of drivers that have none but Python's."""

from __future__ import annotations

from targetenv_runtime.backend import Allocation
from targetenv_runtime.status import Code, HalError


def allocate(size: int, uri: str) -> Allocation:
    """Zeroed bytes of this process; its reference counting frees them. RESOURCE_EXHAUSTED when there are not so many."""
    try:
        storage = bytearray(size)
    except (MemoryError, OverflowError) as error:
        raise HalError(Code.RESOURCE_EXHAUSTED, f"no memory for a buffer of {size} bytes", device=uri) from error
    return Allocation(storage, size, view=memoryview(storage))
