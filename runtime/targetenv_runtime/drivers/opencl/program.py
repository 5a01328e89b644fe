"""Programs and their kernels: OpenCL C, a device's own binaries, and SPIR-V where the device takes it.

A kernel's parameters are, in any order: pointers to `__global` or `__constant` memory, which are the bindings in order; values,
which are the constants in order, each at the next multiple of its size (as in a C struct); and at most one pointer to `__local`
memory, of as many bytes as the kernel says that it needs.
"""

from __future__ import annotations

import re
from ctypes import addressof, byref, c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_void_p, sizeof
from threading import Lock

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.record import record, replace
from targetenv_runtime.backend import Loaded
from targetenv_runtime.drivers.opencl import api as cl
from targetenv_runtime.drivers.opencl import binary
from targetenv_runtime.drivers.opencl.status import failure
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.artifact import Kernel
    from targetenv_runtime.drivers.opencl.api import Api
    from targetenv_runtime.drivers.opencl.binary import Identity

SOURCE, BINARY, SPIRV = "opencl-c", "opencl-binary", "spirv"
_OPTIONS = b"-cl-kernel-arg-info"  # the interface of each kernel can be asked for
_SIZES = {"char": 1, "uchar": 1, "bool": 1, "short": 2, "ushort": 2, "half": 2, "int": 4, "uint": 4, "float": 4}
_SIZES |= {"long": 8, "ulong": 8, "double": 8, "size_t": 8}
_VECTOR = re.compile(r"([a-z]+)(2|3|4|8|16)")
_LOG = 40  # lines of a compiler's complaint


@record
class Parameter:
    """One parameter: `kind` is `binding`, `constant` or `local`; a constant is `size` bytes from `offset` of the block."""

    kind: str
    index: int
    offset: int = 0
    size: int = 0


class Entry:
    """A kernel that can be enqueued. Its arguments are part of it, so that only one thread at a time may do that."""

    __slots__ = ("handle", "local", "local_memory", "lock", "name", "parameters", "workgroup_size")

    def __init__(self, name: str, handle: c_void_p, parameters: tuple[Parameter, ...], kernel: Kernel) -> None:
        self.name = name
        self.handle = handle
        self.parameters = parameters
        self.workgroup_size = kernel.workgroup_size or (1, 1, 1)
        self.local_memory = kernel.local_memory or 0
        self.lock = Lock()


class Program:
    """A built program and its kernels."""

    __slots__ = ("entries", "handle")

    def __init__(self, handle: c_void_p, entries: list[Entry]) -> None:
        self.handle = handle
        self.entries = entries


class Programs:
    """Builds programs for one device."""

    def __init__(self, api: Api, context: c_void_p, device: c_void_p, identity: Identity) -> None:
        self.api = api
        self.context = context
        self.device = device
        self.identity = identity

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        """Build, and look every kernel up. INVALID_ARGUMENT has the compiler's words, NOT_FOUND the kernels that there are."""
        handle = self._create(bytes(image), image_format)
        entries: list[Entry] = []
        try:
            self._build(handle, image_format)
            known = []
            for kernel in kernels:
                entry, completed = self._entry(handle, kernel)
                entries.append(entry)
                known.append(completed)
        except BaseException:
            self.release(Program(handle, entries))
            raise
        return Loaded(Program(handle, entries), known, entries)

    def release(self, program: Program) -> None:
        """Give a program back."""
        for entry in program.entries:
            self.api.call("clReleaseKernel", entry.handle)
        self.api.call("clReleaseProgram", program.handle)

    def binary(self, program: Program) -> bytes:
        """What the device has made of the program, as an `opencl-binary` image."""
        size = self.api.whole("clGetProgramInfo", program.handle, c_uint(cl.PROGRAM_BINARY_SIZES))
        data = (c_ubyte * size)()
        places = (c_void_p * 1)(addressof(data))
        self.api.call("clGetProgramInfo", program.handle, c_uint(cl.PROGRAM_BINARIES), c_size_t(sizeof(places)), places, None)
        return binary.wrap(bytes(data), self.identity)

    def _create(self, image: bytes, image_format: str) -> c_void_p:
        if not image:
            raise HalError(Code.INVALID_ARGUMENT, "the image is empty")
        if image_format == SOURCE:
            texts, lengths = (c_char_p * 1)(image), (c_size_t * 1)(len(image))
            return self.api.make("clCreateProgramWithSource", self.context, c_uint(1), texts, lengths)
        if image_format == BINARY:
            image = binary.unwrap(image, self.identity)
            devices, lengths = (c_void_p * 1)(self.device), (c_size_t * 1)(len(image))
            status = (c_int * 1)()
            arguments = c_uint(1), devices, lengths, (c_char_p * 1)(image), status
            return self.api.make("clCreateProgramWithBinary", self.context, *arguments)
        return self.api.make("clCreateProgramWithIL", self.context, c_char_p(image), c_size_t(len(image)))

    def _build(self, handle: c_void_p, image_format: str) -> None:
        options = _OPTIONS if image_format == SOURCE else None
        number = self.api["clBuildProgram"](handle, c_uint(1), byref(self.device), c_char_p(options), None, None)
        if not number:
            return
        log = self.api.text("clGetProgramBuildInfo", handle, self.device, c_uint(cl.PROGRAM_BUILD_LOG))
        lines = [line for line in log.splitlines() if line.strip()]
        if len(lines) > _LOG:
            lines = [*lines[:_LOG], f"... and {len(lines) - _LOG} lines more"]
        native = failure("clBuildProgram", number).native
        what = {SOURCE: "OpenCL C", BINARY: "the binary", SPIRV: "the SPIR-V module"}[image_format]
        raise HalError(Code.INVALID_ARGUMENT, f"the device's compiler refuses {what}", notes=tuple(lines), native=native)

    def _entry(self, program: c_void_p, kernel: Kernel) -> tuple[Entry, Kernel]:
        symbol = kernel.entry_point or kernel.name
        there = [
            name for name in self.api.text("clGetProgramInfo", program, c_uint(cl.PROGRAM_KERNEL_NAMES)).split(";") if name
        ]
        if not there:
            raise HalError(Code.INVALID_ARGUMENT, "the image defines no kernel")
        if symbol not in there:
            names = ", ".join(f"`{name}`" for name in there)
            raise HalError(
                Code.NOT_FOUND,
                f"the program has no kernel `{symbol}`",
                notes=(f"it has {names}",),
                help=did_you_mean(symbol, there),
            )
        handle = self.api.make("clCreateKernel", program, c_char_p(symbol.encode()))
        try:
            known = self._known(kernel, handle)
            parameters = self._parameters(handle, known)
            known = self._agreed(known, parameters)
        except BaseException:
            self.api.call("clReleaseKernel", handle)
            raise
        return Entry(kernel.name, handle, parameters, known), known

    def _known(self, kernel: Kernel, handle: c_void_p) -> Kernel:
        """The kernel with the workgroup size that the program asks for."""
        asked = self.api.ask("clGetKernelWorkGroupInfo", handle, self.device, c_uint(cl.KERNEL_COMPILE_WORK_GROUP_SIZE))
        x, y, z = (int.from_bytes(asked[at : at + 8], "little") for at in (0, 8, 16))
        if not x:
            return kernel
        if kernel.workgroup_size not in (None, (x, y, z)):
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"`{kernel.name}` requires workgroups of {x}x{y}x{z}, and is said to run with "
                + "x".join(map(str, kernel.workgroup_size or ())),
            )
        return replace(kernel, workgroup_size=(x, y, z))

    def _parameters(self, handle: c_void_p, kernel: Kernel) -> tuple[Parameter, ...]:
        """The parameters as the program declares them; where it does not, bindings first and then words of constants."""
        count = self.api.whole("clGetKernelInfo", handle, c_uint(cl.KERNEL_NUM_ARGS))
        found: list[Parameter] = []
        at = 0
        for index in range(count):
            try:
                space = self.api.whole("clGetKernelArgInfo", handle, c_uint(index), c_uint(cl.KERNEL_ARG_ADDRESS))
                kind = self.api.text("clGetKernelArgInfo", handle, c_uint(index), c_uint(cl.KERNEL_ARG_TYPE))
            except HalError:
                return _assumed(count, kernel)
            if space in (cl.ADDRESS_GLOBAL, cl.ADDRESS_CONSTANT):
                found.append(Parameter("binding", index))
            elif space == cl.ADDRESS_LOCAL:
                found.append(Parameter("local", index))
            else:
                size = _size(kind) or (kernel.constants or 0) - at
                if size <= 0:
                    raise HalError(
                        Code.INVALID_ARGUMENT,
                        f"parameter {index} of `{kernel.name}` is of type `{kind}`, of which the size is not known",
                        help="take numbers and vectors, or one struct as the last constant",
                    )
                at += -at % min(size, 16) if _size(kind) else 0
                found.append(Parameter("constant", index, at, size))
                at += size
        return tuple(found)

    def _agreed(self, kernel: Kernel, parameters: tuple[Parameter, ...]) -> Kernel:
        """The kernel with what its parameters say; INVALID_ARGUMENT where that is not what was said of it."""
        bindings = sum(parameter.kind == "binding" for parameter in parameters)
        block = max((parameter.offset + parameter.size for parameter in parameters if parameter.kind == "constant"), default=0)
        constants = block + -block % 4
        local = sum(parameter.kind == "local" for parameter in parameters)
        for what, said, is_ in (("bindings", kernel.bindings, bindings), ("bytes of constants", kernel.constants, constants)):
            if said not in (None, is_, block if what != "bindings" else is_):
                raise HalError(Code.INVALID_ARGUMENT, f"`{kernel.name}` takes {is_} {what}, and is said to take {said}")
        if local > 1 or (local and not kernel.local_memory):
            missing = "more than one `__local` parameter" if local > 1 else "a `__local` parameter of unknown size"
            raise HalError(Code.INVALID_ARGUMENT, f"`{kernel.name}` has {missing}", help="declare local memory in the kernel")
        said_constants = kernel.constants if kernel.constants is not None else constants
        return replace(kernel, bindings=bindings, constants=said_constants)


def _assumed(count: int, kernel: Kernel) -> tuple[Parameter, ...]:
    """A program that does not describe its kernels (a binary): what the caller knows, in the order that packages use."""
    if kernel.bindings is None:
        raise HalError(Code.INVALID_ARGUMENT, f"the program does not say what `{kernel.name}` takes", help="give its bindings")
    bindings = [Parameter("binding", index) for index in range(kernel.bindings)]
    words = count - kernel.bindings
    size = (kernel.constants or 0) // words if words else 0
    if words < 0 or size * words != (kernel.constants or 0) or (words and size not in (1, 2, 4, 8)):
        raise HalError(
            Code.INVALID_ARGUMENT,
            f"`{kernel.name}` has {count} parameters, which are not {kernel.bindings} bindings and {kernel.constants} bytes",
        )
    return (*bindings, *(Parameter("constant", kernel.bindings + at, at * size, size) for at in range(words)))


def _size(kind: str) -> int:
    """Bytes of a value of an OpenCL C type, 0 for a type of the program's own; a vector of three takes the room of four."""
    kind = kind.replace("unsigned ", "u").replace("signed ", "")
    vector = _VECTOR.fullmatch(kind)
    if vector is not None and vector[1] in _SIZES:
        return _SIZES[vector[1]] * (4 if vector[2] == "3" else int(vector[2]))
    return _SIZES.get(kind, 0)
