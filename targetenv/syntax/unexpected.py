"""What a reader is told when a text does not follow its grammar: the place, what was expected there, and the repair."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import name as unicode_name

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.syntax.brackets import Open, open_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    # What stands where, for messages: brackets from the outside in, each with the number of the field inside it (None: any).
    Wanted: TypeAlias = "tuple[tuple[tuple[tuple[str, int | None], ...], str], ...]"
    # A dialect's own reading of a mistake, before the general ones.
    Hint: TypeAlias = "Callable[[Source, Found, tuple[Open, ...]], Diagnostic | None]"

TERMINAL_NAMES = {
    "$END": "the end of the text",
    "AND": "`and`",
    "ARRAY": "`array`",
    "ARROW": "`->`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "COMMENT": "a comment",
    "DENSE": "`dense`",
    "EQUAL": "`=`",
    "FLOAT": "a number",
    "HASH": "an attribute such as `#vk.caps`",
    "IN": "`in`",
    "INT": "an integer",
    "MINUS": "`-`",
    "LBRACE": "`{`",
    "LESSTHAN": "`<`",
    "LPAR": "`(`",
    "LSQB": "`[`",
    "MORETHAN": "`>`",
    "NAME": "a name",
    "NOT": "`not`",
    "NUMBER": "a number",
    "OPERATOR": "a comparison such as `>=`",
    "OR": "`or`",
    "QUALIFIER": "`::`",
    "RBRACE": "`}`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "SHAPE": "a type",
    "STRING": "a string",
    "SYMBOL": "a symbol such as `@device`",
    "TYPE": "a type such as `!hal.device`",
    "VBAR": "`|`",
    "WS": "white space",
    "_SPIRV_TARGET_ENV": "`#spirv.target_env`",
    "_SPV_TARGET_ENV": "`#spv.target_env`",
    "_TARGET_ENV": "`#vk.target_env`",
}

_KINDS = {"NAME": "name ", "INT": "number ", "FLOAT": "number ", "STRING": "string ", "HASH": "attribute ", "TYPE": "type "}
_VALUE = frozenset({"INT", "STRING", "LSQB", "LBRACE", "HASH"})  # where all of these may follow, any value may
_CLOSING = {"]": "[", "}": "{", ">": "<", ")": "("}
_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u2032\u2033"


@record
class Found:
    """The token where parsing stopped; `kind` is empty for a character that starts no token."""

    kind: str
    at: int
    text: str


def error(source: Source, found: Found | None, accepts: frozenset[str], wanted: Wanted, hint: Hint | None = None) -> ParseError:
    """The error for a text that stops being right at `found` (None: at its end), where the grammar would take `accepts`."""
    text = source.text
    if found is None:
        return _ends_early(source, accepts, wanted)
    stack = open_at(text, found.at)
    span = Span(found.at, found.at + max(1, len(found.text)))
    if not found.kind:
        return _character(source, found)
    special = hint(source, found, stack) if hint is not None else None
    if special is not None:
        return ParseError(special)
    before = text[: found.at].rstrip()
    if found.text in _CLOSING and before.endswith(","):
        comma = len(before) - 1
        labels = (Label(Span(comma, comma + 1), f"nothing follows before `{found.text}`"), *_opened(stack, primary=False))
        return ParseError(Diagnostic("TE1005", "trailing comma", source, labels, help="remove the comma"))
    if accepts == {"$END"}:
        label = Label(Span(found.at, len(text)), "the description ended before this")
        return ParseError(Diagnostic("TE1006", f"text follows the end: `{_short(text[found.at :])}`", source, (label,)))
    help_ = _repair(found, accepts)
    expected = _expected(stack, accepts, wanted)
    kind = _KINDS.get(found.kind, "")
    message = f"expected {expected}, found {kind}`{_short(found.text)}`"
    opened = _opened(stack, primary=False) if found.text in _CLOSING else ()
    return ParseError(Diagnostic("TE1002", message, source, (Label(span), *opened), help=help_))


def _repair(found: Found, accepts: frozenset[str]) -> str:
    if "COMMA" in accepts and found.kind in ("NAME", "INT", "STRING", "HASH", "FLOAT"):
        return f"put a comma before `{_short(found.text)}`"
    if "EQUAL" in accepts and found.kind == "COLON":
        return "write `=` between a key and its value"
    if accepts == {"COLON"} and found.text in _CLOSING:
        return "add the type, such as `: vector<3xi32>` behind a dense literal"
    if "NAME" in accepts and found.kind == "STRING":
        return "remove the quotes"
    if "NAME" in accepts and found.kind == "FLOAT":
        return f"write `v{found.text}`"
    return ""


def _ends_early(source: Source, accepts: frozenset[str], wanted: Wanted) -> ParseError:
    text = source.text
    end = len(text)
    if not text.strip():
        label = Label(Span(end, end), "nothing to read")
        return ParseError(Diagnostic("TE1003", "the text is empty", source, (label,), help="write a target description"))
    stack = open_at(text, end)
    label = Label(Span(end, end), "input ends here")
    expected = _expected(stack, accepts, wanted)
    return ParseError(
        Diagnostic("TE1003", f"expected {expected} before the end of the text", source, (label, *_opened(stack, primary=False)))
    )


def _character(source: Source, found: Found) -> ParseError:
    text, at, character = source.text, found.at, found.text
    if character in _QUOTES:
        return ParseError(
            Diagnostic(
                "TE1007",
                f"typographic quote `{character}`",
                source,
                (Label(Span(at, at + 1), "not the ASCII quote"),),
                help='write the straight quote `"`, or no quotes around a name',
            )
        )
    if character == '"':
        line = text.find("\n", at)
        end = len(text) if line < 0 else line
        return ParseError(
            Diagnostic(
                "TE1008", "string is not closed", source, (Label(Span(at, end), "opened here"),), help='add the closing `"`'
            )
        )
    number = re.compile(r"-?[0-9][0-9A-Za-z_.]*").match(text, at)
    if number:
        return ParseError(
            Diagnostic(
                "TE1009",
                f"malformed number `{_short(number.group())}`",
                source,
                (Label(Span(*number.span())),),
                help="write digits only, or `0x` and hexadecimal digits",
            )
        )
    what = f"`{character}`" if character.isprintable() else unicode_name(character, f"U+{ord(character):04X}")
    help_ = ""
    if ord(character) > 127:
        help_ = "use ASCII outside strings"
    elif character == "'":
        help_ = 'write strings with `"`, names without quotes'
    elif character == ";":
        help_ = "separate with commas"
    return ParseError(Diagnostic("TE1002", f"unexpected character {what}", source, (Label(Span(at, at + 1)),), help=help_))


def _expected(stack: tuple[Open, ...], accepts: frozenset[str], wanted: Wanted) -> str:
    if accepts & {"NAME", "LSQB", "HASH", "STRING"}:
        path = tuple((each.bracket, each.commas) for each in stack)
        for pattern, what in wanted:
            if len(pattern) == len(path) and all(
                mine == theirs and field in (None, commas)
                for (mine, field), (theirs, commas) in zip(pattern, path, strict=True)
            ):
                return what
    if accepts >= _VALUE:
        return "a value"
    names = sorted(TERMINAL_NAMES[terminal] for terminal in accepts if terminal not in ("COMMENT", "WS"))
    if not names:
        return "something else"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _opened(stack: tuple[Open, ...], *, primary: bool) -> tuple[Label, ...]:
    return tuple(Label(Span(each.at, each.at + 1), f"`{each.bracket}` opened here", primary) for each in stack[-1:])


def _short(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 40 and line == text else line[:40] + "..."
