"""What the source tree itself must look like."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 800
HOME = re.compile(rb"(?<![\w.])/(?:" + rb"|".join([b"work", b"root", b"home", b"Users", b"farm"]) + rb")/[A-Za-z0-9_]")
BROAD = re.compile(r"except\s*(?:Exception\s*)?(?:as \w+\s*)?:")


def tracked() -> list[Path]:
    """The files of the tree: what git tracks or would track, and in an unpacked sdist everything."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        ignored = re.compile(r"\.(?!ci$)|(__pycache__|build-out|dist)$")
        return [
            path
            for path in ROOT.rglob("*")
            if path.is_file() and not any(ignored.match(part) for part in path.relative_to(ROOT).parts)
        ]
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return tracked()


def test_no_module_is_too_long_to_read(files: list[Path]) -> None:
    modules = [path for path in files if path.suffix == ".py" and "_generated" not in path.parts]
    assert modules
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_no_file_names_a_place_on_somebodys_machine(files: list[Path]) -> None:
    found = {str(path.relative_to(ROOT)): hit.group() for path in files if (hit := HOME.search(path.read_bytes()))}
    assert found == {}


def test_nothing_is_left_for_later_in_the_source(files: list[Path]) -> None:
    marks = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]) + r")\b")
    modules = [path for path in files if path.suffix == ".py" and "_generated" not in path.parts]
    found = {
        str(path.relative_to(ROOT)): hit.group() for path in modules if (hit := marks.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_only_the_edges_catch_everything(files: list[Path]) -> None:
    # The command line, the table of drivers, and the one place where code of users is called.
    edges = ("targetenv/cli/app.py", "runtime/targetenv_runtime/drivers/table.py", "runtime/targetenv_runtime/foreign.py")
    modules = [path for path in files if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ("targetenv", "runtime")]
    found = {str(path.relative_to(ROOT)) for path in modules if BROAD.search(path.read_text(encoding="utf-8"))}
    assert found <= set(edges)


def test_generated_tables_say_so_and_from_what(files: list[Path]) -> None:
    tables = [
        path for path in files if path.parent.name == "_generated" and path.suffix == ".py" and path.name != "__init__.py"
    ]
    for path in tables:
        head = path.read_text(encoding="utf-8")[:1500]
        assert "do not edit" in head, path.name
        assert re.search(r"[0-9a-f]{64}", head), f"{path.name} does not say the SHA-256 of its source"


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager", "misc"])
def test_no_module_is_named_after_nothing(files: list[Path], name: str) -> None:
    assert [path for path in files if path.suffix == ".py" and path.stem == name] == []
