"""How Vulkan's structs lie in memory, what its commands take, what its constants are worth: all of the registry, LP64.

Codes are those of the `struct` module in native mode (`"s"` is a character, `"P"` a pointer, a function pointer or a
dispatchable handle, `"Q"` every other handle), so `struct.unpack_from(f"{field.count}{field.code}", data, field.offset)` reads
a field. Names of another registry version, or misspelt ones, are a `KeyError`.
"""

from __future__ import annotations

from functools import cache

from targetenv.model.record import record
from targetenv.registry._generated import vulkan_abi as _abi
from targetenv.registry.rows import keys, row, sorted_row

HEADER_VERSION = _abi.HEADER_VERSION


@record
class Field:
    """A member: `size` and `offset` in bytes, `code` empty for a nested struct, `type` the C type without qualifiers.

    `dims` are array extents, outermost first. `bits` is (shift, width) of a bit-field inside the word at `offset`.
    """

    name: str
    offset: int
    size: int
    code: str
    dims: tuple[int, ...]
    type: str
    bits: tuple[int, int] | None = None

    @property
    def count(self) -> int:
        """How many elements the array holds; 1 for a plain member."""
        count = 1
        for extent in self.dims:
            count *= extent
        return count


@record
class Layout:
    """A struct or union: `size` and `alignment` in bytes, `s_type` what `sType` must hold, None where there is none."""

    name: str
    size: int
    alignment: int
    s_type: int | None
    fields: tuple[Field, ...]

    def field(self, name: str) -> Field:
        """The member called `name`; an unknown one is a KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name}::{name}")


@record
class Command:
    """A command's signature: C types without qualifiers, and the `struct` code of each; `code` is `"v"` for void."""

    name: str
    returns: str
    parameters: tuple[str, ...]
    code: str
    codes: tuple[str, ...]


@cache
def layout(struct: str) -> Layout:
    """The layout of a struct or union; an alias gives the layout of what it stands for.

    >>> limits = layout("VkPhysicalDeviceLimits")
    >>> limits.size, limits.field("maxComputeWorkGroupSize").dims
    (504, (3,))
    """
    name, found = _struct(struct)
    size, alignment, s_type, *fields = found.split(" ")
    return Layout(name, int(size), int(alignment), None if s_type == "-" else int(s_type), tuple(map(_field, fields)))


@cache
def header(struct: str) -> tuple[int, int | None]:
    """The size and the `sType` of a struct, without reading its members.

    >>> header("VkPhysicalDeviceFeatures2")
    (240, 1000059000)
    """
    size, _, s_type, *_ = _struct(struct)[1].split(" ", 3)
    return int(size), None if s_type == "-" else int(s_type)


def _struct(name: str) -> tuple[str, str]:
    """The canonical name and the row of a struct; most names are no alias."""
    found = sorted_row(_abi.STRUCTS, name)
    if found is None:
        canonical = struct_name(name)
        found = sorted_row(_abi.STRUCTS, canonical)
        if found is None:
            raise KeyError(name)
        return canonical, found
    return name, found


def _field(text: str) -> Field:
    name, offset, size, code, dims, type_, *bits = text.split(":")
    shift, _, width = bits[0].partition(",") if bits else ("", "", "")
    extents = tuple(map(int, dims.split(","))) if dims else ()
    return Field(name, int(offset), int(size), code, extents, type_, (int(shift), int(width)) if bits else None)


def struct_name(struct: str) -> str:
    """The struct that this name stands for: `VkPhysicalDeviceFeatures2KHR` is `VkPhysicalDeviceFeatures2`."""
    return sorted_row(_abi.STRUCT_ALIASES, struct) or struct


def structs() -> tuple[str, ...]:
    """Every struct and union that some version or extension provides, aliases left out, sorted."""
    return tuple(keys(_abi.STRUCTS))


@cache
def feature_structs() -> tuple[str, ...]:
    """The structs that may hang in the pNext chain of VkPhysicalDeviceFeatures2."""
    return tuple(keys(_abi.FEATURE_STRUCTS))


@cache
def property_structs() -> tuple[str, ...]:
    """The structs that may hang in the pNext chain of VkPhysicalDeviceProperties2."""
    return tuple(keys(_abi.PROPERTY_STRUCTS))


@cache
def command(name: str) -> Command:
    """The signature of a command; an alias has the signature of what it stands for, under its own name.

    >>> command("vkQueueWaitIdle")
    Command(name='vkQueueWaitIdle', returns='VkResult', parameters=('VkQueue',), code='i', codes=('P',))
    """
    found = sorted_row(_abi.COMMANDS, sorted_row(_abi.COMMAND_ALIASES, name) or name)
    if found is None:
        raise KeyError(name)
    (code, returns), *parameters = (part.split(":") for part in found.split(" "))
    return Command(name, returns, tuple(type_ for _, type_ in parameters), code, tuple(code for code, _ in parameters))


def commands() -> tuple[str, ...]:
    """Every command, aliases left out, sorted."""
    return tuple(keys(_abi.COMMANDS))


@cache
def constant(name: str) -> int:
    """The value of an enumerant, a flag bit or an integer API constant.

    >>> constant("VK_STRUCTURE_TYPE_APPLICATION_INFO"), constant("VK_WHOLE_SIZE") == 2**64 - 1
    (0, True)
    """
    from targetenv.registry._generated.vulkan_enums import ENUMS

    at = ENUMS.find(f" {name}=")
    if at < 0:
        raise KeyError(name)
    start = at + len(name) + 2
    # A value ends at the next name or at the end of its row; none is longer than 20 digits and a sign.
    return int(ENUMS[start : start + 22].split("\n", 1)[0].split(" ", 1)[0])


@cache
def result_name(result: int) -> str:
    """The name of a VkResult, `VkResult(n)` for one that this registry does not know.

    >>> result_name(-4), result_name(-5)
    ('VK_ERROR_DEVICE_LOST', 'VK_ERROR_MEMORY_MAP_FAILED')
    """
    return enum_names("VkResult").get(result) or f"VkResult({result})"


@cache
def enum_names(enumeration: str) -> dict[int, str]:
    """Value -> canonical name for an enumeration or a flags type; empty when there is none of that name."""
    from targetenv.registry._generated.vulkan_enums import ENUM_ALIASES, ENUMS

    found = row(ENUMS, row(ENUM_ALIASES, enumeration) or enumeration)
    names: dict[int, str] = {}
    for pair in (found or "").split(" ") if found else ():
        name, _, value = pair.partition("=")
        names.setdefault(int(value), name)
    return names


@cache
def enum_values(enumeration: str) -> dict[str, int]:
    """Name -> value for an enumeration or a flags type, aliases included; empty when there is none of that name.

    >>> enum_values("VkSubgroupFeatureFlags")["VK_SUBGROUP_FEATURE_PARTITIONED_BIT_NV"]
    256
    """
    from targetenv.registry._generated.vulkan_enums import ENUM_ALIASES, ENUMS

    found = row(ENUMS, row(ENUM_ALIASES, enumeration) or enumeration)
    pairs = (pair.partition("=") for pair in (found.split(" ") if found else ()))
    return {name: int(value) for name, _, value in pairs}
