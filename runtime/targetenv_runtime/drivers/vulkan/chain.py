"""A pNext chain that asks a physical device for everything it can answer, in one call and one piece of memory."""

from __future__ import annotations

import ctypes
from itertools import pairwise
from struct import Struct, pack_into, unpack_from

from targetenv.registry import vulkan as registry
from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_words import shortest_float
from targetenv_runtime.drivers.vulkan.block import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from targetenv.model.capabilities import PropertyValue
    from targetenv.registry.vulkan_abi import Field
    from targetenv_runtime.drivers.vulkan.block import Memory
    from targetenv_runtime.ffi.library import Native

FEATURES = "VkPhysicalDeviceFeatures2"
PROPERTIES = "VkPhysicalDeviceProperties2"
_HEADER = Struct("i4xP")  # sType and pNext of every struct in a chain
_LONGEST_LIST = 1 << 12  # elements; a driver that claims more is not believed


class Answer:
    """What a device wrote: `memory`, and where in it each struct begins; `lists` keeps alive what the memory points to."""

    __slots__ = ("lists", "memory", "placed")

    def __init__(self, memory: Memory, placed: list[tuple[str, int]], lists: list[Memory]) -> None:
        self.memory = memory
        self.placed = placed
        self.lists = lists


def available(structs: Iterable[str], offered: Callable[[str], bool]) -> list[str]:
    """The structs that some version or extension of the device provides, in the registry's order.

    To chain any other is forbidden by the specification and crashes drivers.
    """
    providers = registry.providers()
    return [struct for struct in structs if any(map(offered, providers.get(struct, ())))]


def ask(native: Native, physical: ctypes.c_void_p, root: str, structs: Iterable[str]) -> Answer:
    """Call `native` with `root` and the structs behind it, twice where one of them has lists for the caller to provide."""
    placed: list[tuple[str, int]] = []
    size = 0
    for struct in (root, *structs):
        placed.append((struct, size))
        size += abi.header(struct)[0] + 7 & ~7
    memory = ctypes.create_string_buffer(size)
    base = ctypes.addressof(memory)
    following = 0
    for struct, at in reversed(placed):
        _, s_type = abi.header(struct)
        assert s_type is not None, f"{struct} is no link of a chain"
        _HEADER.pack_into(memory, at, s_type, following)
        following = base + at
    native(physical, memory)
    lists = [room for struct, at in placed for room in _provide(memory, at, struct)] if root == PROPERTIES else []
    if lists:
        native(physical, memory)
    return Answer(memory, placed, lists)


def _provide(memory: Memory, at: int, struct: str) -> Iterator[Memory]:
    """Room for the lists of a struct whose first answer was their lengths; lists of structs stay lengths."""
    fields = abi.layout(struct).fields
    for count_field, field in pairwise(fields):
        if _is_list(field):
            (count,) = unpack_from("I", memory, at + count_field.offset)
            room = (ctypes.c_int32 * min(count, _LONGEST_LIST))()
            pack_into("I", memory, at + count_field.offset, len(room))
            pack_into("P", memory, at + field.offset, ctypes.addressof(room))
            yield room


def _is_list(field: Field) -> bool:
    return field.code == "P" and field.name != "pNext" and field.type.startswith("Vk") and bool(abi.enum_names(field.type[:-1]))


def booleans(answer: Answer) -> tuple[set[str], set[str]]:
    """The canonical names of the features answered with yes and with no; yes in one spelling of a feature is enough.

    A feature struct is nothing but VkBool32 members behind its header, which VkPhysicalDeviceFeatures2 wraps one level deeper.
    """
    true: set[str] = set()
    asked: set[str] = set()
    for struct, at in answer.placed:
        names = registry.feature_members("VkPhysicalDeviceFeatures" if struct == FEATURES else struct)
        told = unpack_from(f"{len(names)}I", answer.memory, at if struct == "VkPhysicalDeviceFeatures" else at + _HEADER.size)
        asked.update(names)
        true.update(name for name, value in zip(names, told, strict=True) if value)
    return true, asked - true


def keep(answer: Answer, wanted: Callable[[str], bool]) -> set[str]:
    """Set every feature that is not wanted to false, in place; the canonical names of those that remain true.

    What is left is a chain that enables them.
    """
    kept: set[str] = set()
    for struct, at in answer.placed:
        names = registry.feature_members("VkPhysicalDeviceFeatures" if struct == FEATURES else struct)
        form = Struct(f"{len(names)}I")
        told = form.unpack_from(answer.memory, at + _HEADER.size)
        chosen = [value if value and wanted(name) else 0 for name, value in zip(names, told, strict=True)]
        form.pack_into(answer.memory, at + _HEADER.size, *chosen)
        kept.update(name for name, value in zip(names, chosen, strict=True) if value)
    return kept


def values(answer: Answer) -> dict[str, PropertyValue]:
    """Every property under its canonical name.

    Booleans are bool, enumerations and flags int, character arrays str, UUIDs their hexadecimal text, extents and other small
    structs tuples, lists tuples; a float is the shortest decimal that is the driver's 32-bit number.
    """
    found: dict[str, PropertyValue] = {}
    for struct, at in answer.placed:
        _read(answer.memory, at, struct, found)
    return found


def _read(memory: Memory, at: int, struct: str, found: dict[str, PropertyValue]) -> None:
    names = registry.property_members(struct)
    fields = abi.layout(struct).fields
    for index, field in enumerate(fields):
        place = at + field.offset
        if field.code:
            name = names.get(field.name)
            if name is None:  # sType, pNext
                continue
            if _is_list(field):
                (count,) = unpack_from("I", memory, at + fields[index - 1].offset)
                (address,) = unpack_from("P", memory, place)
                found[name] = tuple((ctypes.c_int32 * count).from_address(address)) if count and address else ()
            elif field.code != "P":
                found[name] = _value(unpack_from(f"{field.count}{field.code}", memory, place), field)
        elif registry.property_members(field.type):  # VkPhysicalDeviceProperties and what is in it
            _read(memory, place, field.type, found)
        else:
            plain = "".join(f"{inner.count}{inner.code}" for inner in abi.layout(field.type).fields)
            found[names[field.name]] = unpack_from(plain, memory, place)


def _value(raw: tuple[Any, ...], field: Field) -> PropertyValue:
    first = raw[0]
    if isinstance(first, bytes):
        return text(first)
    if field.type == "VkBool32":
        return bool(first)
    if field.code == "B" and field.dims:
        return bytes(raw).hex()
    if field.code == "f":
        shortest = tuple(map(shortest_float, raw))
        return shortest if field.dims else shortest[0]
    return raw if field.dims else first
