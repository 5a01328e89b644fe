"""numpy at the door: arrays and numbers in, arrays out. Imported when a kernel is called from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from targetenv.launch.arrays import Array, Scalar
from targetenv.launch.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from targetenv.wire.package import Binding, Constant, PackagedKernel

_NUMPY = {
    "f16": "float16", "f32": "float32", "f64": "float64", "bf16": "uint16",
    "i8": "int8", "u8": "uint8", "i16": "int16", "u16": "uint16",
    "i32": "int32", "u32": "uint32", "i64": "int64", "u64": "uint64",
}  # fmt: skip
_OURS = {name: ours for ours, name in _NUMPY.items() if ours != "bf16"}


def from_numpy(
    kernel: PackagedKernel,
    constants: Sequence[Constant],
    bindings: Sequence[Binding],
    arguments: Sequence[Any],
    named: Mapping[str, Any],
) -> tuple[dict[str, Scalar], dict[str, Array]]:
    """Positional and named arguments as scalars and arrays by parameter name; CallError (TE52xx) for what is neither."""
    names = [constant.name for constant in constants] + [binding.name for binding in bindings]
    if kernel.open:
        values = _of_open_kernel(arguments)
    elif len(arguments) > len(names):
        raise refused("TE5203", f"`{kernel.name}` takes {len(names)} arguments ({', '.join(names)}), got {len(arguments)}")
    else:
        values = dict(zip(names, arguments, strict=False))
    twice = values.keys() & named.keys()
    if twice:
        raise refused("TE5202", f"`{min(twice)}` of `{kernel.name}` is passed twice")
    dtypes = {row.name: row.dtype for row in kernel.constants} | {row.name: row.dtype for row in kernel.bindings}
    buffers = {binding.name for binding in kernel.bindings}
    scalars: dict[str, Scalar] = {}
    arrays: dict[str, Array] = {}
    for name, value in (values | dict(named)).items():
        if name in buffers or (name not in dtypes and np.ndim(value)):
            arrays[name] = _array(kernel, name, value, dtypes.get(name))
        else:
            scalars[name] = _scalar(kernel, name, value)
    return scalars, arrays


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """A new array of its own memory; bf16 comes as the bits, in uint16."""
    return np.frombuffer(bytearray(array.data), _NUMPY[array.dtype]).reshape(array.shape)


def _of_open_kernel(arguments: Sequence[Any]) -> dict[str, Any]:
    """Numbers are c0, c1 ... and arrays b0, b1 ..., each in their order."""
    arrays = [value for value in arguments if np.ndim(value)]
    numbers = [value for value in arguments if not np.ndim(value)]
    named = {f"c{at}": value for at, value in enumerate(numbers)}
    return named | {f"b{at}": value for at, value in enumerate(arrays)}


def _array(kernel: PackagedKernel, name: str, value: Any, dtype: str | None) -> Array:
    """A C-ordered array. A list takes the parameter's dtype; an array keeps its own, to be refused when it is another."""
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value).reshape(value.shape)
    else:
        try:
            array = np.asarray(value, dtype=None if dtype is None else _NUMPY[dtype], order="C")
        except (TypeError, ValueError, OverflowError):
            message = f"`{name}` of `{kernel.name}` is an array, got a {type(value).__name__} that is none"
            raise refused("TE5206", message, "pass a numpy array") from None
    found = "bf16" if dtype == "bf16" and array.dtype == np.uint16 else _OURS.get(array.dtype.name)
    if found is None or not array.dtype.isnative:
        expected = dtype or "a number type"
        raise refused("TE5205", f"`{name}` of `{kernel.name}` is {expected}, got an array of {array.dtype}")
    return Array(found, array.shape, array.data.cast("B") if array.size else b"")


def _scalar(kernel: PackagedKernel, name: str, value: Any) -> Scalar:
    if isinstance(value, np.generic):
        value = value.item()
    elif isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()].item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("TE5206", f"`{name}` of `{kernel.name}` is a number, got a {type(value).__name__}")
    return Scalar(value)
