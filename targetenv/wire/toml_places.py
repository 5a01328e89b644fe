"""Where a key of a TOML file stands, for carets, as tomllib does not say; a place that is not found is its parent's."""

from __future__ import annotations

import re

from targetenv.model.span import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Location = tuple[str | int, ...]

_HEADER = re.compile(r"[ \t]*(\[\[?)[ \t]*([\w.\" -]+?)[ \t]*\]\]?[ \t]*(?:#.*)?$")
_KEY = re.compile(r"[ \t]*((?:[\w-]+|\"[^\"\n]*\")(?:[ \t]*\.[ \t]*(?:[\w-]+|\"[^\"\n]*\"))*)[ \t]*=")
_ASSIGNMENT = re.compile(r"[ \t]*=")
_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[{}\[\],]|[\w-]+(?=[ \t]*=)|[^\s{}\[\],"\'#=]+|=')


def find(text: str, location: Location) -> Span:
    """The span of the key (or table header, or array element) that `location` leads to, or of its nearest known parent.

    >>> find('[[kernel]]\\nname = "a"\\n[[kernel]]\\nnmae = "b"\\n', ("kernel", 1, "nmae"))
    Span(start=33, end=37)
    """
    places = dict(_places(text))
    for length in range(len(location), 0, -1):
        if location[:length] in places:
            return places[location[:length]]
    return Span(0, 0)


def _places(text: str) -> Iterator[tuple[Location, Span]]:
    table: Location = ()
    counts: dict[Location, int] = {}
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        if header := _HEADER.match(line):
            table = _table(_parts(header[2]), counts, is_array=header[1] == "[[")
            yield table, Span(at + header.start(1), at + len(line.rstrip()))
        elif key := _KEY.match(line):
            here = (*table, *_parts(key[1]))
            yield here, Span(at + key.start(1), at + key.end(1))
            inner, end = _inside(text, at + key.end(), here)
            yield from inner
        at = end + 1


def _table(parts: list[str], counts: dict[Location, int], *, is_array: bool) -> Location:
    """The location of the table that a header opens; arrays of tables count, and their last table is the parent of others."""
    path: Location = ()
    for depth, part in enumerate(parts):
        path = (*path, part)
        if is_array and depth == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(text: str) -> list[str]:
    return [part.strip().strip('"') for part in text.split(".")]


def _inside(text: str, at: int, here: Location) -> tuple[list[tuple[Location, Span]], int]:
    """The places inside the value that begins at `at`, and the offset of the line end after it."""
    found: list[tuple[Location, Span]] = []
    stack: list[tuple[str, Location, int]] = []
    here_stack = [here]
    end = at
    while token := _TOKEN.search(text, at):
        if not stack and "\n" in text[end : token.start()]:
            break
        word = token[0]
        where = here_stack[-1]
        if stack and stack[-1][0] == "[" and word not in ",]" and not word.startswith("#"):
            index = stack[-1][2]
            element = (*stack[-1][1], index)
            found.append((element, Span(token.start(), token.end())))
            where = element
        if word in "[{":
            stack.append((word, where, 0))
            here_stack.append(where)
        elif word in "]}":
            if not stack:
                break
            stack.pop()
            here_stack.pop()
        elif word == "," and stack:
            bracket, owner, index = stack.pop()
            stack.append((bracket, owner, index + 1))
            here_stack[-1] = owner
        elif stack and stack[-1][0] == "{" and _ASSIGNMENT.match(text, token.end()):
            inner = (*stack[-1][1], word)
            found.append((inner, Span(token.start(), token.end())))
            here_stack[-1] = inner
        at = end = token.end()
    newline = text.find("\n", end)
    return found, len(text) if newline < 0 else newline
