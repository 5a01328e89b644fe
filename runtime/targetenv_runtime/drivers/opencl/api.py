"""The calls of OpenCL that this driver makes, and its constants (CL/cl.h, CL/cl_ext.h).

Without declared argument types: whoever calls passes `c_void_p`, `c_uint`, `c_size_t`, `c_uint64` or arrays, never bare
integers (see `targetenv_runtime.ffi.library`).
"""

from __future__ import annotations

from ctypes import byref, c_int, c_size_t, c_uint, c_void_p, create_string_buffer

from targetenv_runtime.drivers.opencl.status import failure
from targetenv_runtime.ffi.library import function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

    from targetenv_runtime.ffi.library import Native

COMPLETE = 0
OUT_OF_ORDER, PROFILING = 1, 2
MEM_READ_WRITE, SVM_FINE_GRAIN = 1, 1 << 10
FINE_GRAIN_BUFFER = 1 << 1  # in CL_DEVICE_SVM_CAPABILITIES

DEVICE_SVM_CAPABILITIES = 0x1053
DEVICE_QUEUE_PROPERTIES = 0x102A
DEVICE_MEM_BASE_ADDR_ALIGN = 0x1019
QUEUE_PROPERTIES = 0x1093
EVENT_STATUS = 0x11D3
PROFILING_QUEUED, PROFILING_START, PROFILING_END = 0x1280, 0x1282, 0x1283
WAITED_FOR_FAILURE = -14
BUFFER_CREATE_TYPE_REGION = 0x1220
PROGRAM_BINARY_SIZES, PROGRAM_BINARIES, PROGRAM_KERNEL_NAMES, PROGRAM_BUILD_LOG = 0x1165, 0x1166, 0x1168, 0x1183
KERNEL_NUM_ARGS = 0x1191
KERNEL_ARG_ADDRESS, KERNEL_ARG_TYPE = 0x1196, 0x1198
ADDRESS_GLOBAL, ADDRESS_LOCAL, ADDRESS_CONSTANT, ADDRESS_PRIVATE = 0x119B, 0x119C, 0x119D, 0x119E
KERNEL_COMPILE_WORK_GROUP_SIZE = 0x11B1

_POINTERS = frozenset(
    "clCreateContext clCreateCommandQueueWithProperties clCreateCommandQueue clCreateBuffer clCreateSubBuffer clSVMAlloc "
    "clCreateProgramWithSource clCreateProgramWithBinary clCreateProgramWithIL clCreateKernel".split()
)


class Api:
    """The functions of the loader, found when they are first called."""

    def __init__(self, library: CDLL) -> None:
        self.library = library
        self._found: dict[str, Native] = {}

    def __getitem__(self, name: str) -> Native:
        """The function itself; its answer is not looked at."""
        found = self._found.get(name)
        if found is None:
            returns = "pointer" if name in _POINTERS else "void" if name == "clSVMFree" else "int"
            found = self._found[name] = function(self.library, name, returns)
        return found

    def call(self, name: str, *arguments: object) -> None:
        """Call a function that answers with an error number, and raise that."""
        number = self[name](*arguments)
        if number:
            raise failure(name, number)

    def make(self, name: str, *arguments: object) -> c_void_p:
        """Call a function that makes an object and stores its error number behind its last argument."""
        number = c_int()
        made = self[name](*arguments, byref(number))
        if number.value or not made:
            raise failure(name, number.value)
        return c_void_p(made)

    def ask(self, name: str, *subject: object) -> bytes:
        """An answer of one of the `clGet...Info`; `subject` ends with the number of the question."""
        size = c_size_t()
        self.call(name, *subject, c_size_t(0), None, byref(size))
        answer = create_string_buffer(size.value)
        self.call(name, *subject, size, answer, None)
        return answer.raw

    def whole(self, name: str, *subject: object) -> int:
        """The same as an unsigned number."""
        return int.from_bytes(self.ask(name, *subject), "little")

    def text(self, name: str, *subject: object) -> str:
        """The same as text."""
        return self.ask(name, *subject).rstrip(b"\0").decode(errors="replace").strip()


def handles(objects: list[c_void_p]) -> tuple[c_uint, object]:
    """A wait list or a list of devices, as a call takes it: how many, and where they are."""
    return c_uint(len(objects)), (c_void_p * len(objects))(*objects) if objects else None
