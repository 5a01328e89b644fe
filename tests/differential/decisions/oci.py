"""containerd: which image's platform a host runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from targetenv.model.verdict import Outcome
from tests.differential.decisions.decision import Decision, Oracle
from tests.differential.decisions.ours import outcome

CORPUS = Path(__file__).parents[2] / "corpora" / "oci" / "containerd.txt"
_NARROWER = (
    "containerd takes every 64-bit host to run 32-bit code; whether it does has to be asked, so the answer here is unknown"
)
_NEWER_ARM = (
    "containerd takes ARMv8.5 to have nothing but its number; FlagM2, BTI and others are features that a v9.0 host lists"
)


def recorded() -> Iterator[Decision]:
    for line in CORPUS.read_text().splitlines():
        image, host, answer = line.split("\t")
        ours = outcome(image, host)
        known = _NARROWER if answer == "yes" and ours is Outcome.UNKNOWN else ""
        yield Decision(f"{image} on {host}", answer == "yes", ours is Outcome.SATISFIED, known)


ORACLES = (
    Oracle("containerd", "which image's platform a host runs, by containerd's comparison", lambda: "recorded", recorded),
)
