"""`import targetenv` costs nothing and offers what it says."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import targetenv

ROOT = Path(__file__).resolve().parents[2]
HEAVY = "{'lark', 'pydantic', 'numpy', 'jinja2', 'ctypes', 'rich', 'elftools', 'typing', 'dataclasses', 're', 'enum'}"


def test_the_table_the_imports_for_checkers_and_all_agree() -> None:
    tree = ast.parse(Path(targetenv.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        name.name: node.module.removeprefix("targetenv.")
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }
    assert imported == targetenv._EXPORTS
    assert targetenv.__all__ == sorted(imported)


@pytest.mark.parametrize("name", targetenv.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    assert getattr(targetenv, name).__doc__


def test_no_name_is_also_a_room() -> None:
    rooms = {entry.stem for entry in Path(targetenv.__file__).parent.iterdir()}
    assert not rooms & set(targetenv.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = targetenv.nosuch


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sys; import targetenv; print(sorted({HEAVY} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert result.stdout.strip() == "[]"
