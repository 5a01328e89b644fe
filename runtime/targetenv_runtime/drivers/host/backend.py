"""The host devices: the inline one is what a synchronous driver looks like, the threaded one an asynchronous one."""

from __future__ import annotations

from collections import deque
from threading import Condition, Thread
from time import monotonic_ns

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.artifact import Kernel
from targetenv_runtime.backend import Allocation, Backend, Loaded
from targetenv_runtime.drivers import bytearrays
from targetenv_runtime.drivers.host.image import FORMAT, PythonImage
from targetenv_runtime.drivers.host.interpret import prepare
from targetenv_runtime.drivers.host.probe import DEVICES, QUEUES
from targetenv_runtime.drivers.selector import ordinal
from targetenv_runtime.foreign import guarded
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.model.device import Device
    from targetenv_runtime.backend import Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Recording


class InlineBackend(Backend):
    """Work is done before `submit` returns."""

    name = "host"
    formats = frozenset({FORMAT})
    queue_count = QUEUES
    synchronous = True
    indirect = True

    def __init__(self, device: Device) -> None:
        self._device = device
        self.uri = device.uri
        self._done = [0] * QUEUES

    def describe(self) -> Device:
        return self._device

    def close(self) -> None:
        """There is nothing to give back."""

    def alloc(self, size: int, memory: Memory) -> Allocation:
        del memory
        return bytearrays.allocate(size, self.uri)

    def free(self, handle: object) -> None:
        """Python's own reference counting does it."""

    def import_host(self, memory: memoryview) -> Allocation:
        return Allocation(memory, len(memory), view=memory)

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        del image_format
        if not isinstance(image, PythonImage):
            raise HalError(
                Code.INVALID_ARGUMENT,
                "Python kernels are handed over as objects of this process, never as bytes",
                help="make the image with `PythonImage.of`",
            )
        kernels = kernels or [Kernel(name) for name in image.kernels]
        return Loaded(image, kernels, [_entry(image, kernel) for kernel in kernels])

    def unload(self, handle: object) -> None:
        """Nothing was copied."""

    def submit(
        self, queue: int, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        del waits
        for call in prepare(recording, table):
            call()
        self._done[queue] += 1
        return self._done[queue]

    def completed(self, queue: int) -> int:
        return self._done[queue]

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        del timeout
        return epoch <= self._done[queue]


class ThreadedBackend(InlineBackend):
    """Each queue has a thread from its first submission on; epochs complete in order."""

    synchronous = False

    def __init__(self, device: Device) -> None:
        super().__init__(device)
        self._changed = Condition()
        self._submitted = [0] * QUEUES
        self._work: list[deque[_Work]] = [deque() for _ in range(QUEUES)]
        self._threads: list[Thread | None] = [None] * QUEUES
        self._failures: dict[tuple[int, int], HalError] = {}
        self._times: dict[tuple[int, int], tuple[int, int]] = {}
        self._profiled = False
        self._closed = False

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def submit(
        self, queue: int, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        calls = prepare(recording, table)
        with self._changed:
            self._submitted[queue] += 1
            self._work[queue].append((self._submitted[queue], calls, [(index, epoch) for _, index, epoch in waits]))
            if self._threads[queue] is None:
                thread = Thread(target=self._run, args=(queue,), name=f"{self.uri} queue {queue} device", daemon=True)
                self._threads[queue] = thread
                thread.start()
            self._changed.notify_all()
            return self._submitted[queue]

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._done[queue] >= epoch, timeout)

    def failure(self, queue: int, epoch: int) -> HalError | None:
        return self._failures.pop((queue, epoch), None)

    def profile(self, *, on: bool) -> None:
        self._profiled = on
        self._times.clear()

    def times(self, queue: int, epoch: int) -> tuple[int, int] | None:
        return self._times.pop((queue, epoch), None)

    def _run(self, queue: int) -> None:
        done, changed, work = self._done, self._changed, self._work[queue]
        while True:
            with changed:
                changed.wait_for(lambda: work or self._closed)
                if not work:
                    return
                epoch, calls, waits = work.popleft()
                for index, awaited in waits:
                    changed.wait_for(lambda index=index, awaited=awaited: done[index] >= awaited)  # type: ignore[misc]
            begun = monotonic_ns()
            try:
                guarded("the host device", _all, calls)
            except HalError as error:
                self._failures[queue, epoch] = error.again()
            if self._profiled:
                self._times[queue, epoch] = begun, monotonic_ns()
            del calls, waits  # they hold memory
            with changed:
                done[queue] = epoch
                changed.notify_all()


if TYPE_CHECKING:
    _Work = tuple[int, list[Callable[[], object]], list[tuple[int, int]]]


def _all(calls: Sequence[Callable[[], object]]) -> None:
    for call in calls:
        call()


def _entry(image: PythonImage, kernel: Kernel) -> object:
    symbol = kernel.entry_point or kernel.name
    if symbol not in image.kernels:
        there = ", ".join(f"`{name}`" for name in image.kernels) or "none"
        raise HalError(
            Code.NOT_FOUND,
            f"the image has no kernel `{symbol}`",
            notes=(f"it has {there}",),
            help=did_you_mean(symbol, image.kernels),
        )
    return image.kernels[symbol]


def open(selector: str, *, extensions: object = None, features: object = None) -> InlineBackend:  # noqa: A001  the name of all
    """`0` works inline, `1` in threads. Python has no extensions and features to enable."""
    del extensions, features
    number = ordinal(selector, len(DEVICES))
    return (InlineBackend, ThreadedBackend)[number](DEVICES[number])
