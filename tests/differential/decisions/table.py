"""The table of oracles: how many decisions were compared, how many agree, and why the others differ."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from targetenv.match.rules import every_rule
from tests.differential.decisions import amd, cpu, nvidia, oci, spirv, versions
from tests.differential.decisions.decision import Decision, Oracle

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "oracles.md"
#: Oracles that compare whole tables and whole probes, in tests of their own.
ELSEWHERE = {
    "laws": "tests/property: permutation, dominance, monotony and Kleene's tables, on worlds that hypothesis makes",
    "vulkan-object": "tests/differential/test_vulkan_object.py: every extension, promotion, feature and limit of vk.xml",
    "vulkaninfo": "tests/differential/test_vulkaninfo.py: everything that a probe says, beside what vulkaninfo says",
}
_HEAD = """# Oracles: what the rules are held against

Made by `python -m tests.differential.decisions --write`; `make test` asks every oracle that is installed and fails where a row
has changed or an answer differs without a reason. *Recorded* answers are in `tests/corpora`. `targetenv explain RULE` names the
oracle of a rule, and who decides otherwise.

| oracle | what is asked | answered by | compared | agreed | knowingly different |
|---|---|---|---|---|---|
"""


class Answers(NamedTuple):
    """What one oracle said; `decisions` is empty where it is not here."""

    oracle: Oracle
    version: str
    decisions: tuple[Decision, ...]

    @property
    def differences(self) -> tuple[Decision, ...]:
        """The decisions that differ, and nobody knows why."""
        return tuple(each for each in self.decisions if not each.agrees and not each.known)

    @property
    def known(self) -> Counter[str]:
        return Counter(each.known for each in self.decisions if not each.agrees and each.known)

    def row(self) -> str:
        agreed = sum(each.agrees for each in self.decisions)
        known = sum(self.known.values())
        cells = (
            f"`{self.oracle.id}`",
            self.oracle.asks,
            self.version,
            str(len(self.decisions)),
            str(agreed),
            str(known or "-"),
        )
        return f"| {' | '.join(cells)} |"


def every_oracle() -> tuple[Oracle, ...]:
    return tuple(oracle for module in (nvidia, amd, cpu, spirv, oci, versions) for oracle in module.ORACLES)


def ask(oracle: Oracle) -> Answers:
    """Ask it, if it is here."""
    version = oracle.version()
    return Answers(oracle, version, tuple(oracle.decide()) if version else ())


def rendered(answers: list[Answers]) -> str:
    """The page; the row and the reasons of an oracle that is not here stay as they are."""
    before = DOCUMENT.read_text(encoding="utf-8") if DOCUMENT.exists() else ""
    rows, reasons = [], []
    for answer in answers:
        asks = answer.oracle.asks
        if answer.decisions:
            rows.append(answer.row())
            reasons += [f"- `{answer.oracle.id}`, {count}: {reason}." for reason, count in sorted(answer.known.items())]
        else:
            rows += [line for line in before.splitlines() if f"| {asks} |" in line]
            reasons += re.findall(rf"^- `{re.escape(answer.oracle.id)}`, \d+: .*$", before, re.MULTILINE)
    reasons = list(dict.fromkeys(reasons))
    elsewhere = [f"- `{name}`: {what}." for name, what in ELSEWHERE.items()]
    unchecked = [f"`{rule.id}`" for rule in every_rule() if not rule.oracle]
    parts = [_HEAD + "\n".join(rows), "## Why some differ", "\n".join(reasons), "## Compared elsewhere", "\n".join(elsewhere)]
    parts += ["## Rules that nothing here can answer", f"They would take hardware or a driver: {', '.join(unchecked)}."]
    return "\n\n".join(parts) + "\n"
