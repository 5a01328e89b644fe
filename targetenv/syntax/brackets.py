"""Brackets, strings and comments, without a grammar: bounds before parsing, and where an error stands."""

from __future__ import annotations

import re

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.model.record import record
from targetenv.model.span import Span

LONGEST = 64 * 1024
DEEPEST = 64

_INTERESTING = re.compile(r'"(?:[^"\\\n\r]|\\[^\n\r])*"|//[^\n]*|->|[<>\[\]{}(),]')
_CLOSES = {">": "<", "]": "[", "}": "{", ")": "("}


@record
class Open:
    """A bracket that is still open: which, where, and how many commas have been seen inside it."""

    bracket: str
    at: int
    commas: int


def check(source: Source) -> None:
    """Refuse what would take too long or recurse too deeply (TE1001), before any parser sees it."""
    text = source.text
    if len(text) > LONGEST:
        raise ParseError(
            Diagnostic(
                "TE1001",
                f"this text has {len(text)} characters; at most {LONGEST} are read",
                source,
                (Label(Span(LONGEST, LONGEST), "reading stops here"),),
                help="pass one target description, not a whole module",
            )
        )
    depth = 0
    for found in _INTERESTING.finditer(text):
        character = found.group()
        if character in "<[{(":
            depth += 1
            if depth > DEEPEST:
                at = found.start()
                raise ParseError(
                    Diagnostic(
                        "TE1001",
                        f"brackets are nested more than {DEEPEST} deep",
                        source,
                        (Label(Span(at, at + 1), f"bracket number {DEEPEST + 1} that is open here"),),
                        help="check for a bracket that is repeated or never closed",
                    )
                )
        elif character in _CLOSES:
            depth = max(0, depth - 1)


def open_at(text: str, end: int) -> tuple[Open, ...]:
    """The brackets that are open at offset `end`, outermost first.

    >>> [(each.bracket, each.commas) for each in open_at("a<b, c, [d, e", 13)]
    [('<', 2), ('[', 1)]
    """
    stack: list[tuple[str, int, int]] = []
    for found in _INTERESTING.finditer(text, 0, end):
        character = found.group()
        if character in "<[{(":
            stack.append((character, found.start(), 0))
        elif character == "," and stack:
            bracket, at, commas = stack[-1]
            stack[-1] = (bracket, at, commas + 1)
        elif character in _CLOSES and stack:
            stack.pop()
    return tuple(Open(*row) for row in stack)
