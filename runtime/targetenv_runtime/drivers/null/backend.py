"""A device that takes everything and does nothing. Buffers have memory; no command ever changes it."""

from __future__ import annotations

from targetenv_runtime.backend import Allocation, Backend, Loaded
from targetenv_runtime.drivers import bytearrays
from targetenv_runtime.drivers.null.probe import NULL
from targetenv_runtime.drivers.selector import ordinal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.artifact import Kernel
    from targetenv.model.device import Device
    from targetenv_runtime.backend import Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Recording


class NullBackend(Backend):
    """Submissions are complete as soon as they are made."""

    name = "null"
    uri = NULL.uri
    queue_count = 2
    synchronous = True
    indirect = True

    def __init__(self) -> None:
        self._epochs = [0, 0]

    def describe(self) -> Device:
        return NULL

    def close(self) -> None:
        """There is nothing to give back."""

    def alloc(self, size: int, memory: Memory) -> Allocation:
        del memory
        return bytearrays.allocate(size, self.uri)

    def free(self, handle: object) -> None:
        """Python's own reference counting does it."""

    def import_host(self, memory: memoryview) -> Allocation:
        return Allocation(memory, len(memory), view=memory)

    def takes(self, image_format: str) -> bool:
        del image_format
        return True

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        del image, image_format
        return Loaded(None, kernels, [None] * len(kernels))

    def unload(self, handle: object) -> None:
        """Nothing was loaded."""

    def submit(
        self, queue: int, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        del recording, table, waits
        self._epochs[queue] += 1
        return self._epochs[queue]

    def completed(self, queue: int) -> int:
        return self._epochs[queue]

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        del timeout
        return epoch <= self._epochs[queue]


def open(selector: str, *, extensions: object = None, features: object = None) -> NullBackend:  # noqa: A001  the name of all
    """The null device. Extensions and features need no enabling where nothing is executed."""
    del extensions, features
    ordinal(selector, 1)
    return NullBackend()
