"""What reading and printing a target description give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.model.record import record

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.target_env import TargetEnv


@record
class Parsed:
    """A text that was understood.

    `dialect` is the dialect with its era (`vk@C`); `env` what it means, the same noun for every dialect; `canonical` the text
    as the compiler of that era prints it; `diagnostics` warnings. `_tree` is the dialect's own record, which keeps what `env`
    has no place for (order, duplicates), so that printing in the same dialect is exact.
    """

    dialect: str
    env: TargetEnv
    canonical: str
    diagnostics: tuple[Diagnostic, ...] = ()
    _tree: object = None


@record
class Rendered:
    """A text in the dialect that was asked for, and what that dialect could not say, one phrase each."""

    text: str
    losses: tuple[str, ...] = ()
