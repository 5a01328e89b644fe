"""SPIR-V's vocabulary: capabilities, extensions, instructions, kinds of operands. From the grammar, aliases folded.

The canonical name of anything is the first enumerant of the grammar: `StorageBuffer16BitAccess`, never
`StorageUniformBufferBlock16`.
"""

from __future__ import annotations

from functools import cache

from targetenv.model.record import record
from targetenv.model.version import Version
from targetenv.registry._generated import spirv as _tables
from targetenv.registry.rows import keys, row

GRAMMAR_VERSION: str = _tables.GRAMMAR_VERSION
MAGIC = 0x07230203


@record
class SpirvCapability:
    """What a module may declare with OpCapability.

    Declaring it declares all of `implies` as well. `version` is the first version of SPIR-V that has it, None where only one of
    `extensions` brings it.
    """

    name: str
    number: int
    version: Version | None
    implies: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    provisional: bool = False


@record
class Enumerant:
    """An instruction (`value` is its opcode) or a value of an operand.

    It needs *any one* of `capabilities`, if there are some, and (`version` or any one of `extensions`). `operands` are kinds,
    with `?` for at most one and `*` for any number.
    """

    name: str
    value: int
    version: Version | None = None
    capabilities: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    last_version: Version | None = None


@record
class OperandKind:
    """A kind of operand: `category` is `BitEnum`, `ValueEnum`, `Id`, `Literal` or `Composite` (then `parts` are kinds)."""

    name: str
    category: str
    enumerants: tuple[Enumerant, ...] = ()
    parts: tuple[str, ...] = ()


@cache
def capability_names() -> frozenset[str]:
    """The canonical name of every capability."""
    return frozenset(keys(_tables.CAPABILITIES))


@cache
def extension_names() -> frozenset[str]:
    """Every extension that the grammar names or that some extension of Vulkan enables."""
    from targetenv.registry._generated import spirv_enables

    return frozenset(keys(_tables.EXTENSIONS)) | frozenset(keys(spirv_enables.EXTENSIONS))


@cache
def canonical_capability(name: str) -> str | None:
    """The canonical name behind any spelling of a capability, None when there is no such capability.

    >>> canonical_capability("StorageUniformBufferBlock16"), canonical_capability("Kernels")
    ('StorageBuffer16BitAccess', None)
    """
    return name if row(_tables.CAPABILITIES, name) is not None else _aliases().get(name)


@cache
def capability_by_number(number: int) -> str | None:
    """The canonical name of the capability that modules write as this number, None when there is none.

    >>> capability_by_number(9)
    'Float16'
    """
    return _numbers().get(number)


@cache
def capability(name: str) -> SpirvCapability | None:
    """The facts about a capability under any of its spellings.

    >>> capability("Float16").number, capability("GroupNonUniformVote").version
    (9, Version(major=1, minor=3, patch=0))
    """
    canonical = canonical_capability(name)
    if canonical is None:
        return None
    number, version, implies, extensions, aliases, *flags = (row(_tables.CAPABILITIES, canonical) or "").split(" ")
    return SpirvCapability(
        canonical, int(number), _version(version), _list(implies), _list(extensions), _list(aliases), bool(flags)
    )


@cache
def implied(name: str) -> frozenset[str]:
    """Every capability that declaring this one declares as well, itself included; empty for an unknown one.

    >>> sorted(implied("Geometry"))
    ['Geometry', 'Matrix', 'Shader']
    """
    found = capability(name)
    if found is None:
        return frozenset()
    return frozenset({found.name}).union(*map(implied, found.implies))


@cache
def instructions() -> dict[int, Enumerant]:
    """Every instruction by opcode. Shared: do not change it."""
    from targetenv.registry._generated.spirv_grammar import INSTRUCTIONS

    rows = (line.partition(" ") for line in INSTRUCTIONS.split("\n") if line)
    found = (_enumerant(name, packed.split(";")) for name, _, packed in rows)
    return {instruction.value: instruction for instruction in found}


@cache
def opcodes() -> dict[str, int]:
    """Opcode by name, aliases included (`OpSDot`, `OpSDotKHR`). Shared: do not change it.

    >>> opcodes()["OpCapability"]
    17
    """
    return {name: value for value, found in instructions().items() for name in (found.name, *found.aliases)}


@cache
def operand_kind(name: str) -> OperandKind:
    """A kind of operand with all its values; an unknown one is a KeyError."""
    from targetenv.registry._generated.spirv_grammar import OPERAND_KINDS

    found = row(OPERAND_KINDS, name)
    if found is None:
        raise KeyError(name)
    category, *words = found.split(" ")
    if category == "Composite":
        return OperandKind(name, category, (), tuple(words))
    parts = (word.split(";") for word in words)
    return OperandKind(name, category, tuple(_enumerant(first, rest) for first, *rest in parts))


@cache
def enumerants(kind: str) -> dict[int, Enumerant]:
    """The values of a kind of operand by number. Shared: do not change it.

    >>> enumerants("ExecutionMode")[17].operands
    ('LiteralInteger', 'LiteralInteger', 'LiteralInteger')
    """
    return {found.value: found for found in operand_kind(kind).enumerants}


@cache
def enumerant_values(kind: str) -> dict[str, int]:
    """Number by name, aliases included. Shared: do not change it.

    >>> enumerant_values("StorageClass")["StorageBuffer"]
    12
    """
    return {name: found.value for found in operand_kind(kind).enumerants for name in (found.name, *found.aliases)}


def name_of(kind: str, value: int) -> str:
    """The name of an operand's value, empty where the grammar has none.

    >>> name_of("StorageClass", 12), name_of("StorageClass", 1 << 30)
    ('StorageBuffer', '')
    """
    found = enumerants(kind).get(value)
    return "" if found is None else found.name


@cache
def _aliases() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in _tables.CAPABILITIES.split("\n"):
        columns = line.split(" ")
        if len(columns) > 5:
            found |= dict.fromkeys(_list(columns[5]), columns[0])
    return found


@cache
def _numbers() -> dict[int, str]:
    rows = (line.split(" ", 2) for line in _tables.CAPABILITIES.split("\n") if line)
    return {int(number): name for name, number, _ in rows}


def _enumerant(name: str, packed: list[str]) -> Enumerant:
    value, versions, capabilities, extensions, operands, aliases = packed
    first, _, last = versions.partition("..")
    return Enumerant(
        name,
        int(value),
        _version(first),
        _list(capabilities),
        _list(extensions),
        _list(operands),
        _list(aliases),
        _version(last or "-"),
    )


def _version(text: str) -> Version | None:
    if text == "-":
        return None
    major, _, minor = text.partition(".")
    return Version(int(major), int(minor))


def _list(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split(","))
