"""The order among variants of one kernel.

Laws (docs/concepts/matching.md): only variants that may run are chosen; within a kind a variant that requires strictly more
wins; then the cheaper kind, the one built nearest to the device, what the policy prefers, the higher preference, the digest.
Permuting the variants changes nothing, and adding a variant that cannot run, or one that requires strictly less than another of
its kind that runs, never changes the winner.
"""

from __future__ import annotations

from bisect import insort

from targetenv.match.guaranteed import met_by_all
from targetenv.match.phrases import required
from targetenv.model.requirement import AllOf, AnyOf, NeedsFeature, NeedsIsa, NeedsLimit, NeedsVersion, Not, Relation
from targetenv.resolve.implication import implies, subject
from targetenv.resolve.kinds import kind_of_artifact
from targetenv.resolve.policy import Policy
from targetenv.resolve.tuning import NEAR, SUBGROUP, distance, distance_of, phrase, tuned_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.resolve.kinds import Kind
    from targetenv.resolve.tuning import Distance


_COMPOUND = (AllOf, AnyOf, Not)
_NO_POLICY = Policy()


class Ranking:
    """The variants of one kernel, with everything about their order that no device decides.

    `variants` are in order of cost, policy, preference, digest and name; where a device decides between incomparable ones, `on`
    gives the ranking with their order there. `needs[i]` is the set of requirements of `variants[i]`. Sets
    are integers: bit k stands for `requirements[k]`, or for `variants[k]`. What every device of an API meets (a limit within
    its required minimum) restricts nobody, so it makes no variant more specific.

    Questions about all variants are answered a requirement at a time: one row of bits for each, a bit for each variant. So
    10,000 variants are judged by as many steps as they have unmet requirements between them.
    """

    __slots__ = (
        "_above",
        "_below",
        "_closures",
        "_costs",
        "_holders",
        "_kinds",
        "_offers",
        "_policy",
        "_restricting",
        "_restricts",
        "_tuned",
        "_tuned_for",
        "_users",
        "needs",
        "requirements",
        "variants",
    )

    def __init__(self, variants: Sequence[Artifact], policy: Policy = _NO_POLICY, offers: Capabilities | None = None) -> None:
        self._policy = policy
        self._offers = offers
        self._tuned: dict[tuple[object, ...], Ranking] = {}
        self.variants = tuple(sorted(variants, key=self._key))
        self._tuned_for = tuple(map(tuned_for, self.variants))
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
        kinds: dict[tuple[str, Kind], int] = {}
        rows = [(variant.format, kind_of_artifact(variant)) for variant in self.variants]
        self._costs = tuple(kind.cost for _, kind in rows)
        for place, row in enumerate(rows):
            kinds[row] = kinds.get(row, 0) | 1 << place
        self._kinds = tuple(kinds[row] for row in rows)  # place -> the variants of the same kind and format
        self._above: dict[int, int] = {}
        self._below: dict[int, int] = {}

    def on(self, offers: Capabilities) -> Ranking:
        """The ranking on this device: this one, unless incomparable variants of one kind are not equally near to it.

        Rankings are kept, one for each order that a device has asked for.
        """
        known = {needs: distance_of(needs, offers) for needs in set(self._tuned_for)}
        if len(set(known.values())) < 2:
            return self
        distances = tuple([known[needs] for needs in self._tuned_for])
        if not self._is_separated(distances):
            return self
        asked = offers.isa, offers.property(SUBGROUP), distances  # all that reasons speak of
        found = self._tuned.get(asked)
        if found is None:
            found = self._tuned[asked] = Ranking(self.variants, self._policy, offers)
        return found

    def _is_separated(self, distances: Sequence[Distance]) -> bool:
        """Whether two incomparable variants of equal cost differ in distance."""
        costs: dict[int, dict[Distance, int]] = {}
        for place, (cost, near) in enumerate(zip(self._costs, distances, strict=True)):
            groups = costs.setdefault(cost, {})
            groups[near] = groups.get(near, 0) | 1 << place
        for groups in costs.values():
            if len(groups) == 1:
                continue
            everyone = sum(groups.values())
            for members in groups.values():
                for place in places(members):
                    if everyone & ~members & ~self.above(place) & ~self._below_of(place):
                        return True
        return False

    def _key(self, variant: Artifact) -> tuple[int, Distance, tuple[int, ...], int, str, str]:
        near = NEAR if self._offers is None else distance(variant, self._offers)
        cost = kind_of_artifact(variant).cost
        return cost, near, self._policy.key(variant), -variant.preference, variant.digest, variant.name

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
        """The variants of the same kind and format that require everything that this one does, and more."""
        found = self._above.get(place)
        if found is None:
            found = self._kinds[place] & ~(1 << place)
            for need in places(self._restricting[place]):
                found &= self._holders[need]
            if found:
                found &= self._need_any(~self._closures[place])
            self._above[place] = found
        return found

    def _below_of(self, place: int) -> int:
        """The variants of the same kind and format above which this one is."""
        found = self._below.get(place)
        if found is None:
            found = self._kinds[place] & ~self._need_any(~self._closures[place])
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

    def because(self, winner: int, second: int) -> tuple[str, str]:
        """What put `winner` before `second`: the rule, and the reason for people."""
        one, other = self.variants[winner], self.variants[second]
        if self.above(second) >> winner & 1:
            more = self._restricting[winner] & ~self._closures[second]
            extra = sorted((self.requirements[place] for place in places(more)), key=_telling)
            needs = ", ".join(required(need) for need in extra[:2])
            return "rank.specificity", f"more specific than {other.name}: it also requires {needs}"
        mine, theirs = kind_of_artifact(one), kind_of_artifact(other)
        if mine.cost != theirs.cost:
            return "rank.kind", f"it {mine.phrase}, while {other.name} {theirs.phrase}"
        if self._offers is not None and distance(one, self._offers) != distance(other, self._offers):
            return "rank.tuning", phrase(one, other, self._offers)
        wanted, places_of_both = self._policy.prefer, (self._policy.key(one), self._policy.key(other))
        for word, first, then in zip(wanted, *places_of_both, strict=True):
            if first != then:
                return "rank.prefer", f"preferred to {other.name} by `--prefer {word}`"
        if one.preference != other.preference:
            return "rank.preference", f"preferred to {other.name}: preference {one.preference} over {other.preference}"
        if one.digest and one.digest == other.digest:
            return "rank.digest", f"the same executable as {other.name}, under another name"
        what = "digest" if one.digest != other.digest else "name"
        return "rank.digest", f"ambiguous: nothing but the {what} puts it before {other.name}"


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
