"""Whether an image is a shared object of this machine whose parts are inside of it, before the dynamic loader sees it.

The loader trusts what it is given: it maps segments past the end of a file (SIGBUS at the first touch) and follows any address
in the dynamic section. What is checked here is what it would fall over; a kernel's code is trusted like any other library's.
Layouts: System V gABI, chapters 4 and 5 (Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn).
"""

from __future__ import annotations

import struct
from itertools import pairwise
from struct import Struct

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

MACHINES = {"x86_64": 62, "aarch64": 183}  # EM_X86_64, EM_AARCH64
_NAMES = {3: "i386", 8: "mips", 21: "powerpc64", 22: "s390", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
_KINDS = {0: "no type", 1: "a relocatable object", 2: "an executable", 3: "a shared object", 4: "a core dump"}

_HEADER = Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = Struct("<IIQQQQQQ")
_DYNAMIC = Struct("<qQ")
_SYMBOL = Struct("<IBBHQQ")
_SECTION = Struct("<IIQQQQIIQQ")

_LOAD, _DYNAMIC_SEGMENT, _NOTE, _TLS, _PROPERTY, _RELRO = 1, 2, 4, 7, 0x6474E553, 0x6474E552
_LARGEST = 1 << 40  # more address space than any kernel library takes; keeps a damaged size from reserving terabytes
_TABLES = {5: (10, 0), 6: (None, 24), 7: (8, 0), 4: (None, 8), 0x6FFFFEF5: (None, 16), 23: (2, 0), 25: (27, 0), 26: (28, 0)}
"""Dynamic tags that hold an address: the tag of the size in bytes, or the least size where there is no such tag.

DT_STRTAB/STRSZ, DT_SYMTAB (one entry), DT_RELA/RELASZ, DT_HASH, DT_GNU_HASH, DT_JMPREL/PLTRELSZ, DT_INIT_ARRAY/ARRAYSZ,
DT_FINI_ARRAY/ARRAYSZ.
"""


def check(image: bytes | memoryview, machine: str) -> None:
    """INVALID_ARGUMENT unless `image` is a whole shared object for `machine` (`x86_64`, `aarch64`)."""
    view = memoryview(image)
    if bytes(view[:4]) != b"\x7fELF":
        _refuse("the image is no ELF file" if view else "the image is empty")
    if len(view) < _HEADER.size:
        _refuse(f"the ELF image ends after {len(view)} bytes, within its header")
    ident, kind, target, _, _, offset, _, _, _, size, count, *_ = _HEADER.unpack_from(view)
    if ident[4] != 2 or ident[5] != 1:
        _refuse("the ELF image is not 64-bit little-endian")
    if target != MACHINES[machine]:
        _refuse(f"the image is for {_NAMES.get(target, f'ELF machine {target}')}, and this is {machine}")
    if kind != 3:
        what = _KINDS.get(kind, f"an ELF file of type {kind}")
        _refuse(f"the image is {what}, not a shared object", help="link the kernels with `-shared -fPIC`")
    if size != _SEGMENT.size or count == 0 or count == 0xFFFF:
        _refuse("the ELF image has no program headers that can be loaded")
    if offset > len(view) or count * size > len(view) - offset:
        _refuse("the ELF image ends within its program headers")
    segments = [_SEGMENT.unpack_from(view, offset + index * size) for index in range(count)]
    loads = [_Load(view, segment) for segment in segments if segment[0] == _LOAD]
    if not loads:
        _refuse("the ELF image has no segment to load")
    if any(second.address < first.end for first, second in pairwise(loads)):
        _refuse("segments of the ELF image overlap or are out of order")
    for kind, _, _, address, _, stored, size, _ in segments:
        # The loader reads notes and initial thread-local data, and protects "relro", wherever they claim to be. The last ends
        # at a page, which may be 64 KiB; zeroed thread-local data takes no room.
        if kind in (_NOTE, _TLS, _PROPERTY, _RELRO):
            slack = 0xFFFF if kind == _RELRO else 0
            extent = stored if kind == _TLS else size
            if not any(load.address <= address and address + extent <= load.end + slack for load in loads):
                _refuse("a segment of the ELF image is outside of what is loaded")
    dynamic = [segment for segment in segments if segment[0] == _DYNAMIC_SEGMENT]
    if len(dynamic) != 1:
        _refuse("the ELF image has no dynamic section, so that nothing can be looked up in it")
    _check_dynamic(loads, dict(_entries(view, loads, dynamic[0])))


class _Load:
    """One segment that becomes memory: [address, end), the first `stored` bytes of it from the file at `offset`."""

    __slots__ = ("address", "end", "offset", "stored")

    def __init__(self, view: memoryview, segment: tuple[int, ...]) -> None:
        _, _, self.offset, self.address, _, self.stored, size, alignment = segment
        self.end = self.address + size
        if self.stored > size or self.end > _LARGEST:
            _refuse("a segment of the ELF image has an impossible size")
        if self.offset > len(view) or self.stored > len(view) - self.offset:
            _refuse(f"the ELF image ends after {len(view)} bytes, within a segment")
        if alignment & (alignment - 1) or (alignment > 1 and (self.address - self.offset) % alignment):
            _refuse("a segment of the ELF image is aligned in an impossible way")


def _entries(view: memoryview, loads: list[_Load], segment: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    _, _, _, address, _, _, size, _ = segment
    home = next((load for load in loads if load.address <= address and address + size <= load.address + load.stored), None)
    if home is None:
        _refuse("the dynamic section of the ELF image is outside of its segments")
    start = home.offset + address - home.address
    for at in range(start, start + size - _DYNAMIC.size + 1, _DYNAMIC.size):
        tag, value = _DYNAMIC.unpack_from(view, at)
        if tag == 0:
            return
        yield tag, value
    _refuse("the dynamic section of the ELF image has no end")


def _check_dynamic(loads: list[_Load], entries: dict[int, int]) -> None:
    if 5 not in entries or 6 not in entries:
        _refuse("the ELF image has no dynamic symbols")
    if not {4, 0x6FFFFEF5} & entries.keys():
        _refuse("the ELF image has no symbol hash table, so that nothing can be looked up in it")
    for tag, (size_tag, least) in _TABLES.items():
        if tag in entries:
            size = entries.get(size_tag, 0) if size_tag is not None else least
            first, end = entries[tag], entries[tag] + size
            if not any(load.address <= first and end <= load.end for load in loads):
                _refuse("a table in the dynamic section of the ELF image is outside of its segments")
    # addresses of single functions: DT_INIT, DT_FINI
    for tag in (12, 13):
        if tag in entries and not any(load.address <= entries[tag] < load.end for load in loads):
            _refuse("a function in the dynamic section of the ELF image is outside of its segments")


def range_entries(image: bytes | memoryview) -> tuple[str, ...]:
    """The kernels that the image exports, sorted: the names X for which it has a function `X__range`.

    Read from the section headers, for messages; an image without them, or a damaged one, has none.
    """
    view = memoryview(image)
    try:
        offset, size, count = _HEADER.unpack_from(view)[6], *_HEADER.unpack_from(view)[11:13]
        if size != _SECTION.size:
            return ()
        sections = [_SECTION.unpack_from(view, offset + index * size) for index in range(count)]
        symbols = next((section for section in sections if section[1] == 11), None)  # SHT_DYNSYM
        if symbols is None:
            return ()
        strings = sections[symbols[6]]
        table = bytes(view[strings[4] : strings[4] + strings[5]])
        found: set[str] = set()
        for at in range(symbols[4], min(symbols[4] + symbols[5], len(view)) - _SYMBOL.size + 1, _SYMBOL.size):
            name, info, _, section, _, _ = _SYMBOL.unpack_from(view, at)
            if info & 0xF == 2 and section:  # STT_FUNC, defined here
                text = table[name : table.find(b"\0", name)].decode("utf-8", "replace")
                if text.endswith("__range"):
                    found.add(text.removesuffix("__range"))
        return tuple(sorted(found))
    except (struct.error, IndexError, OverflowError):
        return ()


def _refuse(message: str, *, help: str = "") -> NoReturn:  # noqa: A002  it becomes the diagnostic's `help`
    raise HalError(Code.INVALID_ARGUMENT, message, help=help)
