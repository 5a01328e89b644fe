"""The limits on what reading one file may cost, as options: the same for every command that opens files of others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.artifacts.containers import Budget

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_SIZE = re.compile(r"(\d{1,12})([KMG]?)")
_SECONDS = 60.0


def add_arguments(parser: ArgumentParser) -> None:
    """One option for each limit of a `Budget`."""
    group = parser.add_argument_group("limits on what one file may cost")
    group.add_argument("--max-depth", type=_count, metavar="N", help="containers inside one another (default: 8)")
    group.add_argument("--max-entries", type=_count, metavar="N", help="payloads of containers (default: 4096)")
    group.add_argument("--max-inflated", type=_count, metavar="SIZE", help="bytes made by decompressing (default: 1G)")
    group.add_argument("--max-seconds", type=float, metavar="S", default=_SECONDS, help="time (default: 60)")


def budget(args: Namespace, *, digests: bool = True) -> Budget:
    """A fresh budget: one file's worth of what was allowed."""
    chosen = {"depth": args.max_depth, "entries": args.max_entries, "inflated": args.max_inflated}
    return Budget(
        **{name: value for name, value in chosen.items() if value is not None}, seconds=args.max_seconds, digests=digests
    )


def _count(text: str) -> int:
    """A number with `K`, `M` or `G` (powers of 1024) behind it, or nothing.

    >>> _count("64M")
    67108864
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(text)  # argparse says which option it was
    return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2]]
