"""Whether an image is a whole shared object of this machine, before the dynamic loader sees it.

The loader trusts what it is given: it maps segments past the end of a file (SIGBUS at the first touch), follows any address in
the dynamic section, and aborts the process where it is surprised. So what it reads is checked first: headers and segments here,
the tables behind them in `image_tables.py`. A kernel's instructions themselves are trusted like any other library's.
Layouts: System V gABI, chapters 4 and 5 (Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn).
"""

from __future__ import annotations

import struct
from itertools import pairwise
from struct import Struct

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

MACHINES = {"x86_64": 62, "aarch64": 183}  # EM_X86_64, EM_AARCH64
_NAMES = {3: "i386", 8: "mips", 21: "powerpc64", 22: "s390", 40: "arm", 62: "x86_64", 183: "aarch64", 243: "riscv"}
_KINDS = {0: "no type", 1: "a relocatable object", 2: "an executable", 3: "a shared object", 4: "a core dump"}

_HEADER = Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = Struct("<IIQQQQQQ")
_DYNAMIC = Struct("<qQ")
_SYMBOL = Struct("<IBBHQQ")
_SECTION = Struct("<IIQQQQIIQQ")

# p_type
_LOAD, _DYNAMIC_SEGMENT, _NOTE, _PHDR, _TLS = 1, 2, 4, 6, 7
_PROPERTY, _STACK, _RELRO = 0x6474E553, 0x6474E551, 0x6474E552
# p_flags
EXECUTABLE, WRITABLE, READABLE = 1, 2, 4

_PAGE = 4096  # the least that there is
_LARGEST = 1 << 40  # more address space than any kernel library takes; keeps a damaged size from reserving terabytes


class Load:
    """One segment that becomes memory: [address, end), the first `stored` bytes of it from the file at `offset`."""

    __slots__ = ("address", "end", "flags", "offset", "stored")

    def __init__(self, view: memoryview, segment: tuple[int, ...]) -> None:
        _, self.flags, self.offset, self.address, _, self.stored, size, alignment = segment
        self.end = self.address + size
        if self.stored > size or self.end > _LARGEST or not self.flags & READABLE:
            refuse("a segment of the ELF image has an impossible size or cannot be read")
        if self.stored < size and not self.flags & WRITABLE:
            refuse("a part of the ELF image that cannot be written has no contents")
        if self.offset > len(view) or self.stored > len(view) - self.offset:
            refuse(f"the ELF image ends after {len(view)} bytes, within a segment")
        if alignment & (alignment - 1) or (alignment > 1 and (self.address - self.offset) % alignment):
            refuse("a segment of the ELF image is aligned in an impossible way")


class Image:
    """A shared object whose headers, segments and dynamic section are in order; INVALID_ARGUMENT otherwise.

    `dynamic` has the last value of each tag, `needed` the offsets of the names of libraries; `home` is where the section lies.
    """

    __slots__ = ("dynamic", "home", "loads", "needed", "view")

    def __init__(self, image: bytes | memoryview, machine: str) -> None:
        self.view = memoryview(image)
        segments = _segments(self.view, machine)
        self.loads = [Load(self.view, segment) for segment in segments if segment[0] == _LOAD]
        if not self.loads:
            refuse("the ELF image has no segment to load")
        for first, second in pairwise(self.loads):
            if second.address < first.end or second.offset < first.offset + first.stored:
                refuse("segments of the ELF image overlap or are out of order")
        for segment in segments:
            self._check_segment(segment)
        dynamic = [segment for segment in segments if segment[0] == _DYNAMIC_SEGMENT]
        if len(dynamic) != 1:
            refuse("the ELF image has no dynamic section, so that nothing can be looked up in it")
        self.home = (dynamic[0][3], dynamic[0][3] + dynamic[0][6])
        self.dynamic: dict[int, int] = {}
        self.needed: list[int] = []
        self._read_dynamic()

    def stored(self, address: int, size: int, what: str) -> int:
        """Where in the file `size` bytes at an address of memory are."""
        end = address + size
        load = next((load for load in self.loads if load.address <= address and end <= load.address + load.stored), None)
        if load is None:
            refuse(f"the {what} of the ELF image is outside of its segments")
        return load.offset + address - load.address

    def covers(self, address: int, size: int, flags: int = 0) -> bool:
        """Whether these addresses are in one segment that has all of the flags."""
        return any(
            load.address <= address and address + size <= load.end and load.flags & flags == flags for load in self.loads
        )

    def _has_pages(self, address: int, size: int) -> bool:
        """Whether these addresses are in one segment and the rest of its last page: some linkers round up what is protected."""
        return any(
            load.address <= address <= load.end and address + size <= -(-load.end // _PAGE) * _PAGE for load in self.loads
        )

    def _check_segment(self, segment: tuple[int, ...]) -> None:
        kind, flags, _, address, _, stored, size, alignment = segment
        if kind == _STACK and flags & EXECUTABLE:
            refuse("the ELF image wants an executable stack", help="mark assembly sources with `.note.GNU-stack`")
        if kind == _TLS and (stored > size or size > _LARGEST or alignment & (alignment - 1)):
            refuse("the thread-local data of the ELF image are impossible")
        # The loader reads headers, notes and initial thread-local data, and protects "relro", wherever they claim to be. Zeroed
        # thread-local data takes no room.
        extent = stored if kind == _TLS else size
        if kind in (_NOTE, _PHDR, _TLS, _PROPERTY) and not self.covers(address, extent):
            refuse("a segment of the ELF image is outside of what is loaded")
        if kind == _RELRO and not self._has_pages(address, size):
            refuse("a segment of the ELF image is outside of what is loaded")
        if kind == _PHDR and self.stored(address, size, "program header table") != _HEADER.unpack_from(self.view)[5]:
            refuse("the program headers of the ELF image are in two places")

    def _read_dynamic(self) -> None:
        start = self.stored(self.home[0], self.home[1] - self.home[0], "dynamic section")
        if self.home[0] % 8 or not self.covers(self.home[0], 1, WRITABLE):
            refuse("the dynamic section of the ELF image cannot be written")
        for at in range(start, start + self.home[1] - self.home[0] - _DYNAMIC.size + 1, _DYNAMIC.size):
            tag, value = _DYNAMIC.unpack_from(self.view, at)
            if tag == 0:
                return
            self.dynamic[tag] = value
            if tag == 1:  # DT_NEEDED
                self.needed.append(value)
        refuse("the dynamic section of the ELF image has no end")


def _segments(view: memoryview, machine: str) -> list[tuple[int, ...]]:
    """The program headers of a shared object for this machine."""
    if bytes(view[:4]) != b"\x7fELF":
        refuse("the image is no ELF file" if view else "the image is empty")
    if len(view) < _HEADER.size:
        refuse(f"the ELF image ends after {len(view)} bytes, within its header")
    ident, kind, target, _, _, offset, _, _, _, size, count, *_ = _HEADER.unpack_from(view)
    if ident[4] != 2 or ident[5] != 1:
        refuse("the ELF image is not 64-bit little-endian")
    if target != MACHINES[machine]:
        refuse(f"the image is for {_NAMES.get(target, f'ELF machine {target}')}, and this is {machine}")
    if kind != 3:
        what = _KINDS.get(kind, f"an ELF file of type {kind}")
        refuse(f"the image is {what}, not a shared object", help="link the kernels with `-shared -fPIC`")
    if size != _SEGMENT.size or count == 0 or count == 0xFFFF:
        refuse("the ELF image has no program headers that can be loaded")
    if offset > len(view) or count * size > len(view) - offset:
        refuse("the ELF image ends within its program headers")
    return [_SEGMENT.unpack_from(view, offset + index * size) for index in range(count)]


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


def refuse(message: str, *, help: str = "") -> NoReturn:  # noqa: A002  it becomes the diagnostic's `help`
    """Raise INVALID_ARGUMENT."""
    raise HalError(Code.INVALID_ARGUMENT, message, help=help)
