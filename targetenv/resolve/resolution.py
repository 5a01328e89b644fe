"""Variants of kernels against devices: every verdict, ranked, and one choice for each kernel on each device."""

from __future__ import annotations

import re

from targetenv.diagnostics.diagnostic import NoCompatibleArtifact
from targetenv.match.check import Judge
from targetenv.match.pair import place
from targetenv.match.stack import Stack
from targetenv.model.verdict import Outcome, Verdict
from targetenv.resolve.choice import Choice, Exclusion, RankedKernel, Resolution
from targetenv.resolve.policy import Policy
from targetenv.resolve.ranking import Ranking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device, Unavailable

_NEWEST = Stack()
_NO_POLICY = Policy()


def resolve(
    kernels: Mapping[str, Sequence[Artifact]],
    devices: Iterable[Device],
    *,
    unavailable: Iterable[Unavailable] = (),
    unknown: Literal["reject", "allow"] = "reject",
    as_of: Stack = _NEWEST,
    policy: Policy = _NO_POLICY,
) -> Resolution:
    """Judge every variant of every kernel on every device and choose the best of those that may run.

    `unknown` is the policy for variants of which it is not known whether they run: `reject` never chooses them, `allow` does
    where nothing that certainly runs is there. `as_of` decides as an older stack would (`targetenv.match.stack`); `policy` is
    what is wanted beyond what fits (`targetenv.resolve.policy`; PolicyError where it names what is not there). Rows are ordered
    by kernel name and device URI, whatever order came in.
    """
    policy.check(kernels)
    judges = [(device, Judge(device.offers, as_of)) for device in sorted(devices, key=_device_key)]
    rows = []
    for kernel in sorted(kernels):
        ranking = Ranking(kernels[kernel], policy)
        rows += [_rank(kernel, ranking.on(device.offers), device, judge, unknown, policy) for device, judge in judges]
    absent = tuple(sorted(unavailable, key=lambda row: (row.driver, row.code, row.reason)))
    return Resolution(tuple(rows), absent, as_of, policy)


def require(resolution: Resolution) -> Resolution:
    """The same resolution, if every kernel runs on some device; otherwise NoCompatibleArtifact (TE3001) with the reasons."""
    chosen = {choice.kernel for choice in resolution.choices if choice.variant is not None}
    lacking = sorted({choice.kernel for choice in resolution.choices} - chosen)
    if lacking or not resolution.ranked:
        from targetenv.resolve.explain import why_not  # text is made only when somebody needs it

        raise NoCompatibleArtifact(*why_not(resolution, lacking))
    return resolution


def _rank(kernel: str, ranking: Ranking, device: Device, judge: Judge, unknown: str, policy: Policy) -> RankedKernel:
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
    reasons = {at: policy.excludes(kernel, ranking.variants[at]) for at in ordered} if policy else {}
    excluded = [at for at in ordered if reasons.get(at)]
    chosen = [at for at in ordered if not reasons.get(at)]
    running = frozenset(ordered)
    missed = sorted((at for at in range(len(verdicts)) if at not in running), key=lambda at: _distance(verdicts[at]))
    choice = Choice(kernel, device.uri, None)
    if chosen:
        rule, because = _because(ranking, chosen, known)
        name = ranking.variants[chosen[0]].name
        pinned = dict(policy.pins).get(kernel)
        if pinned is not None:
            rule, because = "rank.pinned", "; ".join(part for part in ("pinned", because) if part)
        choice = Choice(kernel, device.uri, name, because, rule, "ambiguous: " in because)
    exclusions = tuple(Exclusion(ranking.variants[at].name, *(reasons[at] or ("", ""))) for at in excluded)
    ranked = tuple(verdicts[at] for at in [*chosen, *excluded, *missed])
    return RankedKernel(kernel, device, ranked, choice, exclusions)


def _because(ranking: Ranking, ordered: Sequence[int], known: int) -> tuple[str, str]:
    """The rule that put the first before the second, and the reason for people."""
    winner, certain = ordered[0], bool(known >> ordered[0] & 1)
    allowed = "" if certain else "allowed although it is not known to run"
    if len(ordered) == 1:
        return ("rank.sound" if allowed else ""), allowed
    if certain and not known >> ordered[1] & 1:
        return "rank.sound", f"known to run, while {ranking.variants[ordered[1]].name} is not"
    rule, reason = ranking.because(winner, ordered[1])
    return rule, "; ".join(part for part in (allowed, reason) if part)


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
