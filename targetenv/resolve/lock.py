"""Locking a resolution, and telling what has changed since: the rules, the candidates, the devices, the choice."""

from __future__ import annotations

import json
from hashlib import sha256

from targetenv.match.phrases import required
from targetenv.match.rules import every_rule
from targetenv.model import document
from targetenv.model.lock import Drift, Lock, LockedAnswer, LockedChoice, LockedDevice, LockedVariant
from targetenv.registry import amdgpu, cuda, spirv, vulkan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeVar

    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device
    from targetenv.model.verdict import Finding
    from targetenv.resolve.choice import Resolution

    Noun = TypeVar("Noun")


def lock(resolution: Resolution, *, unknown: str = "reject") -> Lock:
    """Everything that this resolution depends on; `unknown` is what `resolve` was told of those not known to run."""
    devices: dict[str, tuple[Device, set[Finding]]] = {}
    variants: dict[tuple[str, str], Artifact] = {}
    for row in resolution.ranked:
        _, findings = devices.setdefault(row.device.uri, (row.device, set()))
        for verdict in row.verdicts:
            variants[row.kernel, verdict.artifact.name] = verdict.artifact
            findings.update(verdict.findings)
    return Lock(
        _rules(),
        _terms(resolution, unknown),
        tuple(_device(*devices[uri]) for uri in sorted(devices)),
        tuple(
            LockedVariant(kernel, name, found.digest, tuple(sorted(map(required, found.requires))))
            for (kernel, name), found in sorted(variants.items())
        ),
        tuple(LockedChoice(row.kernel, row.device, row.variant, row.because) for row in resolution.choices),
    )


def drift(locked: Lock, now: Lock) -> tuple[Drift, ...]:
    """What is not as it was, causes before the choices that they change; empty when the lock holds.

    >>> held = Lock((), (), (), (), (LockedChoice("k", "cpu://0", "v3", ""),))
    >>> drift(held, Lock((), (), (), (), (LockedChoice("k", "cpu://0", "v2", ""),)))
    (Drift(kind='choice', what='`k` on cpu://0', locked='v3', now='v2'),)
    """
    return tuple(_drift(locked, now))


def _drift(locked: Lock, now: Lock) -> Iterator[Drift]:
    yield from _pairs("rules", locked.rules, now.rules)
    yield from _pairs("terms", locked.terms, now.terms)
    yield from _variants(locked, now)
    before, after = ({device.uri: device for device in side.devices} for side in (locked, now))
    for uri in sorted(before.keys() | after.keys()):
        if uri in before and uri in after:
            yield from _on_device(before[uri], after[uri])
        else:
            yield Drift("device", uri, *(side[uri].name if uri in side else "" for side in (before, after)))
    chosen = [{(row.kernel, row.device): row.variant or "nothing" for row in side.choices} for side in (locked, now)]
    for kernel, device in sorted(chosen[0].keys() & chosen[1].keys()):
        was, is_ = (side[kernel, device] for side in chosen)
        if was != is_:
            yield Drift("choice", f"`{kernel}` on {device}", was, is_)


def _variants(locked: Lock, now: Lock) -> Iterator[Drift]:
    before, after = ({(row.kernel, row.name): row for row in side.variants} for side in (locked, now))
    for key in sorted(before.keys() | after.keys()):
        what = f"{key[1]} of `{key[0]}`"
        if key not in before or key not in after:
            there = ["there" if key in side else "" for side in (before, after)]
            yield Drift("variant", what, *there)
            continue
        was, is_ = before[key], after[key]
        if was.digest != is_.digest:
            yield Drift("variant", what, f"SHA-256 {was.digest[:12]}", f"SHA-256 {is_.digest[:12]}")
        for need in sorted({*was.requires} ^ {*is_.requires}):
            yield Drift("variant", what, *(f"requires {need}" if need in side.requires else "" for side in (was, is_)))


def _on_device(was: LockedDevice, is_: LockedDevice) -> Iterator[Drift]:
    if was.name != is_.name:
        yield Drift("device", was.uri, was.name, is_.name)
    yield from _pairs(f"driver {was.uri}", was.provenance, is_.provenance)
    before, after = ({answer.requires: answer for answer in side.answers} for side in (was, is_))
    changed = False
    for need in sorted(before.keys() & after.keys()):
        one, other = before[need], after[need]
        if one != other:
            changed = True
            yield Drift("answer", f"{was.uri}: {need}", f"{one.outcome} ({one.offers})", f"{other.outcome} ({other.offers})")
    if was.digest != is_.digest and not changed:
        yield Drift("device", was.uri, f"snapshot {was.digest[:12]}", f"snapshot {is_.digest[:12]}, the answers are the same")


def _pairs(kind: str, was: Sequence[tuple[str, str]], is_: Sequence[tuple[str, str]]) -> Iterator[Drift]:
    word, _, place = kind.partition(" ")
    before, after = dict(was), dict(is_)
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Drift(word, f"{place} {key}".strip(), before.get(key, ""), after.get(key, ""))


def _device(device: Device, findings: set[Finding]) -> LockedDevice:
    answers = {LockedAnswer(row.requires, row.outcome.value, row.offers, row.rule) for row in findings}
    ordered = sorted(answers, key=lambda row: (row.requires, row.outcome, row.offers))
    return LockedDevice(device.uri, device.name, _digest(document.of_device(device)), device.provenance, tuple(ordered))


def _terms(resolution: Resolution, unknown: str) -> tuple[tuple[str, str], ...]:
    """What was asked for beyond what fits, as the options that ask for it."""
    wanted = resolution.policy
    terms = {"--unknown": unknown, **{f"--pin {kernel}": variant for kernel, variant in wanted.pins}}
    if wanted.prefer:
        terms["--prefer"] = ", ".join(wanted.prefer)
    if wanted.never_jit:
        terms["--never-jit"] = "yes"
    if resolution.as_of:
        terms["--as-of"] = str(resolution.as_of)
    return tuple(sorted(terms.items()))


def _rules() -> tuple[tuple[str, str], ...]:
    """The tables that decide. A digest stands for all of them, so that a row that changes under one version is seen too."""
    tables: Mapping[str, str] = {
        "SPIR-V grammar": spirv.GRAMMAR_VERSION,
        "vk.xml": vulkan.HEADER_VERSION,
    }
    rows = [[row.id, row.text, row.source, row.since, row.until] for row in every_rule()]
    nvidia = [repr(row) for row in cuda.architectures().values()]
    amd = [repr(row) for row in amdgpu.processors().values()]
    digest = _digest([rows, nvidia, amd, *tables.items()])
    return (("SHA-256 of rules and tables", digest), *sorted(tables.items()))


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
