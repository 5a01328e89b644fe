"""Typed memory without numpy: what kernels take and give, as bytes with a dtype and a shape; and single numbers as bytes."""

from __future__ import annotations

import struct

from targetenv.launch.refusals import refused
from targetenv.model.record import record
from targetenv.wire.package import item_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Number: TypeAlias = int | float

_CODES = {
    "f16": "e", "f32": "f", "f64": "d",
    "i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q", "u64": "Q",
}  # fmt: skip


@record
class Array:
    """A dense array in C order; `data` is little-endian and has exactly the bytes of the shape."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes | bytearray | memoryview

    @property
    def count(self) -> int:
        """Number of elements."""
        return product(self.shape)

    def __str__(self) -> str:
        return described(self.dtype, self.shape)


@record
class Scalar:
    """A single number; `dtype` is None where nobody said it."""

    value: Number
    dtype: str | None = None


def product(shape: tuple[int, ...]) -> int:
    """Number of elements of a shape; 1 for the shape of a scalar."""
    count = 1
    for length in shape:
        count *= length
    return count


def described(dtype: str | None, shape: tuple[int, ...]) -> str:
    """A type for messages.

    >>> described("f32", (4, 3)), described("u8", ())
    ('f32[4, 3]', 'u8[]')
    """
    return f"{dtype or 'any'}[{', '.join(map(str, shape))}]"


def pack_number(value: Number, dtype: str, *, name: str) -> bytes:
    """The bytes of one number; CallError (TE5212) when it is not one of the dtype. `name` is what messages call it.

    >>> pack_number(1.5, "bf16", name="a").hex(), pack_number(-1, "i8", name="a").hex()
    ('c03f', 'ff')
    """
    whole = dtype[0] in "iu"
    if whole and isinstance(value, float):
        raise refused("TE5212", f"`{name}` is {dtype}, and {value} is not an integer")
    try:
        if dtype == "bf16":
            return _rounded_to_bf16(float(value))
        return struct.pack(f"<{_CODES[dtype]}", value)
    except (struct.error, OverflowError):
        raise refused("TE5212", f"`{name}` is {dtype}, which cannot hold {_short(value)}") from None


def unpack_numbers(array: Array, count: int) -> tuple[Number, ...]:
    """The first `count` elements."""
    count = min(count, array.count)
    raw = bytes(array.data[: count * item_size(array.dtype)])
    if array.dtype == "bf16":
        raw = b"".join(b"\0\0" + raw[at : at + 2] for at in range(0, len(raw), 2))
        return struct.unpack(f"<{count}f", raw)
    return struct.unpack(f"<{count}{_CODES[array.dtype]}", raw)


def _rounded_to_bf16(value: float) -> bytes:
    """The upper half of the f32, rounded to nearest, ties to even; a NaN stays one."""
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    if value != value:
        return struct.pack("<H", bits >> 16 | 0x40)
    return struct.pack("<H", (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)


def _short(value: Number) -> str:
    text = str(value) if not isinstance(value, int) or abs(value) < 1 << 128 else f"a number of {value.bit_length()} bits"
    return text[:60]
