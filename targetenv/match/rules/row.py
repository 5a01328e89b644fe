"""What a rule is."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Rule:
    """One rule.

    `since` and `until` name the versions between which it holds (`cuda 12.9`, `llvm 19, rocm 6.4`); empty is open, and `until`
    is the first version without it. `oracle` is a row of docs/reference/oracles.md: what the rule is held against.
    `others` says who decides otherwise, whom this rule follows and why.
    """

    id: str
    text: str
    source: str
    oracle: str = ""
    since: str = ""
    until: str = ""
    others: str = ""
