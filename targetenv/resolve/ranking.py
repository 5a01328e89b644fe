"""The order among variants of one kernel.

Laws (docs/concepts/matching.md): only variants that may run are chosen; within a format a variant that requires strictly more
wins; then the cheaper kind, then the higher preference, then name and digest. Permuting the variants changes nothing, and
adding a variant that cannot run, or one that requires strictly less than another that runs, never changes the winner.
"""

from __future__ import annotations

from bisect import insort

from targetenv.match.guaranteed import met_by_all
from targetenv.match.phrases import required
from targetenv.model.requirement import AllOf, AnyOf, NeedsFeature, NeedsIsa, NeedsLimit, NeedsVersion, Not, Relation
from targetenv.resolve.implication import implies, subject
from targetenv.resolve.kinds import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement


_COMPOUND = (AllOf, AnyOf, Not)


class Ranking:
    """The variants of one kernel, with everything about their order that no device decides.

    `variants` are in order of cost, preference, name and digest; `needs[i]` is the set of requirements of `variants[i]`. Sets
    are integers: bit k stands for `requirements[k]`, or for `variants[k]`. What every device of an API meets (a limit within
    its required minimum) restricts nobody, so it makes no variant more specific.

    Questions about all variants are answered a requirement at a time: one row of bits for each, a bit for each variant. So
    10,000 variants are judged by as many steps as they have unmet requirements between them.
    """

    __slots__ = (
        "_above",
        "_below",
        "_closures",
        "_formats",
        "_holders",
        "_restricting",
        "_restricts",
        "_users",
        "needs",
        "requirements",
        "variants",
    )

    def __init__(self, variants: Sequence[Artifact]) -> None:
        self.variants = tuple(sorted(variants, key=_static_key))
        index: dict[Requirement, int] = {}
        self.needs = tuple(
            _bits({index.setdefault(need, len(index)) for need in variant.requires}) for variant in self.variants
        )
        self.requirements = tuple(index)
        restricts = _bits(at for at, need in enumerate(self.requirements) if not met_by_all(need))
        self._restricts = restricts
        self._restricting = tuple(needs & restricts for needs in self.needs)
        implied = _implied(self.requirements)
        self._closures = tuple(_closure(needs, implied) for needs in self.needs)
        count = len(self.requirements)
        self._users = _transposed(self.needs, count)  # requirement -> the variants that have it
        self._holders = _transposed(self._closures, count)  # ... -> the variants from which it follows
        self._formats: dict[str, int] = {}
        for place, variant in enumerate(self.variants):
            self._formats[variant.format] = self._formats.get(variant.format, 0) | 1 << place
        self._above: dict[int, int] = {}
        self._below: dict[int, int] = {}

    def runs(self, met: int) -> int:
        """The variants all of whose requirements are in `met`."""
        return self.without(self.rows(met))

    def rows(self, met: int) -> tuple[int, ...]:
        """For each requirement that is not in `met`, the variants that have it: what `without` takes."""
        missing = ((1 << len(self.requirements)) - 1) & ~met
        return tuple(self._users[place] for place in places(missing))

    def without(self, rows: Iterable[int]) -> int:
        """The variants that are in none of these rows."""
        blocked = 0
        for row in rows:
            blocked |= row
        return ((1 << len(self.variants)) - 1) & ~blocked

    def first(self, runs: int) -> int:
        """The place of the best variant in `runs` (not empty): no other requires strictly more, and its key is least."""
        left = runs
        while True:
            place = (left & -left).bit_length() - 1
            higher = self.above(place) & runs
            if not higher:
                return place
            while higher:  # climb to one that nothing is above; all below it are settled at once
                top = higher.bit_length() - 1
                higher = self.above(top) & runs
            left &= ~self._below_of(top)

    def above(self, place: int) -> int:
        """The variants of the same format that require everything that this one does, and more."""
        found = self._above.get(place)
        if found is None:
            found = self._formats[self.variants[place].format] & ~(1 << place)
            for need in places(self._restricting[place]):
                found &= self._holders[need]
            if found:
                found &= self._need_any(~self._closures[place])
            self._above[place] = found
        return found

    def _below_of(self, place: int) -> int:
        """The variants of the same format above which this one is."""
        found = self._below.get(place)
        if found is None:
            found = self._formats[self.variants[place].format] & ~self._need_any(~self._closures[place])
            same = found
            for need in places(self._restricting[place]):
                same &= self._holders[need]
            found = self._below[place] = found & ~same
        return found

    def _need_any(self, needs: int) -> int:
        """The variants that are restricted by any of these requirements."""
        found = 0
        for need in places(needs & self._restricts):
            found |= self._users[need]
        return found

    def order(self, runs: int) -> list[int]:
        """The variants in `runs`, best first: what is left after each choice is chosen from in the same way."""
        waiting = {place: (self.above(place) & runs).bit_count() for place in places(runs)}
        ready = [-place for place, higher in waiting.items() if not higher][::-1]  # ascending, so that the best is last
        ordered = []
        while ready:
            place = -ready.pop()
            ordered.append(place)
            for lower in places(self._below_of(place) & runs):
                waiting[lower] -= 1
                if not waiting[lower]:
                    insort(ready, -lower)
        return ordered

    def because(self, winner: int, second: int) -> str:
        """What put `winner` before `second`, for people."""
        one, other = self.variants[winner], self.variants[second]
        if self.above(second) >> winner & 1:
            more = self._restricting[winner] & ~self._closures[second]
            extra = sorted((self.requirements[place] for place in places(more)), key=_telling)
            return f"more specific than {other.name}: it also requires {', '.join(required(need) for need in extra[:2])}"
        mine, theirs = kind_of(one.format), kind_of(other.format)
        if mine.cost != theirs.cost:
            return f"it {mine.phrase}, while {other.name} {theirs.phrase}"
        if one.preference != other.preference:
            return f"preferred to {other.name}: preference {one.preference} over {other.preference}"
        return f"ambiguous: nothing but the name puts it before {other.name}"


def places(bits: int) -> Iterable[int]:
    """The members of a set, in order.

    >>> list(places(0b1010))
    [1, 3]
    """
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _telling(need: Requirement) -> tuple[bool, str]:
    """What tells most first: a version follows from what else is required."""
    return isinstance(need, NeedsVersion), required(need)


def _static_key(variant: Artifact) -> tuple[int, int, str, str]:
    return kind_of(variant.format).cost, -variant.preference, variant.name, variant.digest


def _bits(members: Iterable[int]) -> int:
    bits = 0
    for place in members:
        bits |= 1 << place
    return bits


def _implied(requirements: Sequence[Requirement]) -> tuple[int, ...]:
    """For each requirement, the set of all that follow from it, itself included.

    Only requirements about the same thing imply one another, but for a CPU's instruction set, which implies features, and for
    compound requirements, which are about several things.
    """
    about: dict[object, list[int]] = {}
    for place, need in enumerate(requirements):
        about.setdefault(subject(need), []).append(place)
    compound = [place for place, need in enumerate(requirements) if isinstance(need, _COMPOUND)]
    features = [place for place, need in enumerate(requirements) if isinstance(need, NeedsFeature)]
    ascending = _ascending(requirements)
    implied = []
    for place, need in enumerate(requirements):
        if place in ascending and not compound:
            implied.append(ascending[place])
            continue
        if isinstance(need, _COMPOUND):
            candidates: Iterable[int] = range(len(requirements))
        else:
            candidates = [*about[subject(need)], *compound, *(features if isinstance(need, NeedsIsa) else ())]
        implied.append(_bits(other for other in candidates if implies(need, requirements[other])))
    return tuple(implied)


def _ascending(requirements: Sequence[Requirement]) -> dict[int, int]:
    """For limits that are whole numbers to be reached, where nothing else is asked of the same name: all that are no higher.

    What `implies` says, without a comparison of each with each: tuned kernels ask hundreds of values of one limit.
    """
    by_name: dict[str, list[tuple[int, int]] | None] = {}
    for place, need in enumerate(requirements):
        if isinstance(need, NeedsLimit):
            rows = by_name.setdefault(need.name, [])
            if need.relation is not Relation.AT_LEAST or type(need.value) is not int:
                by_name[need.name] = None
            elif rows is not None:
                rows.append((need.value, place))
    found = {}
    for rows in by_name.values():
        lower = 0
        for _, place in sorted(rows or ()):
            lower |= 1 << place
            found[place] = lower
    return found


def _transposed(rows: Sequence[int], width: int) -> tuple[int, ...]:
    """Column k of the bits in `rows`, as a set of rows."""
    columns: list[list[int]] = [[] for _ in range(width)]
    for at, row in enumerate(rows):
        for place in places(row):
            columns[place].append(at)
    return tuple(_set(members, len(rows)) for members in columns)


def _set(members: Sequence[int], size: int) -> int:
    """The set of these, made in one step: adding one after the other copies a large set each time."""
    made = bytearray(size // 8 + 1)
    for member in members:
        made[member >> 3] |= 1 << (member & 7)
    return int.from_bytes(made, "little")


def _closure(needs: int, implied: Sequence[int]) -> int:
    closed = 0
    for place in places(needs):
        closed |= implied[place]
    return closed
