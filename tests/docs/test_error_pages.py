"""Every diagnostic code has a page that a user can act on, and every page a code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from targetenv_runtime.status import Code

from targetenv.diagnostics.codes import CODES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "errors"
CODE = re.compile(r"\bTE\d{4}\b")
SOURCES = [*(ROOT / "targetenv").rglob("*.py"), *(ROOT / "runtime").rglob("*.py")]


def test_codes_and_pages_are_a_bijection() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(CODES)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_page_has_the_title_of_its_code(code: str) -> None:
    assert (PAGES / f"{code}.md").read_text(encoding="utf-8").split("\n", 1)[0] == f"# {code}: {CODES[code]}"


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_page_shows_the_message_and_says_what_to_do(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert f"[{code}]" in text, "no example of the message"
    assert "```console" in text
    assert 8 <= len(text.splitlines()) <= 40, "a page is read by somebody who wants to go on"
    assert len(text.split("```")) >= 3
    assert text.split("```")[2].strip(), "nothing is said after the example: how is it repaired?"


def test_every_code_in_the_source_is_declared() -> None:
    used = {code for path in SOURCES for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert used - set(CODES) == set()


def test_every_declared_code_is_used_in_the_source() -> None:
    elsewhere = [path for path in SOURCES if path.name != "codes.py"]
    used = {code for path in elsewhere for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert {code for code in CODES if not code.startswith("TE50")} - used == set()  # TE50xx is computed: 50 plus the status


# Of the sixteen codes that all runtimes of this kind share, those that nothing here has a reason to say.
UNSAID = {"TE5006", "TE5013", "TE5016"}


def test_every_code_is_produced_by_a_test() -> None:
    files = [
        path for path in (ROOT / "tests").rglob("*") if path.suffix in (".py", ".toml", ".txt", ".stderr", ".canon", ".json")
    ]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    seen = {code for text in texts for code in CODE.findall(text)}
    statuses = {name for text in texts for name in re.findall(r"Code\.([A-Z_]+)", text)} & set(Code.__members__)
    seen |= {f"TE50{Code[name].value:02}" for name in statuses}
    assert set(CODES) - seen == UNSAID - seen
