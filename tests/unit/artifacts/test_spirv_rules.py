"""Vulkan's rules about modules and devices: each has one answer, and what is said to be derived is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.model.requirement import AnyOf, NeedsFeature, NeedsLimit
from targetenv.registry import vulkan
from tests.unit.artifacts import spirv_rules as rules
from tests.unit.artifacts.assembler import COMPUTE, assemble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

VALID_USAGE = Path("/usr/share/vulkan/registry/validusage.json")
NAMES = [*rules.DERIVED, *rules.NOT_DERIVABLE, *rules.NOT_COMPUTE]


@pytest.mark.parametrize("name", sorted(rules.DERIVED))
def test_a_rule_becomes_its_requirement(name: str) -> None:
    row = rules.DERIVED[name]
    found = inspect(assemble(row.module, version=row.version), name=name)
    assert row.need in found.artifacts[0].requires
    assert dict(found.reasons)[row.need], "what asks for it is told"
    plain = inspect(assemble(COMPUTE), name="plain").artifacts[0].requires
    assert row.need not in plain


def test_every_rule_has_one_answer() -> None:
    assert len(NAMES) == len(set(NAMES)) == rules.COUNT


def test_the_rules_are_those_of_the_header() -> None:
    if not VALID_USAGE.exists():
        pytest.skip(f"{VALID_USAGE} is not installed (Debian and Ubuntu: libvulkan-dev)")
    text = VALID_USAGE.read_text(encoding="utf-8")
    if json.loads(text)["version info"]["api version"] != "1.3.239":
        pytest.skip("libvulkan-dev is not of version 1.3.239")
    assert {name.removeprefix("VUID-RuntimeSpirv-") for name in re.findall(r"VUID-RuntimeSpirv-[\w-]+", text)} == set(NAMES)


def test_the_page_is_made_of_the_table() -> None:
    assert rules.PAGE.read_text(encoding="utf-8") == rules.page()


@pytest.mark.parametrize("name", sorted(rules.DERIVED))
def test_names_are_canonical_in_the_registry(name: str) -> None:
    for need in parts(rules.DERIVED[name].need):
        if isinstance(need, NeedsFeature):
            assert vulkan.feature(*need.name.split("::")) == need.name
            assert vulkan.find_feature(need.name.split("::")[1])
        elif isinstance(need, NeedsLimit):
            assert vulkan.property_name(*need.name.split("::")) == need.name


def parts(need: Requirement) -> tuple[Requirement, ...]:
    return need.parts if isinstance(need, AnyOf) else (need,)
