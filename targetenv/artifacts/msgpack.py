"""MessagePack, in which AMD's compilers describe kernels: one document, its depth and its size held against the bytes given.

Written here and not taken from a library because the document is hostile: a library allocates an array before its elements are
there. Source: https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

from struct import calcsize, unpack_from

from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from targetenv.diagnostics.diagnostic import FormatError

    Value: TypeAlias = "bool | int | float | str | bytes | list[Value] | dict[Value, Value] | None"

_DEEPEST = 16
# First byte -> `struct` layout of a number, of a length in front of bytes or text, of a count in front of elements.
_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_NUMBERS |= {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_BYTES, _TEXTS = {0xC4: 1, 0xC5: 2, 0xC6: 4}, {0xD9: 1, 0xDA: 2, 0xDB: 4}
_ARRAYS, _MAPS = {0xDC: 2, 0xDD: 4}, {0xDE: 2, 0xDF: 4}
_EXTENSIONS = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_WORDS = {0xC0: None, 0xC2: False, 0xC3: True}


def unpack(data: memoryview, name: str, code: str) -> Value:
    """The document in `data`; FormatError with `code` where it ends early, is nested deeper than 16, or does not end with it.

    Maps keep the last of equal keys; extension types are their bytes.

    >>> unpack(memoryview(bytes.fromhex("82 a1 61 01 a1 62 93 c3 c0 a1 63")), "note", "TE4061")
    {'a': 1, 'b': [True, None, 'c']}
    """
    reader = _Reader(Window(data, name, code))
    value = reader.value(0)
    if reader.at != len(data):
        raise reader.damaged(f"ends at byte {reader.at} of {len(data)}")
    return value


class _Reader:
    def __init__(self, window: Window) -> None:
        self.window = window
        self.at = 0

    def damaged(self, what: str) -> FormatError:
        return damaged(self.window.code, self.window.name, f"the MessagePack document {what}")

    def value(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise self.damaged(f"is nested more than {_DEEPEST} deep")
        first = self._take(1)[0]
        if first < 0x80 or first >= 0xE0:
            return first if first < 0x80 else first - 0x100
        if first < 0x90:
            return self._map(first & 15, depth)
        if first < 0xA0:
            return self._array(first & 15, depth)
        if first < 0xC0:
            return self._text(first & 31)
        if first in _WORDS:
            return _WORDS[first]
        if (layout := _NUMBERS.get(first)) is not None:
            number: int | float = unpack_from(layout, self._take(calcsize(layout)))[0]
            return number
        if first in _TEXTS:
            return self._text(self._count(_TEXTS[first]))
        if first in _BYTES:
            return bytes(self._take(self._count(_BYTES[first])))
        if first in _ARRAYS:
            return self._array(self._count(_ARRAYS[first]), depth)
        if first in _MAPS:
            return self._map(self._count(_MAPS[first]), depth)
        if first in _EXTENSIONS:
            return bytes(self._take(1 + self._count(_EXTENSIONS[first]))[1:])
        if 0xD4 <= first <= 0xD8:
            return bytes(self._take(1 + (1 << first - 0xD4))[1:])
        raise self.damaged(f"has byte {first:#x}, which stands for nothing, at {self.at - 1}")

    def _take(self, size: int) -> memoryview:
        part = self.window.part(self.at, size, "a part of the MessagePack document")
        self.at += size
        return part

    def _count(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _text(self, size: int) -> str:
        return bytes(self._take(size)).decode("utf-8", "replace")

    def _array(self, count: int, depth: int) -> list[Value]:
        self._check(count)
        return [self.value(depth + 1) for _ in range(count)]

    def _map(self, count: int, depth: int) -> dict[Value, Value]:
        self._check(2 * count)
        found: dict[Value, Value] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if isinstance(key, (list, dict)):
                raise self.damaged("has a map whose key is a map or an array")
            found[key] = self.value(depth + 1)
        return found

    def _check(self, count: int) -> None:
        """An element takes a byte at least."""
        if count > len(self.window) - self.at:
            raise self.damaged(f"says {count} elements at byte {self.at}, more than there are bytes left")
