"""The order among variants of one kernel.

Laws (docs/concepts/matching.md): only variants that may run are chosen; within a format a variant that requires strictly more
wins; then the cheaper kind, then the higher preference, then name and digest. Permuting the variants changes nothing, and
adding a variant that cannot run, or one that requires strictly less than another that runs, never changes the winner.
"""

from __future__ import annotations

from targetenv.match.phrases import required
from targetenv.model.requirement import NeedsFeature, NeedsIsa
from targetenv.resolve.implication import implies
from targetenv.resolve.kinds import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement


class Ranking:
    """The variants of one kernel, with everything about their order that no device decides.

    `variants` are in order of cost, preference, name and digest. `needs[i]` is the set of requirements of `variants[i]` as bits
    (bit k stands for `requirements[k]`); `above[i]` is the set of variants, as bits, that are of its format and strictly more
    specific.
    """

    __slots__ = ("above", "needs", "requirements", "variants")

    def __init__(self, variants: Sequence[Artifact]) -> None:
        self.variants = tuple(sorted(variants, key=_static_key))
        index: dict[Requirement, int] = {}
        self.needs = tuple(
            _bits(index.setdefault(need, len(index)) for need in dict.fromkeys(variant.requires)) for variant in self.variants
        )
        self.requirements = tuple(index)
        closures = tuple(_closure(needs, _implied(self.requirements)) for needs in self.needs)
        self.above = tuple(
            _bits(
                other
                for other, artifact in enumerate(self.variants)
                if artifact.format == variant.format and _stricter(other, one, self.needs, closures)
            )
            for one, variant in enumerate(self.variants)
        )

    def best(self, met: int) -> int | None:
        """The index of the variant to run where exactly the requirements in `met` (bits) are met; None when none fits."""
        missing = ~met
        runs = 0
        bit = 1
        for needs in self.needs:
            if not needs & missing:
                runs |= bit
            bit <<= 1
        return self.first(runs) if runs else None

    def first(self, runs: int) -> int:
        """The first of the variants in `runs` (bits, not empty): no other of them is above it, and its key is least."""
        above = self.above
        return next(one for one in range(len(above)) if runs >> one & 1 and not above[one] & runs)

    def order(self, runs: int) -> list[int]:
        """The variants in `runs`, best first: what is left after each choice is chosen from in the same way."""
        ordered = []
        while runs:
            one = self.first(runs)
            ordered.append(one)
            runs &= ~(1 << one)
        return ordered

    def because(self, winner: int, second: int) -> str:
        """What put `winner` before `second`."""
        one, other = self.variants[winner], self.variants[second]
        if self.above[second] >> winner & 1:
            extra = [required(need) for need in self._of(self.needs[winner] & ~self.needs[second])]
            return f"more specific than {other.name}: it also requires {' and '.join(sorted(extra)[:2])}"
        mine, theirs = kind_of(one.format), kind_of(other.format)
        if mine.cost != theirs.cost:
            return f"{mine.phrase}, while {other.name} {theirs.phrase}"
        if one.preference != other.preference:
            return f"preferred to {other.name}: preference {one.preference} over {other.preference}"
        return f"ambiguous: nothing but the name puts it before {other.name}"

    def _of(self, bits: int) -> list[Requirement]:
        return [need for place, need in enumerate(self.requirements) if bits >> place & 1]


def _static_key(variant: Artifact) -> tuple[int, int, str, str]:
    return kind_of(variant.format).cost, -variant.preference, variant.name, variant.digest


def _bits(places: object) -> int:
    bits = 0
    for place in places:  # type: ignore[attr-defined]
        bits |= 1 << place
    return bits


def _implied(requirements: Sequence[Requirement]) -> tuple[int, ...]:
    """For each requirement, the bits of all that follow from it, itself included.

    Only equal kinds imply one another, but for a CPU's instruction set, which implies features.
    """
    kinds: dict[type, list[int]] = {}
    for place, need in enumerate(requirements):
        kinds.setdefault(type(need), []).append(place)
    if NeedsIsa in kinds:
        kinds[NeedsIsa] += kinds.get(NeedsFeature, ())
    return tuple(_bits(other for other in kinds[type(need)] if implies(need, requirements[other])) for need in requirements)


def _closure(needs: int, implied: Sequence[int]) -> int:
    closed = 0
    for place, follows in enumerate(implied):
        if needs >> place & 1:
            closed |= follows
    return closed


def _stricter(one: int, other: int, needs: Sequence[int], closures: Sequence[int]) -> bool:
    return not needs[other] & ~closures[one] and bool(needs[one] & ~closures[other])
