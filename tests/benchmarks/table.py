"""Rows of the report: ours beside a peer, measured in one run, and the ratio of the two."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import NamedTuple

from tests.benchmarks.measure import Timing

HEAD = ("job", "ours", "beside", "ratio", "budget", "CPU / wall")


class Row(NamedTuple):
    """One comparison. `peer` is None where the row only gives a number."""

    job: str
    ours: Timing
    peer_name: str = ""
    peer: Timing | None = None
    budget: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over theirs, of medians."""
        return None if self.peer is None else self.ours.median / self.peer.median


def emit(rows: Iterable[Row]) -> None:
    """Hand rows from a benchmark's process to the one that collects them."""
    json.dump([row._asdict() for row in rows], sys.stdout)


def collect(text: str) -> list[Row]:
    """The inverse of `emit`."""
    read = json.loads(text)
    return [
        Row(row["job"], Timing(*row["ours"]), row["peer_name"], Timing(*row["peer"]) if row["peer"] else None, row["budget"])
        for row in read
    ]


def markdown(rows: Iterable[Row]) -> str:
    """A Markdown table, times as median (minimum)."""
    cells = [HEAD, tuple("-" * len(name) for name in HEAD), *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    beside = f"{row.peer_name} {shown(row.peer)}" if row.peer is not None else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return row.job, shown(row.ours), beside, ratio, row.budget, f"{row.ours.cpu / row.ours.median:.2f}"


def shown(timing: Timing) -> str:
    """`12.3 (11.9) us`, in the unit that fits."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)):
        if timing.median * scale >= 1 or unit == "ns":
            return f"{timing.median * scale:.3g} ({timing.least * scale:.3g}) {unit}"
    return ""
