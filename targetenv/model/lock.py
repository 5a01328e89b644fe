"""A decision with everything that it depends on, so that a later one can be held against it."""

from __future__ import annotations

from targetenv.model.record import record


@record
class LockedAnswer:
    """What a device answered to one requirement of some variant: `outcome` is the value of an Outcome."""

    requires: str
    outcome: str
    offers: str
    rule: str


@record
class LockedDevice:
    """One device. `digest` is the SHA-256 of its snapshot; `provenance` names the driver; `answers` are sorted."""

    uri: str
    name: str
    digest: str
    provenance: tuple[tuple[str, str], ...]
    answers: tuple[LockedAnswer, ...]


@record
class LockedVariant:
    """One candidate: `digest` is the SHA-256 of its bytes, `requires` how its requirements read, sorted."""

    kernel: str
    name: str
    digest: str
    requires: tuple[str, ...]


@record
class LockedChoice:
    """What was chosen for a kernel on a device, and what put it first; no variant where nothing runs."""

    kernel: str
    device: str
    variant: str | None
    because: str


@record
class Lock:
    """One resolution. `rules` are the versions of the tables that decided, by name, with a digest over all of them; `terms` are
    what it was made under: what of unknowns, preferences, pins, an older stack."""

    rules: tuple[tuple[str, str], ...]
    terms: tuple[tuple[str, str], ...]
    devices: tuple[LockedDevice, ...]
    variants: tuple[LockedVariant, ...]
    choices: tuple[LockedChoice, ...]


@record
class Drift:
    """One thing that is not as it was locked: `kind` is `rules`, `terms`, `variant`, `device`, `driver`, `answer` or `choice`.

    `what` names it; an empty side means that it is not there on that side.
    """

    kind: str
    what: str
    locked: str
    now: str
