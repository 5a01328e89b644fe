"""Bytes that are only read inside their bounds."""

from __future__ import annotations

from struct import calcsize, iter_unpack, unpack_from

from targetenv.artifacts.inspection import damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST_STRING = 4096
_SHORT_STRING = 128  # is copied first


class Window:
    """A file's bytes: every read says what it reads, and one outside the file is refused with `code`.

    Offsets and sizes come from the file itself and may be any integer.
    """

    __slots__ = ("code", "data", "name")

    def __init__(self, data: bytes | memoryview, name: str, code: str) -> None:
        self.data = memoryview(data)
        self.name = name
        self.code = code

    def __len__(self) -> int:
        return len(self.data)

    def part(self, offset: int, size: int, what: str) -> memoryview:
        """`size` bytes from `offset`, without a copy."""
        if offset < 0 or size < 0 or offset + size > len(self.data):
            message = f"{what} at bytes {offset} to {offset + size} is outside the file, which has {len(self.data)} bytes"
            raise damaged(self.code, self.name, message)
        return self.data[offset : offset + size]

    def unpack(self, layout: str, offset: int, what: str) -> tuple[Any, ...]:
        """The values of a `struct` layout at `offset`."""
        return unpack_from(layout, self.part(offset, calcsize(layout), what))

    def rows(self, layout: str, offset: int, count: int, what: str) -> tuple[tuple[Any, ...], ...]:
        """`count` times the values of a `struct` layout, one after the other.

        All at once: CPython 3.11 may crash when an `iter_unpack` over a memoryview is in a traceback that is collected.
        """
        return tuple(iter_unpack(layout, self.part(offset, calcsize(layout) * count, what)))

    def string(self, offset: int, end: int, what: str, *, longest: int = _LONGEST_STRING) -> str:
        """The NUL-terminated UTF-8 string at `offset`, which must end before `end` and within `longest` bytes."""
        room = self.part(offset, max(0, min(end - offset, longest)), what)
        raw = bytes(room[:_SHORT_STRING])
        stop = raw.find(0)
        if stop < 0:
            raw = bytes(room)
            stop = raw.find(0)
        if stop < 0:
            raise damaged(self.code, self.name, f"{what} at byte {offset} does not end")
        try:
            return raw[:stop].decode()
        except UnicodeDecodeError as error:
            raise damaged(self.code, self.name, f"{what} at byte {offset} is not UTF-8 text") from error
