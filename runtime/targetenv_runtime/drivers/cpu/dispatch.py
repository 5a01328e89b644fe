"""Dispatches as kernels see them: the structures of `targetenv/kernel.h`, laid out in memory.

A block is one dispatch and the record by which `Loops.records` runs it:

    u64 count = 1 | record: function, environment, dispatch, first, last | dispatch_t | pointers | lengths | constants

Kernels only read it, so a block without scratch memory may be run any number of times at once.
"""

from __future__ import annotations

import ctypes
from struct import Struct

from targetenv_runtime.drivers.cpu.loops import RECORD_WORDS
from targetenv_runtime.drivers.cpu.memory import Pages
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from targetenv_runtime.backend import Grid
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.drivers.cpu.loops import Pointer

DISPATCH = Struct("<IIHHIIHBBQQQQQ")
"""targetenv_dispatch_t: size x, y, z, constant_count, count x, y, z, max_concurrency, binding_count, constants, binding_ptrs,
binding_lengths, local_memory, local_memory_size."""

LOCAL_MEMORY_AT = 48  # in DISPATCH
LARGEST, LARGEST_Z = 0xFFFF_FFFF, 0xFFFF  # dimensions of a grid and of a workgroup
MOST_BINDINGS, MOST_CONSTANTS = 0xFF, 0xFFFF * 4

_COUNT = Struct("<Q")
_RECORD = Struct(f"<{RECORD_WORDS}Q")
_RANGE = Struct("<QQ")
_GRID = Struct("<IIH")
_RECORD_AT, _RANGE_AT, _DISPATCH_AT, _GRID_AT, _POINTERS_AT = 8, 32, 48, 60, 112

_environment = (ctypes.c_uint64 * 12)()  # targetenv_environment_t: no constants, no imports, nothing said about the processor
ENVIRONMENT = ctypes.addressof(_environment)


class Entry:
    """One kernel of a loaded library, as `Function.entry`: its range entry, and what a workgroup of it covers and takes.

    `alignment` is what every binding's address has to be a multiple of, where that is more than the driver asks for anyway.
    `idle` are blocks that nobody uses just now; `cost` is how many nanoseconds a workgroup took when that was last measured.
    """

    __slots__ = ("address", "alignment", "cost", "idle", "local_memory", "name", "size")

    def __init__(self, name: str, address: int, size: Grid, local_memory: int, alignment: int = 0) -> None:
        self.name = name
        self.address = address
        self.size = size
        self.local_memory = local_memory
        self.alignment = alignment
        self.cost = 0
        self.idle: list[Block] = []

    def check(self, addresses: Iterable[int]) -> None:
        """INVALID_ARGUMENT unless the kernel can take bindings at these addresses."""
        if self.alignment and any(address % self.alignment for address in addresses):
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"a binding of `{self.name}` does not begin at a multiple of {self.alignment} bytes",
                help=f"bind whole buffers, or parts of them at multiples of {self.alignment}",
            )

    def failed(self, status: int) -> HalError:
        """What a kernel's return value (its low 32 bits) is to its caller."""
        signed = status - (1 << 32) if status >> 31 else status
        return HalError(Code.ABORTED, f"kernel `{self.name}` returned {signed}", kernel=self.name)


class Block:
    """One dispatch in memory of its own, that can be filled again for another one with as many bindings and constant bytes."""

    __slots__ = (
        "_constants", "_constants_at", "_memory", "_scratch", "_words", "dispatch", "entry", "grid", "pointer", "total",
    )  # fmt: skip

    def __init__(self, entry: Entry, bindings: int, constants: int, concurrency: int = 1) -> None:
        if bindings > MOST_BINDINGS or constants > MOST_CONSTANTS:
            raise HalError(
                Code.OUT_OF_RANGE,
                f"`{entry.name}` is given {bindings} bindings and {constants} bytes of constants",
                help=f"give a CPU kernel at most {MOST_BINDINGS} bindings and {MOST_CONSTANTS} bytes of constants",
            )
        self.entry = entry
        self.grid: tuple[int, ...] | None = None  # as it was asked for
        self.total = 0
        self._constants = bytes(constants)
        self._constants_at = _POINTERS_AT + 16 * bindings
        size = self._constants_at + -(-constants // 8) * 8
        self._memory = bytearray(size)
        self._words: Any = (ctypes.c_uint64 * (2 * bindings)).from_buffer(self._memory, _POINTERS_AT)
        whole = (ctypes.c_char * size).from_buffer(self._memory)
        base = ctypes.addressof(whole)
        self.pointer: Pointer = ctypes.byref(whole)  # what `Loops.records` takes; it keeps the memory alive
        self.dispatch = base + _DISPATCH_AT
        self._scratch = Pages(entry.local_memory) if entry.local_memory else None
        _COUNT.pack_into(self._memory, 0, 1)
        _RECORD.pack_into(self._memory, _RECORD_AT, entry.address, ENVIRONMENT, self.dispatch, 0, 0)
        DISPATCH.pack_into(
            self._memory, _DISPATCH_AT, *entry.size, -(-constants // 4), 0, 0, 0, min(concurrency, 255), bindings,
            base + self._constants_at, base + _POINTERS_AT, base + _POINTERS_AT + 8 * bindings,
            self._scratch.address if self._scratch else 0, entry.local_memory,
        )  # fmt: skip

    def fill(self, grid: Grid, bindings: Sequence[BufferRef], constants: bytes) -> None:
        """Write a whole dispatch down; OUT_OF_RANGE for a grid that the ABI cannot say."""
        self.shape(grid, grid)
        self.entry.check(ref.address for ref in bindings)
        self.write([ref.address for ref in bindings] + [ref.length for ref in bindings], constants)

    def shape(self, grid: Grid, asked: Sequence[int]) -> None:
        """Write the grid down; `asked` is how the user spelt it."""
        total = grid[0] * grid[1] * grid[2]
        if grid[2] > LARGEST_Z or total >> 63:
            raise HalError(
                Code.OUT_OF_RANGE,
                f"a grid of {grid} workgroups is more than a CPU kernel can be told",
                help=f"keep the third dimension below {LARGEST_Z + 1} and the product below 2**63",
            )
        _GRID.pack_into(self._memory, _GRID_AT, *grid)
        self.grid = tuple(asked)
        self.total = total
        self.narrow(0, total)

    def write(self, words: Sequence[int], constants: bytes) -> None:
        """Write the bindings down, addresses first and lengths after them, and the constants."""
        self._words[:] = words
        if constants != self._constants:
            self._memory[self._constants_at : self._constants_at + len(constants)] = constants
            self._constants = constants

    def narrow(self, first: int, last: int) -> None:
        """Let the record stand for the workgroups first <= i < last only."""
        _RANGE.pack_into(self._memory, _RANGE_AT, first, last)

    def record(self) -> tuple[int, int, int, int, int]:
        """The record of the whole grid, for a longer block of records."""
        return self.entry.address, ENVIRONMENT, self.dispatch, 0, self.total

    def copy(self, local_memory: int) -> ctypes.Array[ctypes.c_char]:
        """The dispatch with other scratch memory, for one more thread."""
        one = ctypes.create_string_buffer(bytes(self._memory[_DISPATCH_AT:_POINTERS_AT]), DISPATCH.size)
        _COUNT.pack_into(one, LOCAL_MEMORY_AT, local_memory)
        return one


class Records:
    """Many dispatches, to be run by one call, in order."""

    __slots__ = ("_memory", "blocks", "pointer")

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        words = [len(self.blocks)]
        for block in self.blocks:
            words += block.record()
        self._memory = (ctypes.c_uint64 * len(words))(*words)
        self.pointer: Pointer = ctypes.byref(self._memory)
