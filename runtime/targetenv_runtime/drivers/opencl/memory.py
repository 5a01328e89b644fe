"""Memory of an OpenCL device, and the commands that move bytes in it.

Where the device shares virtual memory in fine grain, all memory is that: host and kernels see the same bytes at the same
address. Elsewhere a buffer is a `cl_mem` that the host does not see, and host-visible buffers have pages of their own beside
it: a submission takes them along before its first command and brings them back after its last.
"""

from __future__ import annotations

import ctypes
from abc import ABC, abstractmethod
from ctypes import byref, c_size_t, c_uint, c_uint64, c_void_p
from threading import Lock

from targetenv_runtime.backend import Allocation
from targetenv_runtime.drivers.opencl import api as cl
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.backend import Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.drivers.opencl.api import Api
    from targetenv_runtime.drivers.opencl.queue import Recorder

_PARTS = 256  # sub-buffers of one buffer that are kept for the next dispatch
_LARGEST = 1 << 46  # what no device has, and every size_t holds


class Heap(ABC):
    """What both kinds of memory have in common."""

    def __init__(self, api: Api, context: c_void_p) -> None:
        self.api = api
        self.context = context

    @abstractmethod
    def allocate(self, size: int, memory: Memory) -> Allocation:
        """Memory of `size` bytes, RESOURCE_EXHAUSTED when there is no more."""

    @abstractmethod
    def free(self, handle: object) -> None:
        """Give memory back."""

    @abstractmethod
    def argument(self, kernel: c_void_p, index: int, ref: BufferRef, recorder: Recorder) -> None:
        """Make a range the argument of a kernel."""

    @abstractmethod
    def write(self, target: BufferRef, data: bytes, recorder: Recorder) -> None:
        """Bytes that the recorder keeps alive, over a range."""

    @abstractmethod
    def copy(self, source: BufferRef, target: BufferRef, recorder: Recorder) -> None:
        """One range over another that does not overlap it."""

    @abstractmethod
    def repeat(self, target: BufferRef, pattern: bytes, recorder: Recorder) -> None:
        """A pattern over a range whose place and length are multiples of the pattern's length."""

    def fill(self, target: BufferRef, pattern: bytes, recorder: Recorder) -> None:
        """A pattern over any range: the ends that OpenCL would refuse are written as bytes."""
        width = len(pattern)
        head = min(-target.offset % width, target.length)
        middle = (target.length - head) // width * width
        turned = pattern[head:] + pattern[:head]
        tail = target.length - head - middle
        if head:
            self.write(target[:head], pattern[:head], recorder)
        if middle:
            self.repeat(target[head : head + middle], turned, recorder)
        if tail:
            self.write(target[head + middle :], turned[:tail], recorder)

    def bring(self, refs: list[BufferRef], recorder: Recorder) -> None:  # noqa: B027  shared memory needs none
        """Before the first command: what the host has written reaches the device."""

    def take_back(self, refs: list[BufferRef], recorder: Recorder) -> None:  # noqa: B027  shared memory needs none
        """After the last command: what the device has written reaches the host."""


class SharedHeap(Heap):
    """Fine-grained shared virtual memory."""

    def allocate(self, size: int, memory: Memory) -> Allocation:
        del memory  # all of it is the same
        flags = c_uint64(cl.MEM_READ_WRITE | cl.SVM_FINE_GRAIN)
        address = self.api["clSVMAlloc"](self.context, flags, c_size_t(max(size, 1)), c_uint(0)) if size < _LARGEST else None
        if not address:
            raise HalError(Code.RESOURCE_EXHAUSTED, f"no {size} bytes of shared memory")
        view = memoryview((ctypes.c_ubyte * max(size, 1)).from_address(address)).cast("B")[:size]
        return Allocation(address, size, address=address, view=view)

    def free(self, handle: object) -> None:
        assert isinstance(handle, int), "handles are ours"
        self.api["clSVMFree"](self.context, c_void_p(handle))

    def argument(self, kernel: c_void_p, index: int, ref: BufferRef, recorder: Recorder) -> None:
        del recorder
        self.api.call("clSetKernelArgSVMPointer", kernel, c_uint(index), c_void_p(ref.address))

    def write(self, target: BufferRef, data: bytes, recorder: Recorder) -> None:
        source = recorder.keep(data)
        recorder.enqueue("clEnqueueSVMMemcpy", c_uint(0), c_void_p(target.address), source, c_size_t(len(data)))

    def copy(self, source: BufferRef, target: BufferRef, recorder: Recorder) -> None:
        where, what = c_void_p(target.address), c_void_p(source.address)
        recorder.enqueue("clEnqueueSVMMemcpy", c_uint(0), where, what, c_size_t(target.length))

    def repeat(self, target: BufferRef, pattern: bytes, recorder: Recorder) -> None:
        where, length = c_void_p(target.address), c_size_t(target.length)
        recorder.enqueue("clEnqueueSVMMemFill", where, recorder.keep(pattern), c_size_t(len(pattern)), length)


class Region(ctypes.Structure):
    """cl_buffer_region."""

    _fields_ = (("origin", c_size_t), ("size", c_size_t))


class Storage:
    """A `cl_mem`, and the host's own pages where the host is to see it. Parts of it are made when kernels ask for them."""

    __slots__ = ("memory", "pages", "parts")

    def __init__(self, memory: c_void_p, pages: ctypes.Array[ctypes.c_ubyte] | None) -> None:
        self.memory = memory
        self.pages = pages
        self.parts: dict[tuple[int, int], c_void_p] = {}


class BufferHeap(Heap):
    """Buffers that only commands reach."""

    def __init__(self, api: Api, context: c_void_p) -> None:
        super().__init__(api, context)
        self._lock = Lock()

    def allocate(self, size: int, memory: Memory) -> Allocation:
        if size >= _LARGEST:
            raise HalError(Code.RESOURCE_EXHAUSTED, f"no {size} bytes of device memory")
        made = self.api.make("clCreateBuffer", self.context, c_uint64(cl.MEM_READ_WRITE), c_size_t(max(size, 1)), None)
        try:
            pages = None if memory == "device" else (ctypes.c_ubyte * max(size, 1))()
        except MemoryError as error:
            self.api.call("clReleaseMemObject", made)
            raise HalError(Code.RESOURCE_EXHAUSTED, f"no {size} bytes of host memory") from error
        view = memoryview(pages).cast("B")[:size] if pages is not None else None
        return Allocation(Storage(made, pages), size, view=view)

    def free(self, handle: object) -> None:
        assert isinstance(handle, Storage), "handles are ours"
        for part in handle.parts.values():
            self.api.call("clReleaseMemObject", part)
        self.api.call("clReleaseMemObject", handle.memory)

    def argument(self, kernel: c_void_p, index: int, ref: BufferRef, recorder: Recorder) -> None:
        del recorder
        memory = self._part(ref)
        self.api.call("clSetKernelArg", kernel, c_uint(index), c_size_t(ctypes.sizeof(memory)), byref(memory))

    def write(self, target: BufferRef, data: bytes, recorder: Recorder) -> None:
        where, length = c_size_t(target.offset), c_size_t(len(data))
        recorder.enqueue("clEnqueueWriteBuffer", _storage(target).memory, c_uint(0), where, length, recorder.keep(data))

    def copy(self, source: BufferRef, target: BufferRef, recorder: Recorder) -> None:
        places = c_size_t(source.offset), c_size_t(target.offset), c_size_t(target.length)
        recorder.enqueue("clEnqueueCopyBuffer", _storage(source).memory, _storage(target).memory, *places)

    def repeat(self, target: BufferRef, pattern: bytes, recorder: Recorder) -> None:
        place = c_size_t(target.offset), c_size_t(target.length)
        data = recorder.keep(pattern), c_size_t(len(pattern))
        recorder.enqueue("clEnqueueFillBuffer", _storage(target).memory, *data, *place)

    def bring(self, refs: list[BufferRef], recorder: Recorder) -> None:
        for ref in refs:
            storage = _storage(ref)
            if storage.pages is not None and ref.length:
                place = c_size_t(ref.offset), c_size_t(ref.length)
                source = c_void_p(ctypes.addressof(storage.pages) + ref.offset)
                recorder.enqueue("clEnqueueWriteBuffer", storage.memory, c_uint(0), *place, source)

    def take_back(self, refs: list[BufferRef], recorder: Recorder) -> None:
        for ref in refs:
            storage = _storage(ref)
            if storage.pages is not None and ref.length:
                place = c_size_t(ref.offset), c_size_t(ref.length)
                target = c_void_p(ctypes.addressof(storage.pages) + ref.offset)
                recorder.enqueue("clEnqueueReadBuffer", storage.memory, c_uint(0), *place, target)

    def _part(self, ref: BufferRef) -> c_void_p:
        """The buffer itself, or a sub-buffer for a range of it."""
        storage, allocation = _storage(ref), ref.buffer.allocation
        if not ref.length or (ref.offset == 0 and ref.length == allocation.size):
            return storage.memory
        with self._lock:
            found = storage.parts.get((ref.offset, ref.length))
            if found is None:
                region = Region(ref.offset, ref.length)
                arguments = c_uint64(0), c_uint(cl.BUFFER_CREATE_TYPE_REGION), byref(region)
                found = self.api.make("clCreateSubBuffer", storage.memory, *arguments)
                storage.parts[ref.offset, ref.length] = found
                if len(storage.parts) > _PARTS:  # commands keep what they use
                    self.api.call("clReleaseMemObject", storage.parts.pop(next(iter(storage.parts))))
            return found


def _storage(ref: BufferRef) -> Storage:
    handle = ref.buffer.allocation.handle
    assert isinstance(handle, Storage), "allocations are ours"
    return handle
