"""The rows of `_generated/vulkan_abi.py` and `_generated/vulkan_enums.py`."""

from __future__ import annotations

from targetenv._codegen.abi import Abi, Field, Layout
from targetenv._codegen.table import Table
from targetenv._codegen.vulkan_xml import Registry


def tables(registry: Registry) -> list[Table]:
    """Layouts, chains and signatures of everything that some version or extension of Vulkan provides."""
    abi = Abi(registry)
    provided = registry.providers("types")
    for alias, name in registry.type_aliases.items():
        if alias in provided:
            provided.setdefault(name, provided[alias])
    structs = sorted(name for name in registry.structs if name in provided)
    for name in registry.structs:
        if name not in provided:
            registry.skip("a struct that nothing provides", name)
    commands = registry.providers("commands")
    return [
        Table(
            "STRUCTS",
            "struct size alignment sType|- member:offset:size:code:dimensions:type[:shift,width]...",
            [_struct(abi.layout(name)) for name in structs],
        ),
        Table("STRUCT_ALIASES", "alias struct", _aliases(registry.type_aliases, set(structs))),
        Table("FEATURE_STRUCTS", "struct", [name for name in structs if _chains(registry, name, "VkPhysicalDeviceFeatures2")]),
        Table(
            "PROPERTY_STRUCTS", "struct", [name for name in structs if _chains(registry, name, "VkPhysicalDeviceProperties2")]
        ),
        Table(
            "COMMANDS",
            "command code:type of the result, then of each parameter",
            [_command(abi, registry, name) for name in sorted(registry.commands) if name in commands],
        ),
        Table("COMMAND_ALIASES", "alias command", _aliases(registry.command_aliases, set(registry.commands) & set(commands))),
    ]


def enum_tables(registry: Registry) -> list[Table]:
    """Every enumeration, one row each, and the API constants as the row `API`."""
    rows = ["API " + " ".join(f"{name}={value}" for name, value in registry.constants.items())]
    for group in sorted(registry.enums.values(), key=lambda group: group.name):
        named = group.values | {
            alias: value for alias in group.aliases if (value := _aliased(registry, alias, group.aliases)) is not None
        }
        if named:
            rows.append(f"{group.name} " + " ".join(f"{name}={value}" for name, value in named.items()))
    aliases = {alias: name for alias, name in registry.type_aliases.items() if name in registry.enums}
    flags = {
        name: bits
        for name, category in registry.types.items()
        if category == "bitmask" and (bits := name.replace("Flags", "FlagBits", 1)) in registry.enums
    }
    return [
        Table("ENUMS", "enumeration name=value..., canonical names before their aliases", rows),
        Table(
            "ENUM_ALIASES",
            "alias enumeration; a flags type is an alias of its bits",
            _aliases(aliases | flags, set(registry.enums)),
        ),
    ]


def _aliased(registry: Registry, alias: str, aliases: dict[str, str]) -> int | None:
    try:
        return registry.constant(aliases[alias])
    except KeyError:
        registry.skip("an alias of something disabled", alias)
        return None


def _aliases(table: dict[str, str], targets: set[str]) -> list[str]:
    rows = []
    for alias in sorted(table):
        name = table[alias]
        while name in table:
            name = table[name]
        if name in targets:
            rows.append(f"{alias} {name}")
    return rows


def _chains(registry: Registry, name: str, head: str) -> bool:
    return head in registry.structs[name].extends


def _struct(layout: Layout) -> str:
    s_type = "-" if layout.s_type is None else layout.s_type
    return f"{layout.name} {layout.size} {layout.alignment} {s_type} " + " ".join(map(_field, layout.fields))


def _field(field: Field) -> str:
    dimensions = ",".join(map(str, field.dimensions))
    bits = f":{field.bits[0]},{field.bits[1]}" if field.bits else ""
    return f"{field.name}:{field.offset}:{field.size}:{field.code}:{dimensions}:{field.type}{bits}"


def _command(abi: Abi, registry: Registry, name: str) -> str:
    command = registry.commands[name]
    returns = "v:void" if command.returns == "void" else f"{abi.code(command.returns)}:{command.returns}"
    parameters = []
    for parameter in command.parameters:
        pointer = parameter.stars + bool(parameter.dimensions)  # C: an array parameter is a pointer
        parameters.append(f"{abi.code(parameter.type, pointer)}:{abi.spell(parameter)}{'*' * bool(parameter.dimensions)}")
    return " ".join((name, returns, *parameters))
