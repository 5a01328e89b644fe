"""Everything that is wrong with one text, collected in the order of the text and reported together."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError, Severity, Source
from targetenv.model.record import replace
from targetenv.model.span import Span


class Complaints:
    """Errors and warnings about one source; `settle` raises the errors or hands back the warnings."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._all: list[Diagnostic] = []

    def error(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        help: str = "",  # noqa: A002  the diagnostic's own word
        notes: tuple[str, ...] = (),
        also: tuple[Label, ...] = (),
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Note that something at `span` is wrong; `also` are secondary places."""
        labels = (Label(span, label), *also)
        self._all.append(Diagnostic(code, message, self.source, labels, notes, help, severity))

    def warning(
        self,
        code: str,
        message: str,
        span: Span,
        label: str = "",
        *,
        help: str = "",  # noqa: A002
        notes: tuple[str, ...] = (),
        also: tuple[Label, ...] = (),
    ) -> None:
        """Note that something at `span` is odd, but has a meaning."""
        self.error(code, message, span, label, help=help, notes=notes, also=also, severity=Severity.WARNING)

    def settle(self) -> tuple[Diagnostic, ...]:
        """The warnings; with at least one error, a `ParseError` that carries the errors first."""
        ordered = sorted(self._all, key=lambda each: (each.severity is not Severity.ERROR, _start(each)))
        if ordered and ordered[0].severity is Severity.ERROR:
            raise ParseError(*ordered)
        return tuple(ordered)


def _start(diagnostic: Diagnostic) -> int:
    span = diagnostic.span
    return span.start if span else 0


def in_source(error: ParseError, source: Source) -> ParseError:
    """The same error about a text that has the same characters at the places that it names."""
    return ParseError(*(replace(each, source=source) for each in error.diagnostics))


def beside(span: Span, text: str) -> Label:
    """A secondary label."""
    return Label(span, text, primary=False)
