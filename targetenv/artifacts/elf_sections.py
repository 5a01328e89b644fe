"""Sections and symbols of 64-bit little-endian ELF files, in which GPU compilers keep what they say. gABI 4.1.

`elf` reads what a loader of CPU code reads; device code and the images that host objects carry are found by section.
"""

from __future__ import annotations

from targetenv.artifacts.elf import MAGIC
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NO_BITS = 8
_HEADER, _ENTRY = 64, 64
_SYMBOLS = 2
_EXTENDED_INDEX = 0xFFFF
_MOST_SECTIONS, _MOST_SYMBOLS = 1 << 18, 1 << 20
_LONGEST_NAME, _MOST_NAME_BYTES = 1 << 16, 64 << 20  # names of C++ templates are long
_TIMES_OVER = 4


@record
class Section:
    """One section; `size` is what it takes in memory, `data` is empty where it takes no bytes of the file, from `offset` on."""

    name: str
    kind: int
    info: int
    link: int
    size: int
    data: memoryview
    offset: int = 0


@record
class Symbol:
    """One named symbol: `kind` and `section` as ELF numbers them, `other` with the processor's own bits."""

    index: int
    name: str
    kind: int
    other: int
    section: int
    size: int


class Sections:
    """The header and the sections of one file. FormatError with the caller's code where it contradicts itself."""

    __slots__ = ("_left", "abi", "flags", "machine", "os_abi", "rows", "type", "version", "window")

    def __init__(self, data: bytes | memoryview, name: str, code: str) -> None:
        self.window = window = Window(data, name, code)
        identity = bytes(window.part(0, _HEADER, "the ELF header"))
        if identity[:6] != MAGIC + b"\x02\x01":
            raise damaged(code, name, "this is no 64-bit little-endian ELF file")
        self.os_abi, self.abi = identity[7], identity[8]
        self.type, self.machine, self.version = window.unpack("<HHI", 16, "the ELF header")
        (table,) = window.unpack("<Q", 40, "the ELF header")
        (self.flags,) = window.unpack("<I", 48, "the ELF header")
        size, count, names = window.unpack("<HHH", 58, "the ELF header")
        self._left = _MOST_NAME_BYTES
        self.rows = self._read(table, size, count, names) if table else ()

    def _read(self, table: int, entry_size: int, count: int, names: int) -> tuple[Section, ...]:
        window = self.window
        if entry_size != _ENTRY:
            raise damaged(window.code, window.name, f"the ELF header gives section headers {entry_size} bytes, not {_ENTRY}")
        first = window.unpack("<IIQQQQIIQQ", table, "the first section header")
        count = count or first[5]  # more than 0xff00 sections are counted there
        names = first[6] if names == _EXTENDED_INDEX else names
        if count > _MOST_SECTIONS or names >= max(count, 1):
            raise damaged(window.code, window.name, f"the ELF header says {count} sections with names in section {names}")
        headers = window.rows("<IIQQQQIIQQ", table, count, "the section headers")
        in_file = sum(row[5] for row in headers if row[1] not in (0, NO_BITS))
        if in_file > _TIMES_OVER * len(window):
            raise damaged(window.code, window.name, "the sections lie over one another")
        start, end = (headers[names][4], headers[names][4] + headers[names][5]) if headers else (0, 0)
        return tuple(
            Section(
                self._name(start + name_at, end, "a section's name") if kind else "",
                kind,
                info,
                link,
                size,
                window.part(offset, size, "a section") if kind not in (0, NO_BITS) else memoryview(b""),
                offset,
            )
            for name_at, kind, _, _, offset, size, link, info, *_ in headers
        )

    def named(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((row for row in self.rows if row.name == name), None)

    def symbols(self, kinds: frozenset[int]) -> Iterator[Symbol]:
        """The symbols of these ELF kinds, by their place in the symbol table; none without a table."""
        table = next((row for row in self.rows if row.kind == _SYMBOLS), None)
        if table is None:
            return
        window = self.window
        count = len(table.data) // 24
        if count > _MOST_SYMBOLS or table.link >= len(self.rows):
            raise damaged(window.code, window.name, f"{count} symbols with names in section {table.link} are not read")
        strings = self.rows[table.link].data
        rows = Window(table.data, window.name, window.code).rows("<IBBHQQ", 0, count, "the symbols")
        for index, (name_at, info, other, section, _, size) in enumerate(rows):
            if info & 15 in kinds:
                yield Symbol(index, self._name(name_at, len(strings), "a symbol", strings), info & 15, other, section, size)

    def _name(self, at: int, end: int, what: str, strings: memoryview | None = None) -> str:
        window = self.window if strings is None else Window(strings, self.window.name, self.window.code)
        text = window.string(at, end, what, longest=_LONGEST_NAME)
        self._left -= len(text)
        if self._left < 0:
            raise damaged(window.code, window.name, f"the names in this file take more than {_MOST_NAME_BYTES} bytes")
        return text
