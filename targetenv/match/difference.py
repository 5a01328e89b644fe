"""Two sets of offers side by side: what differs, and which of them is the stronger there.

The order is that of `targetenv.match.lattice`: who offers more promises all that the other does, so that what is not stated
counts as not promised. Descriptions are compared in their normal form: an extension that the one lists and the other has in its
core, with all that it promises, is no difference. What follows from a difference in versions alone is not listed again.
"""

from __future__ import annotations

from targetenv.match import gpu, isa, lattice_isa
from targetenv.match.environment import SUBGROUP_SIZES
from targetenv.match.guaranteed import AT_LEAST
from targetenv.match.lattice import normal
from targetenv.match.phrases import bare, shown
from targetenv.model.record import record
from targetenv.model.requirement import Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Literal, TypeAlias

    from targetenv.model.capabilities import Capabilities, PropertyValue

    Order: TypeAlias = Literal["stronger", "weaker", "incomparable", "identity"]
    Stronger: TypeAlias = Literal["a", "b", "neither"]


@record
class Difference:
    """One thing that two sets of offers answer differently: `kind` is `extension`, `limit` ..., `because` what enables it.

    `order` says how the first stands to the second there; `identity` is a difference that no code depends on, such as a name.
    `limittype` is the registry's, empty for what is no limit of Vulkan.
    """

    kind: str
    name: str
    a: str
    b: str
    order: Order
    because: str = ""
    limittype: str = ""

    @property
    def stronger(self) -> Stronger:
        """Which of the two offers more there."""
        return "a" if self.order == "stronger" else "b" if self.order == "weaker" else "neither"


def differences(a: Capabilities, b: Capabilities) -> tuple[Difference, ...]:
    """Every difference, kind by kind, in the order of names."""
    return tuple(_all(a, b))


def relation(found: tuple[Difference, ...]) -> str:
    """How the first stands to the second: `equal`, `stronger`, `weaker`, or `incomparable` when neither has everything.

    Identities do not count: two devices of one model are equal.

    >>> relation(())
    'equal'
    """
    orders = {each.order for each in found} - {"identity"}
    if not orders:
        return "equal"
    return next(iter(orders)) if len(orders) == 1 else "incomparable"


def _all(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    if a.api != b.api:
        yield Difference("api", "api", a.api, b.api, "incomparable")
    one, other = normal(a), normal(b)
    if a.version != b.version:
        name = a.api if a.api == b.api else "api"
        ahead = b.version is None or (a.version is not None and a.version > b.version)
        order: Order = "incomparable" if a.api != b.api else "stronger" if ahead else "weaker"
        yield Difference("version", name, str(a.version or "not stated"), str(b.version or "not stated"), order)
    if one.isa != other.isa or a.isa != b.isa:
        yield Difference("instruction set", "isa", a.isa or "not stated", b.isa or "not stated", _isa(one, other))
    yield from _names("format", one.formats, other.formats, _absent(a), _absent(b))
    yield from _extensions(one, other, a, b)
    told = a.features | b.features | isa.features(one.isa or "") | isa.features(other.isa or "")
    yield from _names("feature", one.features & told, other.features & told, _denied(a), _denied(b))
    if a.api in gpu.AMD:  # code pins a target feature off as well as on
        yield from _switched_off(a, b)
    yield from _limits(one, other)
    mine, theirs = (frozenset(map(str, side.subgroup_sizes)) for side in (a, b))
    yield from _names("subgroup size", mine, theirs, _absent(a), _absent(b))
    mine, theirs = (frozenset(map(str, side.matrices)) for side in (a, b))
    yield from _names("matrix", mine, theirs, _absent(a), _absent(b))
    yield from _spirv(a, b)


def _names(
    kind: str,
    a: frozenset[str],
    b: frozenset[str],
    without_a: Callable[[str], str],
    without_b: Callable[[str], str],
    because: dict[str, str] | None = None,
) -> Iterator[Difference]:
    for name in sorted(a ^ b, key=lambda name: (len(name), name) if name.isdecimal() else (0, name)):
        reason = (because or {}).get(name, "")
        if name in a:
            yield Difference(kind, name, "yes", without_b(name), "stronger", reason)
        else:
            yield Difference(kind, name, without_a(name), "yes", "weaker", reason)


def _absent(side: Capabilities) -> Callable[[str], str]:
    return lambda _: "no" if side.complete else "not stated"


def _denied(side: Capabilities) -> Callable[[str], str]:
    return lambda name: "not stated" if name not in side.denied and side.is_unstated(name) else "no"


def _switched_off(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    mine, theirs = (frozenset(f"{name} off" for name in side.denied) for side in (a, b))
    yield from _names("feature", mine, theirs, _absent(a), _absent(b))


def _extensions(one: Capabilities, other: Capabilities, a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    """Extensions, with the version that took one in where it is not listed."""
    if a.api != "vulkan" or b.api != "vulkan":
        yield from _names("extension", one.extensions, other.extensions, _absent(a), _absent(b))
        return
    from targetenv.registry.vulkan import core_since

    def without(side: Capabilities) -> Callable[[str], str]:
        def said(name: str) -> str:
            core = core_since(name)
            if core is not None and side.version is not None and side.version >= core:
                return f"core {core}, which does not promise all of it"
            return "no" if side.complete else "not stated"

        return said

    told = a.extensions | b.extensions
    mine, theirs = one.extensions & told, other.extensions & told
    because = {name: f"core {core_since(name)}" for name in mine ^ theirs if name not in (a if name in mine else b).extensions}
    yield from _names("extension", mine, theirs, without(a), without(b), because)


def _isa(a: Capabilities, b: Capabilities) -> Order:
    """The stronger runs all code that the weaker runs; of CPUs the one whose features contain the other's."""
    if a.isa is None or b.isa is None:
        return "stronger" if b.isa is None else "weaker"
    one, two = a.features | isa.features(a.isa), b.features | isa.features(b.isa)
    if isa.architecture(a.isa) is not None:
        if isa.architecture(a.isa) != isa.architecture(b.isa) or not (one > two or two > one):
            return "identity" if one == two else "incomparable"
        return "stronger" if one > two else "weaker"
    common = lattice_isa.meet(a, b) if a.api == b.api else None
    return "stronger" if common == b.isa else "weaker" if common == a.isa else "incomparable"


def _limits(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    """Limits by the relation of the registry: more is stronger, or less, or more bits; identities are only different."""
    from targetenv.registry import vulkan

    one, two = ({row.name: row.value for row in side.properties} for side in (a, b))
    least = AT_LEAST if a.api == b.api == "vulkan" else {}  # every device offers the least that Vulkan demands
    for name in sorted(one.keys() | two.keys()):
        first, second = one.get(name), two.get(name)
        if first == second:
            continue
        rule = vulkan.relation(name)
        if name.endswith(SUBGROUP_SIZES):
            order: Order = "identity"  # the set of sizes is what counts
        else:
            order = _order(rule, one.get(name, least.get(name)), two.get(name, least.get(name)))
        told = ["not stated" if value is None else shown(value, rule or Relation.EXACTLY) for value in (first, second)]
        kind = "property" if rule is None else "limit"
        yield Difference(kind, bare(name), told[0], told[1], order, limittype=vulkan.limit_type(name) or "")


def _order(rule: Relation | None, first: PropertyValue | None, second: PropertyValue | None) -> Order:
    if rule is None:
        return "identity"
    if first is None or second is None:
        return "stronger" if second is None else "weaker"
    if isinstance(first, str) or isinstance(second, str):
        return "incomparable"
    ahead, behind = rule.holds(first, second), rule.holds(second, first)  # type: ignore[arg-type]
    if ahead and behind:
        return "identity"  # said by one, and what goes without saying for the other
    return "stronger" if ahead else "weaker" if behind else "incomparable"


def _spirv(a: Capabilities, b: Capabilities) -> Iterator[Difference]:
    """What SPIR-V each takes, with the registry's condition that the one meets and the other does not."""
    told = [side.spirv is not None or side.api == "vulkan" for side in (a, b)]
    if not any(told):
        return
    from targetenv.registry.spirv_environment import support

    one, two = support(a), support(b)
    if one.environment.version != two.environment.version:
        order: Order = "stronger" if one.environment.version > two.environment.version else "weaker"
        mine, theirs = (
            str(side.environment.version) if said else "not stated" for side, said in zip((one, two), told, strict=True)
        )
        yield Difference("version", "spirv", mine, theirs, order)
    for kind, here, there in (
        ("capability", one.environment.capabilities, two.environment.capabilities),
        ("SPIR-V extension", one.environment.extensions, two.environment.extensions),
    ):
        because = {}
        for name in here ^ there:
            rows = (one if name in here else two).why(name)
            met = next((row.text.partition(" (with ")[0] for row in rows if row.holds), "")
            because[name] = f"via {met}" if met else ""
        yield from _names(kind, here, there, _absent(a), _absent(b), because)
