"""Vulkan's extensions, features and limits, under canonical names.

A feature or limit has one spelling here: `VkPhysicalDeviceVulkan12Features::shaderFloat16` is
`VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16`, whichever of the two a device or a file filled in. A name that the
registry does not have is a `KeyError`; `HEADER_VERSION` says which registry that is.
"""

from __future__ import annotations

from functools import cache

from targetenv.model.record import record
from targetenv.model.requirement import Relation
from targetenv.model.version import Version
from targetenv.registry._generated import vulkan as _tables
from targetenv.registry.rows import keys, row, sorted_row

HEADER_VERSION: str = _tables.HEADER_VERSION

# registry.adoc, "limittype": how a device's value must stand to the required one. `pot` adds that a value is a power of two,
# which the device's own already is. `noauto` is not comparable, `struct` is compared member by member.
_RELATIONS = {
    "max": Relation.AT_LEAST,
    "max,pot": Relation.AT_LEAST,
    "bits": Relation.AT_LEAST,
    "min": Relation.AT_MOST,
    "min,pot": Relation.AT_MOST,
    "min,mul": Relation.MULTIPLE_OF,
    "mul": Relation.MULTIPLE_OF,
    "bitmask": Relation.ALL_BITS,
    "range": Relation.WITHIN,
    "exact": Relation.EXACTLY,
}
_VERSION = "VK_VERSION_"


@record
class Extension:
    """An extension as the registry describes it; `depends` is read by `targetenv.registry.depends`.

    `promoted_to` is a version, another extension or empty. `deprecated_by` and `obsoleted_by` are None where they do not apply
    and empty where nothing takes the extension's place.
    """

    name: str
    kind: str
    depends: str = ""
    promoted_to: str = ""
    deprecated_by: str | None = None
    obsoleted_by: str | None = None
    revision: int = 0
    provisional: bool = False
    platform: str = ""


@record
class RequiredFeatures:
    """Features of which a version or an extension makes at least one mandatory, where `depends` holds."""

    features: tuple[str, ...]
    depends: str = ""


@cache
def extension_names() -> frozenset[str]:
    """Every extension of Vulkan that is not disabled, instance and device."""
    return frozenset(keys(_tables.EXTENSIONS))


@cache
def extension(name: str) -> Extension | None:
    """The extension of that name, None when the registry has none.

    >>> extension("VK_KHR_16bit_storage").promoted_to
    'VK_VERSION_1_1'
    """
    found = sorted_row(_tables.EXTENSIONS, name)
    if found is None:
        return None
    kind, revision, promoted, deprecated, obsoleted, platform, flags, *depends = found.split(" ")
    return Extension(
        name,
        kind,
        depends[0] if depends else "",
        _optional(promoted) or "",
        _optional(deprecated),
        _optional(obsoleted),
        int(revision),
        "provisional" in flags.split(","),
        _optional(platform) or "",
    )


@cache
def core_since(extension_name: str) -> Version | None:
    """The version that took this extension in, also by way of other extensions; None when none did.

    >>> str(core_since("VK_NV_dedicated_allocation")), str(core_since("VK_EXT_buffer_device_address"))
    ('None', 'None')
    >>> str(core_since("VK_EXT_descriptor_indexing"))
    '1.2'
    """
    seen = set()
    name = extension_name
    while name not in seen:
        seen.add(name)
        found = extension(name)
        if found is None or not found.promoted_to:
            return None
        name = found.promoted_to
        if name.startswith(_VERSION):
            return version(name)
    return None


@cache
def version(name: str) -> Version:
    """The version that an atom such as `VK_VERSION_1_2` or `VK_API_VERSION_1_2` names; anything else is a KeyError."""
    prefix, _, numbers = name.partition("VERSION_")
    major, _, minor = numbers.partition("_")
    if not (prefix.startswith("VK_") and major.isdigit() and minor.isdigit()):
        raise KeyError(name)
    return Version(int(major), int(minor))


def is_version(name: str) -> bool:
    """Whether an atom of a dependency expression names a version of Vulkan."""
    return name.startswith("VK_") and "VERSION_" in name


def feature(struct: str, member: str) -> str:
    """The canonical `Struct::member` of a feature.

    >>> feature("VkPhysicalDeviceVulkan12Features", "shaderFloat16")
    'VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16'
    """
    return _canonical(_tables.FEATURES, struct, member)


def property_name(struct: str, member: str) -> str:
    """The canonical `Struct::member` of a property, limits included.

    >>> property_name("VkPhysicalDeviceVulkan11Properties", "subgroupSupportedOperations")
    'VkPhysicalDeviceSubgroupProperties::supportedOperations'
    """
    return _canonical(_tables.PROPERTIES, struct, member)


def feature_members(struct: str) -> tuple[str, ...]:
    """The canonical names of all members of a feature struct, in the order in which they lie in memory."""
    return tuple(_members(_tables.FEATURES, struct).values())


def property_members(struct: str) -> dict[str, str]:
    """The canonical name of every member of a property struct; empty for any other struct."""
    return _members(_tables.PROPERTIES, struct)


def feature_table(struct: str) -> dict[str, str]:
    """Member -> canonical name for every member of a feature struct; empty for any other struct.

    >>> feature_table("VkPhysicalDevice8BitStorageFeaturesKHR")["storagePushConstant8"]
    'VkPhysicalDevice8BitStorageFeatures::storagePushConstant8'
    """
    return _members(_tables.FEATURES, struct)


@cache
def provided_features(provider: str) -> dict[str, str]:
    """Member -> canonical name for every feature that a version or an extension brings.

    >>> provided_features("VK_KHR_16bit_storage")["storagePushConstant16"]
    'VkPhysicalDevice16BitStorageFeatures::storagePushConstant16'
    """
    return _provided(_tables.FEATURES, provider)


@cache
def provided_properties(provider: str) -> dict[str, str]:
    """The same for properties."""
    return _provided(_tables.PROPERTIES, provider)


@cache
def find_feature(member: str) -> tuple[str, ...]:
    """Every canonical feature with a member of this name, sorted: several structs may use one name for unrelated things.

    >>> find_feature("cooperativeMatrix")  # doctest: +NORMALIZE_WHITESPACE
    ('VkPhysicalDeviceCooperativeMatrixFeaturesKHR::cooperativeMatrix',
     'VkPhysicalDeviceCooperativeMatrixFeaturesNV::cooperativeMatrix')
    """
    return _find(_tables.FEATURES, member)


@cache
def find_property(member: str) -> tuple[str, ...]:
    """Every canonical property with a member of this name, sorted.

    >>> find_property("subgroupSupportedStages")
    ('VkPhysicalDeviceSubgroupProperties::supportedStages',)
    """
    return _find(_tables.PROPERTIES, member)


def feature_names() -> tuple[str, ...]:
    """Every canonical feature, sorted."""
    return _names(_tables.FEATURES)


def property_names() -> tuple[str, ...]:
    """Every canonical property of a device, sorted."""
    return _names(_tables.PROPERTIES)


@cache
def feature_extension_alias(canonical: str) -> str | None:
    """The extension whose presence alone means that this feature is there, None for nearly all features.

    >>> feature_extension_alias("VkPhysicalDeviceVulkan12Features::drawIndirectCount")
    'VK_KHR_draw_indirect_count'
    """
    struct, _, member = canonical.partition("::")
    try:
        alias = _target(_tables.FEATURES, struct, member)
    except KeyError:
        return None
    return alias if alias.startswith("VK_") else None


@cache
def limit_type(canonical: str) -> str | None:
    """The registry's `limittype` of a property (`max`, `min,pot` ...), None where there is no such property.

    Takes other limits too, such as `VkQueueFamilyProperties::queueFlags`. Where the registry says different things about two
    spellings of one property, the canonical spelling decides.
    """
    struct, _, member = canonical.partition("::")
    for table in (_tables.PROPERTIES, _tables.OTHER_LIMITS):
        try:
            struct, _, member = _canonical(table, struct, member).partition("::")
            return _entry(table, struct, member).partition(":")[2].partition("=")[0] or None
        except KeyError:
            continue
    return None


def relation(canonical: str) -> Relation | None:
    """How an offered value of this property must stand to a required one; None where the registry calls them incomparable.

    Booleans are numbers here: `max` lets true satisfy false, `min` (a restriction) lets false satisfy true. The registry calls
    `VkPhysicalDeviceSubgroupProperties::subgroupSize` `max,pot`, which is wrong for compiled kernels: subgroup sizes are a set
    (`Capabilities.subgroup_sizes`).

    >>> relation("VkPhysicalDeviceLimits::maxComputeSharedMemorySize")
    <Relation.AT_LEAST: '>='>
    """
    return _RELATIONS.get(limit_type(canonical) or "")


@cache
def provided_by(name: str) -> tuple[str, ...]:
    """The versions and extensions that bring a struct or a command, versions first; empty when none does.

    A struct that needs several at once (`<require depends=...>`) names the one that lists it.

    >>> provided_by("VkPhysicalDevice16BitStorageFeatures")
    ('VK_VERSION_1_1', 'VK_KHR_16bit_storage')
    """
    from targetenv.registry._generated import vulkan_abi, vulkan_providers

    struct = sorted_row(vulkan_abi.STRUCT_ALIASES, name) or name
    command = sorted_row(vulkan_abi.COMMAND_ALIASES, name) or name
    found = sorted_row(vulkan_providers.STRUCTS, struct) or sorted_row(vulkan_providers.COMMANDS, command)
    return tuple(found.split(" ")) if found else ()


def is_provided(struct: str, offered: Version | None, extensions: frozenset[str]) -> bool:
    """Whether a device of version `offered` with these extensions has this struct, and so an answer for each of its members.

    >>> is_provided("VkPhysicalDevice8BitStorageFeatures", Version(1, 1), frozenset({"VK_KHR_8bit_storage"}))
    True
    """
    return any(
        name in extensions or (is_version(name) and offered is not None and version(name) <= offered)
        for name in provided_by(struct)
    )


@cache
def providers() -> dict[str, tuple[str, ...]]:
    """`provided_by` of every struct at once, for whoever asks about hundreds of them; aliases are left out."""
    from targetenv.registry._generated import vulkan_providers

    lines = (line.split(" ") for line in vulkan_providers.STRUCTS.split("\n") if line)
    return {name: tuple(rest) for name, *rest in lines}


@cache
def required_features(name: str) -> tuple[RequiredFeatures, ...]:
    """What a version (`VK_VERSION_1_2`) or an extension makes mandatory."""
    found = row(_tables.REQUIRED_FEATURES, name)
    if not found:
        return ()
    parts = (part.partition(";") for part in found.split(" "))
    return tuple(RequiredFeatures(tuple(features.split(",")), depends) for features, _, depends in parts)


def bit_value(name: str) -> int:
    """The value of a flag bit or an enumerant; an unknown one is a KeyError.

    >>> bit_value("VK_SUBGROUP_FEATURE_ARITHMETIC_BIT")
    4
    """
    from targetenv.registry.vulkan_abi import constant

    return constant(name)


def enum_name(enum_type: str, value: int) -> str | None:
    """The canonical name of a value of an enumeration, None where the registry has none.

    >>> enum_name("VkPhysicalDeviceType", 4)
    'VK_PHYSICAL_DEVICE_TYPE_CPU'
    """
    from targetenv.registry.vulkan_abi import enum_names

    return enum_names(enum_type).get(value)


def _optional(text: str) -> str | None:
    return None if text == "-" else "" if text == "~" else text


@cache
def _canonical(table: str, struct: str, member: str) -> str:
    struct = sorted_row(_tables.STRUCT_ALIASES, struct) or struct
    alias = _target(table, struct, member)
    if not alias or alias.startswith("VK_"):
        return f"{struct}::{member}"
    return alias if "::" in alias else f"{alias}::{member}"


@cache
def _members(table: str, struct: str) -> dict[str, str]:
    row_of = sorted_row(table, struct)
    if row_of is None:
        struct = sorted_row(_tables.STRUCT_ALIASES, struct) or struct
        row_of = sorted_row(table, struct) or ""
    found: dict[str, str] = {}
    for word in row_of.split(" "):
        entry, _, alias = word.partition("=")
        if member := entry.partition(":")[0]:
            other = alias and not alias.startswith("VK_")
            found[member] = (alias if "::" in alias else f"{alias}::{member}") if other else f"{struct}::{member}"
    return found


def _provided(table: str, provider: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for struct in _structs_of().get(provider, ()):
        found |= _members(table, struct)
    return found


@cache
def _structs_of() -> dict[str, list[str]]:
    """Provider -> its structs; the inverse of `providers`."""
    found: dict[str, list[str]] = {}
    for struct, names in providers().items():
        for name in names:
            found.setdefault(name, []).append(struct)
    return found


def _target(table: str, struct: str, member: str) -> str:
    """What stands behind the `=` of a member, empty when nothing does."""
    return _entry(table, struct, member).partition("=")[2]


def _entry(table: str, struct: str, member: str) -> str:
    """A member's word in the row of its struct; no such struct or member is a KeyError."""
    found = sorted_row(table, struct)
    if found is not None:
        for word in found.split(" "):
            if word.startswith(member) and word[len(member) : len(member) + 1] in ("", ":", "="):
                return word
    raise KeyError(f"{struct}::{member}")


def _find(table: str, member: str) -> tuple[str, ...]:
    found = set()
    at = table.find(f" {member}")
    while at >= 0:
        end = at + len(member) + 1
        if table[end] in " \n:=":
            start = table.rfind("\n", 0, at) + 1
            found.add(_canonical(table, table[start : table.find(" ", start)], member))
        at = table.find(f" {member}", end)
    return tuple(sorted(found))


def _names(table: str) -> tuple[str, ...]:
    found = set()
    for line in table.split("\n"):
        struct, *entries = line.split(" ")
        found |= {_canonical(table, struct, entry.partition("=")[0].partition(":")[0]) for entry in entries}
    return tuple(sorted(found))
