"""Instruction sets of two devices: the code that runs on both, and the code that runs on one of them."""

from __future__ import annotations

import re

from targetenv.match import gpu, isa
from targetenv.model.capabilities import Property
from targetenv.model.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv.model.capabilities import Capabilities

_NVIDIA = re.compile(r"sm_([1-8])(\d)")  # from sm_90 on there is code for one chip only (`sm_90a`), so that none covers another


def normal(offers: Capabilities) -> Capabilities:
    """The same with the features said that a CPU's name contains, and the limits that an AMD processor's name does."""
    if offers.isa is None:
        return offers
    limits = _limits(offers)
    stated = {row.name for row in offers.properties}
    rows = sorted((*offers.properties, *(row for row in limits if row.name not in stated)), key=lambda row: row.name)
    features = offers.features | isa.features(offers.isa)
    if isa.features(offers.isa):
        features -= offers.denied
    return named(replace(offers, features=features, properties=tuple(rows)), offers.isa)


def meet(a: Capabilities, b: Capabilities) -> str | None:
    """The name of a device that runs no code but what both run; for CPUs the architecture, whose features say the rest."""
    one, other = a.isa, b.isa
    if one is None or other is None or one == other:
        return one if one == other else None
    if isa.architecture(one) is not None:
        return isa.LEVELS[str(isa.architecture(one))][-1] if isa.architecture(one) == isa.architecture(other) else None
    if a.api in gpu.NVIDIA:
        return _nvidia(one, other, min)
    families = _families(one) & _families(other) if a.api in gpu.AMD else set()
    return min(families, default=None)


def join(a: Capabilities, b: Capabilities) -> str | None:
    """The name of a device that runs all code that one of them runs."""
    one, other = a.isa, b.isa
    if one is None or other is None or one == other:
        return one if one == other else None
    if isa.architecture(one) is not None:
        return meet(a, b)
    if a.api in gpu.NVIDIA:
        return _nvidia(one, other, max)
    if a.api in gpu.AMD:
        return other if one in _families(other) else one if other in _families(one) else None
    return None


def named(offers: Capabilities, name: str | None) -> Capabilities:
    """The same under this name; if that is a level of x86-64, under the highest level that the features make up."""
    from targetenv.registry import x86

    if name in x86.LEVELS:
        name = x86.level(offers.features)
    return replace(offers, isa=name)


def tidied(found: Capabilities, inputs: tuple[Capabilities, ...]) -> Capabilities:
    """Without the features and limits that the name contains, unless every input says those of its own."""
    spelt_out = all(isa.features(each.isa or "") <= each.features | each.denied for each in inputs)
    needless = set(_limits(found))
    rows = [
        row for row in found.properties if row not in needless or all(each.property(row.name) is not None for each in inputs)
    ]
    features = found.features if spelt_out else found.features - isa.features(found.isa or "")
    return replace(found, features=features, properties=tuple(rows))


def _limits(offers: Capabilities) -> list[Property]:
    """The limits that follow from the name of an AMD processor."""
    if offers.api not in gpu.AMD:
        return []
    from targetenv.match import amd

    return [Property(name, value) for name in amd.LIMITS if (value := amd.limit(name, offers)) is not None]


def _nvidia(one: str, other: str, choose: Callable[[str, str], str]) -> str | None:
    """Code runs on equal and higher minor numbers of one major (CUDA C++ Programming Guide, Binary Compatibility)."""
    first, second = _NVIDIA.fullmatch(one), _NVIDIA.fullmatch(other)
    if first is None or second is None or first[1] != second[1]:
        return None
    return choose(one, other)


def _families(name: str) -> set[str]:
    """The names whose code a processor runs, without its own: the generic processor of its family."""
    from targetenv.registry import amdgpu

    row = amdgpu.processor(name)
    return {name, row.generic} if row is not None and row.generic else {name}
