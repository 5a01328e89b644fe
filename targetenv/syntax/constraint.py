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
from targetenv.model.version import Version
from targetenv.registry import aarch64, spirv, vulkan, x86
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.device_names import VERSIONS, DeviceNames, shortest, span_of
from targetenv.syntax.grammar import tree

if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement
    from targetenv.syntax.grammar import Node

KINDS = ("feature", "extension", "capability", "isa", "format")
SUBGROUP = "subgroupSize"
_RELATIONS = {">=": Relation.AT_LEAST, "<=": Relation.AT_MOST, "==": Relation.EXACTLY}
_WORDS = frozenset({"and", "or", "not", "in", ">=", "<=", "==", "!=", ">", "<"})
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
            return shortest(name)
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
            return f"{shortest(name)} {relation.value} {shown}"
        case _:
            raise ValueError(f"constraints have no words for {requirement}")


def _inside(part: Requirement, *looser: type) -> str:
    return f"({show(part)})" if isinstance(part, looser) else show(part)


class _Reader:
    """One text: what its names mean, and what is wrong with them."""

    def __init__(self, complaints: Complaints) -> None:
        self.complaints = complaints
        self.names = DeviceNames(complaints)

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
            number = self.names.value(value)
            return needs.NeedsSubgroupSize(number) if isinstance(number, int) else _NOTHING
        limit = self.names.limit(name)
        number = self.names.value(value)
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
            self.complaints.error("TE1305", f"`{name}` is compared with a version", span_of(value), help=help_)
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
        sizes = [self.names.integer(number) for number in numbers]
        if name == SUBGROUP:
            return AnyOf(tuple(needs.NeedsSubgroupSize(size) for size in sizes if size is not None))
        limit = self.names.limit(name)
        if limit is None:
            return _NOTHING
        return AnyOf(tuple(needs.NeedsLimit(limit, Relation.EXACTLY, size) for size in sizes if size is not None))

    def _qualified(self, kind: Token, name: Token) -> Requirement:
        match str(kind):
            case "feature":
                return self.names.feature(name)
            case "extension":
                return self.names.extension(name)
            case "capability":
                canonical = spirv.canonical_capability(str(name))
                if canonical is None:
                    self.names.unknown("capability", name, spirv.capability_names())
                return needs.NeedsCapability(canonical or str(name))
            case "isa":
                return needs.NeedsIsa(str(name))
            case "format":
                return needs.NeedsFormat(str(name))
            case _:
                help_ = did_you_mean(kind, KINDS) or "put `and` or `or` between two names"
                self.complaints.error("TE1304", f"`{kind}` is not a kind of name", span_of(kind), help=help_)
                return _NOTHING

    def _word(self, name: Token) -> Requirement:
        if name in VERSIONS:
            help_ = f"write `{name} >= 1.2`, for example"
            self.complaints.error("TE1304", f"`{name}` is a version and has to be compared", span_of(name), help=help_)
            return _NOTHING
        if name.startswith(("VK_", "SPV_")):
            return self.names.extension(name)
        if _property(name) and not vulkan.find_feature(name.rpartition("::")[2]):
            help_ = f"write `{name} >= 1`, for example"
            self.complaints.error("TE1304", f"`{name}` is a limit and has to be compared", span_of(name), help=help_)
            return _NOTHING
        return self.names.feature(name)


def _property(name: Token) -> bool:
    return bool(vulkan.find_property(name.rpartition("::")[2]))


def _next(version: Version, parts: int) -> Version:
    """The first version that does not begin with the first `parts` numbers of `version`."""
    if parts == 1:
        return Version(version.major + 1)
    return Version(version.major, version.minor + 1) if parts == 2 else Version(version.major, version.minor, version.patch + 1)


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
