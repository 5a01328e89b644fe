"""What a compiled artifact requires of a device, one closed union of small values."""

from __future__ import annotations

from enum import Enum

from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.record import record
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    LimitValue: TypeAlias = int | float | tuple[int, ...]


class Relation(Enum):
    """How the offered value stands to the required one; the default is vk.xml's `limittype`, never a guess from the name."""

    AT_LEAST = ">="
    AT_MOST = "<="
    EXACTLY = "=="
    ALL_BITS = "has all bits of"
    MULTIPLE_OF = "divides"
    WITHIN = "contains range"

    def holds(self, offered: LimitValue, required: LimitValue) -> bool:
        """Whether `offered` stands in this relation to `required`; arrays are compared component by component.

        `WITHIN` takes two pairs: the offered range must enclose the required one (registry.adoc, limittype `range`).

        >>> Relation.AT_LEAST.holds((1024, 1024, 64), (128, 8, 4))
        True
        """
        if self is Relation.WITHIN:
            return _pair(offered)[0] <= _pair(required)[0] and _pair(offered)[1] >= _pair(required)[1]
        have = offered if isinstance(offered, tuple) else (offered,)
        need = required if isinstance(required, tuple) else (required,)
        if len(have) < len(need):
            return False
        return all(self._component(one, other) for one, other in zip(have, need, strict=False))

    def _component(self, have: float, need: float) -> bool:
        match self:
            case Relation.AT_LEAST:
                return have >= need
            case Relation.AT_MOST:
                return have <= need
            case Relation.ALL_BITS:
                return int(need) & ~int(have) == 0
            case Relation.MULTIPLE_OF:
                return have == need or (0 < have <= need and need % have == 0)
            case _:
                return have == need


def _pair(value: LimitValue) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, tuple) else (value, value)


@record
class NeedsFormat:
    """The device's loader must take this executable format: `spirv`, `elf-x86_64`, `ptx` ..."""

    format: str


@record
class NeedsVersion:
    """At least this version of `of`: `vulkan`, `spirv`, `ptx`, `driver`."""

    of: str
    version: Version


@record
class NeedsIsa:
    """The device must execute code built for this instruction set (`x86-64-v3`, `gfx942`): a containment, not a version."""

    isa: str


@record
class NeedsExtension:
    """This API extension (`VK_...`) or SPIR-V extension (`SPV_...`) must be there."""

    name: str


@record
class NeedsCapability:
    """This SPIR-V capability, which a module declares with OpCapability, must be usable."""

    name: str


@record
class NeedsFeature:
    """This feature must be offered: `VkPhysicalDeviceFeatures::shaderInt64`, `avx512f`."""

    name: str


@record
class NeedsLimit:
    """The device's `name` must stand in `relation` to `value`; if a specialization constant decides, `value` is its default."""

    name: str
    relation: Relation
    value: LimitValue


@record
class NeedsSubgroupSize:
    """The device must be able to run this kernel with exactly this many invocations in a subgroup."""

    size: int


@record
class NeedsMatrix:
    """The device must multiply matrices of this shape, these types and this scope."""

    matrix: CooperativeMatrix


@record
class NeedsUnknown:
    """Something the artifact may need but does not say; nothing proves it is offered. `what` completes "it is not known"."""

    what: str


@record
class AllOf:
    """Every part must hold; with no parts it does."""

    parts: tuple[Requirement, ...]


@record
class AnyOf:
    """At least one part must hold; with no parts none does."""

    parts: tuple[Requirement, ...]


@record
class Not:
    """The part must not hold. What is unknown stays unknown."""

    part: Requirement


if TYPE_CHECKING:
    Requirement: TypeAlias = (
        NeedsFormat
        | NeedsVersion
        | NeedsIsa
        | NeedsExtension
        | NeedsCapability
        | NeedsFeature
        | NeedsLimit
        | NeedsSubgroupSize
        | NeedsMatrix
        | NeedsUnknown
        | AllOf
        | AnyOf
        | Not
    )
