"""A diagnostic is a value: a code, a message, the place, and what to do. Text is rendered from it once (`render`)."""

from __future__ import annotations

from enum import Enum

from targetenv.model.record import record
from targetenv.model.span import Span


class Severity(Enum):
    """An error refuses the input; a warning lets it pass and says what is odd."""

    ERROR = "error"
    WARNING = "warning"


@record
class Source:
    """A text and what to call it: `<argument>`, `<stdin>`, a file's path."""

    name: str
    text: str


@record
class Label:
    """What is special at one place. Exactly one label of a diagnostic is primary."""

    span: Span
    text: str = ""
    primary: bool = True


@record
class Diagnostic:
    """One thing that is wrong.

    `message` stands alone: lower case, no full stop, literals in backticks. `source` and `labels` are absent where no text is
    to blame (a device, a library); `notes` add facts; `help` is an imperative.
    """

    code: str
    message: str
    source: Source | None = None
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    severity: Severity = Severity.ERROR

    @property
    def span(self) -> Span | None:
        """The primary place, if there is one."""
        return next((label.span for label in self.labels if label.primary), None)


class TargetEnvError(Exception):
    """Base of every exception that targetenv raises on purpose; carries diagnostics, worst first, and renders them."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics

    @property
    def code(self) -> str:
        """The code of the first diagnostic."""
        return self.diagnostics[0].code

    def __str__(self) -> str:
        from targetenv.diagnostics.render import render  # text is made only when somebody looks

        return "\n".join(render(diagnostic) for diagnostic in self.diagnostics)


class ParseError(TargetEnvError, ValueError):
    """A text does not say what its dialect allows (TE1xxx, TE2xxx)."""


class FormatError(TargetEnvError, ValueError):
    """A file is not what it claims to be, or is damaged (TE4xxx)."""


class NoCompatibleArtifact(TargetEnvError, LookupError):
    """No variant fits; `TargetEnvError.diagnostics` carry the reasons (TE3xxx)."""


class EnvironmentFailed(TargetEnvError, OSError):
    """A driver, a toolchain or the file system did not do its part (TE46xx, TE5xxx)."""
