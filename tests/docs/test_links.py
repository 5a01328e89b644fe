"""Links inside the documentation lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "grammars").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_point_at_files(document: Path) -> None:
    targets = [target for target in LINK.findall(document.read_text(encoding="utf-8")) if "://" not in target]
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert not missing


def test_files_that_are_named_in_prose_and_in_source_exist() -> None:
    sources = [*DOCUMENTS, *(ROOT / "targetenv").rglob("*.py"), *(ROOT / "runtime").rglob("*.py")]
    named = re.compile(r"(?<![\w/.])docs/[\w/.-]+\.(?:md|py|toml)\b")
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources
        for name in named.findall(path.read_text(encoding="utf-8"))
        if "CODE" not in name and not (ROOT / name).exists() and not (ROOT / "tests" / name).exists()
    }
    assert missing == set()
