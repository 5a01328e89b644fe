"""FlatBuffers that nobody vouches for: every offset, length and table is checked before it is followed.

Written for reading files of others: the `flatbuffers` package trusts each offset, so a damaged file gives wrong values or an
error of Python's. Layout: https://flatbuffers.dev/internals/. Offsets to vectors, strings and tables only point forward, so
nothing can contain itself; but many places may point at one, so what is read is counted, and no file is read more than
sixteen times over.
"""

from __future__ import annotations

from struct import calcsize, iter_unpack, unpack

from targetenv.artifacts.inspection import damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from targetenv.artifacts.window import Window

_TIMES_OVER = 16
_TABLE_COST = 16


class FlatBuffer:
    """One buffer, beginning at the first byte of its window. Errors have the window's code."""

    __slots__ = ("_left", "window")

    def __init__(self, window: Window) -> None:
        self.window = window
        self._left = _TIMES_OVER * len(window) + 4096

    @property
    def identifier(self) -> bytes:
        """The four bytes that name the schema."""
        return bytes(self.window.part(4, 4, "the FlatBuffer's identifier"))

    def root(self) -> Table:
        """The table that holds everything."""
        (offset,) = self.window.unpack("<I", 0, "the offset of the root table")
        return Table(self, offset)

    def charge(self, bytes_read: int) -> None:
        """Count bytes that are about to be read."""
        self._left -= bytes_read
        if self._left < 0:
            message = f"the FlatBuffer's {len(self.window)} bytes refer to one another more often than they can in earnest"
            raise damaged(self.window.code, self.window.name, message)


class Table:
    """One table. Fields are numbered as in the schema; one that is not there gives its default."""

    __slots__ = ("_at", "_fields", "_size", "buffer")

    def __init__(self, buffer: FlatBuffer, at: int) -> None:
        buffer.charge(_TABLE_COST)
        window = buffer.window
        (back,) = window.unpack("<i", at, "a table")
        size, self._size = window.unpack("<HH", at - back, "a table's field list")
        if size < 4 or size % 2:
            raise damaged(window.code, window.name, f"the field list at byte {at - back} has {size} bytes")
        window.part(at, self._size, "a table")
        self._fields: tuple[int, ...] = window.unpack(f"<{size // 2 - 2}H", at - back + 4, "a table's field list")
        self._at = at
        self.buffer = buffer

    def has(self, field: int) -> bool:
        """Whether the field is there."""
        return field < len(self._fields) and self._fields[field] != 0

    def number(self, field: int, layout: str = "<I", default: int = 0) -> int:
        """A scalar of that `struct` layout."""
        values = self.struct(field, layout)
        return default if values is None else int(values[0])

    def struct(self, field: int, layout: str) -> tuple[Any, ...] | None:
        """A fixed group of scalars."""
        if not self.has(field):
            return None
        offset = self._fields[field]
        if offset + calcsize(layout) > self._size:
            message = f"field {field} of the table at byte {self._at} lies outside the table"
            raise damaged(self.buffer.window.code, self.buffer.window.name, message)
        return self.buffer.window.unpack(layout, self._at + offset, "a field")

    def table(self, field: int) -> Table | None:
        """A table inside this one."""
        return Table(self.buffer, self._target(field)) if self.has(field) else None

    def bytes(self, field: int, *, size: int = 1) -> memoryview:
        """A vector of elements of `size` bytes, or the bytes of a string; empty when there is none. Not copied."""
        return self._elements(self._target(field), size) if self.has(field) else memoryview(b"")

    def place(self, field: int) -> int:
        """Where in the buffer the bytes begin that `bytes` gives; the field must be there."""
        return self._target(field) + 4

    def text(self, field: int) -> str:
        """A string, empty when there is none."""
        return self._text(self.bytes(field))

    def numbers(self, field: int, layout: str) -> tuple[tuple[Any, ...], ...]:
        """A vector of scalars or of fixed groups of them, each as the tuple that the layout gives."""
        if not self.has(field):
            return ()
        raw = self._elements(self._target(field), calcsize(layout))
        self.buffer.charge(len(raw))
        return tuple(iter_unpack(layout, raw))

    def tables(self, field: int) -> tuple[Table, ...]:
        """A vector of tables."""
        return tuple(Table(self.buffer, at) for at in self._targets(field))

    def texts(self, field: int) -> tuple[str, ...]:
        """A vector of strings."""
        return tuple(self._text(self._elements(at, 1)) for at in self._targets(field))

    def _target(self, field: int) -> int:
        (offset,) = self.struct(field, "<I") or (0,)
        return self._at + self._fields[field] + int(offset)

    def _targets(self, field: int) -> tuple[int, ...]:
        if not self.has(field):
            return ()
        start = self._target(field)
        elements = self._elements(start, 4)
        offsets = unpack(f"<{len(elements) // 4}I", elements)
        return tuple(start + 4 + 4 * place + offset for place, offset in enumerate(offsets))

    def _elements(self, at: int, size: int) -> memoryview:
        (count,) = self.buffer.window.unpack("<I", at, "a vector's length")
        elements = self.buffer.window.part(at + 4, count * size, "a vector")
        self.buffer.charge(_TABLE_COST + len(elements))
        return elements

    def _text(self, raw: memoryview) -> str:
        self.buffer.charge(len(raw))
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError as error:
            window = self.buffer.window
            raise damaged(window.code, window.name, "a string in the FlatBuffer is not UTF-8 text") from error
