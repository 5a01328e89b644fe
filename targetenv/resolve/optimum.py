"""The best few of many: which `k` rows of a table give every column the most, with a bound that nothing can exceed.

The table says what each candidate is worth to each device; a device takes the best candidate that was picked, and the sum
of that, weighted, is to be greatest. This is the uncapacitated location problem. Its Lagrangian dual (Cornuéjols, Fisher
and Nemhauser, Location of Bank Accounts to Optimize Float, 1977) bounds every choice, usually to the last unit, and a
branch-and-bound search over what the bound leaves open decides the rest.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from targetenv.model.record import record

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Table: TypeAlias = NDArray[np.float64]

_STEPS = 400
_EPS = 1e-9


@record
class Optimum:
    """The rows that were picked, in order of what each adds, what they give, and what no `k` rows can exceed."""

    picked: tuple[int, ...]
    value: float
    bound: float

    @property
    def proved(self) -> bool:
        """Whether nothing better exists."""
        return self.bound <= self.value + _EPS * max(1.0, abs(self.value))


def best(table: Table, weights: Table, k: int, *, seconds: float = 10.0) -> Optimum:
    """Pick at most `k` rows of a table of values that are not negative; none that adds nothing but the first.

    >>> found = best(np.array([[2.0, 2, 0, 0], [0, 3, 3, 0], [0, 0, 2, 2]]), np.ones(4), 2)
    >>> found.picked, found.value, found.proved
    ((1, 0), 8.0, True)
    """
    until = perf_counter() + seconds
    k = min(k, len(table))
    whole = bool(np.all(table == np.floor(table)) and np.all(weights == np.floor(weights)))
    picked = _improved(table, weights, _greedy(table, weights, k), until)
    search = _Search(table, weights, k, picked, 1.0 if whole else 0.0, until)
    ceiling = float(table.max(axis=0, initial=0.0) @ weights)  # every device has the best that there is for it
    bound = ceiling if search.value >= ceiling else min(ceiling, search.run())
    chosen = _in_order(table, weights, search.picked)
    return Optimum(tuple(chosen), search.value, max(bound, search.value))


def _value(table: Table, weights: Table, picked: list[int]) -> float:
    return float(table[picked].max(axis=0, initial=0.0) @ weights)


def _greedy(table: Table, weights: Table, k: int) -> list[int]:
    have = np.zeros(table.shape[1])
    picked: list[int] = []
    for _ in range(k):
        gains = np.maximum(table - have, 0.0) @ weights
        gains[picked] = -1.0
        picked.append(int(gains.argmax()))
        have = np.maximum(have, table[picked[-1]])
    return picked


def _improved(table: Table, weights: Table, picked: list[int], until: float) -> list[int]:
    """Exchange one row for another for as long as that gives more."""
    value = _value(table, weights, picked)
    while perf_counter() < until:
        for place in range(len(picked)):
            if perf_counter() > until:
                return picked
            rest = picked[:place] + picked[place + 1 :]
            have = table[rest].max(axis=0, initial=0.0)
            given = np.maximum(table, have) @ weights
            other = int(given.argmax())
            if given[other] > value + _EPS * max(1.0, value):
                picked, value = [*rest, other], float(given[other])
                break
        else:
            return picked
    return picked


def _in_order(table: Table, weights: Table, picked: list[int]) -> list[int]:
    """The picks by what each adds to those before; without those that add nothing."""
    have = np.zeros(table.shape[1])
    ordered: list[int] = []
    for place in _greedy(table[picked], weights, len(picked)):
        more = np.maximum(have, table[picked[place]])
        if not ordered or float((more - have) @ weights) > 0.0:
            ordered.append(picked[place])
        have = more
    return ordered


class _Search:
    """Branch and bound over the rows that the dual leaves open."""

    def __init__(self, table: Table, weights: Table, k: int, picked: list[int], unit: float, until: float) -> None:
        self.picked, self.value = picked, _value(table, weights, picked)
        self._table, self._weights, self._k, self._until = table, weights, k, until
        self._unit = unit  # where everything is whole, a bound less than one unit above what is found proves it
        self._late = False

    def run(self) -> float:
        """Search; the bound that remains."""
        bound, prices = self._dual()
        if bound <= self._enough():
            return self.value
        worths = np.maximum(self._table - prices, 0.0) @ self._weights
        base = float(prices @ self._weights)
        order = np.argsort(-worths, kind="stable")
        self._base, self._order, self._worths = base, order, worths[order]
        self._sums = np.concatenate([[0.0], np.cumsum(self._worths)])
        self._descend(0, [], np.zeros(self._table.shape[1]), 0.0)
        return bound if self._late else self.value

    def _enough(self) -> float:
        """A bound up to here means that nothing better is left."""
        slack = _EPS * max(1.0, abs(self.value))
        return self.value + (self._unit - slack if self._unit else slack)

    def _dual(self) -> tuple[float, Table]:
        """The least bound found by moving the price that each device sets, and those prices."""
        table, weights, k = self._table, self._weights, self._k
        prices = table[self.picked].max(axis=0, initial=0.0) * 0.5
        least, at, step, stuck = float("inf"), prices, 1.0, 0
        for _ in range(_STEPS):
            above = table - prices
            worths = np.maximum(above, 0.0) @ weights
            top = np.argpartition(-worths, k - 1)[:k]
            bound = float(prices @ weights + worths[top].sum())
            if bound < least - _EPS * max(1.0, abs(bound)):
                least, at, stuck = bound, prices, 0
                if least <= self._enough():
                    break
            else:
                stuck += 1
                if stuck == 12:
                    step, stuck = step / 2, 0
            slope = weights * (1.0 - (above[top] > 0.0).sum(axis=0))
            steep = float(slope @ slope)
            if steep == 0.0 or step < 1e-4 or perf_counter() > self._until:
                break
            prices = np.maximum(0.0, prices - step * max(bound - self.value, _EPS) / steep * slope)
        return least, at

    def _descend(self, start: int, chosen: list[int], have: Table, paid: float) -> None:
        left = self._k - len(chosen)
        if left == 1:
            self._last(start, chosen, have, paid)
            return
        # What the rest can add at most, whatever the prices: the greatest gains over what is there.
        rest = self._order[start:]
        gains = np.maximum(self._table[rest] - have, 0.0) @ self._weights
        top = gains if len(gains) <= left else np.partition(gains, len(gains) - left)[-left:]
        if float(have @ self._weights) + float(top.sum()) <= self._enough():
            return
        for place in range(start, len(self._order) - left + 1):
            if self._base + paid + self._sums[place + left] - self._sums[place] <= self._enough():
                return
            if perf_counter() > self._until:
                self._late = True
                return
            row = int(self._order[place])
            self._descend(place + 1, [*chosen, row], np.maximum(have, self._table[row]), paid + float(self._worths[place]))

    def _last(self, start: int, chosen: list[int], have: Table, paid: float) -> None:
        """The last pick: all candidates for it at once."""
        needed = self._enough() - self._base - paid
        end = start + int(np.searchsorted(-self._worths[start:], -needed, side="left"))
        rest = self._order[start:end]
        if not len(rest):
            return
        given = np.maximum(self._table[rest], have) @ self._weights
        at = int(given.argmax())
        if given[at] > self.value + _EPS * max(1.0, self.value):
            self.value, self.picked = float(given[at]), [*chosen, int(rest[at])]
