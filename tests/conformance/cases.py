"""Which case of IREE's suite (commit b48a5955575c, 2026-08-21) is which of ours, and why some are not; and the cases it lacks.

`cases.txt` has one line each: its number in the order of IREE's sources; Y (as it is), M (with changes), L (later or optional)
or N (nothing in our API stands for it); its suite and name; and the answer: our cases, a path below `tests/` where the suite
itself cannot show it, or `-` and the reason why there is none.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

GENERIC = 207
"""Cases up to this number are generic, the others are of IREE's Vulkan driver alone."""


class Case(NamedTuple):
    """One row. `shown` are our cases and paths, `reason` says why there are none."""

    number: int
    adopted: str
    name: str
    shown: tuple[str, ...]
    reason: str


def _case(number: int, adopted: str, name: str, answer: str) -> Case:
    if answer.startswith("-"):
        return Case(number, adopted, name, (), answer[1:])
    return Case(number, adopted, name, tuple(answer.split(", ")), "")


def _iree(line: str) -> Case:
    head, _, answer = line.partition(": ")
    number, adopted, name = head.split()
    return _case(int(number), adopted, name, answer)


def _own(number: int, line: str) -> Case:
    name, _, answer = line.partition(": ")
    return _case(number, "Y", name, answer)


_THEIRS, _OURS = (
    part.strip().splitlines()[1:] for part in Path(__file__).with_name("cases.txt").read_text(encoding="utf-8").split("\n\n")
)

IREE = tuple(map(_iree, _THEIRS))
OWN = tuple(_own(number, line) for number, line in enumerate(_OURS, 1))
"""What IREE's suite lacks."""
