"""Reading a text for the first time: which dialect it is in, and then that dialect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Source
from targetenv.model.span import Span
from targetenv.syntax import brackets, dialects
from targetenv.syntax import compat as releases
from targetenv.syntax.complaints import in_source

if TYPE_CHECKING:
    from targetenv.syntax.parsed import Parsed

_ALIAS = re.compile(r"(?:\s|//[^\n]*\n)*#[A-Za-z_][\w$.]*\s*=")
_QUALIFIED = re.compile(r"\s*(vulkan|cuda|rocm|amdgpu|hip|metal|cpu):(?=\S)")
_APIS = {"amdgpu": "rocm", "hip": "rocm"}
_BINARY = re.compile("[\x00\ud800-\udfff]")


def read(text: str, source_name: str, dialect: str | None, compat: str | None) -> Parsed:
    """The parsed text; see `targetenv.syntax.parse`."""
    source = checked(Source(source_name, text))
    if _ALIAS.match(text):
        source = _without_aliases(source)
    release = None if compat is None else releases.of(compat)
    at = refinement_at(text)
    if at is not None:
        from targetenv.syntax import refinement

        return refinement.read(source, at, lambda base: _read(base, dialect, release))
    return _read(source, dialect, release)


def _read(source: Source, dialect: str | None, release: releases.Compat | None) -> Parsed:
    if dialect is None:
        qualified = _QUALIFIED.match(source.text)
        if qualified is not None and release is not None and qualified[1] != "cpu":
            return dialects.find("iree")[0].parse(source, release)  # the name as a flag of that compiler takes it
        if qualified is not None and not dialects.knows_whole(source):
            return _of_api(qualified[1], source, qualified.end(), release)
        return dialects.detect(source).parse(source, release)
    text = source.text
    row, era = dialects.find(dialect)
    made = row.parse(source, release)
    if era is not None and made.dialect != dialect:
        label = Label(Span(0, len(text)), f"this is {made.dialect}")
        raise ParseError(Diagnostic("TE1216", f"expected a text in dialect `{dialect}`", source, (label,)))
    return made


def refinement_at(text: str) -> int | None:
    """Where the edits behind a target begin; most texts have none and need not load what reads them."""
    if not text.rstrip().endswith("}") or "+" not in text:
        return None
    from targetenv.syntax import refinement

    return refinement.split(text)


def checked(source: Source) -> Source:
    """The source, when it is text of a size and a depth that any dialect may read (TE1001, TE1004)."""
    _refuse_binary(source)
    brackets.check(source)
    return source


def _without_aliases(source: Source) -> Source:
    """The text with aliases (`#name = ...` in front, as MLIR prints modules) put where they are used."""
    from targetenv.syntax.single_attribute import attribute
    from targetenv.syntax.value_printer import text_of

    return Source(f"{source.name}, aliases put in", text_of(attribute(source)))


def _of_api(api: str, source: Source, start: int, release: releases.Compat | None) -> Parsed:
    """What stands behind `cuda:`, in any dialect, where it is for that API."""
    inner = Source(source.name, " " * start + source.text[start:])
    if api != "cpu" and not inner.text.lstrip().startswith("#") and not dialects.knows_whole(inner):
        return dialects.find("iree")[0].parse(source, release)  # knows the names that are near
    try:
        parsed = dialects.detect(inner).parse(inner, release)
    except ParseError as error:
        raise in_source(error, source) from None
    if parsed.env.offers.api != _APIS.get(api, api):
        label = Label(Span(start, len(source.text.rstrip())), f"a target of {parsed.env.offers.api}")
        message = f"this is no target of {api}"
        raise ParseError(Diagnostic("TE1216", message, source, (label,), help=f"leave `{api}:` out"))
    return parsed


def _refuse_binary(source: Source) -> None:
    """A NUL or a byte that decoded to nothing (a lone surrogate) says that this was never text."""
    found = _BINARY.search(source.text)
    if found is not None:
        label = Label(Span(*found.span()), f"U+{ord(found[0]):04X}")
        help_ = "pass a target description; `targetenv inspect` reads binaries"
        raise ParseError(Diagnostic("TE1004", "this is not text", source, (label,), help=help_))
