"""Transactions: the instruction stream that an NPU's firmware executes for one run of a kernel.

A header of 16 bytes gives the version (0.1), the generation, the shape of the array, the number of operations and the size; the
operations follow. Sources: aie-rt xaie_txn.h; iree-amd-aie AMDAIETransactionBuilder.cpp; aiebu's disassembly of the same bytes.
"""

from __future__ import annotations

from targetenv.artifacts.aie import COLUMNS, MEMORY_ROWS, ROWS, Extent
from targetenv.artifacts.containers import executable
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record
from targetenv.model.requirement import NeedsFeature, NeedsLimit, NeedsUnknown, Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

_HEADER = 16
#: Operation -> its name, where its size is (in bytes from its start), the fewest bytes that it has
_OPERATIONS = {
    0: ("write", 20, 24),
    1: ("block write", 12, 16),
    3: ("mask write", 24, 28),
    4: ("mask poll", 24, 28),
    0x80: ("wait for completion", 4, 16),
    0x81: ("patch address", 4, 48),
}
_BLOCK_WRITE, _PATCH = 1, 0x81
_DESCRIPTOR = 31  # a buffer descriptor of a shim tile has 32 bytes
_GENERATIONS = {1: "aie", 2: "aie2", 3: "aie2", 4: "aie2p"}


@record
class Transaction:
    """One stream. `arguments` is how many buffers it patches addresses of, None where it patches none."""

    generation: int
    columns: int
    rows: int
    memory_rows: int
    operations: tuple[tuple[str, int], ...]
    extent: Extent
    arguments: int | None

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """The array that it was made for: its generation, at least its columns and rows, exactly its rows of memory tiles."""
        arch = _GENERATIONS.get(self.generation)
        return (
            NeedsFeature(arch) if arch else NeedsUnknown(f"which AI engines generation {self.generation} of a transaction is"),
            NeedsLimit(COLUMNS, Relation.AT_LEAST, max(self.columns, self.extent.columns)),
            NeedsLimit(ROWS, Relation.AT_LEAST, max(self.rows, self.extent.rows)),
            NeedsLimit(MEMORY_ROWS, Relation.EXACTLY, self.memory_rows),
        )

    @property
    def details(self) -> tuple[tuple[str, str], ...]:
        """The facts for people."""
        shape = f"{self.columns} columns, {self.rows} rows, {self.memory_rows} of memory tiles, generation {self.generation}"
        done = ", ".join(f"{count} {what}" for what, count in self.operations) or "none"
        return (("array", shape), ("operations", done))


def is_transaction(data: bytes | memoryview) -> bool:
    """Whether this begins as a transaction does. There is no magic number: version 0.1, a plausible array, zeros."""
    if len(data) < _HEADER:
        return False
    major, minor, generation, rows, columns, memory_rows, *padding = bytes(data[:8])
    shape = 2 <= rows <= 16 and 1 <= columns <= 64 and memory_rows <= 2
    return (major, minor) == (0, 1) and generation in _GENERATIONS and shape and not any(padding)


def read_transaction(data: bytes | memoryview, name: str) -> Transaction:
    """The stream; FormatError TE4805 where its operations do not fit its header."""
    window = Window(data, name, "TE4805")
    _, _, generation, rows, columns, memory_rows, count, size = window.unpack("<6B2xII", 0, "the transaction's header")
    if size != len(window):
        raise damaged("TE4805", name, f"the transaction says that it has {size} bytes, and has {len(window)}")
    counted: dict[str, int] = {}
    addresses: set[int] = set()
    written: set[int] = set()
    arguments: int | None = None
    at = _HEADER
    for place in range(count):
        (code,) = window.unpack("<B", at, f"operation {place}")
        if code not in _OPERATIONS:
            raise damaged("TE4805", name, f"operation {place} at byte {at} has number {code}, which is not known")
        what, size_at, least = _OPERATIONS[code]
        (length,) = window.unpack("<I", at + size_at, f"operation {place}")
        if length < least or length % 4:
            raise damaged("TE4805", name, f"operation {place} (`{what}`) says that it has {length} bytes")
        window.part(at, length, f"operation {place}")
        counted[what] = counted.get(what, 0) + 1
        if code == _PATCH:
            register, argument = window.unpack("<I4xI", at + 24, f"operation {place}")
            if register & ~_DESCRIPTOR not in written:
                raise damaged("TE4805", name, f"operation {place} patches {register:#x}, which no block write before it wrote")
            arguments = max(arguments or 0, argument + 1)
        elif code < 0x80:
            (register,) = window.unpack("<I", at + 8, f"operation {place}")
            addresses.add(register)
            if code == _BLOCK_WRITE:
                written.update(range(register & ~_DESCRIPTOR, register + max(length - 16, 1), _DESCRIPTOR + 1))
        at += length
    if at != len(window):
        raise damaged("TE4805", name, f"{count} operations end at byte {at}, but the transaction has {len(window)} bytes")
    return Transaction(generation, columns, rows, memory_rows, tuple(counted.items()), Extent.of(addresses), arguments)


def inspect_transaction(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What the array must be; the stream has no name, so it is no kernel by itself."""
    found = read_transaction(data, name)
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="aie-transaction",
        requires=found.requires,
        details=found.details,
    )
