"""One pair: an artifact and a device, or two environments."""

from __future__ import annotations

from targetenv.match.check import Judge
from targetenv.match.environment import offers_of, requirements_of
from targetenv.model.device import Device
from targetenv.model.verdict import Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement
    from targetenv.model.target_env import TargetEnv
    from targetenv.model.verdict import Finding


def match(artifact: Artifact, device: Device) -> Verdict:
    """Whether `device` runs `artifact`: one finding for each distinct requirement, in an order of their own.

    >>> from targetenv.model.artifact import Artifact
    >>> from targetenv.model.capabilities import Capabilities
    >>> from targetenv.model.requirement import NeedsFormat
    >>> cpu = Device("cpu://0", "a CPU", "cpu", Capabilities("cpu", formats=frozenset({"elf-x86_64"})))
    >>> match(Artifact("k.spv", "spirv", "", (NeedsFormat("spirv"),)), cpu).unmet[0].offers
    'device loads elf-x86_64'
    """
    return Verdict(artifact, device, findings(artifact.requires, Judge(device.offers)))


def match_env(requires: TargetEnv, offers: TargetEnv | Device) -> tuple[Outcome, tuple[Finding, ...]]:
    """Whether code built for `requires` runs where `offers` is offered: the worst outcome, and every finding."""
    offered = offers.offers if isinstance(offers, Device) else offers_of(offers)
    found = findings(requirements_of(requires), Judge(offered))
    outcomes = {finding.outcome for finding in found}
    return next((worst for worst in (Outcome.UNSATISFIED, Outcome.UNKNOWN) if worst in outcomes), Outcome.SATISFIED), found


_ORDER = ("TE3107", "TE3106", "TE3101", "TE3102", "TE3105", "TE3103", "TE3104", "TE3108", "TE3109", "TE3111", "TE3110")
_PLACE = {code: place for place, code in enumerate(_ORDER)}


def findings(requirements: Iterable[Requirement], judge: Judge) -> tuple[Finding, ...]:
    """The findings for distinct requirements, in the order of `place`."""
    return tuple(sorted((judge.check(requirement) for requirement in dict.fromkeys(requirements)), key=place))


def place(finding: Finding) -> tuple[int, str, _Tie]:
    """Where a finding stands among others: from the coarse question (format) to the fine one, then by what is required."""
    return _PLACE[finding.code], finding.requires, _Tie(finding)


class _Tie:
    """The last word between requirements that read alike (`Struct::limit` of two structs); costs nothing where none do."""

    __slots__ = ("_finding",)

    def __init__(self, finding: Finding) -> None:
        self._finding = finding

    def __lt__(self, other: _Tie) -> bool:
        return repr(self._finding.requirement) < repr(other._finding.requirement)
