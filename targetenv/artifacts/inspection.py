"""What looking at a file's bytes gives, and how a damaged file is refused."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Source
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement


@record
class Inspection:
    """What a file is: its format, the executables in it, what is odd about it, and facts for people.

    `details` are (key, value) pairs in reading order; a key may come more than once. `diagnostics` are warnings: what is wrong
    enough to refuse the file is raised instead. A container has `members`, and its `artifacts` and `diagnostics` are all of
    theirs; a plain executable has none. `reasons` say what in the bytes asks for a requirement, where that is worth saying.
    """

    format: str
    artifacts: tuple[Artifact, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    members: tuple[Member, ...] = ()
    reasons: tuple[tuple[Requirement, str], ...] = ()

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Inspection, memoryview | None]]:
        """Every plain executable inside: the names that lead to it, what it is, its bytes (None: the file's own)."""
        if not self.members:
            yield (), self, None
        for member in self.members:
            for path, inspection, payload in member.inspection.leaves():
                yield (member.name, *path), inspection, member.payload if payload is None else payload


@record
class Member:
    """One payload of a container: what it is called there (unique in it), what it is, and its bytes, not copied.

    `label` is what the container says that it is for, in the container's words (an entry ID, an architecture); `offset` is
    where it begins in the container's own bytes. None where the container does not say, or decompresses it.
    """

    name: str
    inspection: Inspection
    payload: memoryview
    label: str | None = None
    offset: int | None = None


def damaged(code: str, name: str, message: str, *, help: str = "") -> FormatError:  # noqa: A002  the field's own name
    """The error that refuses the file called `name`; raise it."""
    return FormatError(Diagnostic(code, message, Source(name, ""), help=help))


def odd(code: str, name: str, message: str, *, help: str = "") -> Diagnostic:  # noqa: A002  the field's own name
    """A warning about the file called `name`."""
    from targetenv.diagnostics.diagnostic import Severity

    return Diagnostic(code, message, Source(name, ""), help=help, severity=Severity.WARNING)
