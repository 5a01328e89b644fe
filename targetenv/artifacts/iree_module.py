"""IREE's bytecode modules (`.vmfb`): a FlatBuffer, alone or as the first member of a ZIP archive, with data behind it.

Schema: iree runtime/src/iree/schemas/bytecode_module_def.fbs. In 2023-03 two fields were inserted; before 2023-05 no size came
before the FlatBuffer.
"""

from __future__ import annotations

from targetenv.artifacts import zip_store
from targetenv.artifacts.flatbuffer import FlatBuffer, Table
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.zip_store import StoredMember

_IDENTIFIER = b"IREE"
_MODULE_STATE = 11  # a table since 2023-03; the bytecode's version before, when it was field 11
_MOST_SEGMENTS = 1 << 16
_TIMES_OVER = 4  # equal data may be shared, but not by everything
_ALIGNMENT = 64  # of the data behind the FlatBuffer, counted from where its size or it begins


@record
class Segment:
    """Read-only data: its number, its bytes, where it begins in the file, and its name in the archive.

    `embedded` data lies in the FlatBuffer, the rest behind it.
    """

    ordinal: int
    data: memoryview
    place: int
    embedded: bool
    name: str | None


@record
class Module:
    """One bytecode module. `bytecode` is the virtual machine's code, `version` that of its instruction set."""

    name: str
    version: tuple[int, int]
    exports: tuple[str, ...]
    dependencies: tuple[tuple[str, int], ...]
    segments: tuple[Segment, ...]
    bytecode: memoryview
    zipped: bool


def is_module(data: bytes | memoryview) -> bool:
    """Whether this begins as a module does; the rest may be damaged."""
    return _prefix(memoryview(data)) is not None


def read_module(data: bytes | memoryview, name: str) -> Module:
    """The module in the file called `name`; FormatError TE4701 (the file), TE4702 (the FlatBuffer) where it is damaged."""
    window = Window(data, name, "TE4701")
    prefix = _prefix(window.data)
    if prefix is None:
        raise damaged("TE4701", name, "this is no module of IREE")
    start, sized = prefix
    stored = zip_store.members(window) if zip_store.first_content(data) else ()
    if sized:
        (size,) = window.unpack("<I", start - 4, "the size of the FlatBuffer")
    else:
        size = next((row.size for row in stored if row.offset == start), len(window) - start)
    buffer = FlatBuffer(Window(window.part(start, size, "the FlatBuffer"), name, "TE4702"))
    root = buffer.root()
    since_march = 0 if _is_older(root) else 1
    base = start - 4 if sized else start
    behind = base + -(-(start - base + size) // _ALIGNMENT) * _ALIGNMENT
    segments = _segments(root, 7 + 2 * since_march, window, (start, behind), stored)
    version = root.number(11 + 2 * since_march)
    return Module(
        root.text(0),
        (version >> 16, version & 0xFFFF),
        tuple(row.text(0) for row in root.tables(6 + since_march)),
        tuple((row.text(0), row.number(1)) for row in root.tables(4 + since_march)),
        segments,
        root.bytes(12 + 2 * since_march),
        bool(stored),
    )


def _prefix(data: memoryview) -> tuple[int, bool] | None:
    """Where the FlatBuffer begins, and whether its size comes before it."""
    base = zip_store.first_content(data)
    if data[base + 8 : base + 12] == _IDENTIFIER:
        return base + 4, True
    return (base, False) if data[base + 4 : base + 8] == _IDENTIFIER else None


def _is_older(root: Table) -> bool:
    """Whether this was made before 2023-03: then field 11 is a version (0xD0000), not the offset of a table nearby."""
    return root.number(_MODULE_STATE) >= 1 << 16 and not root.has(14)


def _segments(
    root: Table, field: int, window: Window, starts: tuple[int, int], stored: tuple[StoredMember, ...]
) -> tuple[Segment, ...]:
    """The segments; `starts` are where the FlatBuffer begins and where the data behind it does."""
    names = {row.offset: row.name for row in stored}
    rows = root.tables(field)
    if len(rows) > _MOST_SEGMENTS:
        raise damaged("TE4701", window.name, f"{len(rows)} data segments are more than the {_MOST_SEGMENTS} that are read")
    found = []
    total = 0
    for ordinal, row in enumerate(rows):
        if row.number(0, "<B") > 1:
            raise damaged("TE4702", window.name, f"data segment {ordinal} is compressed in a way that does not exist")
        embedded = row.bytes(2)
        if row.has(2):
            found.append(Segment(ordinal, embedded, starts[0] + row.place(2), True, None))
            continue
        place = starts[1] + row.number(3, "<Q")
        length = row.number(4, "<Q")
        total += length
        if total > _TIMES_OVER * len(window):
            raise damaged("TE4701", window.name, "the data segments lie over one another")
        found.append(Segment(ordinal, window.part(place, length, f"data segment {ordinal}"), place, False, names.get(place)))
    return tuple(found)
