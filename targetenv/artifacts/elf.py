"""ELF shared objects, read as the dynamic loader reads them: program headers, the dynamic table, symbols, GNU properties.

Section headers are for debuggers and may be missing, so nothing here reads them. Only 64-bit little-endian files: those are
what the CPU driver loads. Sources: gABI 4.1 chapters 4 and 5, x86-64 psABI, linux/elf.h.
"""

from __future__ import annotations

from struct import iter_unpack

from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"\x7fELF"
MACHINES = {62: "x86_64", 183: "aarch64"}
TYPES = {1: "relocatable object", 2: "executable", 3: "shared object", 4: "core dump"}
SHARED_OBJECT = 3
_EXECUTABLE = 2

_BIG_ENDIAN, _LITTLE_ENDIAN = 2, 1
_CLASS_64 = 2
_PT_LOAD, _PT_DYNAMIC, _PT_NOTE, _PT_GNU_PROPERTY = 1, 2, 4, 0x6474E553
_DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB, _DT_STRSZ, _DT_SONAME = 1, 4, 5, 6, 10, 14
_DT_RELA, _DT_RELASZ = 7, 8
_RELATIVE = {62: 8, 183: 0x403}  # R_X86_64_RELATIVE, R_AARCH64_RELATIVE
_DT_GNU_HASH, _DT_FLAGS_1, _DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFEF5, 0x6FFFFFFB, 0x6FFFFFFE, 0x6FFFFFFF
_DF_1_PIE = 0x08000000
_NT_GNU_PROPERTY_TYPE_0 = 5

_MOST_SEGMENTS = 128
_MOST_TABLE_ENTRIES = 1 << 14
_MOST_SYMBOLS = 1 << 18
_MOST_NAME_BYTES = 16 << 20
_MOST_VERSIONS = 1 << 12


@record
class Symbol:
    """A symbol that the object defines and others can see; `kind` is `function` or `object`, `address` is virtual."""

    name: str
    kind: str
    address: int
    size: int


@record
class _Segment:
    kind: int
    offset: int
    address: int
    size: int
    alignment: int


class Elf:
    """One 64-bit little-endian ELF file. FormatError TE42xx where it contradicts itself; nothing outside the file is read."""

    def __init__(self, data: bytes | memoryview, name: str) -> None:
        self.window = Window(data, name, "TE4202")
        self.name = name
        identity = bytes(Window(data, name, "TE4201").part(0, 64, "the ELF header"))
        if identity[:4] != MAGIC:
            raise damaged("TE4201", name, "this is no ELF file: it does not begin with `7f 45 4c 46`")
        if identity[4] != _CLASS_64 or identity[5] != _LITTLE_ENDIAN:
            width = {1: "32-bit", 2: "64-bit"}.get(identity[4], f"class {identity[4]}")
            order = {1: "little-endian", 2: "big-endian"}.get(identity[5], f"byte order {identity[5]}")
            raise damaged("TE4203", name, f"this ELF file is {width} {order}; only 64-bit little-endian ones are read")
        head = self.window.unpack("<HHIQQQIHHHHHH", 16, "the ELF header")
        self.type, machine, version = head[:3]
        self.machine: int = machine
        self.flags: int = head[6]
        self.os_abi, self.abi_version = identity[7], identity[8]
        header_size, entry_size, count = head[7:10]
        if version != 1 or identity[6] != 1:
            raise damaged("TE4201", name, f"the ELF header says version {version}, which does not exist")
        if header_size != 64 or (count and entry_size != 56):
            raise damaged("TE4201", name, f"the ELF header gives sizes {header_size} and {entry_size} in place of 64 and 56")
        if count > _MOST_SEGMENTS:
            raise damaged("TE4205", name, f"{count} program headers are more than the {_MOST_SEGMENTS} that are read")
        table = self.window.part(head[4], 56 * count, "the program header table") if count else b""
        self._segments = tuple(
            _Segment(kind, offset, address, size, alignment)
            for kind, _, offset, address, _, size, _, alignment in iter_unpack("<IIQQQQQQ", table)
        )
        self._dynamic = self._read_dynamic()
        self._tags = dict(self._dynamic)

    @property
    def is_loadable(self) -> bool:
        """Whether dlopen takes it: a shared object that is not a position-independent executable."""
        return self.type == SHARED_OBJECT and bool(self._dynamic) and not self.is_program

    @property
    def is_program(self) -> bool:
        """Whether it is an executable, position-independent ones included, which look like shared objects but for a flag."""
        return self.type == _EXECUTABLE or bool(self._last(_DT_FLAGS_1) & _DF_1_PIE)

    @property
    def needed(self) -> tuple[str, ...]:
        """The libraries that must be loaded with it, by name, in order."""
        return tuple(
            self._dynamic_string(value, "a needed library's name") for tag, value in self._dynamic if tag == _DT_NEEDED
        )

    def needed_versions(self) -> dict[str, tuple[str, ...]]:
        """Library -> the versions of its symbols that this object was linked against (`GLIBC_2.34`), in the file's order."""
        if not self._last(_DT_VERNEED):
            return {}
        at = self._offset(self._last(_DT_VERNEED), "the needed versions")
        found: dict[str, tuple[str, ...]] = {}
        left = _MOST_VERSIONS
        for _ in range(min(self._last(_DT_VERNEEDNUM), _MOST_VERSIONS)):
            _, count, library, first, following = self.window.unpack("<HHIII", at, "a library's needed versions")
            names = []
            entry = at + first
            for _ in range(count):
                left -= 1
                if left < 0:
                    raise damaged("TE4205", self.name, f"more than the {_MOST_VERSIONS} needed versions that are read")
                _, _, _, name, step = self.window.unpack("<IHHII", entry, "a needed version")
                names.append(self._dynamic_string(name, "a version's name"))
                entry += step
            library_name = self._dynamic_string(library, "a needed library's name")
            found[library_name] = (*found.get(library_name, ()), *names)
            if not following:
                break
            at += following
        return found

    @property
    def soname(self) -> str | None:
        """The name that it gives itself."""
        return next(
            (self._dynamic_string(value, "the object's name") for tag, value in self._dynamic if tag == _DT_SONAME), None
        )

    def symbols(self) -> tuple[Symbol, ...]:
        """What it exports, sorted by name: defined, global or weak, visible functions and objects."""
        count = self._symbol_count()
        if count == 0:
            return ()
        at = self._offset(self._last(_DT_SYMTAB), "the symbol table")
        table = bytes(self.window.part(at, 24 * count, "the symbol table"))  # bytes: see Window.rows
        strings = self._offset(self._last(_DT_STRTAB), "the string table")
        end = strings + self._last(_DT_STRSZ)
        found = []
        read = 0
        for name, info, other, section, address, size in iter_unpack("<IBBHQQ", table):
            kind = {1: "object", 2: "function", 10: "function"}.get(info & 15)
            if kind is None or info >> 4 not in (1, 2) or section == 0 or other & 3 not in (0, 3):
                continue
            text = self.window.string(strings + name, end, "a symbol's name")
            read += len(text)
            if read > _MOST_NAME_BYTES:
                raise damaged("TE4205", self.name, f"the symbols' names take more than {_MOST_NAME_BYTES} bytes")
            found.append(Symbol(text, kind, address, size))
        return tuple(sorted(found, key=lambda symbol: (symbol.name, symbol.address)))

    def contents(self, symbol: Symbol, size: int) -> memoryview | None:
        """The first `size` bytes behind a symbol, as the file initialises them; None where it is smaller or not in the file."""
        for segment in self._loaded():
            at = symbol.address - segment.address
            if at >= 0 and at + size <= segment.size and symbol.size >= size:
                return self.window.part(segment.offset + at, size, f"`{symbol.name}`")
        return None

    def relative(self) -> dict[int, int]:
        """Address -> the address that the loader puts there, for pointers that the object holds to itself."""
        kind = _RELATIVE.get(self.machine)
        size = self._last(_DT_RELASZ)
        if kind is None or size == 0:
            return {}
        if size > 24 * _MOST_SYMBOLS:
            raise damaged("TE4205", self.name, f"{size // 24} relocations are more than the {_MOST_SYMBOLS} that are read")
        at = self._offset(self._last(_DT_RELA), "the relocations")
        rows = self.window.rows("<QQq", at, size // 24, "the relocations")
        return {place: addend for place, info, addend in rows if info & 0xFFFFFFFF == kind}

    def loaded(self, address: int, size: int) -> memoryview | None:
        """The `size` bytes that the file puts at this address; None where it puts none."""
        found = self.loaded_until(address, size)
        return found if found is not None and len(found) == size else None

    def loaded_until(self, address: int, most: int) -> memoryview | None:
        """What the file puts at this address and behind it, at most `most` bytes; None where it puts nothing."""
        for segment in self._loaded():
            at = address - segment.address
            if 0 <= at < segment.size:
                return self.window.part(segment.offset + at, min(most, segment.size - at), "a segment")
        return None

    def gnu_properties(self) -> dict[int, bytes]:
        """Property type -> its data, from the GNU property note; empty when there is none."""
        found: dict[int, bytes] = {}
        kinds = (_PT_GNU_PROPERTY,) if any(one.kind == _PT_GNU_PROPERTY for one in self._segments) else (_PT_NOTE,)
        for segment in self._segments:
            if segment.kind in kinds:
                for owner, kind, content in self._notes_in(segment):
                    if owner == b"GNU\0" and kind == _NT_GNU_PROPERTY_TYPE_0:
                        found |= self._properties(content)
        return found

    def notes(self) -> Iterator[tuple[bytes, int, memoryview]]:
        """Owner (with its NUL), type and contents of every note."""
        for segment in self._segments:
            if segment.kind == _PT_NOTE:
                yield from self._notes_in(segment)

    def _notes_in(self, segment: _Segment) -> Iterator[tuple[bytes, int, memoryview]]:
        notes = Window(self.window.part(segment.offset, segment.size, "a note segment"), self.name, "TE4204")
        alignment = 8 if segment.alignment == 8 else 4
        at = 0
        while at + 12 <= len(notes):
            name_size, content_size, kind = notes.unpack("<III", at, "a note's header")
            content = _aligned(at + 12 + name_size, alignment)
            owner = bytes(notes.part(at + 12, min(name_size, 64), "a note's owner"))
            yield owner, kind, notes.part(content, content_size, "a note's contents")
            at = _aligned(content + content_size, alignment)

    def _properties(self, content: memoryview) -> dict[int, bytes]:
        window = Window(content, self.name, "TE4204")
        found = {}
        at = 0
        while at < len(window):
            kind, size = window.unpack("<II", at, "a GNU property's header")
            found[kind] = bytes(window.part(at + 8, min(size, len(window) + 1), "a GNU property"))
            at = _aligned(at + 8 + size, 8)
        return found

    def _read_dynamic(self) -> tuple[tuple[int, int], ...]:
        segment = next((one for one in self._segments if one.kind == _PT_DYNAMIC), None)
        if segment is None:
            return ()
        count = segment.size // 16
        if count > _MOST_TABLE_ENTRIES:
            raise damaged("TE4205", self.name, f"{count} dynamic entries are more than the {_MOST_TABLE_ENTRIES} that are read")
        entries = []
        for tag, value in iter_unpack("<QQ", self.window.part(segment.offset, 16 * count, "the dynamic table")):
            if tag == 0:
                break
            entries.append((tag, value))
        return tuple(entries)

    def _last(self, tag: int) -> int:
        return self._tags.get(tag, 0)

    def _loaded(self) -> Iterator[_Segment]:
        return (segment for segment in self._segments if segment.kind == _PT_LOAD)

    def _offset(self, address: int, what: str) -> int:
        for segment in self._loaded():
            if segment.address <= address < segment.address + segment.size:
                return segment.offset + address - segment.address
        raise damaged("TE4202", self.name, f"{what} at address {address:#x} is in no loaded part of the file")

    def _dynamic_string(self, at: int, what: str) -> str:
        strings = self._offset(self._last(_DT_STRTAB), "the string table")
        return self.window.string(strings + at, strings + self._last(_DT_STRSZ), what)

    def _symbol_count(self) -> int:
        """How many symbols there are: the dynamic table does not say, the hash tables do."""
        if not self._last(_DT_SYMTAB):
            return 0
        if self._last(_DT_HASH):
            at = self._offset(self._last(_DT_HASH), "the hash table")
            count = self.window.unpack("<II", at, "the hash table")[1]
        elif self._last(_DT_GNU_HASH):
            count = self._gnu_hash_count(self._offset(self._last(_DT_GNU_HASH), "the GNU hash table"))
        else:
            return 0
        if count > _MOST_SYMBOLS:
            raise damaged("TE4205", self.name, f"{count} symbols are more than the {_MOST_SYMBOLS} that are read")
        return int(count)

    def _gnu_hash_count(self, at: int) -> int:
        what = "the GNU hash table"
        bucket_count, first, bloom_size, _ = self.window.unpack("<IIII", at, what)
        buckets = at + 16 + 8 * bloom_size
        highest = max((bucket for (bucket,) in iter_unpack("<I", self.window.part(buckets, 4 * bucket_count, what))), default=0)
        if highest < first:
            return int(first)
        chain = buckets + 4 * bucket_count
        while highest < _MOST_SYMBOLS and not self.window.unpack("<I", chain + 4 * (highest - first), what)[0] & 1:
            highest += 1
        return int(highest) + 1


def _aligned(at: int, alignment: int) -> int:
    return (at + alignment - 1) // alignment * alignment
