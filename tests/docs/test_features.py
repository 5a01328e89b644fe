"""The list of features names commands and tests that are there."""

from __future__ import annotations

import re

from tests.docs.console import ROOT

FEATURES = (ROOT / "docs" / "reference" / "features.md").read_text(encoding="utf-8")


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"(?<![\w./])((?:unit|property|differential|conformance|fuzz|docs|runtime)/[\w./-]*)", FEATURES)
    assert len(named) > 20
    missing = [name for name in named if not ((ROOT / "tests" / name).exists() or (ROOT / name).exists())]
    assert missing == []


def test_every_row_that_is_done_says_what_shows_it() -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in FEATURES.splitlines() if line.startswith("|")]
    silent = [row[1] for row in rows if row[2].startswith("done") and row[2] != "done: there are none" and not row[3]]
    assert silent == []


def test_no_row_is_named_twice() -> None:
    rows = [line.strip("|").split("|")[0].strip() for line in FEATURES.splitlines() if re.match(r"\| [A-Z]\d", line)]
    names = [name for row in rows for name in expand(row)]
    assert len(names) == len(set(names))
    assert {name[0] for name in names} >= {"A", "C", "F", "H", "L", "M", "X"}


def expand(row: str) -> list[str]:
    """`C1, H4` and `X1-X8` as single rows."""
    found = []
    for part in row.split(", "):
        first, _, last = part.partition("-")
        upto = int(last[1:]) if last else int(first[1:])
        found += [f"{first[0]}{number}" for number in range(int(first[1:]), upto + 1)]
    return found
