"""Vulkan's values in words and back to the shortest number: what a probe and the readers of device files write alike."""

from __future__ import annotations

from functools import cache
from struct import Struct

from targetenv.registry import vulkan_abi as abi

_FLOAT = Struct("f")
_LARGEST_FLOAT = 3.5e38
_TAGS = ("KHR", "EXT", "NV", "AMD", "QCOM", "ARM")


@cache
def flags(bits: str, value: int) -> str:
    """Flag bits in the registry's words, without prefix and suffix: `graphics | compute`.

    >>> flags("VkMemoryPropertyFlagBits", 6)
    'host-visible | host-coherent'
    """
    names = abi.enum_names(bits)
    known = [_word(name, bits) for bit, name in sorted(names.items()) if bit and not bit & bit - 1 and value & bit]
    rest = value & ~sum(bit for bit in names if bit and not bit & bit - 1)
    return " | ".join([*known, *([hex(rest)] if rest else [])]) or "no flags"


@cache
def words(enumeration: str, value: object) -> str:
    """An enumerant in the registry's words: `integrated-gpu`; the number where the registry has no name.

    >>> words("VkPhysicalDeviceType", 4), words("VkDriverId", 13)
    ('cpu', 'mesa-llvmpipe')
    """
    name = abi.enum_names(enumeration).get(int(str(value)))
    return str(value) if name is None else _word(name, enumeration)


def _word(name: str, enumeration: str) -> str:
    """`VK_QUEUE_COMPUTE_BIT` of `VkQueueFlagBits` is `compute`: what all enumerants share goes, so does the vendor's tag."""
    shared = "VK"
    for letter in enumeration.removeprefix("Vk").removesuffix("FlagBits").removesuffix("KHR"):
        shared += f"_{letter}" if letter.isupper() else letter.upper()
    parts = name.removeprefix(shared + "_").split("_")
    if parts[-1] in _TAGS:
        parts.pop()
    return "-".join(parts).removesuffix("-BIT").lower()


def scope(value: int) -> str:
    """The scope of a cooperative matrix, as `CooperativeMatrix` spells it."""
    return words("VkScopeKHR", value)


def component(value: int) -> str:
    """A component type as MLIR spells it.

    >>> [component(value) for value in (0, 3, 9, 1000141000)]
    ['f16', 'i8', 'ui32', 'bf16']
    """
    word = words("VkComponentTypeKHR", value)
    return _COMPONENTS.get(word) or word.replace("bfloat", "bf").replace("float", "f").replace("sint", "i").replace(
        "uint", "ui"
    )


# Those whose MLIR name is not made by the rule.
_COMPONENTS = {
    "float8-e4m3": "f8E4M3FN",
    "float8-e5m2": "f8E5M2",
    "float6-e2m3": "f6E2M3FN",
    "float6-e3m2": "f6E3M2FN",
    "float4-e2m1": "f4E2M1FN",
    "float8-unsigned-e8m0": "f8E8M0FNU",
}


def uuid(digits: str) -> str:
    """32 hexadecimal digits as 8-4-4-4-12, which is how vulkaninfo and drivers print UUIDs.

    >>> uuid("6d65736132322e332e36000000000000")
    '6d657361-3232-2e33-2e36-000000000000'
    """
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def shortest_float(number: float) -> float:
    """The shortest decimal that rounds to the same 32-bit number, which is what people and files write.

    >>> shortest_float(0.10000000149011612)
    0.1
    """
    for digits in range(1, 9):
        short = float(f"{number:.{digits}g}")
        if abs(short) <= _LARGEST_FLOAT and _FLOAT.unpack(_FLOAT.pack(short))[0] == number:
            return short
    return number
