"""The answer to the larger question: which of the artifacts that run should?"""

from __future__ import annotations

from targetenv.model.device import Device, Unavailable
from targetenv.model.record import record
from targetenv.model.verdict import Verdict


@record
class Choice:
    """What one kernel runs as on one device; `variant` is an `Artifact.name`, None when nothing fits.

    `because` says what put the winner before the next best ("more specific than saxpy_v2"), empty when it stood alone.
    """

    kernel: str
    device: str
    variant: str | None
    because: str = ""


@record
class RankedKernel:
    """All verdicts for one kernel on one device, best first; among misses, nearest first."""

    kernel: str
    device: Device
    verdicts: tuple[Verdict, ...]
    choice: Choice


@record
class Resolution:
    """Every question that was asked and its answer, kernel by kernel, device by device, with the drivers that had no device."""

    ranked: tuple[RankedKernel, ...]
    unavailable: tuple[Unavailable, ...] = ()

    def explain(self, *, everything: bool = False) -> str:
        """Why each variant was chosen or not, as text for people; `everything` adds what is satisfied."""
        from targetenv.resolve.explain import explain  # text is made only when somebody asks

        return explain(self, everything=everything)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """One choice for each kernel and device."""
        return tuple(row.choice for row in self.ranked)
