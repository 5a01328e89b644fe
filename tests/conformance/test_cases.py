"""The table of cases is whole, and every case that it names is there."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from tests.conformance.cases import GENERIC, IREE, OWN

HERE = Path(__file__).parent


def ours() -> set[str]:
    """The cases of this suite as `TestSuite.test_case`."""
    trees = (ast.parse(path.read_text()) for path in HERE.glob("test_*.py"))
    classes = [node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)]
    return {f"{suite.name}.{case.name}" for suite in classes for case in suite.body if isinstance(case, ast.FunctionDef)}


def test_every_case_of_iree_has_an_answer() -> None:
    assert [case.number for case in IREE] == list(range(1, 256))
    assert Counter(case.adopted for case in IREE[:GENERIC]) == {"Y": 168, "M": 13, "L": 22, "N": 4}
    assert all(bool(case.shown) != bool(case.reason) for case in (*IREE, *OWN))


def test_every_case_to_adopt_is_shown() -> None:
    assert [case.name for case in IREE[:GENERIC] if case.adopted in "YM" and not case.shown] == []
    assert len([case for case in OWN if case.shown]) == 20


def test_what_is_named_is_there() -> None:
    there = ours()
    named = {name for case in (*IREE, *OWN) for name in case.shown}
    paths = {name for name in named if "/" in name}
    assert named - paths - there == set()
    assert [path for path in paths if not (HERE.parent / path).exists()] == []
