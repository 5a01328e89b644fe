"""Arguments that stand for a text: the text itself, `@FILE`, `-` for the standard input; and batches, line by line."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, ParseError, Source
from targetenv.model.record import record
from targetenv.wire.files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 1 << 20  # bytes of one text; a dialect refuses much shorter ones with a better message


@record
class Text:
    """A text and what to call it in diagnostics."""

    name: str
    text: str


def read_text(argument: str) -> Text:
    """The text that an argument stands for; bytes that are no UTF-8 stay visible to the dialect, which refuses them."""
    if argument == "-":
        return Text("<stdin>", _decoded(sys.stdin.buffer.read(LONGEST + 1)))
    if argument.startswith("@"):
        return Text(argument[1:], _decoded(read_bytes(argument[1:], largest=64 << 20)))
    return Text("<argument>", argument)


def read_lines(path: str) -> Iterator[tuple[int, str]]:
    """The lines of a batch with their numbers, from one, and without line ends; blank ones count."""
    stream = sys.stdin.buffer if path == "-" else None
    data = stream if stream is not None else read_bytes(path).splitlines(keepends=True)
    for number, line in enumerate(data, start=1):
        yield number, _decoded(line).rstrip("\r\n")


def unquoted(text: str, *, line: int) -> str:
    """The text that a line holds: itself, or what its JSON string says."""
    if not text.startswith('"'):
        return text
    try:
        value = json.loads(text)
    except ValueError as error:
        reason = str(error).split(":", 1)[0].lower()
        raise ParseError(Diagnostic("TE1002", f"line {line} is no JSON string: {reason}", Source("<line>", text))) from None
    if not isinstance(value, str):
        raise ParseError(Diagnostic("TE1002", f"line {line} is no JSON string", Source("<line>", text)))
    return value


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
