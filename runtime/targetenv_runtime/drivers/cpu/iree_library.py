"""IREE's executable libraries: shared objects that answer a query with a table of their functions.

Layouts: iree/hal/local/executable_library.h in versions 0.3, 0.4 and 0.6, as IREE's compilers of 2023-12, 2024-04 and 3.13
write them. The structures that functions are called with are those of `targetenv/kernel.h` in all of them; version 0.7 changed
those and is refused. What the table says is followed only into the image that it came from.
"""

from __future__ import annotations

import ctypes
from struct import Struct

from targetenv_runtime.drivers.cpu.dispatch import ENVIRONMENT
from targetenv_runtime.drivers.cpu.image import EXECUTABLE, refuse
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from targetenv_runtime.drivers.cpu.image_tables import Tables
    from targetenv_runtime.drivers.cpu.library import Library

QUERY = "iree_hal_executable_library_query"
ALIGNMENT = 64
"""What IREE's compilers expect of the address of every binding."""

_VERSIONS = {6: (0x40, 0x68), 4: (0x30, 0x50), 3: (0x30, 0x48)}
"""In which versions a library may be, newest first, and where in its table the names and the number of constants are."""

_UNKNOWN = "is of a version that is not known"
_KNOWN = "use one of IREE's compilers that write version 0.3, 0.4 or 0.6"

_HEADER = Struct("<I4xQII")  # version, name, features, sanitizer
_TABLE = Struct("<QI4xQI4xQQ")  # header, imports: count, symbols, exports: count, functions, attributes
_ATTRIBUTES = Struct("<QHBBIIH42x")  # since 0.6: flags, pages of local memory, constants, bindings, workgroup size x, y, z
_ATTRIBUTES_BEFORE = Struct("<HH")  # pages of local memory, reserved
_COUNT, _ADDRESS = Struct("<I"), Struct("<Q")
_PAGE = 4096  # of local memory
_MOST_EXPORTS = 4096
_LONGEST_NAME = 1024


class Export:
    """One function of a library; `bindings`, `constants` (in bytes) and `size` are None where the version does not say them."""

    __slots__ = ("address", "bindings", "constants", "local_memory", "name", "size")

    def __init__(self, name: str, address: int) -> None:
        self.name = name
        self.address = address
        self.local_memory = 0
        self.bindings: int | None = None
        self.constants: int | None = None
        self.size: tuple[int, int, int] | None = None


def exports(library: Library, tables: Tables) -> dict[str, Export] | None:
    """The functions of a loaded library by name, None when the image is no library of IREE's.

    INVALID_ARGUMENT for a table that leads out of the image, FAILED_PRECONDITION for one that needs what is not here.
    """
    symbol = tables.symbol(QUERY)
    query = library.address(QUERY)
    if symbol is None or query is None:
        return None
    if not tables.image.covers(symbol, 1, EXECUTABLE):
        refuse("the library's query is no function")
    memory = _Memory(tables, query - symbol)
    ask = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p)(query)
    # A library answers to those who know its version; what compilers write answers to exactly its own.
    table = next((table for version in _VERSIONS if (table := ask(version, ENVIRONMENT))), None)
    if table is None:
        _lacks(_UNKNOWN, help=_KNOWN)
    return _exports(memory, table)


def _exports(memory: _Memory, table: int) -> dict[str, Export]:
    header, imports, _, count, functions, attributes = memory.read(_TABLE, table)
    version, _, features, sanitizer = memory.read(_HEADER, header)
    if version not in _VERSIONS:
        _lacks(_UNKNOWN, help=_KNOWN)
    names_at, constants_at = _VERSIONS[version]
    if features:
        _lacks(f"needs features {features:#x}")
    if sanitizer:
        _lacks("is compiled for a sanitizer", help="compile it without `--iree-llvmcpu-sanitize`")
    if imports:
        first = memory.text(memory.pointer(memory.pointer(table + 0x10)))
        _lacks(f"imports {imports} functions, the first is `{first}`", help="compile it without microkernels of plugins")
    constants = memory.read(_COUNT, table + constants_at)[0]
    if constants:
        _lacks(f"takes {constants} constants when it is loaded")
    names = memory.pointer(table + names_at)
    if not 0 < count <= _MOST_EXPORTS or not names:
        refuse("the library in the image names no functions")
    found = {}
    for place in range(count):
        address = memory.pointer(functions + 8 * place)
        if not memory.holds(address, 1, EXECUTABLE):
            refuse("a function of the library is outside of the image")
        export = Export(memory.text(memory.pointer(names + 8 * place)), address)
        if attributes and version >= 6:
            _describe(export, memory.read(_ATTRIBUTES, attributes + _ATTRIBUTES.size * place))
        elif attributes:
            export.local_memory = _PAGE * memory.read(_ATTRIBUTES_BEFORE, attributes + _ATTRIBUTES_BEFORE.size * place)[0]
        found[export.name] = export
    return found


def _describe(export: Export, attributes: tuple[int, ...]) -> None:
    flags, pages, constants, export.bindings, x, y, z = attributes
    if flags:
        _lacks(f"wants `{export.name}` dispatched in a way (flags {flags:#x}) that is not known")
    export.local_memory = _PAGE * pages
    export.constants = 4 * constants
    export.size = (x, y, z) if x and y and z else None


class _Memory:
    """The memory that an image was loaded to; nothing else is read."""

    __slots__ = ("_base", "_image")

    def __init__(self, tables: Tables, base: int) -> None:
        self._image = tables.image
        self._base = base

    def holds(self, address: int, size: int, flags: int = 0) -> bool:
        return address >= self._base and self._image.covers(address - self._base, size, flags)

    def read(self, layout: Struct, address: int) -> tuple[int, ...]:
        if not self.holds(address, layout.size):
            refuse("the library's table leads out of the image")
        return layout.unpack(ctypes.string_at(address, layout.size))

    def pointer(self, address: int) -> int:
        return self.read(_ADDRESS, address)[0]

    def text(self, address: int) -> str:
        load = next((load for load in self._image.loads if load.address <= address - self._base < load.end), None)
        if load is None:
            refuse("the library's table leads out of the image")
        raw = ctypes.string_at(address, min(_LONGEST_NAME, load.end - (address - self._base)))
        if b"\0" not in raw:
            refuse("a name in the library's table has no end")
        return raw[: raw.index(b"\0")].decode("utf-8", "replace")


def _lacks(what: str, *, help: str = "") -> NoReturn:  # noqa: A002  it becomes the diagnostic's `help`
    raise HalError(Code.FAILED_PRECONDITION, f"the library in the image {what}", help=help)
