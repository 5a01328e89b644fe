"""Why a requirement is not met, with what would meet it: the alternatives down to the atom, and what to do about it here."""

from __future__ import annotations

from targetenv.match.alternatives import alternatives, lines, sentence
from targetenv.match.phrases import bare
from targetenv.model.record import record
from targetenv.model.verdict import Outcome
from targetenv.resolve.change import cheapest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.match.alternatives import Alternative
    from targetenv.match.enabling import EnableList
    from targetenv.model.verdict import Finding
    from targetenv.resolve.choice import RankedKernel


@record
class Why:
    """One unmet requirement: every alternative that would have met it, and the repair.

    `repair` completes a sentence: the variant that fits instead, or what to change; empty when nothing is known to help.
    """

    finding: Finding
    alternatives: tuple[Alternative, ...]
    repair: str

    @property
    def sentence(self) -> str:
        """What is needed, that it is not there, and the repair, in one line."""
        return "; ".join(part for part in (sentence(self.alternatives), self.repair) if part)


def why(finding: Finding, row: RankedKernel) -> Why | None:
    """What is behind an unmet finding of one of the row's verdicts; None where no alternative would meet the requirement."""
    if finding.outcome is Outcome.SATISFIED:
        return None
    found = alternatives(finding.requirement, row.device.offers)
    return Why(finding, found, _repair(finding, row)) if found else None


def told(finding: Finding, row: RankedKernel) -> Iterator[str]:
    """The same as lines below the finding's own; none where there is nothing to add to it."""
    found = why(finding, row)
    if found is not None:
        # Where nothing fits, the repair is one for the whole variant and stands below the tree.
        yield found.sentence if row.choice.variant is not None else sentence(found.alternatives)
        for each in found.alternatives:
            yield from (f"  {line}" for line in lines(each))


def opening(listed: EnableList) -> list[str]:
    """What a device has to be opened with, one line each, with the reason."""
    kinds = (("feature", listed.features), ("extension", listed.extensions))
    rows = [(f"{kind} {row.name}", row.because) for kind, each in kinds for row in each]
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  for {', '.join(map(_reason, because))}" for name, because in rows]


def _reason(because: str) -> str:
    """`feature X` of a feature's own line is said already by its name."""
    kind, _, name = because.partition(" ")
    return f"feature {bare(name)}" if kind == "feature" else because


def _repair(finding: Finding, row: RankedKernel) -> str:
    if row.choice.variant is not None:
        return f"variant `{row.choice.variant}` fits"
    verdict = next((verdict for verdict in row.verdicts if finding in verdict.findings), None)
    repair = cheapest(verdict) if verdict is not None else None
    return str(repair) if repair is not None else ""
