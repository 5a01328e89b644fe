"""When one requirement contains another: whoever meets the first meets the second."""

from __future__ import annotations

from targetenv.match import gpu, isa
from targetenv.match.phrases import bare
from targetenv.model import requirement as needs
from targetenv.model.requirement import Relation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import LimitValue, Requirement


def implies(one: Requirement, other: Requirement) -> bool:
    """Whether every device that meets `one` meets `other`; False also where that cannot be told from the two alone.

    >>> from targetenv.model.version import Version
    >>> implies(needs.NeedsVersion("spirv", Version(1, 5)), needs.NeedsVersion("spirv", Version(1, 3)))
    True
    """
    if type(one) is needs.NeedsLimit and type(other) is needs.NeedsLimit:
        return one.name == other.name and _limit_implies(one.relation, one.value, other.relation, other.value)
    match one, other:
        case needs.NeedsVersion(of, version), needs.NeedsVersion(other_of, other_version):
            return of == other_of and version >= other_version
        case needs.NeedsMatrix(matrix), needs.NeedsMatrix(other_matrix):
            return matrix.meets(other_matrix)
        case needs.NeedsIsa(name), needs.NeedsIsa(other_name):
            return name == other_name or _isa_implies(name, other_name)
        case needs.NeedsIsa(name), needs.NeedsFeature(feature):
            return feature in isa.features(name)
        case _, needs.AllOf(parts):
            return all(implies(one, part) for part in parts)
        case needs.AnyOf(parts), _:
            return one == other or (bool(parts) and all(implies(part, other) for part in parts))
        case _, needs.AnyOf(parts):
            return any(implies(one, part) for part in parts) or _parts_imply(one, other)
        case needs.AllOf(), _:
            return _parts_imply(one, other)
        case _:
            return one == other


def subject(need: Requirement) -> str:
    """What a requirement is about, without the value: two variants that need different subgroup sizes share the subject."""
    match need:
        case needs.NeedsLimit(name):
            return bare(name)
        case needs.NeedsExtension(name) | needs.NeedsCapability(name) | needs.NeedsFeature(name):
            return name
        case needs.NeedsVersion(of):
            return f"{of} version"
        case needs.NeedsSubgroupSize():
            return "subgroup size"
        case needs.NeedsMatrix():
            return "cooperative matrix"
        case needs.NeedsIsa():
            return "instruction set"
        case needs.NeedsFormat():
            return "format"
        case needs.NeedsUnknown(what):
            return what
        case needs.Not(part):
            return subject(part)
        case needs.AllOf(parts) | needs.AnyOf(parts):
            return ", ".join(dict.fromkeys(subject(part) for part in parts))


def _limit_implies(relation: Relation, value: LimitValue, other_relation: Relation, other: LimitValue) -> bool:
    if relation is Relation.AT_LEAST and isinstance(value, int) and isinstance(other, int):
        return other_relation is relation and value >= other  # nearly all limits
    if relation is Relation.EXACTLY:  # the offered value is known, so the other question can be answered
        return other_relation.holds(value, other)
    if relation is not other_relation:
        return False
    if relation is Relation.ALL_BITS:
        return relation.holds(value, other)
    if relation is Relation.MULTIPLE_OF:  # the offered value divides `value`, and so everything that `value` divides
        return _divides(value, other)
    return relation.holds(value, other)  # >=, <= and enclosure are transitive


def _divides(value: LimitValue, other: LimitValue) -> bool:
    one = value if isinstance(value, tuple) else (value,)
    two = other if isinstance(other, tuple) else (other,)
    return len(one) >= len(two) and all(a != 0 and b % a == 0 and b >= a for a, b in zip(one, two, strict=False))


def _parts_imply(one: Requirement, other: Requirement) -> bool:
    return isinstance(one, needs.AllOf) and any(implies(part, other) for part in one.parts)


def _isa_implies(one: str, other: str) -> bool:
    known = isa.architecture(one)
    if known is not None:
        return known == isa.architecture(other) and isa.features(one) >= isa.features(other)
    if one.startswith("npu"):
        from targetenv.match import npu

        return npu.contains(one, other)
    return bool(gpu.reach(one)) and gpu.reach(one) <= gpu.reach(other)
