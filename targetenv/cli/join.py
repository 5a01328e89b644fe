"""What at least one of some devices and targets offers; no device need offer all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.meet import EPILOG, add_arguments, answer

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["EPILOG", "add_arguments", "run"]


def run(args: Namespace) -> int:
    """Join, and print or write."""
    return answer(args, "join")
