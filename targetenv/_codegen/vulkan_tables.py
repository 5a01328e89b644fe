"""The rows of `_generated/vulkan.py`, `_generated/vulkan_providers.py` and `_generated/spirv_enables.py`."""

from __future__ import annotations

from targetenv._codegen.table import Table
from targetenv._codegen.vulkan_names import Names, members
from targetenv._codegen.vulkan_xml import Block, Registry, Struct


def tables(registry: Registry, names: Names) -> list[Table]:
    """Extensions, features, limits, struct aliases, and what each version and extension makes mandatory."""
    carriers = {struct.name for struct in (*names.features, *names.properties, *names.others)}
    return [
        Table(
            "EXTENSIONS",
            "extension kind revision promotedto|- deprecatedby|- obsoletedby|- platform|- flags|- depends; `~` is empty",
            [_extension(block) for block in sorted(registry.extensions, key=lambda block: block.name)],
        ),
        Table(
            "FEATURES",
            "struct member[=struct of the canonical name[::its member]|=extension that implies it]...",
            [
                f"{struct.name} " + " ".join(_aliased(names, struct, member) for member in members(struct))
                for struct in names.features
            ],
        ),
        Table(
            "PROPERTIES",
            "struct member:limittype[=struct[::member]]...",
            [_limits(names, struct) for struct in names.properties],
        ),
        Table(
            "OTHER_LIMITS",
            "struct (not a property of the device) member:limittype...",
            [_limits(names, struct) for struct in names.others],
        ),
        Table(
            "STRUCT_ALIASES",
            "alias struct",
            [f"{alias} {struct}" for alias, struct in sorted(_structs(registry).items()) if struct in carriers],
        ),
        Table(
            "REQUIRED_FEATURES",
            "version or extension struct::member[,...][;depends]...",
            [
                f"{block.name} " + " ".join(_required(names, block))
                for block in _merged(registry.versions) + sorted(registry.extensions, key=lambda block: block.name)
                if block.requirements
            ],
        ),
    ]


def provider_tables(registry: Registry) -> list[Table]:
    """Which versions and extensions bring a struct or a command."""
    tables = []
    for kind, aliases, known in (
        ("types", _structs(registry), set(registry.structs)),
        ("commands", registry.command_aliases, set(registry.commands)),
    ):
        providers: dict[str, list[str]] = {}
        for name, brought_by in registry.providers(kind).items():
            canonical = aliases.get(name, name)
            if canonical in known:
                rows = providers.setdefault(canonical, [])
                rows.extend(block for block in brought_by if block not in rows)
        rows = [f"{name} " + " ".join(sorted(providers[name], key=_versions_first)) for name in sorted(providers)]
        tables.append(Table("STRUCTS" if kind == "types" else "COMMANDS", "name version or extension...", rows))
    return tables


def enable_tables(registry: Registry, names: Names, canonical: dict[str, str]) -> list[Table]:
    """The conditions under which Vulkan takes a SPIR-V capability or extension; any one of them is enough.

    `canonical` maps alias spellings of capabilities to the first enumerant of the grammar.
    """
    columns = "name v;version | e;extension | f;feature,...;requires | p;property;bit name|VK_TRUE;value;requires ..."
    tables = []
    for title, table in (("CAPABILITIES", registry.spirv_capabilities), ("EXTENSIONS", registry.spirv_extensions)):
        merged: dict[str, list[str]] = {}
        for name, enables in table.items():
            rows = merged.setdefault(canonical.get(name, name), [])
            for attributes in enables:
                row = _enable(registry, names, attributes)
                if row not in rows:
                    rows.append(row)
        tables.append(Table(title, columns, [f"{name} {' '.join(merged[name])}" for name in sorted(merged)]))
    return tables


def _structs(registry: Registry) -> dict[str, str]:
    found = {}
    for alias, name in registry.type_aliases.items():
        while name in registry.type_aliases:
            name = registry.type_aliases[name]
        found[alias] = name
    return found


def _versions_first(name: str) -> tuple[bool, str]:
    return not name.startswith("VK_VERSION_"), name


def _extension(block: Block) -> str:
    attributes = block.attributes
    optional = [attributes.get(key, "-") or "~" for key in ("promotedto", "deprecatedby", "obsoletedby", "platform")]
    flags = ",".join(key for key in ("provisional",) if attributes.get(key) == "true") or "-"
    depends = "".join(attributes.get("depends", "").split())
    return " ".join((block.name, attributes.get("type", "device"), str(block.revision), *optional, flags, depends)).rstrip()


def _aliased(names: Names, struct: Struct, member: str) -> str:
    if (extension := names.extensions.get((struct.name, member))) is not None:
        return f"{member}={extension}"
    target = names.aliases.get((struct.name, member))
    if target is None:
        return member
    return f"{member}={target[0]}" if target[1] == member else f"{member}={'::'.join(target)}"


def _limits(names: Names, struct: Struct) -> str:
    types = {member.name: member.limittype or "" for member in struct.members}
    row = [struct.name]
    for member in members(struct):
        name, _, alias = _aliased(names, struct, member).partition("=")
        row.append(f"{name}:{types[member]}" + (f"={alias}" if alias else ""))
    return " ".join(row)


def _merged(versions: list[Block]) -> list[Block]:
    """One block a version: newer registries keep a version in BASE, COMPUTE and GRAPHICS blocks."""
    merged: dict[str, Block] = {}
    for block in versions:
        had = merged.get(block.name)
        requirements = block.requirements if had is None else (*had.requirements, *block.requirements)
        merged[block.name] = Block(block.name, (), (), requirements, {})
    return list(merged.values())


def _required(names: Names, block: Block) -> list[str]:
    found = []
    for requirement in block.requirements:
        features = ",".join(names.canonical(requirement.struct, member) for member in requirement.members)
        depends = "".join((requirement.depends or "").split())
        found.append(f"{features};{depends}" if depends else features)
    return found


def _enable(registry: Registry, names: Names, attributes: dict[str, str]) -> str:
    requires = "".join(attributes.get("requires", "").split())
    match attributes:
        case {"version": version}:
            return f"v;{version.replace('VK_API_VERSION_', 'VK_VERSION_')}"
        case {"extension": extension}:
            return f"e;{extension}"
        case {"struct": struct, "feature": feature}:
            return f"f;{','.join(names.canonical(struct, one) for one in feature.split(','))};{requires}"
        case {"property": struct, "member": member, "value": value}:
            number = 1 if value == "VK_TRUE" else registry.constant(value)
            return f"p;{names.canonical(struct, member)};{value};{number};{requires}"
    raise ValueError(f"an <enable> of a kind that is not known: {attributes}")
