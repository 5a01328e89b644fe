"""What a person who updates a registry wants to see in the diff: counts, what was left out, and where the registry is odd."""

from __future__ import annotations

from dataclasses import dataclass

from targetenv._codegen.spirv_grammar import Grammar
from targetenv._codegen.table import Table
from targetenv._codegen.vulkan_names import Names
from targetenv._codegen.vulkan_xml import Registry, Struct

# registry.adoc, "limittype"; anything else is a new rule that `targetenv.registry.vulkan` has to learn.
_KNOWN_LIMIT_TYPES = {
    "bitmask", "bits", "exact", "max", "max,pot", "min", "min,mul", "min,pot", "mul", "noauto", "range", "struct",
}  # fmt: skip
_LISTED = 40


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the template prints."""

    sources: tuple[str, ...]
    counts: list[tuple[str, str, int]]
    limit_types: list[tuple[str, int]]
    unknown_limit_types: list[str]
    lints: list[tuple[str, list[str]]]
    skipped: list[tuple[str, list[str], int]]


def report(
    sources: tuple[str, ...], modules: list[tuple[str, list[Table]]], registry: Registry, names: Names, grammar: Grammar
) -> Report:
    """Look over everything that was read."""
    types = _limit_types(names)
    return Report(
        sources,
        [(path, table.name, len(table.rows)) for path, tables in modules for table in tables],
        sorted((kind or "(none)", len(members)) for kind, members in types.items()),
        [member for kind, members in sorted(types.items()) if kind not in _KNOWN_LIMIT_TYPES for member in members],
        [(title, found) for title, found in _lints(registry, names, grammar) if found],
        [(reason, found[:_LISTED], len(found)) for reason, found in sorted(registry.skipped.items())],
    )


def _limit_types(names: Names) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for struct in (*names.properties, *names.others):
        for member in struct.members:
            if member.name not in ("sType", "pNext"):
                found.setdefault(member.limittype or "", []).append(f"{struct.name}::{member.name}")
    return found


def _lints(registry: Registry, names: Names, grammar: Grammar) -> list[tuple[str, list[str]]]:
    return [
        ("Member aliases that lead nowhere", names.lints),
        ("Two spellings of one property with different limittypes; the canonical one decides", _disagreeing(names)),
        ("Limits whose prefix says the opposite of their limittype", _contradicting(names)),
        ("Features whose member name another, unrelated struct has too", _homonyms(names)),
        ("Promotions, deprecations and dependencies that name nothing", _dangling(registry)),
        ("SPIR-V capabilities and extensions that Vulkan enables and the grammar does not have", _foreign(registry, grammar)),
        ("SPIR-V conditions on features or properties that are not there", _conditions(registry, names)),
    ]


def _disagreeing(names: Names) -> list[str]:
    types = {(struct.name, member.name): member.limittype for struct in names.properties for member in struct.members}
    return [
        f"`{'::'.join(key)}` is {types[key]}, `{'::'.join(target)}` is {types[target]}"
        for key, target in names.aliases.items()
        if key in types and types[key] != types[target]
    ]


def _contradicting(names: Names) -> list[str]:
    opposite = {"max": "min", "min": "max"}
    return [
        f"`{struct.name}::{member.name}` is {member.limittype}"
        for struct in names.properties
        for member in struct.members
        if (prefix := member.name[:3]) in opposite and (member.limittype or "").split(",")[0] == opposite[prefix]
    ]


def _homonyms(names: Names) -> list[str]:
    carriers: dict[str, set[str]] = {}
    for struct in names.features:
        for member in struct.members:
            if member.type == "VkBool32":
                carriers.setdefault(member.name, set()).add(names.canonical(struct.name, member.name))
    return [f"`{name}`: {_quoted(sorted(where))}" for name, where in sorted(carriers.items()) if len(where) > 1]


def _dangling(registry: Registry) -> list[str]:
    known = {block.name for block in (*registry.versions, *registry.extensions)}
    found = []
    for block in registry.extensions:
        for key in ("promotedto", "deprecatedby", "obsoletedby"):
            target = block.attributes.get(key)
            if target and target not in known:
                found.append(f"`{block.name}` {key} `{target}`")
    return found


def _foreign(registry: Registry, grammar: Grammar) -> list[str]:
    capabilities = {name for entry in grammar.capabilities() for name in (entry.name, *entry.aliases)}
    entries = (*grammar.instructions, *(entry for kind in grammar.kinds for entry in kind.entries))
    extensions = {extension for entry in entries for extension in entry.extensions}
    return [f"capability `{name}`" for name in registry.spirv_capabilities if name not in capabilities] + [
        f"extension `{name}`" for name in registry.spirv_extensions if name not in extensions
    ]


def _conditions(registry: Registry, names: Names) -> list[str]:
    features, properties = (_members(names.features), _members(names.properties))
    found = []
    for table in (registry.spirv_capabilities, registry.spirv_extensions):
        for name, enables in table.items():
            for enable in enables:
                asked = [(enable.get("struct", ""), one) for one in enable.get("feature", "").split(",") if one]
                asked_properties = [(enable["property"], enable["member"])] if "property" in enable else []
                found += [f"`{name}`: `{'::'.join(pair)}`" for pair in asked if names.canonical(*pair) not in features]
                found += [
                    f"`{name}`: `{'::'.join(pair)}`" for pair in asked_properties if names.canonical(*pair) not in properties
                ]
    return found


def _members(structs: list[Struct]) -> set[str]:
    return {f"{struct.name}::{member.name}" for struct in structs for member in struct.members}


def _quoted(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
