"""Covers of populations, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.populations import counted, listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.resolve.cover import Cover, Pick, Reach
    from targetenv.resolve.fleets import Fleet, Miss

TARGET = "a target"  # the kernel whose variants are the named candidates


def print_targets(found: Fleet, answer: Cover, what: str, *, whole: bool, everything: bool) -> None:
    """The picks in order, what they reach, how near that is to the best, and who is left out."""
    devices = len(found.members)
    ground = "" if whole else ", which are not all that these devices have in common"
    classes, candidates = counted(found.classes, "class"), counted(answer.candidates, "candidate")
    print(f"{counted(devices, 'device')} in {classes}, {candidates}{ground}")
    for number, pick in enumerate(answer.picks, start=1):
        print(f"{number}. {pick.name}")
        print(f"     {_effect(pick, devices)}, and promises {pick.worth} of {what}")
        if pick.serves:
            print(f"     best for {len(pick.serves)}: {listed(found.members, pick.serves, everything=everything)}")
    reach = answer.reach
    print(f"covered: {_share(reach.covered, answer.total)}{_depth(reach, answer)}")
    print(proof(reach))
    if answer.fewer:
        fewer = (f"{each.k}: {_share(each.covered, answer.total)}{_mean(each)}" for each in answer.fewer)
        print(f"with fewer: {'; '.join(fewer)}")
    if not answer.left:
        print("left out: nobody")
        return
    print(f"left out: {counted(len(answer.left), 'device')}")
    print_left(found, answer, everything=everything)


def print_left(found: Fleet, answer: Cover, *, everything: bool) -> None:
    """Who is left out: those whom another candidate covers, and those whom none does, by what the nearest lacks."""
    hopeless = {number for miss in found.misses(TARGET) for number in miss.devices} if TARGET in found.rankings else set()
    others = tuple(number for number in answer.left if number not in hopeless)
    if others:
        print(f"  {counted(len(others), 'device')} that only a candidate covers which was not picked")
        print(f"    {listed(found.members, others, everything=everything)}")
    print_misses(found, TARGET, only=frozenset(answer.left), everything=everything)


def print_misses(found: Fleet, kernel: str, *, only: frozenset[int] | None = None, everything: bool = False) -> None:
    """The devices on which nothing of a kernel runs, with the reasons that they share."""
    for miss in found.misses(kernel):
        numbers = tuple(number for number in miss.devices if only is None or number in only)
        if numbers:
            nearest = f": {miss.variant} is nearest, but" if miss.variant is not None else ""
            print(f"  {counted(len(numbers), 'device')}{nearest}")
            for reason in miss.reasons:
                print("    ✗ " + "  ".join(filter(None, (reason.requires, _offered(reason.offers), f"[{reason.code}]"))))
            print(f"    {listed(found.members, numbers, everything=everything)}")


def picked_variants(kernel: str, answer: Cover) -> None:
    """The variants of a kernel that are worth keeping, and what each adds."""
    names = ", ".join(pick.name for pick in answer.picks) or "nothing"
    print(f"{kernel}, {counted(len(answer.picks), 'variant')}: {names}; {_share(answer.reach.covered, answer.total)}")
    for pick in answer.picks:
        print(f"     {pick.name} {_effect(pick, int(answer.total))}")
    print(f"     {proof(answer.reach)}")


def proof(reach: Reach) -> str:
    """Whether the answer is the best, and if not, how far it may be from it."""
    bound = f"bound {reach.most_covered:,.10g} by weight covered, {reach.most_rows:,.10g} promised"
    if reach.proved:
        return f"proved optimal: no choice of {reach.k} covers more, and none that covers as much promises more ({bound})"
    gap = reach.most_covered - reach.covered
    if gap > 0:
        return f"within {gap / reach.most_covered:.2%} of the bound ({bound}); `--seconds` gives the search more time"
    gap = (reach.most_rows - reach.rows) / reach.most_rows
    return f"coverage proved optimal, promises within {gap:.2%} of the bound ({bound}); `--seconds` gives the search more time"


def document_of(found: Fleet, answer: Cover, rows: int, *, whole: bool) -> dict[str, object]:
    """A cover as JSON; devices are places in `devices`."""
    return {
        "devices": [{"uri": member.uri, "name": member.name, "class": member.kind} for member in found.members],
        "classes": found.classes,
        "candidates": answer.candidates,
        "candidates_complete": whole,
        "features": rows,
        "picks": [
            {
                "target": pick.name,
                "promises": pick.worth,
                "runs_on": list(pick.runs),
                "adds": list(pick.adds),
                "lifts": list(pick.lifts),
                "best_for": list(pick.serves),
                "only_cover_of": list(pick.alone),
            }
            for pick in answer.picks
        ],
        "total": answer.total,
        **_reach(answer.reach),
        "with_fewer": [{"k": each.k, **_reach(each)} for each in answer.fewer],
        "left_out": list(answer.left),
        "reasons": reasons_of(found, TARGET, frozenset(answer.left)) if TARGET in found.rankings else [],
    }


def reasons_of(found: Fleet, kernel: str, only: frozenset[int] | None = None) -> list[dict[str, object]]:
    """What stands in the way of a kernel, as JSON."""
    rows = ((miss, [number for number in miss.devices if only is None or number in only]) for miss in found.misses(kernel))
    return [{"nearest": miss.variant, "unmet": _unmet(miss), "devices": numbers} for miss, numbers in rows if numbers]


def _unmet(miss: Miss) -> list[dict[str, object]]:
    return [{"code": one.code, "requires": one.requires, "offers": list(one.offers)} for one in miss.reasons]


def _reach(reach: Reach) -> dict[str, object]:
    return {
        "covered": reach.covered,
        "promised": reach.rows,
        "proved": reach.proved,
        "bound": {"covered": reach.most_covered, "promised": reach.most_rows},
    }


def _effect(pick: Pick, devices: int) -> str:
    parts = [f"runs on {len(pick.runs)} of {devices}"]
    parts += [f"adds {len(pick.adds)}"] if pick.adds else []
    parts += [f"lifts {len(pick.lifts)}"] if pick.lifts else []
    parts += [f"{len(pick.alone)} would run nothing without it"] if pick.alone else []
    return ", ".join(parts)


def _share(covered: float, total: float) -> str:
    return f"{covered:,.10g} of {total:,.10g} ({covered / total:.1%})" if total else "nothing"


def _depth(reach: Reach, answer: Cover) -> str:
    if not reach.covered:
        return ""
    own = answer.ceiling / reach.covered
    return f", {reach.rows / reach.covered:.1f} promised on average ({own:.1f} if each had the best candidate for itself)"


def _mean(reach: Reach) -> str:
    unproved = "" if reach.proved else ", not proved"
    return f", {reach.rows / reach.covered:.1f} each{unproved}" if reach.covered else unproved


def _offered(offers: Sequence[str]) -> str:
    return "; ".join(offers[:3]) + (f" and {len(offers) - 3} more" if len(offers) > 3 else "")
