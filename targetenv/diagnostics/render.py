"""Diagnostics as text: the message, the place with a caret line, notes and help. The only place where they become text.

Columns are display cells: wide characters take two, combining marks none, a tab runs to the next multiple of four. Whatever
would steer the terminal (escape sequences, a change of text direction) is shown and not obeyed, in quoted text as in messages.
"""

from __future__ import annotations

from unicodedata import bidirectional, category, combining, east_asian_width

from targetenv.model.span import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Diagnostic, Label

_TAB = 4
_TURNS = frozenset(("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))  # Unicode UAX #9: explicit direction
_WIDEST = 160  # a longer line is cut around its labels; nobody reads a caret under column 3000


def render(diagnostic: Diagnostic) -> str:
    """The whole diagnostic, without a trailing newline.

    >>> from targetenv.diagnostics.diagnostic import Diagnostic, Label, Source
    >>> label = Label(Span(3, 3), "ends here")
    >>> print(render(Diagnostic("TE1002", "expected `,` or `>`", Source("<argument>", "a<b"), (label,))))
    error[TE1002]: expected `,` or `>`
     --> <argument>:1:4
      |
    1 | a<b
      |    ^ ends here
    """
    lines = [f"{diagnostic.severity.value}[{diagnostic.code}]: {printable(diagnostic.message)}"]
    name = printable(diagnostic.source.name) if diagnostic.source is not None else ""
    gutter = 1
    if diagnostic.source is not None and diagnostic.labels:
        text = diagnostic.source.text
        placed = sorted(((_place(text, label.span), label) for label in diagnostic.labels), key=lambda row: row[0])
        gutter = len(str(max(row for (row, _), _ in placed) + 1))
        row, column = next(place for place, label in placed if label.primary)
        lines.append(f"{' ' * gutter}--> {name}:{row + 1}:{column + 1}")
        lines.append(f"{' ' * gutter} |")
        rows = text.split("\n")
        shown = list(dict.fromkeys(row for (row, _), _ in placed))
        for before, number in zip([shown[0], *shown], shown, strict=False):
            if number > before + 1:
                lines.append("...")
            on_row = [(column, label) for (row, column), label in placed if row == number]
            lines += _annotated(rows[number], number, gutter, on_row)
    elif diagnostic.source is not None:
        lines.append(f" --> {name}")
    tail = [f"note: {note}" for note in diagnostic.notes] + ([f"help: {diagnostic.help}"] if diagnostic.help else [])
    if tail and diagnostic.labels:
        lines.append(f"{' ' * gutter} |")
    for entry in tail:
        first, *rest = map(printable, entry.split("\n"))
        lines.append(f"{' ' * gutter} = {first}")
        lines += [f"{' ' * gutter}   {line}" for line in rest]
    return "\n".join(line.rstrip() for line in lines)


def cells(text: str, start: int = 0) -> int:
    """How many columns `text` takes on a terminal when it begins in column `start`."""
    column = start
    for character in text:
        column += _width(character, column)
    return column - start


def _width(character: str, column: int) -> int:
    if character == "\t":
        return _TAB - column % _TAB
    character = _visible(character)
    if combining(character) or category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if east_asian_width(character) in ("W", "F") else 1


def _visible(character: str) -> str:
    """The character, or what stands for one that a terminal would obey or not show: a control's picture, U+FFFD."""
    if ord(character) < 32:
        return chr(0x2400 + ord(character))
    if category(character) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") or bidirectional(character) in _TURNS:
        return "\N{REPLACEMENT CHARACTER}"
    return character


def printable(text: str) -> str:
    """The text as a terminal may have it: tabs become blanks, and every other character stays in its cells."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    column = 0
    for character in text:
        width = _width(character, column)
        shown.append(" " * width if character == "\t" else _visible(character))
        column += width
    return "".join(shown)


def _place(text: str, span: Span) -> tuple[int, int]:
    start = min(max(span.start, 0), len(text))
    row = text.count("\n", 0, start)
    return row, start - (text.rfind("\n", 0, start) + 1)


def _annotated(line: str, number: int, gutter: int, labels: list[tuple[int, Label]]) -> list[str]:
    line = line.rstrip("\r")
    cut = 0
    primary = next((column for column, label in labels if label.primary), labels[0][0])
    if len(line) > _WIDEST:
        cut = max(0, min(primary - _WIDEST // 2, len(line) - _WIDEST))
    window = line[cut : cut + _WIDEST]
    lead = "..." if cut else ""
    trail = "..." if cut + _WIDEST < len(line) else ""
    out = [f"{number + 1:>{gutter}} | {lead}{printable(window)}{trail}"]
    for column, label in sorted(labels, key=lambda row: (not row[1].primary, row[0])):
        begin = min(max(column - cut, 0), len(window))
        end = min(max(column - cut + label.span.end - label.span.start, begin), len(window))
        indent = len(lead) + cells(window[:begin])
        marks = max(1, cells(window[begin:end], indent - len(lead)))
        mark = ("^" if label.primary else "-") * marks
        out.append(f"{' ' * gutter} | {' ' * indent}{mark} {printable(label.text)}".rstrip())
    return out
