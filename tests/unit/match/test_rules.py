"""Rules are rows, each with a source, and nothing decides without one."""

from __future__ import annotations

import re
from pathlib import Path

from targetenv.match.guaranteed import AT_LEAST, SUBGROUP_BITS
from targetenv.match.rules import ROWS, rule
from targetenv.model.requirement import Relation
from targetenv.registry import vulkan

ROOM = Path(__file__).parents[3] / "targetenv" / "match"


def test_rule_ids_are_unique_and_every_row_says_where_it_comes_from() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.text
        assert row.source
        assert rule(row.id) is row


def test_every_rule_decides_somewhere() -> None:
    deciding = (ROOM / "check.py").read_text() + (ROOM / "gpu.py").read_text()
    used = set(re.findall(r'"([a-z0-9]+\.[a-z0-9-]+)"', deciding))
    assert used == {row.id for row in ROWS}


def test_guaranteed_limits_are_limits_of_the_registry_that_grow() -> None:
    for name in AT_LEAST:
        assert vulkan.relation(name) is Relation.AT_LEAST, name
    for name in SUBGROUP_BITS:
        assert vulkan.relation(name) is Relation.ALL_BITS, name
