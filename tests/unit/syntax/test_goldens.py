"""Every mistake's whole message, every reading's canonical text: tests/corpora/attributes, one case per file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from targetenv.diagnostics.codes import CODES
from targetenv.diagnostics.diagnostic import ParseError
from targetenv.diagnostics.render import render
from targetenv.syntax import parse

CORPUS = Path(__file__).parents[2] / "corpora" / "attributes"
ACCEPT = sorted((CORPUS / "accept").glob("*.env"))
REJECT = sorted((CORPUS / "reject").glob("*.env"))
# Codes of this room that no text in a file can produce: they need an argument (--compat, --to, --dialect).
BY_ARGUMENT = {"TE1214", "TE1215", "TE1216", "TE1220", "TE1234"}


def held(path: Path, text: str, update: bool) -> None:
    if update:
        path.write_text(text, encoding="utf-8", newline="")
    assert text == path.read_bytes().decode()


def read(path: Path) -> str:
    return path.read_bytes().decode()


@pytest.mark.parametrize("path", REJECT, ids=lambda path: path.stem)
def test_a_mistake_is_told_in_full(path: Path, update_goldens: bool) -> None:
    text = read(path)
    with pytest.raises(ParseError) as caught:
        parse(text, source_name=path.name)
    for diagnostic in caught.value.diagnostics:
        assert all(0 <= label.span.start <= label.span.end <= len(text) for label in diagnostic.labels)
    held(path.with_suffix(".stderr"), f"{caught.value}\n", update_goldens)


@pytest.mark.parametrize("path", ACCEPT, ids=lambda path: path.stem)
def test_what_is_right_has_one_canonical_text(path: Path, update_goldens: bool) -> None:
    parsed = parse(read(path), source_name=path.name)
    warnings = [render(diagnostic) for diagnostic in parsed.diagnostics]
    held(path.with_suffix(".canon"), "\n".join([parsed.dialect, parsed.canonical, *warnings]) + "\n", update_goldens)
    again = parse(parsed.canonical)
    assert again.env == parsed.env
    assert again.canonical == parsed.canonical


def test_no_golden_is_left_over() -> None:
    cases = {path.with_suffix("") for path in (*ACCEPT, *REJECT)}
    assert {path.with_suffix("") for path in (*CORPUS.rglob("*.canon"), *CORPUS.rglob("*.stderr"))} == cases


def test_every_code_of_this_room_has_a_golden() -> None:
    told = "".join(path.read_text(encoding="utf-8") for path in (*CORPUS.rglob("*.canon"), *CORPUS.rglob("*.stderr")))
    shown = set(re.findall(r"\[(TE\d{4})\]", told))
    room = {code for code in CODES if code.startswith(("TE10", "TE11", "TE12", "TE20"))}
    assert room - shown - BY_ARGUMENT == set()
