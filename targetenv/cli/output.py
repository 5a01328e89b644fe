"""How results are printed: versioned JSON for programs, aligned tables for people, richer ones on a terminal."""

from __future__ import annotations

import json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SCHEMA = 1


def print_json(fields: Mapping[str, object], *, lines: bool = False) -> None:
    """Print `fields` as one JSON document with its schema version; on one line where `lines` is set."""
    print(json.dumps({"schema": SCHEMA, **fields}, indent=None if lines else 1, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; ruled on a terminal, aligned by blanks elsewhere."""
    if sys.stdout.isatty():
        _print_ruled(columns, rows)
        return
    cells_of: Callable[[str], int] = len
    if not all(text.isascii() for row in (columns, *rows) for text in row):
        from targetenv.diagnostics.render import cells

        cells_of = cells
    widths = [max(cells_of(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
    for row in (columns, *rows):
        print("  ".join(text + " " * (width - cells_of(text)) for text, width in zip(row, widths, strict=True)).rstrip())


def size(count: int) -> str:
    """A number of bytes for people.

    >>> size(999), size(16112), size(3 << 30)
    ('999 B', '15.7 KiB', '3.0 GiB')
    """
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1000 or unit == "GiB":
            break
    return f"{value:.1f} {unit}"


def talk(text: str) -> None:
    """Print something about the work that is not its result."""
    print(text, file=sys.stderr)


def _print_ruled(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
