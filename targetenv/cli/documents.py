"""Nouns as the JSON that commands print, where `targetenv.model.document` has no spelling for them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.match.alternatives import Alternative
    from targetenv.match.enabling import EnableList
    from targetenv.match.rules import Rule
    from targetenv.match.stack import Stack


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


def of_stack(stack: Stack) -> dict[str, object]:
    """The field `as_of`; nothing where no stack was named."""
    return {"as_of": {component: str(version) for component, version in stack.versions}} if stack else {}


def of_rule(row: Rule) -> dict[str, str]:
    """One rule; `since` and `until` are versions of components, `oracle` what it is held against."""
    return {
        "id": row.id,
        "text": row.text,
        "source": row.source,
        "since": row.since,
        "until": row.until,
        "oracle": row.oracle,
        "others": row.others,
    }


def of_enables(listed: EnableList) -> dict[str, object]:
    """What a device has to be opened with, as JSON."""
    kinds = (("features", listed.features), ("extensions", listed.extensions))
    return {kind: [{"name": row.name, "because": list(row.because)} for row in rows] for kind, rows in kinds}


def of_alternative(alternative: Alternative) -> dict[str, object]:
    """One condition that would meet a requirement, atom by atom."""
    return {
        "text": alternative.text,
        "holds": alternative.holds,
        "atoms": [{"kind": atom.kind, "name": atom.name, "holds": atom.holds, "said": atom.said} for atom in alternative.atoms],
        "enables": list(alternative.enables),
        "source": alternative.source,
    }
