"""What the dynamic loader reads of a shared object: strings, symbols, hash tables, versions, relocations, initialisers.

Each table must be in the file, and every index and address in it must lead to something. Sources: System V gABI chapter 5, the
psABIs' relocation types, the GNU extensions as glibc reads them (elf/get-dynamic-info.h, dl-setup_hash.c, dl-version.c,
do-rel.h): where glibc asserts, a violation is refused here.
"""

from __future__ import annotations

from itertools import pairwise
from struct import Struct, unpack_from

from targetenv_runtime.drivers.cpu.image import EXECUTABLE, WRITABLE, Image, refuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SYMBOL = Struct("<IBBHQQ")
_RELOCATION = Struct("<QIIq")
_NEED = Struct("<HHIII")
_NEED_AUX = Struct("<IHHII")
_DEFINITION = Struct("<HHHHIII")

# d_tag
_PLTRELSZ, _PLTGOT, _HASH, _STRTAB, _SYMTAB, _RELA, _RELASZ, _RELAENT, _STRSZ, _SYMENT = 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
_INIT, _FINI, _SONAME, _RPATH, _REL, _PLTREL, _JMPREL, _INIT_ARRAY, _FINI_ARRAY = 12, 13, 14, 15, 17, 20, 23, 25, 26
_INIT_ARRAYSZ, _FINI_ARRAYSZ, _RUNPATH, _RELRSZ, _RELR, _RELRENT = 27, 28, 29, 35, 36, 37
_GNU_HASH, _VERSYM, _RELACOUNT, _VERDEF, _VERNEED = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFF9, 0x6FFFFFFC, 0x6FFFFFFE
_LOADS_MORE = (0x6FFFFEFB, 0x6FFFFEFC, 0x7FFFFFFD, 0x7FFFFFFF)  # DEPAUDIT, AUDIT, AUXILIARY, FILTER

# Per machine: relocations that add the load address, that name a symbol, for thread-local storage, with a resolver to call.
_RELATIVE = {"x86_64": 8, "aarch64": 1027}
_SYMBOLIC = {"x86_64": {1, 6, 7}, "aarch64": {257, 1025, 1026}}
_THREAD_LOCAL = {"x86_64": {16, 17, 18, 36}, "aarch64": {1028, 1029, 1030, 1031}}
_RESOLVED = {"x86_64": 37, "aarch64": 1032}


def check(image: bytes | memoryview, machine: str) -> Tables:
    """What is in the image; INVALID_ARGUMENT unless it is a whole shared object for `machine` (`x86_64`, `aarch64`)."""
    return Tables(Image(image, machine), machine)


class Tables:
    """An image whose tables are in order."""

    def __init__(self, image: Image, machine: str) -> None:
        self.image = image
        self.view = image.view
        self.dynamic = image.dynamic
        self.machine = machine
        if _STRTAB not in self.dynamic or _SYMTAB not in self.dynamic:
            refuse("the ELF image has no dynamic symbols")
        if _REL in self.dynamic or any(tag in self.dynamic for tag in _LOADS_MORE):
            refuse("the dynamic section of the ELF image has entries that no kernel library needs")
        entries = ((_SYMTAB, _SYMENT, 24), (_RELA, _RELAENT, 24), (_RELR, _RELRENT, 8), (_JMPREL, _PLTREL, _RELA))
        for table, tag, only in entries:
            if self.dynamic.get(tag) != (only if table in self.dynamic else None) or self.dynamic.get(table, 0) % 8:
                refuse("the dynamic section of the ELF image has tables of an impossible kind")
        self.strings_size = self.dynamic.get(_STRSZ, 0)
        self.strings = image.stored(self.dynamic[_STRTAB], self.strings_size, "string table")
        if self.strings_size == 0 or self.view[self.strings + self.strings_size - 1] != 0:
            refuse("the string table of the ELF image has no end")
        for offset in (*image.needed, *(self.dynamic[tag] for tag in (_SONAME, _RPATH, _RUNPATH) if tag in self.dynamic)):
            self.string(offset)
        self.symbols = self._check_symbols()
        self._check_versions()
        self.pointers = self._check_relocations()
        self._check_functions()

    def string(self, offset: int) -> bytes:
        if offset >= self.strings_size:
            refuse("a name in the ELF image is outside of its string table")
        text = bytes(self.view[self.strings + offset : self.strings + self.strings_size])
        return text[: text.index(b"\0")]

    def symbol(self, name: str) -> int | None:
        """The address of a symbol that the image defines, counted from where it is loaded to."""
        wanted = name.encode()
        found = (row[4] for row in self.symbols if row[0] and row[3] and self.string(row[0]) == wanted)
        return next(found, None)

    def _spelt(self, offset: int) -> str:
        return f"`{self.string(offset)[:200].decode('utf-8', 'replace')}`"

    # --- symbols

    def _check_symbols(self) -> list[tuple[int, ...]]:
        count = max(self._gnu_hash() if _GNU_HASH in self.dynamic else 0, self._system_v_hash() if _HASH in self.dynamic else 0)
        if not {_HASH, _GNU_HASH} & self.dynamic.keys():
            refuse("the ELF image has no symbol hash table, so that nothing can be looked up in it")
        start = self.image.stored(self.dynamic[_SYMTAB], count * _SYMBOL.size, "symbol table")
        symbols = list(_SYMBOL.iter_unpack(self.view[start : start + count * _SYMBOL.size]))
        for name, info, other, section, address, _ in symbols:
            if name >= self.strings_size:
                refuse("a name in the ELF image is outside of its string table")
            kind = info & 0xF
            if section == 0 and name and (info >> 4 not in (1, 2) or other & 3 or address):
                refuse(f"symbol {self._spelt(name)} of the ELF image is neither its own nor another's")
            if 0 < section < 0xFF00 and kind in (0, 1, 2, 10):  # defined here: a label, object, function, resolver
                size, flags = (1, EXECUTABLE) if kind in (2, 10) else (int(kind == 1), 0)
                if not address or not self.image.covers(address, size, flags):
                    refuse(f"symbol {self._spelt(name)} of the ELF image is outside of its segments")
        return symbols

    def _gnu_hash(self) -> int:
        """How many symbols there are, by the GNU hash table; it must be sound."""
        base = self.dynamic[_GNU_HASH]
        start = self.image.stored(base, 16, "hash table")
        buckets, first, words, _ = unpack_from("<IIII", self.view, start)
        if buckets == 0 or words == 0 or words & (words - 1):
            refuse("the hash table of the ELF image has an impossible size")
        body = 16 + 8 * words
        at = self.image.stored(base, body + 4 * buckets, "hash table") + body
        heads = unpack_from(f"<{buckets}I", self.view, at)
        if any(0 < head < first for head in heads):
            refuse("the hash table of the ELF image leads to symbols that are not in it")
        last = max(heads)
        if last == 0:
            return int(first)
        chain = base + body + 4 * buckets
        while True:
            at = self.image.stored(chain + 4 * (last - first), 4, "hash table")
            if unpack_from("<I", self.view, at)[0] & 1:
                return int(last) + 1
            last += 1

    def _system_v_hash(self) -> int:
        base = self.dynamic[_HASH]
        buckets, count = unpack_from("<II", self.view, self.image.stored(base, 8, "hash table"))
        start = self.image.stored(base, 8 + 4 * (buckets + count), "hash table") + 8
        entries = unpack_from(f"<{buckets + count}I", self.view, start)
        links = entries[buckets:]
        if buckets == 0 or any(entry >= count for entry in entries):
            refuse("the hash table of the ELF image leads to symbols that are not in it")
        if _has_cycle(links):
            refuse("the hash table of the ELF image runs in a circle")
        return int(count)

    # --- versions

    def _check_versions(self) -> None:
        highest = 1
        needed = {self.string(offset) for offset in self.image.needed}
        for at in self._chain(_VERNEED, _NEED, 4):
            version, _, file, _, _ = _NEED.unpack_from(self.view, at)
            if version != 1 or self.string(file) not in needed:
                refuse("the ELF image needs versions of a library that it does not need")
            for _, _, other, name, _ in self._auxiliary(at):
                self.string(name)
                highest = max(highest, other & 0x7FFF)
        for at in self._chain(_VERDEF, _DEFINITION, 6):
            version, _, index, *_ = _DEFINITION.unpack_from(self.view, at)
            if version != 1:
                refuse("the versions of the ELF image are of an unknown kind")
            (name,) = unpack_from("<I", self.view, self._within(at + _DEFINITION.unpack_from(self.view, at)[5], 8))
            self.string(name)
            highest = max(highest, index & 0x7FFF)
        if _VERSYM in self.dynamic:
            count = len(self.symbols)
            start = self.image.stored(self.dynamic[_VERSYM], 2 * count, "version table")
            if any(index & 0x7FFF > highest for index in unpack_from(f"<{count}H", self.view, start)):
                refuse("a symbol of the ELF image has a version that it does not define")
        elif {_VERNEED, _VERDEF} & self.dynamic.keys():
            refuse("the ELF image has versions, and no table of which symbol has which")

    def _chain(self, tag: int, entry: Struct, link: int) -> Iterator[int]:
        """Where in the file the entries of a list are in which each has the distance of the next."""
        if tag not in self.dynamic:
            return
        at = self.image.stored(self.dynamic[tag], entry.size, "version table")
        while True:
            yield at
            distance = entry.unpack_from(self.view, at)[link]
            if distance == 0:
                return
            at = self._within(at + distance, entry.size)

    def _auxiliary(self, need: int) -> Iterator[tuple[int, ...]]:
        at = self._within(need + _NEED.unpack_from(self.view, need)[3], _NEED_AUX.size)
        while True:
            entry = _NEED_AUX.unpack_from(self.view, at)
            yield entry
            if entry[4] == 0:
                return
            at = self._within(at + entry[4], _NEED_AUX.size)

    def _within(self, at: int, size: int) -> int:
        if not any(load.offset <= at and at + size <= load.offset + load.stored for load in self.image.loads):
            refuse("the version table of the ELF image is outside of its segments")
        return at

    # --- relocations

    def _check_relocations(self) -> dict[int, int]:
        """Where the loader puts addresses of this image, and which."""
        pointers: dict[int, int] = {}
        places: list[int] = []
        relative = self._relocations(_RELA, _RELASZ, pointers, places)
        self._relocations(_JMPREL, _PLTRELSZ, pointers, places)
        if self.dynamic.get(_RELACOUNT, 0) > relative:
            refuse("the relocations of the ELF image are not in the order that it says")
        for place in self._compact_relocations():
            places.append(place)
            pointers[place] = unpack_from("<Q", self.view, self.image.stored(place, 8, "relocated data"))[0]
        if any(not self.image.covers(pointer, 0) for pointer in pointers.values()):
            refuse("a relocation of the ELF image leads outside of its segments")
        self._check_places(sorted(places))
        return pointers

    def _relocations(self, tag: int, size_tag: int, pointers: dict[int, int], places: list[int]) -> int:
        """Check one table; how many relocations at its beginning only add the load address."""
        if (tag in self.dynamic) != (size_tag in self.dynamic):
            refuse("the ELF image has relocations without their size, or a size without relocations")
        if tag not in self.dynamic:
            return 0
        size = self.dynamic[size_tag]
        if size % _RELOCATION.size:
            refuse("the relocations of the ELF image have an impossible size")
        start = self.image.stored(self.dynamic[tag], size, "relocation table")
        leading, counting = 0, True
        for place, kind, symbol, addend in _RELOCATION.iter_unpack(self.view[start : start + size]):
            if kind == 0:
                counting = False
                continue
            places.append(place)
            if symbol >= len(self.symbols):
                refuse("a relocation of the ELF image names a symbol that it does not have")
            if kind == _RELATIVE[self.machine]:
                pointers[place] = addend
                leading += counting
                continue
            counting = False
            if kind == _RESOLVED[self.machine]:
                if not self.image.covers(addend, 1, EXECUTABLE):
                    refuse("a relocation of the ELF image calls a function outside of its segments")
            elif kind in _SYMBOLIC[self.machine] and symbol:
                _, _, _, section, value, _ = self.symbols[symbol]
                if section:
                    pointers[place] = value + (addend if kind in (1, 257) else 0)
            elif kind not in _THREAD_LOCAL[self.machine]:
                refuse(f"the ELF image has a relocation of type {kind} to symbol {symbol}, which no kernel library needs")
        return leading

    def _compact_relocations(self) -> Iterator[int]:
        """The places of DT_RELR: an even word is a place, an odd one has a bit for each of the next 63 words."""
        if _RELR not in self.dynamic:
            return
        size = self.dynamic.get(_RELRSZ, 0)
        if size % 8:
            refuse("the relocations of the ELF image have an impossible size")
        start = self.image.stored(self.dynamic[_RELR], size, "relocation table")
        place = 0
        for (entry,) in Struct("<Q").iter_unpack(self.view[start : start + size]):
            if entry & 1 == 0:
                yield entry
                place = entry + 8
            else:
                for bit in range(63):
                    if entry >> (bit + 1) & 1:
                        yield place + 8 * bit
                place += 63 * 8

    def _check_places(self, places: list[int]) -> None:
        first, end = self.image.home  # the loader still reads the dynamic section while it relocates
        if any(not self.image.covers(place, 8, WRITABLE) or (place < end and first < place + 8) for place in places):
            refuse("a relocation of the ELF image is outside of its writable segments")
        if any(second < first + 8 for first, second in pairwise(places)):
            refuse("relocations of the ELF image overlap")

    # --- functions that loading and unloading call

    def _check_functions(self) -> None:
        for tag in (_INIT, _FINI):
            if tag in self.dynamic and not self.image.covers(self.dynamic[tag], 1, EXECUTABLE):
                refuse("a function in the dynamic section of the ELF image is outside of its segments")
        for tag, size_tag in ((_INIT_ARRAY, _INIT_ARRAYSZ), (_FINI_ARRAY, _FINI_ARRAYSZ)):
            if (tag in self.dynamic) != (size_tag in self.dynamic):
                refuse("the ELF image has a list of functions without its size, or a size without its list")
            first = self.dynamic.get(tag, 0)
            for place in range(first, first + self.dynamic.get(size_tag, 0) // 8 * 8, 8):
                if not self.image.covers(self.pointers.get(place, -1), 1, EXECUTABLE):
                    refuse("the ELF image wants a function called that is outside of its segments")
        if _PLTGOT in self.dynamic and not self.image.covers(self.dynamic[_PLTGOT], 0):
            refuse("the ELF image has its table of addresses outside of its segments")


def _has_cycle(links: tuple[int, ...]) -> bool:
    """Whether following the links from any place comes back to it; 0 ends a chain."""
    state = bytearray(len(links))  # 1: on the way, 2: known to end
    for start in range(len(links)):
        way = []
        at = start
        while at and state[at] == 0:
            state[at] = 1
            way.append(at)
            at = links[at]
        if at and state[at] == 1:
            return True
        for place in way:
            state[place] = 2
    return False
