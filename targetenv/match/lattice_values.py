"""Two values of one limit: what both devices offer, and what at least one does, by the registry's `limittype`."""

from __future__ import annotations

from math import gcd, lcm

from targetenv.match.environment import SUBGROUP_SIZES
from targetenv.match.guaranteed import AT_LEAST
from targetenv.model.capabilities import Property
from targetenv.model.requirement import Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv.model.capabilities import Capabilities, PropertyValue

    Number = int | float
    Combine = Callable[[Number, Number], Number | None]


def met_properties(a: Capabilities, b: Capabilities) -> tuple[Property, ...]:
    """The limits that both devices meet; where there is none, or one source does not state it, it is left out."""
    one, other = _table(a), _table(b)
    found: dict[str, PropertyValue | None] = {
        name: met(_relation(name), value, other[name]) for name, value in one.items() if name in other
    }
    for name, value in {**one, **other}.items():
        if name not in found and (worse := _beyond_guarantee(a.api, name, value)) is not None:
            found[name] = worse
    return _rows(found)


def joined_properties(a: Capabilities, b: Capabilities) -> tuple[Property, ...]:
    """The limits that some device meets; what has no order is kept where both say the same."""
    one, other = _table(a), _table(b)
    found: dict[str, PropertyValue | None] = {}
    for name, value in {**other, **one}.items():
        if name in one and name in other:
            found[name] = joined(_relation(name), value, other[name])
        elif _relation(name) not in (None, Relation.EXACTLY):
            found[name] = value
    return _rows(found)


def met(relation: Relation | None, a: PropertyValue, b: PropertyValue) -> PropertyValue | None:
    """The value that meets a requirement when both do, component by component; None where there is no such value.

    >>> met(Relation.AT_MOST, (32, 32), (8, 64)), met(Relation.MULTIPLE_OF, 48, 64), met(Relation.EXACTLY, 1, 2)
    ((32, 64), 192, None)
    """
    if relation is Relation.WITHIN:
        return _range(a, b, max, min)
    return _componentwise(_MET.get(relation) if relation is not None else None, a, b)


def joined(relation: Relation | None, a: PropertyValue, b: PropertyValue) -> PropertyValue | None:
    """The least value that meets every requirement which one of the two meets; None where there is no such value.

    >>> joined(Relation.AT_MOST, (32, 32), (8, 64)), joined(Relation.MULTIPLE_OF, 48, 64), joined(Relation.ALL_BITS, 5, 6)
    ((8, 32), 16, 7)
    """
    if relation is Relation.WITHIN:
        return _range(a, b, min, max)
    return _componentwise(_JOINED.get(relation) if relation is not None else None, a, b)


def _whole(combine: Callable[[int, int], int]) -> Combine:
    return lambda a, b: combine(a, b) if isinstance(a, int) and isinstance(b, int) else None


_MET: dict[Relation, Combine] = {
    Relation.AT_LEAST: min,
    Relation.AT_MOST: max,
    Relation.ALL_BITS: _whole(lambda a, b: a & b),
    Relation.MULTIPLE_OF: _whole(lcm),
}
_JOINED: dict[Relation, Combine] = {
    Relation.AT_LEAST: max,
    Relation.AT_MOST: min,
    Relation.ALL_BITS: _whole(lambda a, b: a | b),
    Relation.MULTIPLE_OF: _whole(gcd),
}


def _componentwise(combine: Combine | None, a: PropertyValue, b: PropertyValue) -> PropertyValue | None:
    if a == b:
        return a
    if combine is None:
        return None
    if isinstance(a, tuple) and isinstance(b, tuple):
        if len(a) != len(b):
            return None
        parts = [_componentwise(combine, one, other) for one, other in zip(a, b, strict=True)]  # type: ignore[arg-type]
        return None if None in parts else tuple(parts)  # type: ignore[return-value]
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return combine(a, b)
    return None


def _range(
    a: PropertyValue, b: PropertyValue, low: Callable[[Number, Number], Number], high: Callable[[Number, Number], Number]
) -> PropertyValue | None:
    match a, b:
        case ((int() | float()) as first, (int() | float()) as last), ((int() | float()) as begin, (int() | float()) as end):
            found = low(first, begin), high(last, end)
            return found if found[0] <= found[1] else None
    return a if a == b else None


def _relation(name: str) -> Relation | None:
    """How values of this property are ordered, None where they are not.

    The registry calls subgroup sizes `max`, and no kernel means that: the set of sizes is what is compared.
    """
    from targetenv.registry.vulkan import relation

    return None if name.endswith(SUBGROUP_SIZES) else relation(name)


def _beyond_guarantee(api: str, name: str, value: PropertyValue) -> PropertyValue | None:
    """What remains of a limit that one source does not state, so that only the minimum of every device is known of it.

    Nothing, which stands for that minimum; but a device that offers less than every device must is taken at its word.
    """
    if api != "vulkan":
        return None
    minimum = AT_LEAST.get(name)
    if minimum is not None and not Relation.AT_LEAST.holds(value, minimum):  # type: ignore[arg-type]
        return met(Relation.AT_LEAST, value, minimum)
    return None


def _table(offers: Capabilities) -> dict[str, PropertyValue]:
    return {row.name: row.value for row in offers.properties}


def _rows(found: dict[str, PropertyValue | None]) -> tuple[Property, ...]:
    return tuple(Property(name, value) for name, value in sorted(found.items()) if value is not None)
