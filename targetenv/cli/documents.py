"""Nouns as the JSON that commands print, where `targetenv.model.document` has no spelling for them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Diagnostic


def of_diagnostic(diagnostic: Diagnostic) -> dict[str, object]:
    """One diagnostic; `span` is in characters of the input, null where no text is to blame."""
    span = diagnostic.span
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "span": None if span is None else [span.start, span.end],
        "help": diagnostic.help,
        "notes": list(diagnostic.notes),
        "source": None if diagnostic.source is None else diagnostic.source.name,
    }
