"""What all of some devices offer, and what at least one of them does: capabilities as a lattice.

`meet` is the greatest environment that every device covers: code that fits it fits each of them. `join` is the least that
covers each device; no device need offer all of it at once. A thing is in the meet where all say yes, out of it where one says
no, and not known otherwise (Kleene); what has no order and differs, such as an identity, is not known either.
`Not` of a requirement is the one kind of which "fits the meet" does not mean "fits each".
"""

from __future__ import annotations

from functools import reduce

from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.match import gpu, lattice_isa, lattice_vulkan
from targetenv.match.lattice_values import joined_properties, met_properties
from targetenv.model.capabilities import SpirvEnvironment
from targetenv.model.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities


def meet(*offers: Capabilities) -> Capabilities:
    """What all of `offers` (at least one) offer; TE3005 when they are of different APIs.

    >>> from targetenv.model.capabilities import Capabilities
    >>> one, other = (Capabilities("vulkan", subgroup_sizes=frozenset(sizes)) for sizes in ({8, 16, 32}, {32, 64}))
    >>> sorted(meet(one, other).subgroup_sizes)
    [32]
    """
    _check(offers)
    return _tidied(reduce(_meet, map(normal, offers)), offers)


def join(*offers: Capabilities) -> Capabilities:
    """What at least one of `offers` (at least one) offers; TE3005 when they are of different APIs.

    >>> from targetenv.model.capabilities import Capabilities
    >>> one, other = (Capabilities("vulkan", subgroup_sizes=frozenset(sizes)) for sizes in ({8, 16, 32}, {32, 64}))
    >>> sorted(join(one, other).subgroup_sizes)
    [8, 16, 32, 64]
    """
    _check(offers)
    return _tidied(normal(reduce(_join, map(normal, offers))), offers)


def normal(offers: Capabilities) -> Capabilities:
    """The same offers with everything said that follows from the rest: two descriptions of one thing have one normal form.

    Features that the version guarantees or an instruction set contains, extensions that the version took in and that
    promise nothing more than it does, the SPIR-V that is taken.
    """
    if offers.api == "vulkan":
        return lattice_vulkan.normal(offers)
    return lattice_isa.normal(offers)


def _meet(a: Capabilities, b: Capabilities) -> Capabilities:
    exact = _is_exact(a)
    made = replace(
        a,
        version=None if a.version is None or b.version is None else min(a.version, b.version),
        formats=a.formats & b.formats,
        extensions=a.extensions & b.extensions,
        features=a.features & b.features,
        denied=a.denied & b.denied if exact else a.denied | b.denied,
        properties=met_properties(a, b),
        subgroup_sizes=a.subgroup_sizes & b.subgroup_sizes,
        matrices=a.matrices & b.matrices,
        spirv=_met_spirv(a.spirv, b.spirv),
        complete=a.complete and b.complete,
        unstated=a.unstated | b.unstated,
    )
    return lattice_isa.named(made, lattice_isa.meet(a, b))


def _join(a: Capabilities, b: Capabilities) -> Capabilities:
    exact = _is_exact(a)
    made = replace(
        a,
        version=max((each for each in (a.version, b.version) if each is not None), default=None),
        formats=a.formats | b.formats,
        extensions=a.extensions | b.extensions,
        features=a.features & b.features if exact else a.features | b.features,
        denied=a.denied & b.denied,
        properties=joined_properties(a, b),
        subgroup_sizes=a.subgroup_sizes | b.subgroup_sizes,
        matrices=a.matrices | b.matrices,
        spirv=_joined_spirv(a.spirv, b.spirv),
        complete=a.complete and b.complete,
        unstated=a.unstated | b.unstated,
    )
    return lattice_isa.named(made, lattice_isa.join(a, b))


def _is_exact(offers: Capabilities) -> bool:
    """AMD's target features are settings: code may pin one on or off, so neither is more than the other."""
    return offers.api in gpu.AMD


def _met_spirv(a: SpirvEnvironment | None, b: SpirvEnvironment | None) -> SpirvEnvironment | None:
    if a is None or b is None:
        return None
    return SpirvEnvironment(min(a.version, b.version), a.capabilities & b.capabilities, a.extensions & b.extensions)


def _joined_spirv(a: SpirvEnvironment | None, b: SpirvEnvironment | None) -> SpirvEnvironment | None:
    if a is None or b is None:
        return None
    return SpirvEnvironment(max(a.version, b.version), a.capabilities | b.capabilities, a.extensions | b.extensions)


def _tidied(found: Capabilities, inputs: tuple[Capabilities, ...]) -> Capabilities:
    """Without what follows from the rest, unless every input says it as well."""
    if found.api == "vulkan":
        return lattice_vulkan.tidied(found, inputs)
    return lattice_isa.tidied(found, inputs)


def _check(offers: tuple[Capabilities, ...]) -> None:
    apis = sorted({each.api for each in offers})
    if len(apis) > 1:
        advice = (
            "convert one of them: `targetenv parse A --to spirv`" if "spirv" in apis else "give devices or targets of one API"
        )
        raise TargetEnvError(Diagnostic("TE3005", f"{' and '.join(apis)} have nothing to compare", help=advice))
