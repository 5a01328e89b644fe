"""Sections of 32-bit little-endian ELF files, in which compilers for AI engines and for Gaudi keep what they say. gABI 4.1."""

from __future__ import annotations

from targetenv.artifacts.elf import MAGIC
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record

_HEADER, _ENTRY = 52, 40
_NO_BITS = 8
_MOST_SECTIONS = 4096
_TIMES_OVER = 4


@record
class Section:
    """One section; `data` is empty where it takes no bytes of the file."""

    name: str
    kind: int
    data: memoryview


@record
class Elf32:
    """The machine, the ABI and the sections of a file."""

    machine: int
    abi: int
    sections: tuple[Section, ...]

    def section(self, *names: str) -> Section | None:
        """The first section with one of these names."""
        return next((row for row in self.sections if row.name in names), None)


def is_elf32(data: bytes | memoryview) -> bool:
    """Whether this is a 32-bit little-endian ELF file, by its first bytes."""
    return bytes(data[:6]) == MAGIC + b"\x01\x01"


def read_elf32(data: bytes | memoryview, name: str, *, code: str = "TE4807") -> Elf32:
    """The file's sections; FormatError with that code where a header or a section lies outside it."""
    window = Window(data, name, code)
    identity = bytes(window.part(0, _HEADER, "the ELF header"))
    if not is_elf32(identity):
        raise damaged(code, name, "this is no 32-bit little-endian ELF file")
    (machine,) = window.unpack("<H", 18, "the ELF header")
    (table,) = window.unpack("<I", 32, "the ELF header")
    size, count, names = window.unpack("<HHH", 46, "the ELF header")
    if count and size != _ENTRY:
        raise damaged(code, name, f"the ELF header gives section headers {size} bytes in place of {_ENTRY}")
    if count > _MOST_SECTIONS or (count and names >= count):
        raise damaged(code, name, f"the ELF header says {count} sections with names in section {names}")
    rows = window.rows("<IIIIIIIIII", table, count, "the section headers")
    start, end = (rows[names][4], rows[names][4] + rows[names][5]) if rows else (0, 0)
    sections: list[Section] = []
    if sum(row[5] for row in rows if row[1] not in (0, _NO_BITS)) > _TIMES_OVER * len(window):
        raise damaged(code, name, "the sections lie over one another")
    for name_at, kind, _, _, offset, length, *_ in rows:
        data_of = memoryview(b"") if kind in (0, _NO_BITS) else window.part(offset, length, "a section")
        sections.append(Section(window.string(start + name_at, end, "a section's name") if kind else "", kind, data_of))
    return Elf32(machine, identity[7], tuple(sections))
