"""What a writer of files gives."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Written:
    """A file's text, and what it leaves out."""

    text: str
    losses: tuple[str, ...] = ()
