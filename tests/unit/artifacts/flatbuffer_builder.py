"""FlatBuffers written the simplest way, for readers to read: tables are dicts from field number to value, children come after.

A value is `Scalars(layout, ...)` (in the table), a str or bytes, `Vector(layout, rows)`, a dict (a table), or a list of those.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scalars:
    """Numbers that lie in the table itself."""

    layout: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Vector:
    """A vector of numbers, or of fixed groups of them."""

    layout: str
    rows: tuple[tuple[Any, ...], ...]


def u8(value: int) -> Scalars:
    return Scalars("<B", (value,))


def u32(*values: int) -> Scalars:
    return Scalars(f"<{len(values)}I", values)


def u64(value: int) -> Scalars:
    return Scalars("<Q", (value,))


def words(data: bytes) -> Vector:
    return Vector("<I", tuple(struct.iter_unpack("<I", data)))


def build(root: dict[int, Any], identifier: bytes) -> bytes:
    """The buffer with this root table."""
    out = bytearray(4) + identifier
    struct.pack_into("<I", out, 0, _emit(out, root))
    return bytes(out)


def _emit(out: bytearray, value: Any) -> int:
    out += bytes(-len(out) % 8)
    if isinstance(value, dict):
        return _table(out, value)
    if isinstance(value, Vector):
        out += bytes(4)  # so that elements of eight bytes are aligned behind the count
        at = len(out)
        out += struct.pack("<I", len(value.rows)) + b"".join(struct.pack(value.layout, *row) for row in value.rows)
        return at
    if isinstance(value, list):
        at = len(out)
        out += struct.pack("<I", len(value)) + bytes(4 * len(value))
        for place, child in enumerate(value):
            slot = at + 4 + 4 * place
            struct.pack_into("<I", out, slot, _emit(out, child) - slot)
        return at
    raw = value.encode() if isinstance(value, str) else value
    at = len(out)
    out += struct.pack("<I", len(raw)) + raw + b"\0"
    return at


def _table(out: bytearray, fields: dict[int, Any]) -> int:
    count = max(fields, default=-1) + 1
    listed = 4 + 2 * count
    at = len(out) + listed + -listed % 8
    offsets = [0] * count
    inline = bytearray(4)
    for field, value in fields.items():
        raw = struct.pack(value.layout, *value.values) if isinstance(value, Scalars) else bytes(4)
        inline += bytes(-len(inline) % 8)
        offsets[field] = len(inline)
        inline += raw
    start = len(out)
    out += struct.pack(f"<HH{count}H", listed, len(inline), *offsets) + bytes(-listed % 8)
    struct.pack_into("<i", inline, 0, at - start)
    out += inline
    for field, value in fields.items():
        if not isinstance(value, Scalars):
            slot = at + offsets[field]
            struct.pack_into("<I", out, slot, _emit(out, value) - slot)
    return at
