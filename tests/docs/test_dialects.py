"""The page of dialects lists every one of them, with an example that is read as it says."""

from __future__ import annotations

import re

from targetenv.syntax import parse
from targetenv.syntax.dialects import DIALECTS
from tests.docs.console import ROOT

PAGE = (ROOT / "docs/reference/dialects.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| .+\|$", PAGE, re.MULTILINE)


def test_every_dialect_has_a_row() -> None:
    assert [name for name, _ in ROWS] == [dialect.name for dialect in DIALECTS]


def test_the_examples_are_of_their_dialects() -> None:
    examples = {name: text.strip("`") for name, text in ROWS if not text.startswith("see")}
    assert {name: parse(text).dialect.split("@")[0] for name, text in examples.items()} == {name: name for name in examples}
