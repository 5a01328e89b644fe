"""IREE's executable libraries: ELF objects for CPUs that answer a query with a table of their entry points.

Nothing is run: the table lies in initialised data, and the pointers in it are relocations. Layout: iree/hal/local/
executable_library.h, versions 0.2 to 0.6; constants, bindings and workgroup sizes are in it since 0.6.
"""

from __future__ import annotations

from struct import unpack

from targetenv.artifacts.elf import MACHINES
from targetenv.model.artifact import Kernel
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.elf import Elf

QUERY = "iree_hal_executable_library_query"
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm_64"}
_EXPORTS, _POINTERS, _ATTRIBUTES = 0x18, 0x20, 0x28  # in the library; the header's pointer is at 0
_NAMES = (0x40, 0x30)  # since 0.6 two optional tables come before the names
_WITH_LAYOUT = 6
_ATTRIBUTES_SIZE = 64
_PAGE = 4096  # of local memory
_MOST_EXPORTS = 4096
_MOST_LIKELY = 64
_LONGEST_NAME = 1024


@record
class Library:
    """The library's name, its version 0.`version`, and its entry points; empty where no table was found."""

    name: str
    version: int
    kernels: tuple[Kernel, ...]

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """The facts for people."""
        return (("library", f"{self.name or 'without a table'}, version 0.{self.version}"),)


def library_format(elf: Elf) -> str:
    """What IREE calls it: embedded when it needs nothing of the system, else for the system's own loader."""
    architecture = _ARCHITECTURES[MACHINES[elf.machine]]
    return f"system-elf-{architecture}" if elf.needed else f"embedded-elf-{architecture}"


def read_library(elf: Elf) -> Library:
    """The library in the object; one that is built in another way gives a library without entry points."""
    pointers = elf.relative()
    likely = [place for place, header in pointers.items() if header + 8 in pointers and place + _POINTERS in pointers]
    for place in likely[:_MOST_LIKELY]:
        header = pointers[place]
        start = elf.loaded(header, 4)
        name = _string(elf, pointers[header + 8])
        exports = elf.loaded(place + _EXPORTS, 4)
        if start is None or name is None or exports is None:
            continue
        (version,), (count,) = unpack("<I", start), unpack("<I", exports)
        if 1 < version < 16 and 0 < count <= _MOST_EXPORTS:
            return Library(name, version, _kernels(elf, pointers, place, version, count))
    return Library("", 0, ())


def _kernels(elf: Elf, pointers: dict[int, int], library: int, version: int, count: int) -> tuple[Kernel, ...]:
    for slot in _NAMES:
        table = pointers.get(library + slot)
        if table is None:
            continue
        names = [_string(elf, pointers.get(table + 8 * place)) for place in range(count)]
        if all(names):
            break
    else:
        return ()
    attributes = pointers.get(library + _ATTRIBUTES) if version >= _WITH_LAYOUT else None
    found = []
    for place, name in enumerate(names):
        raw = elf.loaded(attributes + _ATTRIBUTES_SIZE * place, 24) if attributes is not None else None
        if raw is None:
            found.append(Kernel(str(name)))
            continue
        pages, constants, bindings, x, y, z = unpack("<8xHBBIIHxx", raw)
        found.append(Kernel(str(name), (x, y, z) if x and y and z else None, bindings, 4 * constants, _PAGE * pages))
    return tuple(found)


def _string(elf: Elf, address: int | None) -> str | None:
    """The printable text at an address; None where there is none."""
    if address is None:
        return None
    raw = bytes(elf.loaded_until(address, _LONGEST_NAME) or b"")
    text, end, _ = raw.partition(b"\0")
    shown = text.decode("latin-1")
    return shown if end and shown and shown.isascii() and shown.isprintable() else None
