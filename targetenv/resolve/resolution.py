"""Variants of kernels against devices: every verdict, ranked, and one choice for each kernel on each device."""

from __future__ import annotations

import re

from targetenv.diagnostics.diagnostic import NoCompatibleArtifact
from targetenv.match.check import Judge
from targetenv.match.pair import place
from targetenv.match.stack import Stack
from targetenv.model.verdict import Outcome, Verdict
from targetenv.resolve.choice import Choice, RankedKernel, Resolution
from targetenv.resolve.ranking import Ranking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device, Unavailable

_NEWEST = Stack()


def resolve(
    kernels: Mapping[str, Sequence[Artifact]],
    devices: Iterable[Device],
    *,
    unavailable: Iterable[Unavailable] = (),
    unknown: Literal["reject", "allow"] = "reject",
    as_of: Stack = _NEWEST,
) -> Resolution:
    """Judge every variant of every kernel on every device and choose the best of those that may run.

    `unknown` is the policy for variants of which it is not known whether they run: `reject` never chooses them, `allow` does
    where nothing that certainly runs is there. `as_of` decides as an older stack would (`targetenv.match.stack`). Rows are
    ordered by kernel name and device URI, whatever order came in.
    """
    judges = [(device, Judge(device.offers, as_of)) for device in sorted(devices, key=_device_key)]
    rows = []
    for kernel in sorted(kernels):
        ranking = Ranking(kernels[kernel])
        rows += [_rank(kernel, ranking, device, judge, unknown) for device, judge in judges]
    return Resolution(tuple(rows), tuple(sorted(unavailable, key=lambda row: (row.driver, row.code, row.reason))), as_of)


def require(resolution: Resolution) -> Resolution:
    """The same resolution, if every kernel runs on some device; otherwise NoCompatibleArtifact (TE3001) with the reasons."""
    chosen = {choice.kernel for choice in resolution.choices if choice.variant is not None}
    lacking = sorted({choice.kernel for choice in resolution.choices} - chosen)
    if lacking or not resolution.ranked:
        from targetenv.resolve.explain import why_not  # text is made only when somebody needs it

        raise NoCompatibleArtifact(*why_not(resolution, lacking))
    return resolution


def _rank(kernel: str, ranking: Ranking, device: Device, judge: Judge, unknown: str) -> RankedKernel:
    found = [judge.check(need) for need in ranking.requirements]
    in_order = sorted(range(len(found)), key=lambda at: place(found[at]))
    verdicts = [
        Verdict(variant, device, tuple(found[at] for at in in_order if needs >> at & 1))
        for variant, needs in zip(ranking.variants, ranking.needs, strict=True)
    ]
    met = sum(1 << at for at, finding in enumerate(found) if finding.outcome is Outcome.SATISFIED)
    maybe = sum(1 << at for at, finding in enumerate(found) if finding.outcome is not Outcome.UNSATISFIED)
    known = ranking.runs(met)
    ordered = ranking.order(known)
    if unknown == "allow":
        ordered += ranking.order(ranking.runs(maybe) & ~known)
    running = frozenset(ordered)
    missed = sorted((at for at in range(len(verdicts)) if at not in running), key=lambda at: _distance(verdicts[at]))
    choice = Choice(kernel, device.uri, None)
    if ordered:
        choice = Choice(kernel, device.uri, ranking.variants[ordered[0]].name, _because(ranking, ordered, known))
    return RankedKernel(kernel, device, tuple(verdicts[at] for at in [*ordered, *missed]), choice)


def _because(ranking: Ranking, ordered: Sequence[int], known: int) -> str:
    winner, certain = ordered[0], bool(known >> ordered[0] & 1)
    allowed = "" if certain else "allowed although it is not known to run"
    if len(ordered) == 1:
        return allowed
    if certain and not known >> ordered[1] & 1:
        return f"known to run, while {ranking.variants[ordered[1]].name} is not"
    return "; ".join(part for part in (allowed, ranking.because(winner, ordered[1])) if part)


def _distance(verdict: Verdict) -> tuple[bool, int, int, int, str, str]:
    """Nearest first: a format that the device does not load is farthest, a certain no farther than an unknown."""
    wrong = [finding for finding in verdict.findings if finding.outcome is Outcome.UNSATISFIED]
    artifact = verdict.artifact
    return (
        any(finding.code == "TE3107" for finding in wrong),
        len(wrong),
        len(verdict.unmet) - len(wrong),
        -artifact.preference,
        artifact.name,
        artifact.digest,
    )


def _device_key(device: Device) -> tuple[list[tuple[int, str]], str]:
    parts = re.findall(r"\d+|\D+", device.uri)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], device.name
