"""The answer to the larger question: which of the artifacts that run should?"""

from __future__ import annotations

from targetenv.match.stack import Stack
from targetenv.model.device import Device, Unavailable
from targetenv.model.record import record
from targetenv.model.verdict import Verdict
from targetenv.resolve.policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.enabling import EnableList

_NEWEST = Stack()
_NO_POLICY = Policy()


@record
class Choice:
    """What one kernel runs as on one device; `variant` is an `Artifact.name`, None when nothing fits.

    `because` says what put the winner before the next best ("more specific than saxpy_v2"), empty when it stood alone; `rule`
    is the step of the ranking that did, `ambiguous` says that nothing but the digest did.
    """

    kernel: str
    device: str
    variant: str | None
    because: str = ""
    rule: str = ""
    ambiguous: bool = False


@record
class Exclusion:
    """A variant that runs and that the policy leaves out: `rule` is the step of the ranking, `why` for people."""

    variant: str
    rule: str
    why: str


@record
class RankedKernel:
    """All verdicts for one kernel on one device, best first, then what the policy excludes; among misses, nearest first."""

    kernel: str
    device: Device
    verdicts: tuple[Verdict, ...]
    choice: Choice
    excluded: tuple[Exclusion, ...] = ()

    @property
    def enables(self) -> EnableList:
        """What the device has to be opened with to run the chosen variant; empty where none was chosen."""
        return _enables((self,))


@record
class Resolution:
    """Every question that was asked and its answer, kernel by kernel, device by device, with the drivers that had no device.

    `as_of` is the stack whose rules decided, `policy` what was wanted beyond what fits.
    """

    ranked: tuple[RankedKernel, ...]
    unavailable: tuple[Unavailable, ...] = ()
    as_of: Stack = _NEWEST
    policy: Policy = _NO_POLICY

    def explain(self, *, everything: bool = False, why: bool = False) -> str:
        """Why each variant was chosen or not, as text for people.

        `everything` adds what is satisfied, `why` what would have met what is not, and what has to be enabled.
        """
        from targetenv.resolve.explain import explain  # text is made only when somebody asks

        return explain(self, everything=everything, why=why)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """One choice for each kernel and device."""
        return tuple(row.choice for row in self.ranked)

    def enables(self, device: str) -> EnableList:
        """What the device of this URI has to be opened with to run every variant that was chosen for it.

        One list for all of them together, to be known before the device is opened: nothing can be switched on later.
        """
        return _enables(tuple(row for row in self.ranked if row.device.uri == device))


def _enables(rows: tuple[RankedKernel, ...]) -> EnableList:
    from targetenv.match.enabling import EnableList, enable_list  # only where a device is to be opened

    chosen = [found.artifact for row in rows for found in row.verdicts if found.artifact.name == row.choice.variant]
    if not chosen:
        return EnableList()
    several = len({artifact.digest for artifact in chosen}) > 1
    return enable_list((need for artifact in chosen for need in artifact.requires), rows[0].device.offers, several=several)
