"""Ways in which Vulkan lets something be used: features and extensions that are enough together when a device is opened.

Functions here take the device's version and `usable`, which says of a feature or extension whether the device has it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet
    from typing import TypeAlias

    from targetenv.model.version import Version
    from targetenv.registry.depends import Tree
    from targetenv.registry.spirv_environment import EnableResult

    Way: TypeAlias = frozenset[str]  # names of features (`Struct::member`) and extensions
    Usable: TypeAlias = Callable[[str], bool]

# Source: Vulkan specification, VUID-VkPhysicalDeviceVariablePointersFeatures-variablePointers-01431,
# VUID-VkDeviceCreateInfo-None-04896 to 04898 and -sparseImageFloat32AtomicMinMax-04975; vk.xml does not have these.
_TOGETHER = (
    ("VkPhysicalDeviceVariablePointersFeatures", "variablePointers", "variablePointersStorageBuffer"),
    ("VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT", "sparseImageInt64Atomics", "shaderImageInt64Atomics"),
    ("VkPhysicalDeviceShaderAtomicFloatFeaturesEXT", "sparseImageFloat32Atomics", "shaderImageFloat32Atomics"),
    ("VkPhysicalDeviceShaderAtomicFloatFeaturesEXT", "sparseImageFloat32AtomicAdd", "shaderImageFloat32AtomicAdd"),
    ("VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT", "sparseImageFloat32AtomicMinMax", "shaderImageFloat32AtomicMinMax"),
)
#: A feature that may be enabled only together with another one -> that one.
TOGETHER = {f"{struct}::{one}": f"{struct}::{other}" for struct, one, other in _TOGETHER}
NOTHING: Way = frozenset()
_MOST = 64  # ways that are looked at, the smallest ones; conditions of the registry have three


def switches(condition: EnableResult, version: Version) -> tuple[str, ...]:
    """What would have to be named at the creation of a device of this version that met this condition, sorted."""
    found = smallest(of_condition(condition, version, lambda _: True))
    return tuple(sorted(found[0])) if found else ()


def of_condition(row: EnableResult, version: Version, usable: Usable) -> list[Way]:
    """The ways in which a condition of the registry comes to hold, none where it cannot."""
    guards = _guard(row.requires, version, usable)
    match row.kind:
        case "extension":
            return [frozenset(row.subjects)]
        case "feature":
            ways = [way for subject in row.subjects for way in of_feature(subject, version, usable)]
            return product([ways, guards])
        case _:
            return guards


def of_feature(name: str, version: Version, usable: Usable) -> list[Way]:
    """The feature with what brings its struct, or the extension of which it became a name."""
    from targetenv.registry import vulkan

    found: list[Way] = []
    if usable(name):
        names = {name, TOGETHER[name]} if name in TOGETHER else {name}
        providers = vulkan.provided_by(name.partition("::")[0])
        versions = [provider for provider in providers if vulkan.is_version(provider)]
        if any(version >= vulkan.version(provider) for provider in versions) or not providers:
            found.append(frozenset(names))
        else:
            found += [frozenset({*names, provider}) for provider in providers if provider not in versions and usable(provider)]
    implying = vulkan.feature_extension_alias(name)
    if implying is not None and usable(implying):
        found.append(frozenset({implying}))
    return found


def of_extension(name: str, version: Version, usable: Usable) -> list[Way]:
    """The extension itself, unless the version or the instance has it."""
    from targetenv.registry import vulkan

    core, row = vulkan.core_since(name), vulkan.extension(name)
    if (core is not None and version >= core) or (row is not None and row.kind == "instance"):
        return [NOTHING]
    return [frozenset({name})] if usable(name) else []


def _guard(expression: str, version: Version, usable: Usable) -> list[Way]:
    """The ways in which a `requires` holds."""
    from targetenv.registry import depends

    return _of_tree(depends.parse(expression), version, usable) if expression else [NOTHING]


def _of_tree(tree: Tree, version: Version, usable: Usable) -> list[Way]:
    from targetenv.registry import vulkan

    match tree:
        case str(atom) if "::" in atom:
            return of_feature(vulkan.feature(*atom.split("::")), version, usable)
        case str(atom) if vulkan.is_version(atom):
            return [NOTHING] if version >= vulkan.version(atom) else []
        case str(atom):
            return of_extension(atom, version, usable)
        case ("+", left, right):
            return product([_of_tree(left, version, usable), _of_tree(right, version, usable)])
        case (",", left, right):
            return [*_of_tree(left, version, usable), *_of_tree(right, version, usable)]
    return [NOTHING]  # `!`: not having it asks for nothing


def product(factors: Iterable[Iterable[Way]]) -> list[Way]:
    """One way of each factor, together; of very many the smallest.

    >>> product([[frozenset("a"), frozenset("b")], [frozenset("a")]])
    [frozenset({'a'})]
    """
    ways = [NOTHING]
    for factor in factors:
        ways = list(smallest(one | other for one in ways for other in factor)[:_MOST])
    return ways


def smallest(ways: Iterable[Way]) -> tuple[Way, ...]:
    """Those that contain no other, in an order of their own."""
    found = set(ways)
    return tuple(sorted((way for way in found if not any(other < way for other in found)), key=size))


def size(way: AbstractSet[str]) -> tuple[int, list[tuple[bool, str]]]:
    """Few names first; of equals features before extensions, since an extension brings more than it is wanted for."""
    return len(way), sorted(("::" not in name, name) for name in way)
