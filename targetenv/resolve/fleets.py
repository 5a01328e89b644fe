"""Many artifacts against many devices: which variant runs where, without a verdict in words for each pair.

Chooses what `resolve` chooses. Devices that are alike in everything that the artifacts ask about form a class and are
judged once; the classes of a block are judged together, as rows of bits (`targetenv.resolve.planes`). No more than a block
of devices is held at a time. What stays is, for each class, two bits for each artifact and four bytes for each kernel, and
for each device its name and its class.
"""

from __future__ import annotations

from array import array

from targetenv.match.stack import Stack
from targetenv.model.record import record
from targetenv.model.verdict import Outcome
from targetenv.resolve.capability_class import Classifier
from targetenv.resolve.choice import Choice
from targetenv.resolve.policy import Policy
from targetenv.resolve.ranking import Ranking, places
from targetenv.resolve.resolution import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Literal, TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device
    from targetenv.model.requirement import Requirement
    from targetenv.resolve.planes import Conjunctions, Planes

    Unknown: TypeAlias = Literal["reject", "allow"]

BLOCK = 2048  # classes that are judged together, and devices that are held for it
_NEWEST, _NO_POLICY = Stack(), Policy()
_STEP = 256  # devices between two reports of progress


@record
class Member:
    """One device of a population: how it is called, and its capability class."""

    uri: str
    name: str
    kind: int


@record
class Reason:
    """One requirement that stands in the way; `offers` has what is there instead, one phrase for each kind of device."""

    code: str
    requires: str
    offers: tuple[str, ...]


@record
class Miss:
    """Devices on which nothing of a kernel runs for the same reasons: those of the variant that is nearest there."""

    variant: str | None
    reasons: tuple[Reason, ...]
    devices: tuple[int, ...]


def fleet(
    artifacts: Mapping[str, Sequence[Artifact]] | Iterable[Artifact],
    devices: Iterable[Device],
    *,
    unknown: Unknown = "reject",
    as_of: Stack = _NEWEST,
    policy: Policy = _NO_POLICY,
    reasons: Collection[str] = (),
    progress: Callable[[int], None] | None = None,
    block: int = BLOCK,
) -> Fleet:
    """Choose a variant for each kernel on each device, as `resolve` does.

    `artifacts` are the variants of each kernel, or executables that each stand for themselves. `devices` may come from
    anywhere, one after the other, and are not kept. `as_of` is the stack whose rules decide, `policy` what is wanted beyond
    what fits. `reasons` are kernels of which it is kept what the nearest variant lacks where none runs. `progress` is told
    how many devices were read so far.

    >>> from targetenv.model.artifact import Artifact
    >>> from targetenv.model.capabilities import Capabilities
    >>> from targetenv.model.device import Device
    >>> from targetenv.model.requirement import NeedsSubgroupSize
    >>> wide = Artifact("wide", "spirv", "", (NeedsSubgroupSize(32),))
    >>> sizes = (8, 32, 32)
    >>> gpus = [Device(f"vulkan://{n}", "a GPU", "vulkan", Capabilities("vulkan", subgroup_sizes=frozenset({s})))
    ...         for n, s in enumerate(sizes)]
    >>> found = fleet([wide], gpus)
    >>> [choice.variant for choice in found.choices()], found.classes
    ([None, 'wide', 'wide'], 2)
    """
    kernels: Mapping[str, Sequence[Artifact]]
    kernels = artifacts if isinstance(artifacts, dict) else _alone(artifacts)  # type: ignore[arg-type]
    policy.check(kernels)
    made = Fleet({kernel: Ranking(kernels[kernel], policy) for kernel in sorted(kernels)}, unknown, block, as_of, policy)
    classifier = Classifier(made.requirements)
    kinds: dict[bytes, int] = {}
    waiting: list[Device] = []
    for number, device in enumerate(devices):
        key = classifier.key(device.offers)
        kind = kinds.setdefault(key, len(kinds))
        made.members.append(Member(device.uri, device.name, kind))
        if kind == made.classes + len(waiting):
            waiting.append(device)
            if len(waiting) == block:
                made.judge(waiting, reasons=reasons)
                waiting = []
        if progress is not None and number % _STEP == 0:
            progress(number)
    if waiting:
        made.judge(waiting, reasons=reasons)
    if progress is not None:
        progress(len(made.members))
    return made


class Fleet:
    """The answers for a population of devices: `members` in the order in which they came, `classes` of them that may differ."""

    def __init__(
        self,
        rankings: Mapping[str, Ranking],
        unknown: Unknown = "reject",
        block: int = BLOCK,
        as_of: Stack = _NEWEST,
        policy: Policy = _NO_POLICY,
    ) -> None:
        self.unknown = unknown
        self.as_of = as_of
        self.policy = policy
        self.rankings = dict(rankings)
        self.members: list[Member] = []
        self.classes = 0
        self._block = block
        index: dict[Requirement, int] = {}
        self._start: dict[str, int] = {}
        self._wanted: list[list[int]] = []
        for kernel, ranking in self.rankings.items():
            self._start[kernel] = len(self._wanted)
            rows = [index.setdefault(need, len(index)) for need in ranking.requirements]
            self._wanted += [[rows[at] for at in places(required)] for required in ranking.needs]
        self.requirements = tuple(index)
        self._conjunctions: Conjunctions | None = None
        self._planes: list[Planes] = []
        self._chosen: dict[str, array[int]] = {kernel: array("i") for kernel in self.rankings}
        self._missing: dict[str, dict[int, Miss]] = {kernel: {} for kernel in self.rankings}

    def judge(self, devices: Sequence[Device], *, reasons: Collection[str] = ()) -> None:
        """Add one class for each of these devices."""
        from targetenv.resolve.planes import Conjunctions, Planes, answers  # numpy, 60 ms; only for fleets

        if self._conjunctions is None:
            self._conjunctions = Conjunctions(self._wanted, len(self.requirements))
        runs = self._conjunctions.of(answers(self.requirements, [device.offers for device in devices], self.as_of))
        self._planes.append(runs)
        for kernel, ranking in self.rankings.items():
            mine = slice(self._start[kernel], self._start[kernel] + len(ranking.variants))
            known = runs.known[mine]
            own = Planes(known, known if runs.certain else runs.maybe[mine], runs.count)
            self._chosen[kernel].extend(self._winners(kernel, own, devices))
        if reasons:
            for number, device in enumerate(devices, start=self.classes):
                self._explain(device, number, reasons)
        self.classes += len(devices)

    @property
    def kernels(self) -> tuple[str, ...]:
        """The kernels, by name."""
        return tuple(self.rankings)

    def _winners(self, kernel: str, runs: Planes, devices: Sequence[Device]) -> list[int]:
        """For each device the place of its variant in `ranking`, -1 where none may run; one pass for each order of variants."""
        from targetenv.resolve.planes import Planes, winners

        ranking, allow = self.rankings[kernel], self.unknown == "allow"
        left_out = {variant for variant in ranking.variants if self.policy.excludes(kernel, variant)} if self.policy else None
        if left_out:
            return self._wanted_winners(ranking, runs, devices, left_out)
        orders: dict[Ranking, list[int]] = {}
        for at, device in enumerate(devices):
            orders.setdefault(ranking.on(device.offers), []).append(at)
        if list(orders) == [ranking]:
            return winners(runs, ranking.above, allow=allow).tolist()  # type: ignore[no-any-return]
        base = {variant: place for place, variant in enumerate(ranking.variants)}
        chosen = [-1] * len(devices)
        for order, members in orders.items():
            places_here = [base[variant] for variant in order.variants]
            known = runs.known[places_here]
            sorted_runs = Planes(known, known if runs.certain else runs.maybe[places_here], runs.count)
            found = winners(sorted_runs, order.above, allow=allow).tolist()
            for at in members:
                chosen[at] = places_here[found[at]] if found[at] >= 0 else -1
        return chosen

    def _wanted_winners(
        self, ranking: Ranking, runs: Planes, devices: Sequence[Device], left_out: Collection[Artifact]
    ) -> list[int]:
        """The same where a policy leaves variants out that take part in the order: device by device, as `resolve` does."""
        from targetenv.resolve.planes import as_int, table

        known, maybe = (table([(rows, runs.count)]).T for rows in (runs.known, runs.maybe))
        base = {variant: place for place, variant in enumerate(ranking.variants)}
        chosen = []
        for at, device in enumerate(devices):
            order = ranking.on(device.offers)
            places_here = [base[variant] for variant in order.variants]
            runs_here = as_int(known[at][places_here])
            ordered = order.order(runs_here)
            if self.unknown == "allow":
                ordered += order.order(as_int(maybe[at][places_here]) & ~runs_here)
            wanted = (places_here[place] for place in ordered if order.variants[place] not in left_out)
            chosen.append(next(wanted, -1))
        return chosen

    def variants(self, kernel: str) -> tuple[str, ...]:
        """The variants of a kernel, in order of cost, preference and name."""
        return tuple(variant.name for variant in self.rankings[kernel].variants)

    def variant_on(self, kernel: str, kind: int) -> str | None:
        """The variant of this kernel that a class of devices runs, None when none fits."""
        place = self._chosen[kernel][kind]
        return None if place < 0 else self.rankings[kernel].variants[place].name

    def choices(self) -> Iterator[Choice]:
        """One choice for each device and kernel, in the order of `members`."""
        for member in self.members:
            for kernel in self.rankings:
                yield Choice(kernel, member.uri, self.variant_on(kernel, member.kind))

    def runs(self, kernel: str) -> NDArray[np.bool_]:
        """Which classes (columns) each variant of a kernel (rows) certainly runs on."""
        from targetenv.resolve.planes import table

        start = self._start[kernel]
        return table([(block.known[start : start + len(self.variants(kernel))], block.count) for block in self._planes])

    def outcome(self, kernel: str, place: int, kind: int) -> Outcome:
        """What the variant at one place of `variants` answers on a class of devices."""
        row = self._start[kernel] + place
        number, within = divmod(kind, self._block)
        planes = self._planes[number]
        word, bit = divmod(within, 64)
        if int(planes.known[row, word]) >> bit & 1:
            return Outcome.SATISFIED
        return Outcome.UNKNOWN if int(planes.maybe[row, word]) >> bit & 1 else Outcome.UNSATISFIED

    def chosen(self, kernel: str) -> dict[str | None, list[int]]:
        """The devices that run each variant of a kernel, by their place in `members`; under None those that run nothing."""
        found: dict[str | None, list[int]] = {name: [] for name in (*self.variants(kernel), None)}
        names = [self.variant_on(kernel, kind) for kind in range(self.classes)]
        for number, member in enumerate(self.members):
            found[names[member.kind]].append(number)
        return found

    def misses(self, kernel: str) -> tuple[Miss, ...]:
        """The devices on which nothing of this kernel runs, together where they lack the same; most devices first.

        What they lack is said of kernels in `reasons` only.
        """
        alike: dict[object, list[Miss]] = {}
        for number, member in enumerate(self.members):
            if self._chosen[kernel][member.kind] < 0:
                miss = self._missing[kernel].get(member.kind) or Miss(None, (), ())
                what = (miss.variant, tuple((reason.code, reason.requires) for reason in miss.reasons))
                alike.setdefault(what, []).append(Miss(miss.variant, miss.reasons, (number,)))
        return tuple(sorted(map(_merged, alike.values()), key=lambda miss: (-len(miss.devices), miss.devices)))

    def _explain(self, device: Device, kind: int, kernels: Collection[str]) -> None:
        lacking = [kernel for kernel in kernels if self._chosen[kernel][kind] < 0]
        if not lacking:
            return
        kernels_here = {kernel: self.rankings[kernel].variants for kernel in lacking}
        # What is preferred plays no part where nothing is chosen, and may name variants of other kernels only.
        pins = tuple((kernel, variant) for kernel, variant in self.policy.pins if kernel in lacking)
        wanted = Policy(pins=pins, never_jit=self.policy.never_jit)
        resolved = resolve(kernels_here, [device], unknown=self.unknown, as_of=self.as_of, policy=wanted)
        for row in resolved.ranked:
            if row.verdicts:
                nearest = row.verdicts[0]
                unmet = tuple(Reason(one.code, one.requires, (one.offers,)) for one in nearest.unmet)
                left_out = tuple(Reason(one.rule, f"runs, but {one.why}", ()) for one in row.excluded[:1])
                self._missing[row.kernel][kind] = Miss(nearest.artifact.name, left_out or unmet, ())


def _merged(misses: Sequence[Miss]) -> Miss:
    first = misses[0]
    reasons = tuple(
        Reason(one.code, one.requires, tuple(dict.fromkeys(offer for miss in misses for offer in miss.reasons[at].offers)))
        for at, one in enumerate(first.reasons)
    )
    return Miss(first.variant, reasons, tuple(number for miss in misses for number in miss.devices))


def _alone(artifacts: Iterable[Artifact]) -> dict[str, tuple[Artifact, ...]]:
    found: dict[str, tuple[Artifact, ...]] = {}
    for artifact in artifacts:
        found[artifact.name] = (*found.get(artifact.name, ()), artifact)
    return found
