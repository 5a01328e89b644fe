"""vk.xml as plain records. Only what `api="vulkan"` may use: Vulkan SC and disabled extensions are counted and left out.

Reads every registry from 1.3.239 on; member aliases are in it since 1.4.355. Source of the format: Vulkan-Docs/registry.adoc.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

_C_INTEGER = re.compile(r"\(?\s*(~?)\s*(-?\s*(?:0[xX][0-9a-fA-F]+|\d+))\s*([uU]?)([lL]{0,2})\s*\)?")
_VERSION_BLOCK = re.compile(r"VK_(?:API_|BASE_|COMPUTE_|GRAPHICS_)?VERSION_(\d+)_(\d+)")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a struct, or a parameter of a command (then `dimensions` are part of `stars`)."""

    name: str
    type: str
    stars: int = 0
    dimensions: tuple[str, ...] = ()
    bits: int | None = None
    values: str | None = None
    limittype: str | None = None
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct or union; `extends` are the structs whose pNext chain may hold it."""

    name: str
    union: bool
    members: tuple[Member, ...]
    extends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A function: `returns` is a type with its stars."""

    name: str
    returns: str
    parameters: tuple[Member, ...]


@dataclass(slots=True)
class EnumGroup:
    """An enumeration: canonical names first, aliases after them."""

    name: str
    bitmask: bool
    wide: bool = False
    values: dict[str, int] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeatureRequirement:
    """`<feature>` inside a `<require>`: a feature that is mandatory with its version or extension, if `depends` holds."""

    struct: str
    members: tuple[str, ...]
    depends: str | None


@dataclass(frozen=True, slots=True)
class Block:
    """A version or an extension: what it provides and what it makes mandatory.

    `name` of a version is `VK_VERSION_1_2` whatever internal block (BASE, COMPUTE, GRAPHICS) the registry keeps it in.
    """

    name: str
    types: tuple[str, ...]
    commands: tuple[str, ...]
    requirements: tuple[FeatureRequirement, ...]
    attributes: dict[str, str]
    revision: int = 0


@dataclass(slots=True)
class Registry:
    """Everything of vk.xml that the tables are made of. `skipped` counts what was left out, by reason."""

    header_version: str
    types: dict[str, str] = field(default_factory=dict)  # name -> category
    base_types: dict[str, str] = field(default_factory=dict)  # typedefs: name -> type with stars
    type_aliases: dict[str, str] = field(default_factory=dict)
    dispatchable: set[str] = field(default_factory=set)
    structs: dict[str, Struct] = field(default_factory=dict)
    enums: dict[str, EnumGroup] = field(default_factory=dict)
    constants: dict[str, int] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    command_aliases: dict[str, str] = field(default_factory=dict)
    versions: list[Block] = field(default_factory=list)
    extensions: list[Block] = field(default_factory=list)
    spirv_extensions: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    spirv_capabilities: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, name: str) -> None:
        """Remember that `name` was left out, and why."""
        self.skipped.setdefault(reason, []).append(name)

    def providers(self, kind: str) -> dict[str, list[str]]:
        """For each type or command ("types", "commands"): the versions and extensions that bring it, versions first."""
        found: dict[str, list[str]] = {}
        for block in (*self.versions, *self.extensions):
            for name in getattr(block, kind):
                names = found.setdefault(name, [])
                if block.name not in names:
                    names.append(block.name)
        return found

    def constant(self, name: str) -> int:
        """The value of an API constant or an enumerant, aliases followed; a name that is neither is a KeyError."""
        if name in self.constants:
            return self.constants[name]
        for group in self.enums.values():
            if name in group.values:
                return group.values[name]
            if name in group.aliases:
                return self.constant(group.aliases[name])
        raise KeyError(name)


def version_name(block: str) -> str:
    """`VK_COMPUTE_VERSION_1_2` and `VK_API_VERSION_1_2` are `VK_VERSION_1_2`; other names stay."""
    found = _VERSION_BLOCK.fullmatch(block)
    return f"VK_VERSION_{found[1]}_{found[2]}" if found else block


def for_vulkan(element: ET.Element, attribute: str = "api") -> bool:
    """Whether this element is part of Vulkan, as opposed to Vulkan SC only."""
    value = element.get(attribute)
    return value is None or "vulkan" in value.split(",")


def integer(text: str) -> int | None:
    """The value of a C integer constant such as `(~0ULL)`, None when it is something else."""
    found = _C_INTEGER.fullmatch(text)
    if found is None:
        return None
    value = int(found[2].replace(" ", ""), 0)
    if not found[1]:
        return value
    return ~value & (0xFFFF_FFFF_FFFF_FFFF if found[4].lower() == "ll" else 0xFFFF_FFFF)


def read(data: bytes) -> Registry:
    """Read a registry; XML that is not one is a ValueError."""
    root = ET.fromstring(data)
    registry = Registry(_header_version(root))
    _types(root, registry)
    _enumerations(root, registry)
    for element in root.findall("commands/command"):
        _command(element, registry)
    for element in root.findall("feature"):
        if not for_vulkan(element):
            registry.skip("a version of Vulkan SC", element.get("name", ""))
            continue
        registry.versions.append(_block(element, version_name(element.get("name", ""))))
    for element in root.findall("extensions/extension"):
        name = element.get("name", "")
        if for_vulkan(element, "supported"):
            registry.extensions.append(_block(element, name))
        else:
            registry.skip(
                "an extension that is disabled" if element.get("supported") == "disabled" else "an extension of Vulkan SC", name
            )
    for kind, table in (("extension", registry.spirv_extensions), ("capability", registry.spirv_capabilities)):
        for element in root.findall(f"spirv{kind.replace('y', 'ie')}s/spirv{kind}"):
            table[element.get("name", "")] = [dict(enable.attrib) for enable in element.findall("enable")]
    return registry


def _header_version(root: ET.Element) -> str:
    texts = {
        element.findtext("name"): "".join(element.itertext())
        for element in root.findall("types/type[@category='define']")
        if for_vulkan(element)
    }
    complete = re.search(r"\(\s*0,\s*(\d+),\s*(\d+),", texts.get("VK_HEADER_VERSION_COMPLETE", ""))
    patch = re.search(r"VK_HEADER_VERSION\s+(\d+)", texts.get("VK_HEADER_VERSION", ""))
    if complete is None or patch is None:
        raise ValueError("no VK_HEADER_VERSION_COMPLETE: this is not a Vulkan registry")
    return f"{complete[1]}.{complete[2]}.{patch[1]}"


def _types(root: ET.Element, registry: Registry) -> None:
    for element in root.findall("types/type"):
        name = element.get("name") or element.findtext("name") or element.findtext("proto/name") or ""
        if not for_vulkan(element):
            registry.skip("a type of Vulkan SC", name)
            continue
        category = element.get("category", "")
        registry.types[name] = category
        if alias := element.get("alias"):
            registry.type_aliases[name] = alias
        elif category in ("struct", "union"):
            members = tuple(_member(member) for member in element.findall("member") if for_vulkan(member))
            extends = tuple(filter(None, (element.get("structextends") or "").split(",")))
            registry.structs[name] = Struct(name, category == "union", members, extends)
        elif category in ("basetype", "bitmask"):
            # `#ifdef __OBJC__` gives some of these two spellings; the plain C one names the type last.
            line = [line for line in "".join(element.itertext()).split("\n") if name in line][-1]
            registry.base_types[name] = (element.findtext("type") or "void") + "*" * line.count("*")
        elif category == "handle" and element.findtext("type") == "VK_DEFINE_HANDLE":
            registry.dispatchable.add(name)


def _member(element: ET.Element) -> Member:
    name = element.find("name")
    if name is None or name.text is None:
        raise ValueError(f"a member without a name: {ET.tostring(element, encoding='unicode')}")
    before = "".join((child.text or "") + (child.tail or "") for child in element if child.tag == "type")
    after = (name.tail or "") + "".join((child.text or "") + (child.tail or "") for child in element if child.tag == "enum")
    bits = re.match(r"\s*:\s*(\d+)", after)
    return Member(
        name.text,
        element.findtext("type") or "void",
        before.count("*"),
        tuple(re.findall(r"\[\s*(\w+)\s*\]", after)),
        int(bits[1]) if bits else None,
        element.get("values"),
        element.get("limittype"),
        name.get("alias"),
    )


def _command(element: ET.Element, registry: Registry) -> None:
    name = element.get("name") or element.findtext("proto/name") or ""
    if not for_vulkan(element):
        registry.skip("a command of Vulkan SC", name)
        return
    if alias := element.get("alias"):
        registry.command_aliases[name] = alias
        return
    proto = element.find("proto")
    if proto is None:
        raise ValueError(f"command {name} has no proto")
    returns = (proto.findtext("type") or "void") + "*" * "".join(proto.itertext()).count("*")
    registry.commands[name] = Command(
        name, returns, tuple(_member(parameter) for parameter in element.findall("param") if for_vulkan(parameter))
    )


def _enumerations(root: ET.Element, registry: Registry) -> None:
    for group in root.findall("enums"):
        name = group.get("name", "")
        constants = group.get("type") in (None, "constants")
        if not constants:
            registry.enums[name] = EnumGroup(name, group.get("type") == "bitmask", group.get("bitwidth") == "64")
        for element in group.findall("enum"):
            if for_vulkan(element):
                _enumerant(element, registry, None if constants else name, number=None)
    for section in (*root.findall("feature"), *root.findall("extensions/extension")):
        if not for_vulkan(section) or not for_vulkan(section, "supported"):
            continue
        for require in section.findall("require"):
            if not for_vulkan(require):
                continue
            for element in require.findall("enum"):
                if for_vulkan(element):
                    _enumerant(element, registry, element.get("extends"), number=section.get("number"))


def _enumerant(element: ET.Element, registry: Registry, group: str | None, *, number: str | None) -> None:
    name = element.get("name", "")
    alias = element.get("alias")
    if alias is not None:
        if group is not None:
            registry.enums[group].aliases[name] = alias
        elif alias in registry.constants:
            registry.constants[name] = registry.constants[alias]
        return
    value = _value(element, number)
    if value is None:
        if element.get("value") is not None and not element.get("value", "").startswith('"'):
            registry.skip("a constant that is no integer", name)
        return
    if group is None:
        registry.constants[name] = value
    else:
        registry.enums.setdefault(group, EnumGroup(group, bitmask=False)).values[name] = value


def _value(element: ET.Element, number: str | None) -> int | None:
    """registry.adoc "Enumerant attributes": a bit position, a value, or an offset into the extension's block of a thousand."""
    if (position := element.get("bitpos")) is not None:
        return 1 << int(position)
    if (value := element.get("value")) is not None:
        return integer(value)
    if (offset := element.get("offset")) is None:
        return None
    block = int(element.get("extnumber") or number or 0)
    magnitude = 1_000_000_000 + (block - 1) * 1000 + int(offset)
    return -magnitude if element.get("dir") == "-" else magnitude


def _block(section: ET.Element, name: str) -> Block:
    requires = [require for require in section.findall("require") if for_vulkan(require)]
    return Block(
        name,
        tuple(element.get("name", "") for require in requires for element in require.findall("type")),
        tuple(element.get("name", "") for require in requires for element in require.findall("command")),
        tuple(
            FeatureRequirement(
                element.get("struct", ""),
                tuple(element.get("name", "").split(",")),
                require.get("depends") or element.get("depends"),
            )
            for require in requires
            for element in require.findall("feature")
        ),
        dict(section.attrib),
        _revision(requires),
    )


def _revision(requires: list[ET.Element]) -> int:
    """The value of the extension's own `..._SPEC_VERSION`, 0 for a version or where there is none."""
    for require in requires:
        for element in require.findall("enum"):
            name, value = element.get("name", ""), element.get("value", "")
            if name.endswith("_SPEC_VERSION") and value.isdigit():
                return int(value)
    return 0
