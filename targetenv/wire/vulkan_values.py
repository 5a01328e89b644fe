"""Values of Vulkan properties as files write them, brought to the form in which a probe reports them.

Files write one number as `64`, `"64"`, `"0x40"`, `64.0`, `true`, an enumerant or a list of flag names; extents as lists,
objects or `(1,1,1)`. What a member holds is known from its type, so each has a converter that takes all of these. A ValueError
says that the value is none of them.
"""

from __future__ import annotations

import re
from functools import cache, partial
from math import isfinite

from targetenv.model.record import record
from targetenv.model.version import Version
from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_words import shortest_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from targetenv.model.capabilities import PropertyValue
    from targetenv.registry.vulkan_abi import Field

    Converter: TypeAlias = Callable[[Any], PropertyValue]

_TRUTH = {"true": True, "false": False, "1": True, "0": False, "vk_true": True, "vk_false": False}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPLIT = re.compile(r"[\s,x()|]+")
_TAG = re.compile(r"_(KHR|EXT|NV|AMD|INTEL|QCOM|ARM)$")
_LONGEST_TEXT = 4096
_LONGEST_LIST = 4096
_MOST_DIGITS = 40


@record
class Plan:
    """How one member is read: its canonical name, its converter (None where files cannot say it), whether it is a number."""

    name: str
    convert: Converter | None
    is_number: bool = False


@cache
def plan(canonical: str) -> Plan:
    """The plan for a property under its canonical name."""
    struct, _, member = canonical.partition("::")
    if member in ("limits", "sparseProperties"):
        return Plan(canonical, None)
    field = abi.layout(struct).field(member)
    if canonical == "VkPhysicalDeviceProperties::apiVersion":
        return Plan(canonical, packed_version, is_number=True)
    return Plan(canonical, _converter(field), field.code not in ("s", "B", ""))


def boolean(raw: object) -> bool:
    """A VkBool32 or a feature in any spelling.

    >>> boolean("true"), boolean(1), boolean("VK_FALSE")
    (True, True, False)
    """
    if raw is True or raw is False:
        return raw
    if isinstance(raw, int):
        return raw != 0
    if isinstance(raw, str) and (found := _TRUTH.get(raw.strip().lower())) is not None:
        return found
    raise ValueError(raw)


def packed_version(raw: object) -> int:
    """A version packed by VK_MAKE_API_VERSION, or as text.

    >>> packed_version("1.3.230") == packed_version(4206822)
    True
    """
    if isinstance(raw, str) and "." in raw:
        version = Version.parse(raw.strip())
        if version.major < 128 and version.minor < 1024:
            return version.major << 22 | version.minor << 12 | min(version.patch, 4095)
    return _integer(raw, size=4, signed=False)


def integer(raw: object) -> int:
    """An unsigned 64-bit number, such as a size."""
    return _integer(raw, size=8, signed=False)


def flag_bits(raw: object) -> int:
    """A mask of 32 bits: a number, a name, or a list of names."""
    return _enumerant(raw, size=4, signed=False)


def _converter(field: Field) -> Converter | None:
    if not field.code:
        return _struct(field.type)
    if field.code == "P":
        return _enumerants if abi.enum_names(field.type.removesuffix("*")) else None
    if field.code == "s":
        return _text
    if field.code == "B" and field.dims:
        return partial(_digits, count=field.count)
    if field.type == "VkBool32":
        return boolean
    one: Converter = (
        _float if field.code == "f" else partial(_whole(field.type), size=_size(field), signed=field.code.islower())
    )
    return partial(_tuple, one=one, count=field.count) if field.dims else one


def _whole(type_: str) -> Callable[..., int]:
    """The reader of a plain number, or of one whose values or bits have names."""
    return _enumerant if abi.enum_names(type_) or "Flags" in type_ else _integer


def _size(field: Field) -> int:
    return field.size // field.count


@cache
def _struct(name: str) -> Converter | None:
    """A small struct such as VkExtent2D, as a tuple of its members."""
    fields = abi.layout(name).fields
    if any(not field.code or field.dims or field.code in "Ps" for field in fields):
        return None
    ones: list[Converter] = [partial(_integer, size=field.size, signed=field.code.islower()) for field in fields]
    return partial(_members, names=tuple(field.name for field in fields), ones=tuple(ones))


def _members(raw: object, *, names: tuple[str, ...], ones: tuple[Converter, ...]) -> tuple[Any, ...]:
    if isinstance(raw, dict):
        raw = [raw.get(name) for name in names]
    elif isinstance(raw, str):
        raw = [part for part in (raw.split(".") if "." in raw else _SPLIT.split(raw)) if part]
    if not isinstance(raw, list) or len(raw) != len(ones):
        raise ValueError(raw)
    return tuple(one(part) for one, part in zip(ones, raw, strict=True))


def _tuple(raw: object, *, one: Converter, count: int) -> tuple[Any, ...]:
    if isinstance(raw, dict):
        raw = list(raw.values())
    elif isinstance(raw, str):
        raw = [part for part in _SPLIT.split(raw.strip("[]")) if part]
    if not isinstance(raw, list) or len(raw) != count:
        raise ValueError(raw)
    return tuple(map(one, raw))


def _enumerants(raw: object) -> tuple[int, ...]:
    if not isinstance(raw, list) or len(raw) > _LONGEST_LIST:
        raise ValueError(raw)
    return tuple(_enumerant(part, size=4, signed=True) for part in raw)


def _text(raw: object) -> str:
    if not isinstance(raw, str) or len(raw) > _LONGEST_TEXT:
        raise ValueError(raw)
    return printable(raw.split("\0", 1)[0])


def printable(text: str) -> str:
    """A text from a file without halves of characters, which no file and no terminal takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _digits(raw: object, *, count: int) -> str:
    """Bytes such as a UUID, as hexadecimal text."""
    if isinstance(raw, str):
        digits = raw.replace("-", "").lower()
        if len(digits) != 2 * count:
            raise ValueError(raw)
        return bytes.fromhex(digits).hex()
    if not isinstance(raw, list) or len(raw) != count:
        raise ValueError(raw)
    return bytes(_integer(part, size=1, signed=False) for part in raw).hex()


def _float(raw: object) -> float:
    if isinstance(raw, str):
        raw = float(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise ValueError(raw)  # noqa: TRY004  one error for every value that is not understood
    try:
        single = abi_single(float(raw))
    except OverflowError:
        raise ValueError(raw) from None
    if not isfinite(single):
        raise ValueError(raw)
    return shortest_float(single)


def abi_single(number: float) -> float:
    """The nearest 32-bit number; OverflowError beyond the largest."""
    from struct import pack, unpack

    single: float = unpack("f", pack("f", number))[0]
    return single


def _enumerant(raw: object, *, size: int, signed: bool) -> int:
    if isinstance(raw, list):
        return _mask(raw, size)
    return _integer(_named(raw) if isinstance(raw, str) else raw, size=size, signed=signed)


def _integer(raw: object, *, size: int, signed: bool) -> int:
    number = _number(raw.strip()) if isinstance(raw, str) else raw
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if not isinstance(number, int):
        raise ValueError(raw)  # noqa: TRY004
    bits = 8 * size
    if signed:
        if not -(1 << bits - 1) <= number < 1 << bits - 1:
            raise ValueError(raw)
    elif number < 0:  # written through a signed type
        if number < -(1 << bits - 1):
            raise ValueError(raw)
        number += 1 << bits
    elif number >> bits:
        raise ValueError(raw)
    return int(number)


def _named(text: str) -> int | float:
    """A number or the value of an enumerant; several flags may be joined by `|`."""
    word = text.strip()
    if len(word) > 64 * _MOST_DIGITS:
        raise ValueError(text)
    if _NAME.match(word):
        if "|" in word:
            return _mask(word.split("|"), 8)
        return _constant(word)
    return _number(word)


def _number(word: str) -> int | float:
    if len(word) > _MOST_DIGITS:
        raise ValueError(word)
    try:
        return int(word, 0)
    except ValueError:
        return int(word) if word.isdigit() else float(word)


def _mask(names: list[Any], size: int) -> int:
    """The flags in a list. `VK_SHADER_STAGE_ALL` stands in such lists beside the single stages that it is made of, because it
    shares a bit with the mask, not because all of it is set: it counts only where it stands alone.
    """
    if len(names) > _LONGEST_LIST:
        raise ValueError(names)
    values = [_integer(_named(name) if isinstance(name, str) else name, size=8, signed=False) for name in names]
    single = [value for value in values if value and not value & value - 1]
    mask = 0
    for value in single or values:
        mask |= value
    if mask >> 8 * size:
        raise ValueError(names)
    return mask


@cache
def _constant(name: str) -> int:
    """The value of an enumerant: with or without `VK_`, a missing `_BIT`, a vendor's tag too many."""
    spelt = name if name.startswith("VK_") else f"VK_{name}"
    for attempt in (spelt, f"{spelt}_BIT", _TAG.sub("", spelt), f"{spelt}_KHR"):
        try:
            return abi.constant(attempt)
        except KeyError:
            continue
    raise ValueError(name)
