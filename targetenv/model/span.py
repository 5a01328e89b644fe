"""A place in a text."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Span:
    """Half-open range of character offsets, `0 <= start <= end <= len(text)`.

    >>> Span(3, 5).of("abcdef")
    'de'
    """

    start: int
    end: int

    def of(self, text: str) -> str:
        """The text that this span covers."""
        return text[self.start : self.end]
