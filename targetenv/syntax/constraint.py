"""Constraints on a device, in words of their own: `vulkan >= 1.1 and shaderFloat16 and maxPushConstantsSize >= 128`.

    constraint := conjunction { "or" conjunction }          conjunction := negation { "and" negation }
    negation   := [ "not" ] ( "(" constraint ")" | atom )
    atom       := NAME OPERATOR VALUE | NAME "in" "{" NUMBER, ... "}" | KIND NAME | NAME

Names are Vulkan's: a feature, a limit or an extension, `Struct::member` where the member alone is ambiguous. Further SPIR-V
extensions, CPU features in LLVM's spelling, and versions: `vulkan`, `spirv`, `opencl`, `cuda`, `ptx`, `driver`. A kind in front
says what a name is: `feature`, `extension`, `capability` (of SPIR-V), `isa`, `format`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from lark import Token, Tree

from targetenv.diagnostics.diagnostic import Source
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model import requirement as needs
from targetenv.model.requirement import AllOf, AnyOf, Not, Relation
from targetenv.model.span import Span
from targetenv.model.version import Version
from targetenv.registry import aarch64, spirv, vulkan, x86
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.grammar import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from targetenv.model.requirement import Requirement
    from targetenv.syntax.grammar import Node

VERSIONS = ("vulkan", "spirv", "opencl", "cuda", "ptx", "driver")
KINDS = ("feature", "extension", "capability", "isa", "format")
SUBGROUP = "subgroupSize"
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "K": 1000, "M": 1_000_000, "G": 1_000_000_000}
_RELATIONS = {">=": Relation.AT_LEAST, "<=": Relation.AT_MOST, "==": Relation.EXACTLY}
_WORDS = frozenset({"and", "or", "not", "in", ">=", "<=", "==", "!=", ">", "<"})
_LIMITS = "VkPhysicalDeviceLimits"  # where two structs share a member, this one is meant
_NOTHING = AllOf(())


def read(source: Source) -> Requirement:
    """The requirement that a text states (TE10xx, TE1301 to TE1305)."""
    node = tree("constraint", source)
    complaints = Complaints(source)
    made = _Reader(complaints).requirement(cast("Node", node.children[0]))
    complaints.settle()
    return made


def show(requirement: Requirement) -> str:
    """The text that reads back as this requirement; ValueError for one that the language has no words for.

    >>> show(read(Source("x", "maxPushConstantsSize>=2KiB or not (shaderFloat64 and vulkan >= 1.1)")))
    'maxPushConstantsSize >= 2048 or not (shaderFloat64 and vulkan >= 1.1)'
    """
    match requirement:
        case AnyOf(parts) if parts:
            return " or ".join(_inside(part, AnyOf) for part in parts)
        case AllOf(parts) if parts:
            return " and ".join(_inside(part, AnyOf, AllOf) for part in parts)
        case Not(part):
            return f"not {_inside(part, AnyOf, AllOf)}"
        case needs.NeedsVersion(of, version):
            return f"{of} >= {version}"
        case needs.NeedsFeature(name):
            return _short(name, vulkan.find_feature)
        case needs.NeedsExtension(name):
            return name
        case needs.NeedsCapability(name):
            return f"capability {name}"
        case needs.NeedsIsa(name):
            return f"isa {name}"
        case needs.NeedsFormat(name):
            return f"format {name}"
        case needs.NeedsSubgroupSize(size):
            return f"{SUBGROUP} == {size}"
        case needs.NeedsLimit(name, relation, value) if relation in _RELATIONS.values():
            shown = f"[{', '.join(map(str, value))}]" if isinstance(value, tuple) else str(value)
            return f"{_short(name, vulkan.find_property)} {relation.value} {shown}"
        case _:
            raise ValueError(f"constraints have no words for {requirement}")


def _inside(part: Requirement, *looser: type) -> str:
    return f"({show(part)})" if isinstance(part, looser) else show(part)


def _short(canonical: str, find: Callable[[str], tuple[str, ...]]) -> str:
    """The member alone where that says enough."""
    struct, _, member = canonical.rpartition("::")
    found = find(member) if struct else ()
    return member if found == (canonical,) or (struct == _LIMITS and canonical in found) else canonical


class _Reader:
    """One text: what its names mean, and what is wrong with them."""

    def __init__(self, complaints: Complaints) -> None:
        self.complaints = complaints

    def requirement(self, node: Node) -> Requirement:
        children = node.children
        inner = [child for child in children if isinstance(child, Tree)]
        tokens = [child for child in children if isinstance(child, Token)]
        match str(node.data):
            case "any":
                return AnyOf(tuple(self.requirement(child) for child in inner))
            case "all":
                return AllOf(tuple(self.requirement(child) for child in inner))
            case "negated":
                return Not(self.requirement(inner[0]))
            case "group":
                return self.requirement(inner[0])
            case "comparison":
                return self._comparison(tokens[0], tokens[1], inner[0])
            case "membership":
                return self._membership(tokens[0], [token for token in tokens if token.type == "NUMBER"])
            case "qualified":
                return self._qualified(tokens[0], tokens[1])
            case _:
                return self._word(tokens[0])

    def _comparison(self, name: Token, operator: Token, value: Node) -> Requirement:
        if name in VERSIONS:
            return self._version(name, operator, value)
        if name == SUBGROUP and operator == "==":
            number = self._value(value)
            return needs.NeedsSubgroupSize(number) if isinstance(number, int) else _NOTHING
        limit = self._limit(name)
        number = self._value(value)
        if limit is None or number is None:
            return _NOTHING
        if operator in _RELATIONS:
            return needs.NeedsLimit(limit, _RELATIONS[operator], number)
        if operator == "!=":
            return Not(needs.NeedsLimit(limit, Relation.EXACTLY, number))
        other = Relation.AT_MOST if operator == ">" else Relation.AT_LEAST
        return Not(needs.NeedsLimit(limit, other, number))

    def _version(self, name: Token, operator: Token, value: Node) -> Requirement:
        first, *rest = value.children
        if value.data != "quantity" or rest or not isinstance(first, Token) or first.startswith("0x"):
            help_ = f"write `{name} {operator} 1.2`, for example"
            self.complaints.error("TE1305", f"`{name}` is compared with a version", _span(value), help=help_)
            return _NOTHING
        version = Version.parse(first)
        least = needs.NeedsVersion(str(name), version)
        parts = first.count(".") + 1
        above = needs.NeedsVersion(str(name), _next(version, parts))
        match str(operator):
            case ">=":
                return least
            case "<":
                return Not(least)
            case ">":
                return above
            case "<=":
                return Not(above)
            case "==":
                return AllOf((least, Not(above)))
            case _:
                return AnyOf((Not(least), above))

    def _membership(self, name: Token, numbers: list[Token]) -> Requirement:
        sizes = [self._integer(number) for number in numbers]
        if name == SUBGROUP:
            return AnyOf(tuple(needs.NeedsSubgroupSize(size) for size in sizes if size is not None))
        limit = self._limit(name)
        if limit is None:
            return _NOTHING
        return AnyOf(tuple(needs.NeedsLimit(limit, Relation.EXACTLY, size) for size in sizes if size is not None))

    def _qualified(self, kind: Token, name: Token) -> Requirement:
        match str(kind):
            case "feature":
                return self._feature(name)
            case "extension":
                return self._extension(name)
            case "capability":
                canonical = spirv.canonical_capability(str(name))
                if canonical is None:
                    self._unknown("capability", name, spirv.capability_names())
                return needs.NeedsCapability(canonical or str(name))
            case "isa":
                return needs.NeedsIsa(str(name))
            case "format":
                return needs.NeedsFormat(str(name))
            case _:
                help_ = did_you_mean(kind, KINDS) or "put `and` or `or` between two names"
                self.complaints.error("TE1304", f"`{kind}` is not a kind of name", _span(kind), help=help_)
                return _NOTHING

    def _word(self, name: Token) -> Requirement:
        if name in VERSIONS:
            help_ = f"write `{name} >= 1.2`, for example"
            self.complaints.error("TE1304", f"`{name}` is a version and has to be compared", _span(name), help=help_)
            return _NOTHING
        if name.startswith(("VK_", "SPV_")):
            return self._extension(name)
        if _property(name) and not vulkan.find_feature(name.rpartition("::")[2]):
            help_ = f"write `{name} >= 1`, for example"
            self.complaints.error("TE1304", f"`{name}` is a limit and has to be compared", _span(name), help=help_)
            return _NOTHING
        return self._feature(name)

    def _feature(self, name: Token) -> Requirement:
        if name in x86.known_features() | aarch64.known_features():
            return needs.NeedsFeature(str(name))
        found = self._one_of(name, vulkan.find_feature)
        if found is None:
            self._unknown("feature", name, (*_members(vulkan.feature_names()), *x86.known_features(), *VERSIONS))
        return needs.NeedsFeature(found or str(name))

    def _extension(self, name: Token) -> Requirement:
        known = spirv.extension_names() if name.startswith("SPV_") else vulkan.extension_names()
        if name not in known:
            self._unknown("extension", name, known)
        return needs.NeedsExtension(str(name))

    def _limit(self, name: Token) -> str | None:
        found = self._one_of(name, vulkan.find_property)
        if found is None and vulkan.find_feature(name.rpartition("::")[2]):
            help_ = f"write `{name}` or `not {name}`"
            self.complaints.error("TE1304", f"`{name}` is a feature: it is there or not", _span(name), help=help_)
        elif found is None:
            self._unknown("limit", name, (*_members(vulkan.property_names()), *VERSIONS))
        return found

    def _one_of(self, name: Token, find: Callable[[str], tuple[str, ...]]) -> str | None:
        """The canonical name, if there is one; of several, the one that is written out or the one in the plain limits."""
        struct, _, member = name.rpartition("::")
        found = find(member)
        if struct:
            canonical = (vulkan.feature if find is vulkan.find_feature else vulkan.property_name)(struct, member)
            return canonical if canonical in found else None
        if len(found) < 2:
            return found[0] if found else None
        plain = f"{_LIMITS}::{member}"
        if plain in found:
            return plain
        help_ = f"write one of {', '.join(f'`{each}`' for each in found)}"
        self.complaints.error("TE1302", f"`{name}` is ambiguous", _span(name), help=help_)
        return found[0]

    def _value(self, value: Node) -> int | tuple[int, ...] | None:
        tokens = [child for child in value.children if isinstance(child, Token)]
        numbers = [self._integer(token) for token in tokens if token.type == "NUMBER"]
        if None in numbers:
            return None
        whole = [number for number in numbers if number is not None]
        if value.data == "vector":
            return tuple(whole)
        unit = tokens[1] if len(tokens) > 1 else None
        if unit is not None and unit not in _UNITS:
            help_ = did_you_mean(unit, _UNITS) or f"units are {', '.join(_UNITS)}"
            self.complaints.error("TE1303", f"unknown unit `{unit}`", _span(unit), help=help_)
            return None
        return whole[0] * (_UNITS[unit] if unit else 1)

    def _integer(self, token: Token) -> int | None:
        if "." in token:
            self.complaints.error("TE1305", f"`{token}` is not an integer", _span(token), help="limits are whole numbers")
            return None
        number = int(token, 0) if token.startswith("0x") else int(token)
        if number > 0xFFFF_FFFF_FFFF_FFFF:
            self.complaints.error("TE1206", f"number out of range: `{token}`", _span(token), "more than 64 bits hold")
            return None
        return number

    def _unknown(self, what: str, name: Token, known: Iterable[str]) -> None:
        self.complaints.error("TE1301", f"unknown {what} `{name}`", _span(name), help=did_you_mean(name, known))


def _members(names: Iterable[str]) -> set[str]:
    return {name.rpartition("::")[2] for name in names}


def _property(name: Token) -> bool:
    return bool(vulkan.find_property(name.rpartition("::")[2]))


def _next(version: Version, parts: int) -> Version:
    """The first version that does not begin with the first `parts` numbers of `version`."""
    if parts == 1:
        return Version(version.major + 1)
    return Version(version.major, version.minor + 1) if parts == 2 else Version(version.major, version.minor, version.patch + 1)


def _span(place: Token | Node) -> Span:
    if isinstance(place, Token):
        start = place.start_pos or 0
        return Span(start, start + len(place))
    return Span(place.meta.start_pos, place.meta.end_pos)


def is_constraint(text: str) -> bool:
    """Whether a text is meant as a constraint and not as a target.

    >>> is_constraint("vulkan >= 1.1"), is_constraint("VK_KHR_16bit_storage"), is_constraint("vulkan1.1")
    (True, True, False)
    """
    words = text.replace("(", " ").replace(")", " ").split()
    if not words or text.lstrip().startswith(("#", "{")):
        return False
    if len(words) == 1:
        name = words[0].rpartition("::")[2]
        known = (
            vulkan.find_feature(name) or vulkan.find_property(name) or name in x86.known_features() | aarch64.known_features()
        )
        return bool(known) or name.startswith(("VK_", "SPV_"))
    return words[0] in KINDS or not _WORDS.isdisjoint(words)
