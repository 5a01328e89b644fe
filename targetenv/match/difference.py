"""Two sets of offers side by side: what differs, and which of them is the stronger there."""

from __future__ import annotations

from targetenv.match.phrases import bare, shown
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal, TypeAlias

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import LimitValue

    Stronger: TypeAlias = Literal["a", "b", "neither"]


@record
class Difference:
    """One thing that two sets of offers answer differently: `kind` is `extension`, `limit` ..., `because` what enables it."""

    kind: str
    name: str
    a: str
    b: str
    stronger: Stronger
    because: str = ""


def differences(a: Capabilities, b: Capabilities) -> tuple[Difference, ...]:
    """Every difference, kind by kind, in the order of names."""
    return tuple(_all(a, b))


def relation(found: tuple[Difference, ...]) -> str:
    """How the first stands to the second: `equal`, `stronger`, `weaker`, or `incomparable` when neither has everything.

    >>> relation(())
    'equal'
    """
    sides = {each.stronger for each in found}
    if not sides:
        return "equal"
    if sides == {"a"}:
        return "stronger"
    return "weaker" if sides == {"b"} else "incomparable"


def _all(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    if a.api != b.api:
        yield Difference("api", "api", a.api, b.api, "neither")
    if a.version != b.version:
        stronger: Stronger = "neither"
        if a.version is not None and b.version is not None:
            stronger = "a" if a.version > b.version else "b"
        name = a.api if a.api == b.api else "api"
        yield Difference("version", name, str(a.version or "not stated"), str(b.version or "not stated"), stronger)
    if a.isa != b.isa:
        yield Difference("instruction set", "isa", a.isa or "not stated", b.isa or "not stated", _isa(a, b))
    yield from _names("format", a.formats, b.formats)
    yield from _names("extension", a.extensions, b.extensions)
    yield from _names("feature", a.features, b.features)
    yield from _limits(a, b)
    yield from _names("subgroup size", frozenset(map(str, a.subgroup_sizes)), frozenset(map(str, b.subgroup_sizes)))
    yield from _names("matrix", frozenset(map(str, a.matrices)), frozenset(map(str, b.matrices)))
    yield from _spirv(a, b)


def _names(kind: str, a: frozenset[str], b: frozenset[str], because: dict[str, str] | None = None) -> Iterator[Difference]:
    for name in sorted(a ^ b):
        there, stronger = (("yes", "no"), "a") if name in a else (("no", "yes"), "b")
        yield Difference(kind, name, *there, stronger, (because or {}).get(name, ""))  # type: ignore[arg-type]


def _isa(a: Capabilities, b: Capabilities) -> Stronger:
    from targetenv.match import isa

    one, two = (isa.features(side.isa or "") for side in (a, b))
    if not one or not two or isa.architecture(a.isa or "") != isa.architecture(b.isa or ""):
        return "neither"
    return "a" if one > two else "b" if two > one else "neither"


def _limits(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    """Limits by the relation of the registry: more is stronger, or less, or more bits; identities are only different."""
    from targetenv.registry.vulkan import relation as compared

    one, two = ({row.name: row.value for row in side.properties} for side in (a, b))
    for name in sorted(one.keys() | two.keys()):
        if one.get(name) == two.get(name):
            continue
        rule = compared(name)
        stronger: Stronger = "neither"
        if rule is not None and name in one and name in two:
            first: LimitValue = one[name]  # type: ignore[assignment]
            second: LimitValue = two[name]  # type: ignore[assignment]
            ahead, behind = rule.holds(first, second), rule.holds(second, first)
            stronger = "a" if ahead and not behind else "b" if behind and not ahead else "neither"
        told = [shown(side[name]) if name in side else "not stated" for side in (one, two)]
        yield Difference("limit", bare(name), told[0], told[1], stronger)


def _spirv(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    """What SPIR-V each takes, with the registry's condition that the one meets and the other does not."""
    if any(side.spirv is None and side.api != "vulkan" for side in (a, b)):
        return
    from targetenv.registry.spirv_environment import support

    one, two = support(a), support(b)
    if one.environment.version != two.environment.version:
        stronger: Stronger = "a" if one.environment.version > two.environment.version else "b"
        yield Difference("version", "spirv", str(one.environment.version), str(two.environment.version), stronger)
    for kind, mine, theirs in (
        ("capability", one.environment.capabilities, two.environment.capabilities),
        ("SPIR-V extension", one.environment.extensions, two.environment.extensions),
    ):
        because = {}
        for name in mine ^ theirs:
            rows = (one if name in mine else two).why(name)
            met = next((row.text for row in rows if row.holds), "")
            because[name] = f"via {met}" if met else ""
        yield from _names(kind, mine, theirs, because)
