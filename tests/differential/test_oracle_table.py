"""Every oracle that is here agrees with the rules, but for what the table gives a reason for; and the table is fresh."""

from __future__ import annotations

import pytest

from targetenv.match.rules import every_rule
from tests.differential.decisions.decision import Oracle
from tests.differential.decisions.table import DOCUMENT, ELSEWHERE, Answers, ask, every_oracle, rendered

WRITE = "run `python -m tests.differential.decisions --write`"


@pytest.mark.differential
@pytest.mark.parametrize("oracle", every_oracle(), ids=lambda oracle: f"{oracle.id}-{oracle.decide.__name__}")
def test_an_oracle_decides_as_the_rules_do_and_as_the_table_says(oracle: Oracle) -> None:
    if not oracle.version():
        pytest.skip(f"what answers for `{oracle.id}` ({oracle.asks}) is not installed")
    answers = ask(oracle)
    assert len(answers.decisions) > 2
    assert answers.differences == ()
    rows = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if f"| {oracle.asks} |" in line]
    assert len(rows) == 1, WRITE
    if f"| {answers.version} |" in rows[0]:  # another release may know more
        assert rows == [answers.row()], WRITE


def test_the_rest_of_the_page_is_what_the_rules_say() -> None:
    assert rendered([Answers(oracle, "", ()) for oracle in every_oracle()]) == DOCUMENT.read_text(encoding="utf-8"), WRITE


def test_every_rule_names_an_oracle_of_the_table_or_none() -> None:
    known = {oracle.id for oracle in every_oracle()} | set(ELSEWHERE)
    assert {rule.oracle for rule in every_rule() if rule.oracle} <= known
