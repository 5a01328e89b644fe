"""JSON as tools really write it: several documents in a row, keys inside lists, stray commas.

What is valid is read by the standard parser alone; repairs are tried only where that refuses, and are complained about.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Label, Source
from targetenv.model.span import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from targetenv.wire.complaints import Complaints

_KEY_IN_LIST = re.compile(r'"\d+"\s*:\s*(?=\{)')  # vulkaninfo of SDK 1.4.313: `"layeredApis": ["0": {`
_STRAY_COMMA = re.compile(r",(?=\s*[\]}])")
_MISSING_COMMA = re.compile(r'(?<=[\]}"0-9el])(?=[^\S\n]*\n\s*")')
_GAP = re.compile(r"[\s,;]*")
_MOST_DOCUMENTS = 64


def decode(data: bytes, complaints: Complaints) -> str:
    """The text in `data`; bytes that are no text become U+FFFD."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        complaints.add("TE4315", "bytes that are not UTF-8")
        return data.decode("utf-8-sig", "replace")


def documents(text: str, *, name: str, complaints: Complaints) -> list[Any]:
    """The JSON documents in `text`, nearly always one; TE4302 points at what no repair helps."""
    decoder = JSONDecoder(object_pairs_hook=_Objects(complaints), strict=False)
    try:
        return [decoder.decode(text)]
    except JSONDecodeError as error:
        failed = error
    except (RecursionError, ValueError) as error:
        raise _refused(error, name) from None
    for repair in (_apart, _mended, _inside):
        try:
            found = repair(text, decoder)
        except JSONDecodeError:
            continue
        except (RecursionError, ValueError) as error:
            raise _refused(error, name) from None
        if repair is not _apart:
            complaints.add("TE4315", f"JSON: {failed.msg}")
        return found
    label = Label(Span(failed.pos, min(failed.pos + 1, len(text))))
    message = f"not valid JSON: {failed.msg[:1].lower()}{failed.msg[1:]}".replace("'", "`")
    raise FormatError(Diagnostic("TE4302", message, Source(name, text), (label,)))


def _apart(text: str, decoder: JSONDecoder) -> list[Any]:
    """Documents that follow each other, one for each GPU."""
    found, at = [], _after(text, 0)
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        found.append(value)
        at = _after(text, end)
        if len(found) > _MOST_DOCUMENTS or not isinstance(value, dict):
            raise JSONDecodeError("too many documents", text, at)
    if not found:
        raise JSONDecodeError("expected a value", text, 0)
    return found


def _after(text: str, at: int) -> int:
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _mended(text: str, decoder: JSONDecoder) -> list[Any]:
    mended = _MISSING_COMMA.sub(",", _STRAY_COMMA.sub("", text))
    try:
        return [decoder.decode(mended)]
    except JSONDecodeError:
        return [decoder.decode(_STRAY_COMMA.sub("", _KEY_IN_LIST.sub("", mended)))]


def _inside(text: str, decoder: JSONDecoder) -> list[Any]:
    """A document with other output of the tool before or behind it."""
    start = text.find("{") if text.find("\n{") < 0 else text.find("\n{") + 1
    value, _ = decoder.raw_decode(text, max(start, 0))
    if not isinstance(value, dict) or not value:
        raise JSONDecodeError("no document", text, 0)
    return [value]


class _Objects:
    """Makes objects, and complains about a key that stands twice in one; the last one counts."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self._complaints.add("TE4313", f"key {key}")
                seen.add(key)
        return made


def _refused(error: Exception, name: str) -> FormatError:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).split(";", 1)[0].lower()
    return FormatError(Diagnostic("TE4302", f"not valid JSON: {reason}", Source(name, "")))
