"""What would change a "no": one function for each situation that is known, each pure."""

from __future__ import annotations

from enum import Enum

from targetenv.match.phrases import listed
from targetenv.match.unknowns import how_to_find_out
from targetenv.model import requirement as needs
from targetenv.model.record import record
from targetenv.model.verdict import Outcome
from targetenv.resolve.change import Repair, cheapest
from targetenv.resolve.implication import subject
from targetenv.resolve.kinds import kind_of
from targetenv.resolve.paste import build_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.model.verdict import Finding, Verdict
    from targetenv.resolve.choice import RankedKernel, Resolution


_PROBE = "`{uri}` is described in part: let `targetenv probe -o FILE` describe it, and pass that file as `--device`"


class Situation(Enum):
    """Why nothing was chosen, as far as it suggests what to do."""

    NO_DEVICE = "no driver found a device"
    RUNS_ELSEWHERE = "another device runs the kernel"
    ONLY_UNKNOWN = "a variant lacks nothing but certainty"
    SILENT_SOURCE = "the description of the device leaves something out"
    SILENT_ARTIFACT = "a variant does not say what it needs"
    NO_LOADABLE_FORMAT = "no variant is of a format that the device loads"
    REPAIR = "a change is known after which a variant fits"
    SHARED_CAUSE = "several variants fail on the same requirement"


@record
class Hint:
    """What to do, as an imperative or a fact that suggests one."""

    situation: Situation
    text: str


def hints_for(row: RankedKernel, resolution: Resolution) -> tuple[Hint, ...]:
    """What would make this kernel run on this device, or who runs it already; nothing where a variant was chosen."""
    if row.choice.variant is not None or not row.verdicts:
        return ()
    loadable = tuple(verdict for verdict in row.verdicts if not _has(verdict, needs.NeedsFormat))
    found: dict[Hint, None] = {}
    found |= dict.fromkeys(_shared_cause(loadable))
    if loadable and all(verdict.outcome is Outcome.UNSATISFIED for verdict in loadable):
        found |= dict.fromkeys(Hint(Situation.REPAIR, str(repair)) for repair in (repair_of(row),) if repair is not None)
    found |= dict.fromkeys(_unknown(loadable))
    found |= dict.fromkeys(_elsewhere(row, resolution) if loadable else _no_format(row))
    return tuple(found)


def hints_without_device(resolution: Resolution) -> tuple[Hint, ...]:
    """What the absent drivers say would bring a device."""
    return tuple(Hint(Situation.NO_DEVICE, f"{row.driver}: {row.help}") for row in resolution.unavailable if row.help)


def _has(verdict: Verdict, kind: type) -> bool:
    return any(isinstance(finding.requirement, kind) for finding in _wrong(verdict))


def _wrong(verdict: Verdict) -> list[Finding]:
    return [finding for finding in verdict.findings if finding.outcome is Outcome.UNSATISFIED]


def _shared_cause(verdicts: tuple[Verdict, ...]) -> Iterator[Hint]:
    failing: dict[str, list[Finding]] = {}
    for verdict in verdicts:
        by_subject = {subject(finding.requirement): finding for finding in _wrong(verdict)}
        for about, finding in by_subject.items():
            failing.setdefault(about, []).append(finding)
    if not failing:
        return
    about, found = max(failing.items(), key=lambda row: (len(row[1]), row[0]))
    if len(found) > 1 and not (len(found) == len(verdicts) and isinstance(found[0].requirement, needs.NeedsIsa)):
        offers = {finding.offers for finding in found}
        said = f"; this {offers.pop()}" if len(offers) == 1 and found[0].offers.startswith("device ") else ""
        yield Hint(Situation.SHARED_CAUSE, f"{len(found)} of {len(verdicts)} variants fail on `{about}`{said}")


def repair_of(row: RankedKernel) -> Repair | None:
    """The cheapest change after which this device runs the kernel; None where it runs already or nothing is known to help."""
    if row.choice.variant is not None:
        return None
    found = [repair for repair in map(cheapest, row.verdicts) if repair is not None]
    return min(found, key=lambda repair: repair.cost, default=None)  # of equals the nearest miss, which comes first


def _unknown(verdicts: tuple[Verdict, ...]) -> Iterator[Hint]:
    for verdict in verdicts:
        if verdict.outcome is Outcome.UNKNOWN:
            unsaid = [one.requirement for one in verdict.unmet if isinstance(one.requirement, needs.NeedsUnknown)]
            for need in unsaid:
                yield Hint(Situation.SILENT_ARTIFACT, f"`{verdict.artifact.name}`: {how_to_find_out(need)}")
            if any(not _by_name(finding, verdict) for finding in verdict.unmet if finding.requirement not in unsaid):
                yield Hint(Situation.SILENT_SOURCE, _PROBE.format(uri=verdict.device.uri))
            risk = f"pass `--unknown allow` to run `{verdict.artifact.name}` on the chance that it fits"
            yield Hint(Situation.ONLY_UNKNOWN, risk)
            return


def _by_name(finding: Finding, verdict: Verdict) -> bool:
    """Whether this is about the name of the device's processor, which is known: no description of the device says more."""
    return isinstance(finding.requirement, needs.NeedsIsa) and verdict.device.offers.isa is not None


def _no_format(row: RankedKernel) -> Iterator[Hint]:
    offers = row.device.offers
    formats = sorted(offers.formats, key=lambda name: (kind_of(name).cost, name))
    if formats:
        tool = build_for(offers, formats[0])
        advice = f"add variants that this device loads: {listed(formats)}"
        yield Hint(Situation.NO_LOADABLE_FORMAT, f"{advice}, as by `{tool}`" if tool else advice)


def _elsewhere(row: RankedKernel, resolution: Resolution) -> Iterator[Hint]:
    for choice in resolution.choices:
        if choice.kernel == row.kernel and choice.variant is not None:
            yield Hint(Situation.RUNS_ELSEWHERE, f"pass `--device {choice.device}`, which runs `{choice.variant}`")
            return
