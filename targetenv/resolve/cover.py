"""Which few targets serve a population of devices best: as many devices as can be, and each with as much as can be.

Coverage comes first: no choice of `k` targets runs on more devices, by weight. Among those that run on as many, the one is
taken that lets devices rely on most: each device runs the best target that it can, and that target promises so many rows of
what is asked about. Both are proved by a bound, or the distance to the bound is said.
"""

from __future__ import annotations

from targetenv.match.check import Judge
from targetenv.model.record import record, replace
from targetenv.model.verdict import Outcome
from targetenv.resolve.common_ground import closed_sets
from targetenv.resolve.implication import implies

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.resolve.fleets import Fleet

    Table: TypeAlias = Any  # numpy's, which is imported on use

SECONDS = 10.0
_FEWER = 9  # what fewer picks than this reach is found out too


@record
class Candidate:
    """A target that may be picked: `worth` counts the rows that it promises, `runs` has a bit for each class of devices."""

    name: str
    worth: int
    runs: int


@record
class Pick:
    """One target of the answer; devices are places in `Fleet.members`.

    In the order of the picks it `adds` devices that ran nothing and `lifts` others to more than they had. Of all picks it
    is the best for those that it `serves`; those in `alone` run nothing without it.
    """

    name: str
    worth: int
    runs: tuple[int, ...]
    adds: tuple[int, ...]
    lifts: tuple[int, ...]
    serves: tuple[int, ...]
    alone: tuple[int, ...]


@record
class Reach:
    """What `k` targets can do: the weight of the devices covered, the rows they may rely on, and what neither can exceed."""

    k: int
    covered: float
    rows: float
    most_covered: float
    most_rows: float

    @property
    def proved(self) -> bool:
        """Whether nothing better exists among the candidates."""
        return self.covered >= self.most_covered - 1e-9 and self.rows >= self.most_rows - 1e-9 * max(1.0, self.rows)


@record
class Cover:
    """The answer: the picks in order, what they reach, what fewer would, and what each device could have at most."""

    picks: tuple[Pick, ...]
    reach: Reach
    fewer: tuple[Reach, ...]
    total: float
    ceiling: float
    candidates: int
    left: tuple[int, ...]


def derived(found: Fleet, kernels: Sequence[str], weights: Sequence[float]) -> tuple[list[int], bool]:
    """What sets of devices have in common, as sets of rows (integers), and whether that is everything.

    Each of `kernels` asked the devices of `found` about one row; a device that meets none has no part in it.
    """
    met = _rows_met(found, kernels)
    by_class = _by_class(found, weights)
    some = [kind for kind in range(found.classes) if met[kind]]
    sets, whole = closed_sets([met[kind] for kind in some], [by_class[kind] for kind in some])
    return [rows for rows in sets if rows], whole


def candidates_of(found: Fleet, kernels: Sequence[str], sets: Sequence[int], names: Sequence[str]) -> list[Candidate]:
    """The candidate for each set of rows: it runs where all of its rows are met."""
    met = _rows_met(found, kernels)
    places: dict[int, int] = {}
    for kind, rows in enumerate(met):
        places[rows] = places.get(rows, 0) | 1 << kind
    return [
        Candidate(name, rows.bit_count(), _union(kinds for have, kinds in places.items() if have & rows == rows))
        for rows, name in zip(sets, names, strict=True)
    ]


def promised(offers: Capabilities | None, requires: Sequence[Requirement], rows: Sequence[Requirement]) -> int:
    """How many of the rows code may rely on that is built for an environment, or that requires these things of its device."""
    if offers is None:
        return sum(any(implies(need, row) for need in requires) for row in rows)
    judge = Judge(replace(offers, complete=False))
    return sum(judge.check(row).outcome is Outcome.SATISFIED for row in rows)


def variants_of(found: Fleet, kernel: str, worths: Sequence[int]) -> list[Candidate]:
    """The variants of a kernel as candidates."""
    from targetenv.resolve.planes import as_int

    table = found.runs(kernel)
    return [Candidate(name, worth, as_int(row)) for name, worth, row in zip(found.variants(kernel), worths, table, strict=True)]


def cover(
    found: Fleet, candidates: Sequence[Candidate], weights: Sequence[float], k: int, *, seconds: float = SECONDS
) -> Cover:
    """The best `k` candidates for the devices of `found`, each of which counts by its weight."""
    import numpy as np

    useful = _distinct(candidates)
    by_class = _by_class(found, weights)
    worth = np.array([candidate.worth for candidate in useful], np.float64)
    runs = np.array([[candidate.runs >> kind & 1 for kind in range(found.classes)] for candidate in useful], np.bool_)
    runs = runs.reshape(len(useful), found.classes)
    kinds, first, which = np.unique(runs, axis=1, return_index=True, return_inverse=True)
    shares = np.bincount(which.reshape(-1), weights=by_class, minlength=len(first))
    reaches: list[Reach] = []
    picked: tuple[int, ...] = ()
    most = max(1, min(k, len(useful)))
    sizes = [*range(1, min(most, _FEWER)), most]
    for size in sizes:
        reach, picked = _best(kinds, worth, shares, size, seconds / len(sizes))
        reaches.append(reach)
    covered = runs.any(axis=0)
    ceiling = float((np.where(runs, worth[:, None], 0.0).max(axis=0, initial=0.0) * covered) @ np.array(by_class))
    picks = _picks(found, [useful[at] for at in picked])
    reached = _union(candidate.runs for candidate in (useful[at] for at in picked))
    left = tuple(number for number, member in enumerate(found.members) if not reached >> member.kind & 1)
    return Cover(picks, reaches[-1], tuple(reaches[:-1]), float(sum(weights)), ceiling, len(candidates), left)


def _best(runs: Table, worth: Table, shares: Table, k: int, seconds: float) -> tuple[Reach, tuple[int, ...]]:
    """Coverage alone first; then coverage and rows together, a device counting for as many rows as it takes to keep it."""
    import numpy as np

    from targetenv.resolve.optimum import best

    if not len(runs):
        return Reach(k, 0.0, 0.0, 0.0, 0.0), ()
    most = best(runs.astype(np.float64), shares, k, seconds=seconds / 2)
    device = float(worth.max(initial=0.0)) + 1.0
    while True:
        found = best(np.where(runs, worth[:, None] + device, 0.0), shares, k, seconds=seconds / 2)
        covered = float(runs[list(found.picked)].any(axis=0) @ shares)
        if covered >= most.value - 1e-9 or device > 1e9:
            break
        device *= 4.0
    rows = found.value - device * covered
    return Reach(k, covered, rows, max(most.bound, covered), max(rows, found.bound - device * covered)), found.picked


def _picks(found: Fleet, chosen: Sequence[Candidate]) -> tuple[Pick, ...]:
    best: dict[int, Candidate] = {}
    for candidate in chosen:
        for kind in _members(candidate.runs):
            if kind not in best or candidate.worth > best[kind].worth:
                best[kind] = candidate
    made = []
    had: dict[int, int] = {}
    for candidate in chosen:
        mine = frozenset(_members(candidate.runs))
        others = _union(other.runs for other in chosen if other is not candidate)
        new = frozenset(kind for kind in mine if kind not in had)
        lifted = frozenset(kind for kind in mine - new if candidate.worth > had[kind])
        served = frozenset(kind for kind, winner in best.items() if winner is candidate)
        alone = frozenset(kind for kind in mine if not others >> kind & 1)
        sets = (mine, new, lifted, served, alone)
        places = (tuple(at for at, member in enumerate(found.members) if member.kind in kinds) for kinds in sets)
        made.append(Pick(candidate.name, candidate.worth, *places))
        had |= {kind: max(candidate.worth, had.get(kind, 0)) for kind in mine}
    return tuple(made)


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Of candidates that run on the same devices the one that promises most; of equals the one with the shortest name."""
    found: dict[int, Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: (-one.worth, len(one.name), one.name)):
        if candidate.runs:
            found.setdefault(candidate.runs, candidate)
    return list(found.values())


def _rows_met(found: Fleet, kernels: Sequence[str]) -> list[int]:
    """For each class of devices the rows that it meets, as an integer."""
    met = [0] * found.classes
    for bit, kernel in enumerate(kernels):
        for kind in found.runs(kernel)[0].nonzero()[0].tolist():
            met[kind] |= 1 << bit
    return met


def _by_class(found: Fleet, weights: Sequence[float]) -> list[float]:
    sums = [0.0] * found.classes
    for member, weight in zip(found.members, weights, strict=True):
        sums[member.kind] += weight
    return sums


def _members(bits: int) -> list[int]:
    from targetenv.resolve.ranking import places

    return list(places(bits))


def _union(sets: Any) -> int:
    bits = 0
    for each in sets:
        bits |= each
    return bits
