"""Vulkan structs as plain memory: written by name through the registry's layouts, kept alive together with what they point to.

No `ctypes.Structure` is made: a class costs 0.1 ms to create, a layout is parsed only for the structs that are used.
"""

from __future__ import annotations

import ctypes
from functools import cache
from itertools import pairwise
from struct import Struct, calcsize, pack_into, unpack_from

from targetenv.registry.vulkan_abi import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    Memory: TypeAlias = ctypes.Array[Any]
    Value: TypeAlias = "int | float | bytes | str | Block | Memory | tuple[int | float, ...] | None"

POINTER = Struct("P")


@cache
def packer(struct: str) -> Struct:
    """All members of a struct without structs in it, for reading or writing whole rows: arrays flattened, characters as bytes.

    >>> packer("VkBufferCopy").size
    24
    """
    form = layout(struct)
    members = "".join(f"{field.count}{field.code}" for field in form.fields)
    return Struct(f"{members}{form.size - calcsize(members)}x")


class Block:
    """One struct, or an array of the same struct, at a fixed address. `buffer` is what a native call takes."""

    __slots__ = ("address", "buffer", "keep", "struct")

    def __init__(self, struct: str, buffer: Memory, keep: tuple[object, ...] = ()) -> None:
        self.struct = struct
        self.buffer = buffer
        self.address = ctypes.addressof(buffer)
        self.keep = keep

    def get(self, field: str, at: int = 0) -> Any:
        """The value of a member of element `at`; several values give a tuple, characters a str."""
        form = layout(self.struct)
        member = form.field(field)
        values = unpack_from(f"{member.count}{member.code}", self.buffer, at * form.size + member.offset)
        if member.code == "s":
            return text(values[0])
        return values if member.dims else values[0]

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every element as the tuple of its members, arrays flattened, characters as bytes. Not for structs of structs."""
        return packer(self.struct).iter_unpack(self.buffer)

    def first(self, count: int) -> Block:
        """The first `count` elements, sharing memory."""
        size = count * layout(self.struct).size
        return Block(self.struct, (ctypes.c_char * size).from_buffer(self.buffer), (self.buffer, *self.keep))

    def offset(self, field: str) -> int:
        """Where a member of the first element is, for patching it in place."""
        return layout(self.struct).field(field).offset

    def __len__(self) -> int:
        return len(self.buffer) // layout(self.struct).size


def block(struct: str, **values: Value) -> Block:
    """A struct with these members set, everything else zero, `sType` as the registry says.

    A `str` becomes a NUL-terminated C string; a Block, array or `bytes` the address of its memory, which is kept alive. A Block
    given for a member that is itself a struct is copied into place.

    >>> barrier = block("VkMemoryBarrier2", srcStageMask=1, dstStageMask=2)
    >>> barrier.get("sType"), barrier.get("srcStageMask"), barrier.get("dstStageMask")
    (1000314000, 1, 2)
    """
    memory = ctypes.create_string_buffer(layout(struct).size)
    return Block(struct, memory, tuple(_write(struct, memory, 0, values)))


def blocks(struct: str, elements: Sequence[dict[str, Value]]) -> Block:
    """An array of structs, in order."""
    size = layout(struct).size
    memory = ctypes.create_string_buffer(max(size * len(elements), 1))
    keep: list[object] = []
    for at, values in enumerate(elements):
        keep += _write(struct, memory, at * size, values)
    return Block(struct, memory, tuple(keep))


def room(struct: str, count: int) -> Block:
    """`count` structs to be filled by a driver: zero but for `sType`."""
    return blocks(struct, [{}] * count)


def chained(*links: Block) -> Block | None:
    """Structs linked through `pNext` in this order; the first one, or None for none."""
    for link, following in pairwise(links):
        POINTER.pack_into(link.buffer, 8, following.address)
        link.keep = (*link.keep, following)
    return links[0] if links else None


def text(characters: bytes) -> str:
    """A `char[]` up to its NUL."""
    return characters.split(b"\0", 1)[0].decode("utf-8", "replace")


def strings(texts: Sequence[str]) -> Memory:
    """A `const char* const*`."""
    encoded = [text.encode() for text in texts]
    return (ctypes.c_char_p * len(encoded))(*encoded)


def pointers(values: Sequence[int]) -> Memory:
    """An array of 64-bit handles or addresses."""
    return (ctypes.c_uint64 * len(values))(*values)


def floats(values: Sequence[float]) -> Memory:
    """An array of `float`."""
    return (ctypes.c_float * len(values))(*values)


def integers(values: Sequence[int]) -> Memory:
    """An array of `uint32_t`."""
    return (ctypes.c_uint32 * len(values))(*values)


def _write(struct: str, memory: Memory, base: int, values: dict[str, Value]) -> list[object]:
    form = layout(struct)
    if form.s_type is not None:
        pack_into("i", memory, base, form.s_type)
    keep: list[object] = []
    for name, value in values.items():
        if value is None:
            continue
        member = form.field(name)
        at = base + member.offset
        if not member.code:  # a struct inside the struct
            assert isinstance(value, Block), f"{struct}::{name} is a {member.type}"
            ctypes.memmove(ctypes.addressof(memory) + at, value.buffer, member.size)
            keep += value.keep
        elif isinstance(value, Block):
            POINTER.pack_into(memory, at, value.address)
            keep.append(value)
        elif isinstance(value, ctypes.Array):
            POINTER.pack_into(memory, at, ctypes.addressof(value))
            keep.append(value)
        elif isinstance(value, (bytes, str)):
            characters = ctypes.create_string_buffer(value.encode() if isinstance(value, str) else value)
            POINTER.pack_into(memory, at, ctypes.addressof(characters))
            keep.append(characters)
        elif isinstance(value, tuple):
            pack_into(f"{member.count}{member.code}", memory, at, *value)
        else:
            pack_into(member.code, memory, at, value)
    return keep
