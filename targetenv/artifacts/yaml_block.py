"""The YAML that LLVM prints into old code objects: blocks by indentation, plain and quoted words, short lists in brackets.

Not YAML: no anchors, tags, flow maps, folded or literal text, which nobody has written there.
"""

from __future__ import annotations

import re

from targetenv.artifacts.inspection import damaged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.msgpack import Value
    from targetenv.diagnostics.diagnostic import FormatError

_KEY = re.compile(r"('(?:[^']|'')*'|[A-Za-z_.][\w.]*)\s*:(?:\s+(.*))?$")
_INTEGER = re.compile(r"-?\d{1,19}")
_DEEPEST = 16
_MOST_LINES = 1 << 18


def read_yaml(text: str, name: str, code: str) -> Value:
    """The document; FormatError with `code` at a line that is not understood.

    >>> read_yaml("Version: [ 1, 0 ]\\nKernels:\\n  - Name: 'a b'\\n    Size: 8\\n", "note", "TE4061")
    {'Version': [1, 0], 'Kernels': [{'Name': 'a b', 'Size': 8}]}
    """
    lines = []
    for number, line in enumerate(text.splitlines()[:_MOST_LINES], 1):
        bare = line.strip()
        if bare and bare not in ("---", "...") and not bare.startswith("#"):
            lines.append((len(line) - len(line.lstrip(" ")), bare, number))
    return _Reader(lines, name, code).document()


class _Reader:
    def __init__(self, lines: list[tuple[int, str, int]], name: str, code: str) -> None:
        self.lines = lines
        self.name = name
        self.code = code
        self.at = 0

    def document(self) -> Value:
        value = self._block(0) if self.lines else None
        if self.at < len(self.lines):
            raise self._refused()
        return value

    def _refused(self) -> FormatError:
        number = self.lines[min(self.at, len(self.lines) - 1)][2]
        return damaged(self.code, self.name, f"line {number} of the YAML metadata is not as LLVM prints it")

    def _block(self, depth: int) -> Value:
        if depth > _DEEPEST:
            raise self._refused()
        indent, text, _ = self.lines[self.at]
        return self._list(indent, depth) if text == "-" or text.startswith("- ") else self._map(indent, depth)

    def _list(self, indent: int, depth: int) -> list[Value]:
        found: list[Value] = []
        while self.at < len(self.lines):
            at, text, number = self.lines[self.at]
            if at != indent or not text.startswith("- "):
                break
            rest = text[2:].lstrip()
            if _KEY.match(rest) is None:
                found.append(_scalar(rest))
                self.at += 1
                continue
            self.lines[self.at] = (at + len(text) - len(rest), rest, number)
            found.append(self._block(depth + 1))
        return found

    def _map(self, indent: int, depth: int) -> dict[Value, Value]:
        found: dict[Value, Value] = {}
        while self.at < len(self.lines) and self.lines[self.at][0] == indent:
            matched = _KEY.match(self.lines[self.at][1])
            if matched is None:
                raise self._refused()
            self.at += 1
            key, inline = _scalar(matched[1]), matched[2]
            if inline:
                found[str(key)] = _scalar(inline)
            elif self.at < len(self.lines) and (
                self.lines[self.at][0] > indent
                or (self.lines[self.at][0] == indent and self.lines[self.at][1].startswith("- "))
            ):
                found[str(key)] = self._block(depth + 1)
            else:
                found[str(key)] = None
        return found


def _scalar(text: str) -> Value:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_word(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    return _word(text)


def _word(text: str) -> str | int:
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    return int(text) if _INTEGER.fullmatch(text) else text
