"""What a family of rules answers to one requirement."""

from __future__ import annotations

from targetenv.model.verdict import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    # outcome, what is offered, id of the rule that decided, and the rule's source where the row itself does not have it
    Answer: TypeAlias = tuple[Outcome, str, str] | tuple[Outcome, str, str, str]

YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN


def decided(holds: object) -> Outcome:
    """The outcome of a question that has been answered with yes (true) or no."""
    return YES if holds else NO
