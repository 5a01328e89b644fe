"""The order among variants of one kernel.

Laws (docs/concepts/matching.md): only variants that may run are chosen; within a format a variant that requires strictly more
wins; then the cheaper kind, then the higher preference, then name and digest. Permuting the variants changes nothing, and
adding a variant that cannot run, or one that requires strictly less than another that runs, never changes the winner.
"""

from __future__ import annotations

from targetenv.match.guaranteed import met_by_all
from targetenv.match.phrases import required
from targetenv.model.requirement import AllOf, AnyOf, NeedsFeature, NeedsIsa, NeedsVersion, Not
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
    """

    __slots__ = ("_above", "_closures", "_formats", "_restricting", "needs", "requirements", "variants")

    def __init__(self, variants: Sequence[Artifact]) -> None:
        self.variants = tuple(sorted(variants, key=_static_key))
        index: dict[Requirement, int] = {}
        self.needs = tuple(
            _bits({index.setdefault(need, len(index)) for need in variant.requires}) for variant in self.variants
        )
        self.requirements = tuple(index)
        restricts = _bits(at for at, need in enumerate(self.requirements) if not met_by_all(need))
        self._restricting = tuple(needs & restricts for needs in self.needs)
        implied = _implied(self.requirements)
        self._closures = tuple(_closure(needs, implied) for needs in self.needs)
        self._formats: dict[str, int] = {}
        for place, variant in enumerate(self.variants):
            self._formats[variant.format] = self._formats.get(variant.format, 0) | 1 << place
        self._above: dict[int, int] = {}

    def runs(self, met: int) -> int:
        """The variants all of whose requirements are in `met`."""
        missing = ~met
        runs, bit = 0, 1
        for needs in self.needs:
            if not needs & missing:
                runs |= bit
            bit <<= 1
        return runs

    def best(self, met: int) -> Artifact | None:
        """The variant to run where exactly the requirements in `met` are met, None when none fits."""
        runs = self.runs(met)
        return self.variants[self.first(runs)] if runs else None

    def first(self, runs: int) -> int:
        """The place of the best variant in `runs` (not empty): no other requires strictly more, and its key is least."""
        left = runs
        while True:
            lowest = left & -left
            place = lowest.bit_length() - 1
            if not self.above(place) & runs:
                return place
            left ^= lowest

    def above(self, place: int) -> int:
        """The variants of the same format that require everything that this one does, and more."""
        found = self._above.get(place)
        if found is None:
            needs, closure, closures = self._restricting[place], self._closures[place], self._closures
            alike = self._formats[self.variants[place].format]
            found = _bits(
                other
                for other, theirs in enumerate(self._restricting)
                if alike >> other & 1 and theirs & ~closure and not needs & ~closures[other]
            )
            self._above[place] = found
        return found

    def order(self, runs: int) -> list[int]:
        """The variants in `runs`, best first: what is left after each choice is chosen from in the same way."""
        ordered = []
        while runs:
            place = self.first(runs)
            ordered.append(place)
            runs ^= 1 << place
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
    implied = []
    for need in requirements:
        if isinstance(need, _COMPOUND):
            candidates: Iterable[int] = range(len(requirements))
        else:
            candidates = [*about[subject(need)], *compound, *(features if isinstance(need, NeedsIsa) else ())]
        implied.append(_bits(other for other in candidates if implies(need, requirements[other])))
    return tuple(implied)


def _closure(needs: int, implied: Sequence[int]) -> int:
    closed = 0
    for place in places(needs):
        closed |= implied[place]
    return closed
