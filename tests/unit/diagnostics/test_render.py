"""How diagnostics look: every case is compared with a file in tests/corpora/diagnostics."""

from __future__ import annotations

from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.diagnostics.diagnostic import Diagnostic, Label, Severity, Source
from targetenv.diagnostics.render import cells, render
from targetenv.model.span import Span
from tests.property.strategies import spans

GOLDENS = Path(__file__).parents[2] / "corpora" / "diagnostics"


def at(text: str, word: str, label: str = "", *, primary: bool = True, start: int = 0) -> Label:
    """A label under the first `word` in `text` from `start` on."""
    begin = text.index(word, start)
    return Label(Span(begin, begin + len(word)), label, primary=primary)


def about(text: str, *labels: Label, message: str = "unknown name", name: str = "<argument>", **more: object) -> Diagnostic:
    return Diagnostic("TE1002", message, Source(name, text), labels, **more)  # type: ignore[arg-type]


ENV = "#vk.target_env<v1.1, r(120),\n    [VK_KHR_spirv_1_4, VK_KHR_storage_bufer_storage_class],\n    {}>"
OPEN = "#vk.target_env<v1.1, r(120)"
LONG = "[" + ", ".join(f"VK_EXT_number_{number}" for number in range(100)) + "]"
MANY = "\n" * 98 + "a <- here\nb\nc -> there"

CASES = {
    "message-only": Diagnostic("TE5014", "driver `cuda` is not here", notes=("libcuda.so.1: cannot open",), help="install it"),
    "file-without-a-place": Diagnostic("TE1004", "input is not text", Source("kernel.spv", ""), help="use `targetenv inspect`"),
    "warning": about("a, a", at("a, a", "a", "again", start=1), message="`a` is written twice", severity=Severity.WARNING),
    "two-lines-one-secondary": about(
        ENV,
        at(ENV, "VK_KHR_storage_bufer_storage_class", "not in the Vulkan registry"),
        at(ENV, "vk.target_env", "names checked against this dialect", primary=False),
        help="did you mean `VK_KHR_storage_buffer_storage_class`?",
    ),
    "end-of-input": about(
        OPEN, Label(Span(len(OPEN), len(OPEN)), "input ends here"), at(OPEN, "<", "`<` opened here", primary=False)
    ),
    "empty-input": about("", Label(Span(0, 0), "nothing here"), message="expected a target"),
    "end-of-input-after-a-newline": about("a<\n", Label(Span(3, 3), "input ends here")),
    "tabs": about("a\t=\tx,\ty", at("a\t=\tx,\ty", "y", "after three tabs")),
    "tab-inside-the-mark": about("a \tb c", at("a \tb c", "\tb", "a tab and a letter")),
    "wide-characters": about(
        "名前 = 値 x", at("名前 = 値 x", "x", "after three wide ones"), at("名前", "名前", "two", primary=False)
    ),
    "combining-marks": about(
        "e\u0301te\u0301 x", at("e\u0301te\u0301 x", "x", "in column 5"), at("e\u0301", "e\u0301", primary=False)
    ),
    "control-characters": about("a\x1b[31mred\x00 \x7f x", at("a\x1b[31mred\x00 \x7f x", "x", "nothing reached the terminal")),
    "text-direction": about("a\u202egnp.exe\u202c x", at("a\u202egnp.exe\u202c x", "x", "reads left to right")),
    "hostile-message": Diagnostic(
        "TE2001",
        "unknown name `\x1b]0;title\x07`",
        Source("a\nb.txt", "x"),
        notes=("first\nsecond\x1b[2J",),
        help="write\x00it",
    ),
    "carriage-returns": about("a,\r\nb c\r\n", at("a,\r\nb c\r\n", "c", "second line")),
    "span-over-lines": about("<a,\nb,\nc>", Label(Span(1, 8), "all of it")),
    "many-lines-apart": about(MANY, at(MANY, "there", "here"), at(MANY, "here", "and there", primary=False)),
    "very-long-line": about(LONG, at(LONG, "VK_EXT_number_50", "in the middle")),
    "very-long-line-start": about(LONG, at(LONG, "VK_EXT_number_0", "at the start")),
    "very-long-line-end": about(LONG, Label(Span(len(LONG), len(LONG)), "at the end")),
    "span-longer-than-the-window": about(LONG, Label(Span(1, len(LONG) - 1), "most of it")),
    "span-beyond-the-text": about("abc", Label(Span(10, 20), "clamped")),
    "two-on-one-line": about("abc abc", at("abc abc", "abc", "again", start=1), at("abc abc", "abc", "first", primary=False)),
    "help-of-several-lines": about("abc", at("abc", "abc"), notes=("one\ntwo", "three"), help="do this\nthen that"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_diagnostic_looks_as_agreed(name: str, *, update_goldens: bool) -> None:
    path = GOLDENS / f"{name}.txt"
    shown = render(CASES[name]) + "\n"
    if update_goldens:
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def test_every_golden_has_its_case() -> None:
    assert {path.stem for path in GOLDENS.glob("*.txt")} == set(CASES)


@given(st.text(max_size=60), spans, spans, st.text(max_size=8))
def test_nothing_that_steers_a_terminal_is_ever_printed(text: str, one: Span, other: Span, word: str) -> None:
    shown = render(about(text, Label(one, word), Label(other, word, primary=False), message=word, name=word, help=word))
    assert not [character for character in shown if character != "\n" and category(character) in ("Cc", "Cs")]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=100), st.integers(0, 100), st.integers(0, 20))
def test_the_caret_stands_under_its_text(text: str, start: int, length: int) -> None:
    begin = min(start, len(text))
    end = min(begin + length, len(text))
    lines = render(about(text, Label(Span(begin, end)))).split("\n")
    shown, carets = lines[3].removeprefix("1 |")[1:], lines[4].removeprefix("  | ")
    assert len(carets) - len(carets.lstrip()) == cells(text.rstrip("\r")[:begin])
    assert cells(shown) <= cells(text)


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("名", 2), ("e\u0301", 1), ("\t", 4), ("a\t", 4), ("\u200b", 0), ("", 0)], ids=ascii
)
def test_columns_are_what_a_terminal_shows(text: str, width: int) -> None:
    assert cells(text) == width
