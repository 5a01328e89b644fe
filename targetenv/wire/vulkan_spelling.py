"""Values of Vulkan properties as files want them: the way back from what `vulkan_values` made of them."""

from __future__ import annotations

import re
from functools import cache

from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from targetenv.model.capabilities import PropertyValue
    from targetenv.registry.vulkan_abi import Field

_FAMILY = re.compile(r"family \d+: (\d+) queues?, (.+)")
_HEAP = re.compile(r"heap \d+: (\d+) bytes, (.+)")
_TYPE = re.compile(r"type \d+: heap (\d+), (.+)")


class NotExpressibleError(ValueError):
    """This value has no spelling; the text says why."""


@cache
def field_of(canonical: str) -> Field | None:
    """The member that a canonical property is, None where the registry has no such member."""
    struct, _, member = canonical.partition("::")
    try:
        return abi.layout(struct).field(member)
    except KeyError:
        return None


def in_profile(value: PropertyValue, field: Field) -> Any:
    """The value as the Vulkan Profiles schema wants it: enumerants and flags by name, extents as objects, UUIDs as bytes.

    >>> in_profile(6, abi.layout("VkPhysicalDeviceVulkan12Properties").field("supportedDepthResolveModes"))
    ['VK_RESOLVE_MODE_AVERAGE_BIT', 'VK_RESOLVE_MODE_MIN_BIT']
    """
    if field.code == "B" and field.dims:
        return list(bytes.fromhex(str(value)))
    if not field.code:
        members = [inner.name for inner in abi.layout(field.type).fields]
        return dict(zip(members, value, strict=True))  # type: ignore[arg-type]  # small structs are tuples
    names = abi.enum_names(field.type.removesuffix("*"))
    if is_flags(field):
        return flag_names(int(value), names)  # type: ignore[arg-type]  # flags are a number
    if not names:
        if field.code == "P":
            raise NotExpressibleError("a list of structs")
        return list(value) if isinstance(value, tuple) else value
    if isinstance(value, tuple):
        return [_named(one, names) for one in value]
    return _named(value, names)


def is_flags(field: Field) -> bool:
    """Whether a member holds several flags, which profiles write as a list of names."""
    return "Flags" in field.type and "FlagBits" not in field.type


def flag_names(mask: int, names: dict[int, str]) -> list[str]:
    """The names of the bits that are set, or the one name of a whole mask such as `VK_SHADER_STAGE_ALL`."""
    if nameless(mask, names) and mask in names:
        return [names[mask]]
    return [names[1 << bit] for bit in range(64) if mask >> bit & 1 and 1 << bit in names]


def nameless(mask: int, names: dict[int, str]) -> int:
    """The bits of a mask that have no name of their own."""
    return mask & ~sum(bit for bit in names if bit > 0 and not bit & bit - 1)


def _named(value: object, names: dict[int, str]) -> str:
    name = names.get(value) if isinstance(value, int) else None
    if name is None:
        raise NotExpressibleError("it has no name in the registry")
    return name


def queue_families(lines: Iterable[str]) -> list[tuple[int, int]]:
    """(queueCount, queueFlags) of lines such as `family 0: 1 queue, graphics | compute`; other lines are left out."""
    found = (_FAMILY.fullmatch(line) for line in lines)
    return [(int(row[1]), _flags("VkQueueFlagBits", row[2])) for row in found if row is not None]


def heaps(lines: Iterable[str]) -> list[tuple[int, int]]:
    """(size, flags) of lines such as `heap 0: 1024 bytes, device-local`."""
    found = (_HEAP.fullmatch(line) for line in lines)
    return [(int(row[1]), _flags("VkMemoryHeapFlagBits", row[2])) for row in found if row is not None]


def memory_types(lines: Iterable[str]) -> list[tuple[int, int]]:
    """(heapIndex, propertyFlags) of lines such as `type 0: heap 0, device-local`."""
    found = (_TYPE.fullmatch(line) for line in lines)
    return [(int(row[1]), _flags("VkMemoryPropertyFlagBits", row[2])) for row in found if row is not None]


def _flags(bits: str, text: str) -> int:
    known = {words(bits, bit): bit for bit in abi.enum_names(bits)}
    mask = 0
    for word in text.split(" | "):
        mask |= int(word, 16) if word.startswith("0x") else known.get(word, 0)
    return mask
