"""Ways in which one unmet requirement could be met, and the cheapest set of them that meets all that a variant lacks."""

from __future__ import annotations

from enum import Enum
from itertools import combinations

from targetenv.match import gpu
from targetenv.match.check import Judge
from targetenv.match.phrases import api_name, bare, listed, required, shown
from targetenv.match.unknowns import how_to_find_out
from targetenv.model import requirement as needs
from targetenv.model.record import record
from targetenv.model.requirement import Relation
from targetenv.model.verdict import Outcome
from targetenv.resolve.implication import implies
from targetenv.resolve.paste import build_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from targetenv.model.device import Device
    from targetenv.model.requirement import Requirement
    from targetenv.model.verdict import Finding, Verdict

    Ways: TypeAlias = Mapping["Means", "Way"]


class Means(Enum):
    """What is changed. The value is what that costs: a setting is a command, another device a purchase."""

    SETTING = 1
    BUILD = 2
    DRIVER = 4
    SOURCE = 6
    DEVICE = 16


@record
class Way:
    """How one requirement is met by one means; `text` completes that means' sentence, `paste` is a command or a setting."""

    text: str
    paste: str = ""


@record
class Change:
    """One thing to do: an imperative, what can be pasted to do it, and the requirements that it settles."""

    means: Means
    text: str
    settles: tuple[Requirement, ...]
    paste: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.text}: {' '.join(f'`{each}`' for each in self.paste)}" if self.paste else self.text


@record
class Repair:
    """The cheapest set of changes after which the device runs the variant, or one built in its stead."""

    variant: str
    changes: tuple[Change, ...]

    @property
    def cost(self) -> tuple[int, int]:
        """What orders repairs: the sum of the means, then the number of requirements that have to be settled."""
        return sum(change.means.value for change in self.changes), sum(len(change.settles) for change in self.changes)

    def __str__(self) -> str:
        return "; and ".join(str(change) for change in self.changes)


def cheapest(verdict: Verdict) -> Repair | None:
    """The cheapest repair of one miss; None when the variant fits, or when nothing is known that would settle a requirement.

    Exact: every combination of means is tried.
    """
    if not verdict.unmet:
        return None
    unmet = [finding.requirement for finding in verdict.unmet]
    follows = _following(unmet)
    ways = {finding.requirement: _ways(finding, verdict) for finding in verdict.unmet if finding.requirement not in follows}
    best: Repair | None = None
    for size in range(1, len(Means) + 1):
        for means in combinations(Means, size):
            repair = _with(means, ways, follows, verdict)
            if repair is not None and (best is None or repair.cost < best.cost):
                best = repair
    return best


def _following(unmet: Sequence[Requirement]) -> dict[Requirement, Requirement]:
    """Those that another one implies (features of an instruction set), with that other: what settles it settles them."""
    found: dict[Requirement, Requirement] = {}
    for need in unmet:
        above = next((one for one in unmet if one != need and one not in found and implies(one, need)), None)
        if above is not None:
            found[need] = above
    return found


def _with(
    means: tuple[Means, ...], ways: Mapping[Requirement, Ways], follows: Mapping[Requirement, Requirement], verdict: Verdict
) -> Repair | None:
    """The repair that uses all of these means, each requirement settled by the cheapest one that can."""
    settled: dict[Means, dict[Requirement, Way]] = {each: {} for each in means}
    for need, by in ways.items():
        first = next((each for each in means if each in by), None)
        if first is None:
            return None
        settled[first][need] = by[first]
    if not all(settled.values()):
        return None
    return Repair(verdict.artifact.name, tuple(_change(each, settled[each], follows, verdict) for each in means))


def _change(
    means: Means, ways: Mapping[Requirement, Way], follows: Mapping[Requirement, Requirement], verdict: Verdict
) -> Change:
    texts = list(dict.fromkeys(way.text for way in ways.values()))
    paste = tuple(dict.fromkeys(way.paste for way in ways.values() if way.paste))
    settles = (*ways, *(need for need, above in follows.items() if _top(above, follows) in ways))
    return Change(means, _SENTENCES[means].format(variant=verdict.artifact.name, what=" and ".join(texts)), settles, paste)


def _top(need: Requirement, follows: Mapping[Requirement, Requirement]) -> Requirement:
    while need in follows:
        need = follows[need]
    return need


_SENTENCES = {
    Means.SETTING: "{what}",
    Means.BUILD: "build `{variant}` {what}",
    Means.DRIVER: "install a driver that offers {what}",
    Means.SOURCE: "add a variant of `{variant}` {what}",
    Means.DEVICE: "use a device that offers {what}",
}


def _ways(finding: Finding, verdict: Verdict) -> Ways:
    if finding.outcome is Outcome.UNKNOWN:
        return _find_out(finding, verdict.device)
    return _meet(finding.requirement, verdict)


def _find_out(finding: Finding, device: Device) -> Ways:
    """What is not known is first of all to be asked."""
    need = finding.requirement
    if isinstance(need, needs.NeedsUnknown):
        return {Means.BUILD: Way(f"so that it says what it needs ({how_to_find_out(need)})")}
    return {
        Means.SETTING: Way(f"describe `{device.uri}` completely, and pass that file as `--device`", "targetenv probe -o FILE")
    }


def _meet(need: Requirement, verdict: Verdict) -> Ways:
    offers = verdict.device.offers
    match need:
        case needs.NeedsFormat(name):
            kinds = listed(offers.formats)
            return {Means.SOURCE: Way(f"as {kinds}", build_for(offers, "")), Means.DEVICE: Way(f"a loader for {name}")}
        case needs.NeedsVersion(of, version):
            here = {Means.DRIVER: Way(f"{api_name(of)} {version}")}
            if offers.version is None or of not in (offers.api, "spirv"):
                return here
            build = Way(f"for {api_name(offers.api)} {offers.version.major}.{offers.version.minor}", build_for(offers, ""))
            return {Means.BUILD: build, **here}
        case needs.NeedsIsa(isa):
            return _for_this_device(f"`{isa}`", verdict)
        case needs.NeedsFeature(name) if offers.api in gpu.AMD and name.endswith(("+", "-")):
            return _switched(name, verdict)
        case needs.NeedsFeature(name) if offers.isa is not None:  # of a processor, not of an API
            return _for_this_device(name, verdict)
        case needs.NeedsExtension(name):
            return {Means.DRIVER: Way(name), Means.SOURCE: Way(f"without {name}")}
        case needs.NeedsCapability(name):
            return {Means.SOURCE: Way(f"without capability {name}"), Means.DEVICE: Way(f"capability {name}")}
        case needs.NeedsFeature(name):
            return {Means.SOURCE: Way(f"without feature {bare(name)}"), Means.DEVICE: Way(f"feature {bare(name)}")}
        case needs.NeedsLimit():
            return _limit(need, verdict)
        case needs.NeedsSubgroupSize(size):
            there = {Means.DEVICE: Way(f"subgroup size {size}")}
            if not offers.subgroup_sizes:
                return there
            largest = max(offers.subgroup_sizes)
            sizes = ", ".join(map(str, sorted(offers.subgroup_sizes)))
            return {Means.BUILD: Way(f"for subgroups of {sizes}, in targetenv.toml", f"subgroup_size = {largest}"), **there}
        case needs.NeedsMatrix(matrix):
            shapes = listed(map(str, offers.matrices), most=3)
            other = {Means.SOURCE: Way(f"with one of the device's matrices ({shapes})" if shapes else "without matrices")}
            return {**other, Means.DEVICE: Way(f"cooperative matrix {matrix}")}
        case needs.AllOf() | needs.AnyOf():
            return _parts(need, verdict)
        case needs.Not(part):
            return {Means.DEVICE: Way(f"no {required(part)}")}
        case needs.NeedsUnknown():
            return {Means.BUILD: Way(f"so that it says what it needs ({how_to_find_out(need)})")}


def _for_this_device(wanted: str, verdict: Verdict) -> Ways:
    there = {Means.DEVICE: Way(wanted)}
    offers = verdict.device.offers
    if offers.isa is None:
        return there
    here = Way(f"for `{offers.isa}`, which this device offers", build_for(offers, verdict.artifact.format))
    return {Means.BUILD: here, **there}


def _switched(name: str, verdict: Verdict) -> Ways:
    """A target feature that code pins: code that leaves it open runs either way, and one of the two can be switched."""
    device, word, on = verdict.device.offers, name[:-1], name.endswith("+")
    build = Way(f"with {word} left open", build_for(device, verdict.artifact.format))
    ways = {Means.BUILD: build, Means.DEVICE: Way(f"{word} {'on' if on else 'off'}")}
    if word == "xnack" and word in device.features | device.denied:
        # ROCr reads it when a process starts; whether the kernel grants it is the system's affair (AMDGPUUsage.rst, xnack)
        return {Means.SETTING: Way(f"start the process with xnack {'on' if on else 'off'}", f"HSA_XNACK={int(on)}"), **ways}
    return ways


def _limit(need: needs.NeedsLimit, verdict: Verdict) -> Ways:
    name = bare(need.name)
    there = {Means.DEVICE: Way(f"{name} {need.relation.value} {shown(need.value, need.relation)}")}
    offered = verdict.device.offers.property(need.name)
    if offered is None:
        return there
    here = shown(offered, need.relation)
    most = need.relation is Relation.AT_LEAST
    return {Means.SOURCE: Way(f"that needs `{name}` of at most {here}" if most else f"that takes `{name}` as {here}"), **there}


_CODE = (Means.BUILD, Means.SOURCE)  # these do without what is required, the others provide it


def _parts(need: needs.AllOf | needs.AnyOf, verdict: Verdict) -> Ways:
    """Code does without every part that is not met; a device provides all of those, or any one where one is enough."""
    judge = Judge(verdict.device.offers)
    unmet = [part for part in need.parts if judge.check(part).outcome is not Outcome.SATISFIED]
    found = [_meet(part, verdict) for part in unmet]
    ways = {means: [each[means] for each in found if means in each] for means in Means}
    whole: dict[Means, Way] = {}
    for means, some in ways.items():
        if some and isinstance(need, needs.AnyOf) and means not in _CODE:
            whole[means] = some[0]
        elif some and len(some) == len(found):
            paste = " ".join(dict.fromkeys(way.paste for way in some if way.paste))
            whole[means] = Way(" and ".join(dict.fromkeys(way.text for way in some)), paste)
    return whole
