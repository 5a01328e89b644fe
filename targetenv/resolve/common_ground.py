"""What sets of devices have in common: every target that is worth considering, and no other.

Devices and the rows that they meet form a context in the sense of formal concept analysis. A set of rows that is all that
some devices have in common is *closed*. Any target can be widened to the closed set of the devices that it runs on: it runs
on the same devices and promises at least as much. So the closed sets contain the best targets, whatever is best.

Source: Ganter and Wille, Formal Concept Analysis, chapter 1.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 4096


def closed_sets(devices: Sequence[int], weights: Sequence[float], *, most: int = MOST) -> tuple[list[int], bool]:
    """Every intersection of some of these sets of rows (as integers, bit r for row r), and whether those are all.

    Where there are more than `most`, those are kept whose rows times the weight of their devices are most.

    >>> sorted(closed_sets([0b011, 0b110], [1, 1])[0])
    [2, 3, 6]
    """
    weight_of: dict[int, float] = {}
    for rows, weight in zip(devices, weights, strict=True):
        weight_of[rows] = weight_of.get(rows, 0) + weight
    found: set[int] = set()
    whole = True
    for rows in sorted(weight_of, key=lambda rows: (-weight_of[rows], rows)):
        found |= {rows & other for other in found} | {rows}
        if len(found) > 2 * most:
            found = _best(found, weight_of, most)
            whole = False
    if len(found) > most:
        found = _best(found, weight_of, most)
        whole = False
    return sorted(found, key=lambda rows: (-rows.bit_count(), rows)), whole


def _best(found: set[int], weight_of: dict[int, float], most: int) -> set[int]:
    def score(rows: int) -> tuple[float, int]:
        return rows.bit_count() * sum(weight for each, weight in weight_of.items() if each & rows == rows), rows

    everybody = ~0
    for rows in weight_of:
        everybody &= rows
    return {everybody, *sorted(found, key=score, reverse=True)[: most - 1]}
