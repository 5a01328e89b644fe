"""The answer to one question: does this artifact run on this device?"""

from __future__ import annotations

from enum import Enum

from targetenv.model.artifact import Artifact
from targetenv.model.device import Device
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement


class Outcome(Enum):
    """Three values, in order of bad news. `UNKNOWN` is never `SATISFIED`; what it leads to is a policy of the resolver."""

    SATISFIED = "satisfied"
    UNKNOWN = "unknown"
    UNSATISFIED = "unsatisfied"


@record
class Finding:
    """One requirement held against one device.

    `requires` and `offers` are short phrases for people, `rule` the id of the rule row that decided, `source` where the rule
    comes from. `code` is a diagnostic code (TE31xx) also when satisfied: it names the kind of question, not the answer.
    """

    code: str
    outcome: Outcome
    requirement: Requirement
    requires: str
    offers: str
    rule: str
    source: str


@record
class Verdict:
    """Every finding about one artifact on one device."""

    artifact: Artifact
    device: Device
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst outcome among the findings; satisfied when nothing is required."""
        outcomes = {finding.outcome for finding in self.findings}
        for outcome in (Outcome.UNSATISFIED, Outcome.UNKNOWN):
            if outcome in outcomes:
                return outcome
        return Outcome.SATISFIED

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """The findings that stand in the way, unknown ones included."""
        return tuple(finding for finding in self.findings if finding.outcome is not Outcome.SATISFIED)
