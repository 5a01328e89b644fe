"""What a generated module is made of: named tables of text rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A constant `name` holding `rows`, one a line; `columns` says what stands in a row. The first word of a row is its key."""

    name: str
    columns: str
    rows: list[str]

    def __post_init__(self) -> None:
        keys = [row.split(" ", 1)[0] for row in self.rows]
        if len(set(keys)) != len(keys):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise ValueError(f"{self.name}: more than one row for {', '.join(twice)}")
        for row in self.rows:
            if '"""' in row or "\\" in row or "\n" in row:
                raise ValueError(f"{self.name}: a row that no string literal holds: {row!r}")
