"""The OpenCL driver: every platform that the loader finds, kernels in OpenCL C, device binaries, SPIR-V where it is taken."""

from __future__ import annotations

from ctypes import c_uint, c_uint64, c_void_p

from targetenv_runtime.backend import Backend
from targetenv_runtime.drivers.opencl import api as cl
from targetenv_runtime.drivers.opencl.api import Api
from targetenv_runtime.drivers.opencl.memory import BufferHeap, Heap, SharedHeap
from targetenv_runtime.drivers.opencl.probe import LIBRARY, Failed, devices, read, without_device, without_loader
from targetenv_runtime.drivers.opencl.program import BINARY, Program, Programs
from targetenv_runtime.drivers.opencl.queue import DeviceQueue
from targetenv_runtime.drivers.selector import ordinal
from targetenv_runtime.ffi.library import LibraryMissing
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.artifact import Kernel
    from targetenv.model.device import Device, Unavailable
    from targetenv_runtime.backend import Allocation, Loaded, Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Recording

_QUEUES = 2


class OpenClBackend(Backend):
    """One device of one platform, in a context of its own."""

    name = "opencl"
    queue_count = _QUEUES

    def __init__(self, api: Api, platform: c_void_p, device: c_void_p, number: int, *, shared: bool | None) -> None:
        self.uri = f"opencl://{number}"
        self._api = api
        self._told = read(api.library, platform, device, number)
        self.formats = self._told.offers.formats | ({BINARY} if "opencl-c" in self._told.offers.formats else frozenset())
        self._device = device
        self._context = api.make("clCreateContext", None, c_uint(1), (c_void_p * 1)(device), None, None)
        try:
            self.binding_alignment = max(1, api.whole("clGetDeviceInfo", device, c_uint(cl.DEVICE_MEM_BASE_ADDR_ALIGN)) // 8)
            self._heap = self._make_heap(shared=shared)
            self._queues = tuple(self._make_queue() for _ in range(_QUEUES))
        except BaseException:
            api["clReleaseContext"](self._context)
            raise
        told = dict(self._told.identity) | dict(self._told.provenance)
        self._programs = Programs(api, self._context, device, (self._told.name, told["platform"], told["driver"]))

    def describe(self) -> Device:
        return self._told

    def close(self) -> None:
        for queue in self._queues:
            queue.close()
        if not any(queue.stuck for queue in self._queues):
            self._api["clReleaseContext"](self._context)

    # --- memory

    def alloc(self, size: int, memory: Memory) -> Allocation:
        return self._heap.allocate(size, memory)

    def free(self, handle: object) -> None:
        self._heap.free(handle)

    # --- executables

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        return self._programs.load(image, image_format, kernels)

    def unload(self, handle: object) -> None:
        assert isinstance(handle, Program), "handles are ours"
        self._programs.release(handle)

    def binary(self, loaded: Loaded) -> bytes:
        """The device's own code of a loaded program; loads as `opencl-binary` where device and driver are the same."""
        assert isinstance(loaded.handle, Program), "loaded by this backend"
        return self._programs.binary(loaded.handle)

    # --- work

    def submit(
        self, queue: int, recording: Recording, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        return self._queues[queue].submit(recording, table, [(self._queues[index], epoch) for _, index, epoch in waits])

    def completed(self, queue: int) -> int:
        return self._queues[queue].completed()

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        return self._queues[queue].wait(epoch, timeout)

    def failure(self, queue: int, epoch: int) -> HalError | None:
        return self._queues[queue].failures.pop(epoch, None)

    def profile(self, *, on: bool) -> None:
        shift = self._queues[0].calibrated() if on else None  # one for all, so that their times compare
        for queue in self._queues:
            queue.profile(shift)

    def times(self, queue: int, epoch: int) -> tuple[int, int] | None:
        return self._queues[queue].times.pop(epoch, None)

    def _make_heap(self, *, shared: bool | None) -> Heap:
        try:
            svm = self._api.whole("clGetDeviceInfo", self._device, c_uint(cl.DEVICE_SVM_CAPABILITIES))
        except HalError:
            svm = 0  # before OpenCL 2.0
        fine = bool(svm & cl.FINE_GRAIN_BUFFER)
        if shared and not fine:
            raise HalError(Code.FAILED_PRECONDITION, f"{self.uri} does not share virtual memory in fine grain")
        heap = SharedHeap if (fine if shared is None else shared) else BufferHeap
        return heap(self._api, self._context)

    def _make_queue(self) -> DeviceQueue:
        offered = self._api.whole("clGetDeviceInfo", self._device, c_uint(cl.DEVICE_QUEUE_PROPERTIES))
        wanted = offered & (cl.OUT_OF_ORDER | cl.PROFILING)
        if self._told.offers.version is not None and self._told.offers.version.major >= 2:
            properties = (c_uint64 * 3)(cl.QUEUE_PROPERTIES, wanted, 0)
            made = self._api.make("clCreateCommandQueueWithProperties", self._context, self._device, properties)
        else:
            made = self._api.make("clCreateCommandQueue", self._context, self._device, c_uint64(wanted))
        return DeviceQueue(self._api, made, self._heap, self.uri)


def open(selector: str = "", **options: object) -> OpenClBackend:  # noqa: A001  the name that every driver's backend has
    """The device that `selector` names: a number across all platforms, or a UUID.

    Option `shared` asks for memory of one kind: fine-grained shared virtual memory (True) or buffers (False); by default what
    the device has. OpenCL has no features to enable, and its extensions are always on.
    """
    unknown = options.keys() - {"shared", "extensions", "features"}
    if unknown:
        raise HalError(
            Code.INVALID_ARGUMENT, f"the opencl driver has no option `{min(unknown)}`", help="its one option is `shared`"
        )
    shared = options.get("shared")
    if not (shared is None or isinstance(shared, bool)):
        raise HalError(Code.INVALID_ARGUMENT, f"option `shared` is true or false, not `{shared}`")
    try:
        library = LIBRARY.open()
    except LibraryMissing as missing:
        raise _unavailable(without_loader(missing)) from missing
    try:
        found = devices(library)
    except Failed as failed:
        raise _unavailable(failed.unavailable) from failed
    if not found:
        raise _unavailable(without_device())
    names: dict[str, int] = {}
    if selector and not selector.isdecimal():
        for index, (platform, device) in enumerate(found):
            uuid = dict(read(library, platform, device, index).identity).get("uuid")
            if uuid is not None:
                names.setdefault(uuid, index)
    number = ordinal(selector, len(found), names)
    platform, device = found[number]
    return OpenClBackend(Api(library), platform, device, number, shared=shared)


def _unavailable(why: Unavailable) -> HalError:
    return HalError(Code.UNAVAILABLE, why.reason, help=why.help, driver=why.driver)
