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
from targetenv.wire.plain_numbers import number, whole
from targetenv.wire.vulkan_enumerants import enumerant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from targetenv.model.capabilities import PropertyValue
    from targetenv.registry.vulkan_abi import Field

    Converter: TypeAlias = Callable[[Any], PropertyValue]

_TRUTH = {"true": True, "false": False, "1": True, "0": False, "vk_true": True, "vk_false": False}
_SPLIT = re.compile(r"[\s,x()|]+")
_LONGEST_TEXT = 4096
_LONGEST_LIST = 4096


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
    return whole(raw, size=4, signed=False)


def integer(raw: object) -> int:
    """An unsigned 64-bit number, such as a size."""
    return whole(raw, size=8, signed=False)


def flag_bits(raw: object, of: str) -> int:
    """A mask of 32 bits of the flags type `of`: a number, a name, or a list of names."""
    return enumerant(raw, size=4, signed=False, of=of)


def _converter(field: Field) -> Converter | None:
    if not field.code:
        return _struct(field.type)
    if field.code == "P":
        return partial(_enumerants, of=field.type[:-1]) if abi.enum_names(field.type.removesuffix("*")) else None
    if field.code == "s":
        return _text
    if field.code == "B" and field.dims:
        return partial(_digits, count=field.count)
    if field.type == "VkBool32":
        return boolean
    one = _float if field.code == "f" else _whole(field)
    return partial(_tuple, one=one, count=field.count) if field.dims else one


def _whole(field: Field) -> Converter:
    """The reader of a plain number, or of one whose values or bits have names."""
    size, signed = field.size // field.count, field.code.islower()
    if abi.enum_names(field.type) or "Flags" in field.type:
        return partial(enumerant, size=size, signed=signed, of=field.type)
    return partial(whole, size=size, signed=signed)


@cache
def _struct(name: str) -> Converter | None:
    """A small struct such as VkExtent2D, as a tuple of its members."""
    fields = abi.layout(name).fields
    if any(not field.code or field.dims or field.code in "Ps" for field in fields):
        return None
    ones: list[Converter] = [partial(whole, size=field.size, signed=field.code.islower()) for field in fields]
    return partial(_members, names=tuple(field.name for field in fields), ones=tuple(ones))


def _members(raw: object, *, names: tuple[str, ...], ones: tuple[Converter, ...]) -> tuple[Any, ...]:
    if isinstance(raw, dict):
        raw = [raw.get(name) for name in names]
    elif isinstance(raw, str):
        raw = [part for part in (raw.split(".") if "." in raw else _SPLIT.split(raw.strip("[](){} "))) if part]
    if not isinstance(raw, list) or len(raw) != len(ones):
        raise ValueError(raw)
    return tuple(one(part) for one, part in zip(ones, raw, strict=True))


def _tuple(raw: object, *, one: Converter, count: int) -> tuple[Any, ...]:
    if isinstance(raw, dict):
        raw = list(raw.values())
    elif isinstance(raw, str):
        raw = [part for part in _SPLIT.split(raw.strip("[](){} ")) if part]
    if not isinstance(raw, list) or len(raw) != count:
        raise ValueError(raw)
    return tuple(map(one, raw))


def _enumerants(raw: object, *, of: str) -> tuple[int, ...]:
    if not isinstance(raw, list) or len(raw) > _LONGEST_LIST:
        raise ValueError(raw)
    return tuple(enumerant(part, size=4, signed=True, of=of) for part in raw)


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
    return bytes(whole(part, size=1, signed=False) for part in raw).hex()


def _float(raw: object) -> float:
    if isinstance(raw, str):
        raw = number(raw.strip())
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
