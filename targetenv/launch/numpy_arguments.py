"""numpy at the door: a kernel is called with arrays and numbers and gives arrays. Imported when a kernel is called from Python.

Calls whose arguments have the same types and shapes share a *frame*: buffers on the device, and what was checked. Only numbers
and the contents of arrays are new in each of them, and no memory is mapped or given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from targetenv.launch.arguments import constant_bytes, passed, prepare
from targetenv.launch.arrays import Array, Scalar
from targetenv.launch.refusals import refused
from targetenv.wire.package import constant_offsets

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from targetenv_runtime.device import Device
    from targetenv_runtime.semaphore import Semaphore

    from targetenv.launch.arguments import Prepared
    from targetenv.launch.kernel import LoadedKernel
    from targetenv.wire.package import PackagedKernel

    AnyArray = np.ndarray[Any, Any]

_NUMPY = {
    "f16": "<f2", "f32": "<f4", "f64": "<f8", "bf16": "<u2", "i8": "|i1", "u8": "|u1",
    "i16": "<i2", "u16": "<u2", "i32": "<i4", "u32": "<u4", "i64": "<i8", "u64": "<u8",
}  # fmt: skip
_OURS = {name: ours for ours, name in _NUMPY.items() if ours != "bf16"}
_KEPT = 256 << 20  # bytes of device memory that a kernel keeps for calls to come


class Frames:
    """How one kernel is called with numpy arrays, and the frames that wait for their next call."""

    def __init__(self, kernel: LoadedKernel) -> None:
        self._kernel = kernel
        interface = kernel.interface
        constants, bindings = passed(interface)
        self._names = tuple(row.name for row in constants) + tuple(row.name for row in bindings)
        self._buffers = {binding.name: binding.dtype for binding in interface.bindings}
        self._others = {constant.name for constant in interface.constants}
        self._waiting: dict[Hashable, _Frame] = {}

    def call(self, arguments: Sequence[Any], named: dict[str, Any], grid: Sequence[int] | None) -> Any:
        """Run the kernel once; see `LoadedKernel.__call__`."""
        scalars, arrays = self._sorted(arguments, named)
        key, frame = self._frame(scalars, arrays, grid)
        frame.fill(scalars, arrays)
        frame.run()
        return self._results(key, frame)

    async def later(self, arguments: Sequence[Any], named: dict[str, Any], grid: Sequence[int] | None) -> Any:
        """The same on a queue, without a thread that waits; see `LoadedKernel.later`."""
        scalars, arrays = self._sorted(arguments, named)
        key, frame = self._frame(scalars, arrays, grid)
        frame.fill(scalars, arrays)
        done = frame.submit()
        await done.until(1)  # a call that is cancelled here leaves its frame to the device and to garbage collection
        return self._results(key, frame)

    def _frame(
        self, scalars: dict[str, Scalar], arrays: dict[str, AnyArray], grid: Sequence[int] | None
    ) -> tuple[Hashable, _Frame]:
        key = (None if grid is None else tuple(grid), *((name, row.dtype.str, row.shape) for name, row in arrays.items()))
        frame = self._waiting.pop(key, None)  # another call with the same shapes, at the same time, makes a frame of its own
        if frame is None or scalars.keys() != frame.free:
            frame = _Frame(self._kernel, self._prepared(scalars, arrays, grid), scalars.keys())
        return key, frame

    def _results(self, key: Hashable, frame: _Frame) -> Any:
        results = frame.results()
        self._keep(key, frame)
        return results[0] if len(results) == 1 else tuple(results)

    def close(self) -> None:
        """Give the memory of waiting frames back."""
        while self._waiting:
            self._waiting.popitem()[1].close()

    def _keep(self, key: Hashable, frame: _Frame) -> None:
        self._waiting[key] = frame
        while sum(waiting.size for waiting in tuple(self._waiting.values())) > _KEPT:
            self._waiting.pop(next(iter(self._waiting))).close()

    def _prepared(self, scalars: dict[str, Scalar], arrays: dict[str, AnyArray], grid: Sequence[int] | None) -> Prepared:
        described = {name: Array(self._dtype(name, array), array.shape, b"") for name, array in arrays.items()}
        return prepare(self._kernel.interface, self._kernel.variant, scalars, described, grid)

    def _dtype(self, name: str, array: AnyArray) -> str:
        return "bf16" if self._buffers.get(name) == "bf16" and array.dtype == np.uint16 else _OURS[array.dtype.str]

    def _sorted(self, arguments: Sequence[Any], named: dict[str, Any]) -> tuple[dict[str, Scalar], dict[str, AnyArray]]:
        """Positional and named arguments as scalars and arrays by parameter name; CallError (TE52xx) for what is neither."""
        interface = self._kernel.interface
        if interface.open:
            values = _of_open_kernel(arguments)
        elif len(arguments) > len(self._names):
            expected = f"takes {len(self._names)} arguments ({', '.join(self._names)})"
            raise refused("TE5203", f"`{interface.name}` {expected}, got {len(arguments)}")
        else:
            values = dict(zip(self._names, arguments, strict=False))
        if named:
            twice = values.keys() & named.keys()
            if twice:
                raise refused("TE5202", f"`{min(twice)}` of `{interface.name}` is passed twice")
            values |= named
        scalars: dict[str, Scalar] = {}
        arrays: dict[str, AnyArray] = {}
        for name, value in values.items():
            if name in self._buffers or (name not in self._others and np.ndim(value)):
                arrays[name] = _array(interface, name, value, self._buffers.get(name))
            else:
                scalars[name] = _scalar(interface, name, value)
        return scalars, arrays


class _Frame:
    """Buffers for one combination of types and shapes, with numpy's view of them. One call at a time uses it."""

    def __init__(self, kernel: LoadedKernel, prepared: Prepared, free: Any) -> None:
        device: Device = kernel.device
        self.free = frozenset(free)
        self.size = sum(slot.size for slot in prepared.buffers)
        self._kernel = kernel
        self._grid = prepared.grid
        self._block = bytearray(prepared.constants)
        *offsets, _ = constant_offsets(prepared.interface)
        rows = zip(prepared.interface, offsets, strict=True)
        self._free = [(constant, at) for constant, at in rows if constant.value is None]
        self._buffers = [device.allocate(slot.size) for slot in prepared.buffers]
        self._views = [
            (slot.binding, _view(buffer.map(), slot.dtype, slot.shape))
            for slot, buffer in zip(prepared.buffers, self._buffers, strict=True)
        ]

    def fill(self, scalars: dict[str, Scalar], arrays: dict[str, AnyArray]) -> None:
        """Copy the inputs in."""
        interface = self._kernel.interface
        for constant, at in self._free:
            value = constant_bytes(interface, constant, scalars[constant.name])
            self._block[at : at + len(value)] = value
        for binding, view in self._views:
            # What is only written starts as zeros, so that results never show what was in the memory before.
            view[...] = arrays[binding.name] if binding.access != "write" else 0

    def run(self) -> None:
        """Run the kernel to its end."""
        self._kernel.function.run(self._grid, self._buffers, bytes(self._block))

    def submit(self) -> Semaphore:
        """Submit the kernel; the timeline reaches 1 when it is done."""
        device = self._kernel.device
        done = device.semaphore()
        device.queue.dispatch(self._kernel.function, self._grid, self._buffers, bytes(self._block), signal=[(done, 1)])
        return done

    def results(self) -> list[AnyArray]:
        """Copies of what the kernel wrote."""
        return [view.copy() for binding, view in self._views if binding.access != "read"]

    def close(self) -> None:
        """Give the buffers back."""
        self._views.clear()
        for buffer in self._buffers:
            buffer.close()


def _view(memory: memoryview, dtype: str, shape: tuple[int, ...]) -> AnyArray:
    return np.frombuffer(memory, _NUMPY[dtype], int(np.prod(shape))).reshape(shape)


def _of_open_kernel(arguments: Sequence[Any]) -> dict[str, Any]:
    """Numbers are c0, c1 ... and arrays b0, b1 ..., each in their order."""
    arrays = [value for value in arguments if np.ndim(value)]
    numbers = [value for value in arguments if not np.ndim(value)]
    named = {f"c{at}": value for at, value in enumerate(numbers)}
    return named | {f"b{at}": value for at, value in enumerate(arrays)}


def _array(kernel: PackagedKernel, name: str, value: Any, dtype: str | None) -> AnyArray:
    """An array of numbers. A list takes the parameter's dtype; an array keeps its own, to be refused when it is another."""
    array: AnyArray = value
    if not isinstance(value, np.ndarray):
        try:
            if hasattr(value, "__dlpack__"):
                array = np.from_dlpack(value)  # a tensor of another library, its memory shared; it keeps its dtype too
            else:
                array = np.asarray(value, dtype=None if dtype is None else _NUMPY[dtype])
        except (TypeError, ValueError, OverflowError, BufferError):
            message = f"`{name}` of `{kernel.name}` is an array, got a {type(value).__name__} that is none"
            raise refused("TE5206", message, "pass a numpy array") from None
    if array.dtype.str not in _OURS:
        expected = dtype or "a number type"
        raise refused("TE5205", f"`{name}` of `{kernel.name}` is {expected}, got an array of {array.dtype}")
    return array


def _scalar(kernel: PackagedKernel, name: str, value: Any) -> Scalar:
    if isinstance(value, np.generic):
        value = value.item()
    elif isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()].item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("TE5206", f"`{name}` of `{kernel.name}` is a number, got a {type(value).__name__}")
    return Scalar(value)
