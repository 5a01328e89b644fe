"""Enumerants and flags as files write them: numbers, names in several spellings, lists of names, names joined by `|`."""

from __future__ import annotations

import re
from functools import cache

from targetenv.registry import vulkan_abi as abi
from targetenv.wire.plain_numbers import number, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAG = re.compile(r"_[A-Z]{2,8}$")
_LONGEST = 4096  # of a list, and of a text of several names


class PartlyReadError(ValueError):
    """Some flags have names that the registry does not have; `value` is what the others make."""

    def __init__(self, value: int, unknown: str) -> None:
        super().__init__(unknown)
        self.value = value
        self.unknown = unknown


def enumerant(raw: object, *, size: int, signed: bool, of: str) -> int:
    """The value of one enumerant, or of a mask, of the enumeration or flags type `of`.

    >>> enumerant(["VK_QUEUE_COMPUTE_BIT", "TRANSFER"], size=4, signed=False, of="VkQueueFlagBits")
    6
    """
    if isinstance(raw, list):
        return _mask(raw, size, of)
    if isinstance(raw, str):
        word = raw.strip()
        if _NAME.match(word) is not None:
            if "|" in word and len(word) <= _LONGEST:
                return _mask(word.split("|"), size, of)
            return whole(constant(word, of), size=size, signed=signed)
    return whole(raw, size=size, signed=signed)


def _mask(names: list[Any], size: int, of: str) -> int:
    """The flags in a list. `VK_SHADER_STAGE_ALL` stands in such lists beside the single stages that it is made of, because it
    shares a bit with the mask, not because all of it is set: it counts only where it stands alone.
    """
    if len(names) > _LONGEST:
        raise ValueError(names)
    values, unknown = [], ""
    for name in names:
        try:
            values.append(whole(_one(name, of), size=size, signed=False))
        except ValueError:
            unknown = unknown or str(name)
    mask = 0
    for value in [value for value in values if value and not value & value - 1] or values:
        mask |= value
    if unknown:
        if not values:
            raise ValueError(names)
        raise PartlyReadError(mask, unknown)
    return mask


def _one(name: object, of: str) -> object:
    if not isinstance(name, str):
        return name
    word = name.strip()
    return constant(word, of) if _NAME.fullmatch(word) else number(word)


@cache
def constant(name: str, of: str) -> int:
    """The value of an enumerant: with or without `VK_` and the enumeration's own prefix, a missing `_BIT`, a tag too many.

    >>> constant("DISCRETE_GPU", "VkPhysicalDeviceType"), constant("VK_DRIVER_ID_MOLTENVK_KHR", "VkDriverId")
    (2, 14)
    """
    values = abi.enum_values(of)
    for attempt in (name, f"VK_{name}", f"VK_{name}_BIT", f"{name}_BIT", _TAG.sub("", name)):
        if attempt in values:
            return values[attempt]
    if len(name) > 2:
        ends = (f"_{name}", f"_{name}_BIT")
        found = {value for spelt, value in values.items() if spelt.endswith(ends)}
        if len(found) == 1:
            return found.pop()
    raise ValueError(name)
