"""How far a device is from what a variant was built for, where neither of two variants is the more specific one.

From what the requirements say: the architecture that code was built for, the features that it uses, the subgroup size.
"""

from __future__ import annotations

from targetenv.match import isa
from targetenv.model.requirement import NeedsIsa, NeedsSubgroupSize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from targetenv.model.artifact import Artifact
    from targetenv.model.capabilities import Capabilities

    #: steps between architectures (or features of the device left unused), then the distance to its own subgroup size
    Distance: TypeAlias = tuple[int, int]
    TunedFor: TypeAlias = tuple[NeedsIsa | NeedsSubgroupSize, ...]

NEAR: Distance = (0, 0)
SUBGROUP = "VkPhysicalDeviceSubgroupProperties::subgroupSize"


def distance(artifact: Artifact, offers: Capabilities) -> Distance:
    """The distance, `NEAR` where nothing is said.

    >>> from targetenv.model.artifact import Artifact
    >>> from targetenv.model.capabilities import Capabilities
    >>> distance(Artifact("a", "cubin", "", (NeedsIsa("sm_86"),)), Capabilities("cuda", isa="sm_89"))
    (3, 0)
    """
    return distance_of(tuned_for(artifact), offers)


def tuned_for(artifact: Artifact) -> TunedFor:
    """The requirements that say what a variant was built for; where there is none, it is near to every device."""
    return tuple(need for need in artifact.requires if isinstance(need, (NeedsIsa, NeedsSubgroupSize)))


def distance_of(needs: TunedFor, offers: Capabilities) -> Distance:
    """The distance of every variant with these needs."""
    steps = width = 0
    for need in needs:
        if isinstance(need, NeedsIsa):
            steps += _steps(need.isa, offers)
        else:
            own = offers.property(SUBGROUP)
            width += abs(need.size - own) if isinstance(own, int) else 0
    return steps, width


def phrase(winner: Artifact, other: Artifact, offers: Capabilities) -> str:
    """Why the first is nearer, for people."""
    if distance(winner, offers)[0] == distance(other, offers)[0]:
        sizes = [str(need.size) for need in winner.requires if isinstance(need, NeedsSubgroupSize)]
        what = f"subgroups of {', '.join(sizes)}" if sizes else "subgroups of any size"
        return f"it is for {what}, nearer to this device's own {offers.property(SUBGROUP)} than {other.name}"
    mine, theirs = _built_for(winner), _built_for(other)
    if isa.architecture(mine) is not None:
        return f"it uses more of what this device has than {other.name}: it is built for {mine}, not for {theirs}"
    return f"it is built nearer to {offers.isa} than {other.name}: for {mine}, not for {theirs or 'any'}"


def _built_for(artifact: Artifact) -> str:
    return ", ".join(need.isa for need in artifact.requires if isinstance(need, NeedsIsa))


def _steps(code: str, offers: Capabilities) -> int:
    if offers.isa is None:
        return 0
    if offers.api == "cuda":
        from targetenv.registry import cuda

        built, there = cuda.NAME.fullmatch(code), cuda.NAME.fullmatch(offers.isa)
        return abs(int(there["number"]) - int(built["number"])) if built and there else 0
    if isa.architecture(code) is None:
        return 0
    return len(((isa.features(offers.isa) | offers.features) - offers.denied) - isa.features(code))
