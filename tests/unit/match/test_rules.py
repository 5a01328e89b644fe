"""Rules are rows, each with a source, and nothing decides without one."""

from __future__ import annotations

import re
from pathlib import Path

from targetenv.match.guaranteed import AT_LEAST, SUBGROUP_BITS
from targetenv.match.rules import FAMILIES, every_rule, rule
from targetenv.match.stack import spans
from targetenv.model.requirement import Relation
from targetenv.registry import vulkan
from targetenv.registry.releases import COMPONENTS

ROOMS = [Path(__file__).parents[3] / "targetenv" / room for room in ("match", "resolve")]


def test_rule_ids_are_unique_and_every_row_says_where_it_comes_from() -> None:
    rows = every_rule()
    assert len({row.id for row in rows}) == len(rows) > 40
    for row in rows:
        assert row.text
        assert row.source
        assert rule(row.id) is row
        assert row.text[0].islower() or row.text.startswith(("PTX", "OpenCL", "Vulkan")), row.id
        assert not row.text.endswith("."), row.id


def test_every_family_has_rules_and_every_rule_a_family() -> None:
    assert {row.id.partition(".")[0] for row in every_rule()} == set(FAMILIES)


def test_every_rule_decides_somewhere() -> None:
    deciding = "".join(path.read_text() for room in ROOMS for path in room.glob("*.py"))
    used = set(re.findall(rf'"((?:{"|".join(FAMILIES)})\.[a-z0-9-]+)"', deciding))
    assert used == {row.id for row in every_rule()}


def test_the_versions_between_which_a_rule_holds_are_of_components_that_can_be_named() -> None:
    for row in every_rule():
        for component, _ in (*spans(row.since), *spans(row.until)):
            assert component in COMPONENTS, row.id


def test_guaranteed_limits_are_limits_of_the_registry_that_grow() -> None:
    for name in AT_LEAST:
        assert vulkan.relation(name) is Relation.AT_LEAST, name
    for name in SUBGROUP_BITS:
        assert vulkan.relation(name) is Relation.ALL_BITS, name
