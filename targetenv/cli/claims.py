"""Claims about executables, read: the label audit needs texts of every dialect, which `targetenv.artifacts` does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.artifacts.audit import Audited, Claim, audit
from targetenv.cli.assembly import VERSIONED, stated
from targetenv.cli.documents import of_diagnostic
from targetenv.diagnostics.diagnostic import TargetEnvError
from targetenv.match import isa as isas
from targetenv.model import document
from targetenv.model.capabilities import Capabilities
from targetenv.model.record import replace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.artifacts.inspection import Inspection
    from targetenv.diagnostics.diagnostic import Diagnostic

_ARCHITECTURES = {"x86_64": "x86-64", "amd64": "x86-64", "arm64": "linux/arm64", "aarch64": "linux/arm64"}


def offers_of_claim(text: str) -> Capabilities | None:
    """What code for this target may rely on; None where the text is no target.

    >>> offers_of_claim("linux/amd64/v2").isa, offers_of_claim("gfxBOGUS")
    ('x86-64-v2', None)
    """
    text = _ARCHITECTURES.get(text, text)
    if isas.architecture(text) is not None:  # this and the next are what most packages say, and need no grammar
        return Capabilities("cpu", isa=text)
    if VERSIONED.fullmatch(text):
        return stated(text)
    from targetenv.syntax import parse

    try:
        return parse(text, source_name="<claim>").env.offers
    except TargetEnvError:
        return None


def audited(inspection: Inspection, file: str, claimed: Iterable[str] = ()) -> tuple[Audited, ...]:
    """The label audit of a file that is no package; `claimed` are targets that the caller says it is for."""
    claims = [Claim("caller", text, text) for text in claimed]
    return audit(inspection, name=file, read=offers_of_claim, claimed=claims)


def audited_variant(inspection: Inspection, place: str, member: str, targets: Iterable[str]) -> tuple[Audited, ...]:
    """The label audit of a package's variant: the manifest says what it is for."""
    claims = [Claim("variant's target", text, text) for text in targets]
    rows = audit(inspection, name=place, read=offers_of_claim, claimed=claims)
    return tuple(replace(row, path=(member, *row.path), offset=None) for row in rows if row.claim.by != "file name")


#: What readers say of labels in their containers' own words; the audit does not say it again of the same place.
_SAID = {"TE4044", "TE4051", "TE4705"}


def unsaid(rows: Iterable[Audited], said: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The audit's warnings about places whose labels no reader has complained about."""
    known = {row.source.name for row in said if row.code in _SAID and row.source is not None}
    warnings = [row.warning for row in rows if row.warning is not None]
    return [warning for warning in warnings if warning.source is None or warning.source.name not in known]


def of_audited(row: Audited) -> dict[str, object]:
    """One row of the label audit, as JSON."""
    return {
        "path": list(row.path),
        "offset": row.offset,
        "by": row.claim.by,
        "claim": row.claim.text,
        "target": row.claim.target,
        "outcome": row.outcome,
        "diagnostic": None if row.warning is None else of_diagnostic(row.warning),
        "findings": [document.of_finding(finding) for finding in row.findings],
    }
