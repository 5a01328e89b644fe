"""Target environments as requirements (of code that was built for one) and as offers (of a device that one describes)."""

from __future__ import annotations

from targetenv.match import gpu
from targetenv.model import requirement as needs
from targetenv.model.record import replace
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.model.target_env import TargetEnv

_FORMATS = {"vulkan": "spirv", "spirv": "spirv"}


def offers_of(env: TargetEnv) -> Capabilities:
    """What a device described by `env` offers. A description that names no executable format takes its API's own."""
    offers = env.offers
    if offers.formats or offers.api not in _FORMATS:
        return offers
    return replace(offers, formats=frozenset({_FORMATS[offers.api]}))


def requirements_of(env: TargetEnv) -> tuple[Requirement, ...]:
    """What code built for `env` may rely on, and so requires: everything that the environment states."""
    offers = offers_of(env)
    required: list[Requirement] = [needs.NeedsFormat(name) for name in sorted(offers.formats)]
    if offers.version is not None:
        # Vulkan specification, Version Numbers: a difference in the patch number never affects compatibility.
        required.append(needs.NeedsVersion(offers.api, Version(offers.version.major, offers.version.minor)))
    if (name := _isa(offers)) is not None:
        required.append(needs.NeedsIsa(name))
    elif env.triple is not None and offers.api in (*gpu.AMD, *gpu.NVIDIA):
        from targetenv.match.unknowns import NO_PROCESSOR

        required.append(NO_PROCESSOR.requirement)
    if offers.api == "metal":
        required += _system(offers)
    required += [needs.NeedsExtension(name) for name in sorted(offers.extensions)]
    if offers.api in gpu.AMD:  # a feature pinned off is as much required as one pinned on
        switched = [f"{name}+" for name in offers.features] + [f"{name}-" for name in offers.denied]
        required += [needs.NeedsFeature(name) for name in sorted(switched)]
    else:
        required += [needs.NeedsFeature(name) for name in sorted(offers.features)]
    required += _limits(offers)
    required += [needs.NeedsSubgroupSize(size) for size in sorted(offers.subgroup_sizes)]
    required += [needs.NeedsMatrix(matrix) for matrix in sorted(offers.matrices, key=str)]
    if offers.spirv is not None:
        required.append(needs.NeedsVersion("spirv", offers.spirv.version))
        required += [needs.NeedsCapability(name) for name in sorted(offers.spirv.capabilities)]
        required += [needs.NeedsExtension(name) for name in sorted(offers.spirv.extensions)]
    return tuple(required)


def _system(offers: Capabilities) -> list[Requirement]:
    """The system that code for Metal is built for, and from which version of it on."""
    from targetenv.match import metal

    version = offers.property(metal.VERSION)
    if not isinstance(version, tuple):
        return []
    return [needs.NeedsVersion(name, Version(*map(int, version))) for name in metal.SYSTEMS if name in offers.features]


def _isa(offers: Capabilities) -> str | None:
    """The instruction set that code for these offers needs: of a CPU without some of its features, what is left of its name."""
    from targetenv.match import isa

    name = offers.isa
    if name is None or not offers.denied & isa.features(name):
        return name
    left = (isa.features(name) | offers.features) - offers.denied
    return next((each for each in isa.LEVELS[str(isa.architecture(name))] if isa.features(each) <= left), None)


#: Kinds of executable that one target has several of, and the API that they are for.
KINDS = {"ptx": "cuda", "cubin": "cuda", "hsaco": "rocm"}


def requirements_of_kind(kind: str, env: TargetEnv) -> tuple[Requirement, ...]:
    """What an executable of one of `KINDS`, built for `env`, requires; ValueError when `env` is another API's.

    PTX for `sm_80` is code for the virtual architecture `compute_80`.

    >>> from targetenv.model.capabilities import Capabilities
    >>> from targetenv.model.target_env import TargetEnv
    >>> requirements_of_kind("ptx", TargetEnv(Capabilities("cuda", isa="sm_80")))[1].isa
    'compute_80'
    """
    offers = env.offers
    if offers.api != KINDS[kind]:
        raise ValueError(f"a target of {offers.api} has no {kind}")
    isa = offers.isa.replace("sm_", "compute_") if kind == "ptx" and offers.isa else offers.isa
    return requirements_of(replace(env, offers=replace(offers, isa=isa, formats=frozenset({kind}), subgroup_sizes=frozenset())))


# What Capabilities.subgroup_sizes says better: the registry calls these `max`, and no kernel means that.
SUBGROUP_SIZES = ("::subgroupSize", "::minSubgroupSize", "::maxSubgroupSize")


def _limits(offers: Capabilities) -> list[Requirement]:
    """The stated limits, with the relation that the registry gives each; identities and sizes of other things are no limits."""
    from targetenv.registry.vulkan import relation

    found: list[Requirement] = []
    for row in offers.properties:
        value = row.value
        if isinstance(value, str) or row.name.endswith(SUBGROUP_SIZES):
            continue
        compared = relation(row.name)
        if compared is not None and not (isinstance(value, tuple) and any(isinstance(part, str) for part in value)):
            found.append(needs.NeedsLimit(row.name, compared, value))  # type: ignore[arg-type]
    return found
