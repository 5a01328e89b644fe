"""Canonical names: one spelling for a feature or limit that several structs carry.

A struct goes through the struct aliases, then (struct, member) through the member aliases (`<name alias="Struct::member">`, in
vk.xml since 1.4.355). An alias without `::` names an extension that means the feature is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from targetenv._codegen.vulkan_xml import Registry, Struct

_FEATURES, _PROPERTIES = "VkPhysicalDeviceFeatures2", "VkPhysicalDeviceProperties2"
# What the two chains start with carries its members in structs of its own, which chain nothing.
_FEATURE_ROOTS = ("VkPhysicalDeviceFeatures",)
_PROPERTY_ROOTS = ("VkPhysicalDeviceProperties", "VkPhysicalDeviceLimits", "VkPhysicalDeviceSparseProperties")
_CHAIN = ("sType", "pNext")


@dataclass(slots=True)
class Names:
    """The structs that carry features, device properties and other limits, and what their members stand for."""

    features: list[Struct] = field(default_factory=list)
    properties: list[Struct] = field(default_factory=list)
    others: list[Struct] = field(default_factory=list)
    aliases: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    extensions: dict[tuple[str, str], str] = field(default_factory=dict)
    lints: list[str] = field(default_factory=list)
    _structs: dict[str, str] = field(default_factory=dict)

    def canonical(self, struct: str, member: str) -> str:
        """`Struct::member` in its one spelling."""
        while struct in self._structs:
            struct = self._structs[struct]
        return "::".join(self.aliases.get((struct, member), (struct, member)))


def collect(registry: Registry, provided: set[str]) -> Names:
    """Sort the structs by what they carry; a dangling or chained alias is a lint and is dropped."""
    names = Names(_structs=registry.type_aliases)
    for struct in sorted(registry.structs.values(), key=lambda struct: struct.name):
        if struct.name not in provided:
            continue
        if struct.name in _FEATURE_ROOTS or _FEATURES in struct.extends:
            names.features.append(struct)
        elif struct.name in _PROPERTY_ROOTS or _PROPERTIES in struct.extends:
            names.properties.append(struct)
        elif any(member.limittype for member in struct.members):
            names.others.append(struct)
    known = {(struct.name, member.name) for struct in (*names.features, *names.properties) for member in struct.members}
    for struct in (*names.features, *names.properties):
        for member in struct.members:
            if member.alias and "::" not in member.alias:
                names.extensions[struct.name, member.name] = member.alias
            elif member.alias:
                target, _, name = member.alias.partition("::")
                while target in registry.type_aliases:
                    target = registry.type_aliases[target]
                if (target, name) in known:
                    names.aliases[struct.name, member.name] = target, name
                else:
                    names.lints.append(f"`{struct.name}::{member.name}` is an alias of `{member.alias}`, which is not there")
    for key, target_key in list(names.aliases.items()):
        if target_key in names.aliases:
            names.lints.append(f"`{'::'.join(key)}` is an alias of an alias")
            names.aliases[key] = names.aliases[target_key]
    return names


def members(struct: Struct) -> list[str]:
    """The members that say something: all but the chain's own two."""
    return [member.name for member in struct.members if member.name not in _CHAIN]
