"""`targetenv cover FILE`: which devices a package covers, by which variant, and what requiring one more thing would lose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.cover_text import picked_variants, print_misses, reasons_of
from targetenv.cli.output import print_json, print_table
from targetenv.cli.populations import Population, Progress, counted, listed, read_weights
from targetenv.cli.resolve import collect
from targetenv.match.phrases import required
from targetenv.model.artifact import Artifact
from targetenv.model.record import record
from targetenv.model.requirement import AllOf
from targetenv.resolve.cover import cover, promised, variants_of
from targetenv.resolve.fleets import fleet
from targetenv.resolve.kernel_features import ROWS

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping, Sequence

    from targetenv.model.requirement import Requirement
    from targetenv.resolve.cover import Cover
    from targetenv.resolve.fleets import Fleet

_SHOWN = 12  # demands that cost most


@record
class Demand:
    """One more thing to require: `loses` are the devices that every kernel runs on now, and that do not offer it."""

    text: str
    loses: tuple[int, ...]
    weight: float


def report(args: Namespace) -> int:
    """Cover, explain, and say whether every device runs every kernel."""
    kernels = collect([args.file], args.kernel)
    demands = [(text, _constraint(text)) for text in args.requiring] or [(required(row), row) for row in ROWS]
    asked: dict[str, tuple[Artifact, ...]] = {
        _hidden(at): (Artifact("met", "", "", (need,)),) for at, (_, need) in enumerate(demands)
    }
    with Progress("devices read") as progress:
        devices = Population(args.devices, strict=args.strict)
        found = fleet(kernels | asked, devices, reasons=tuple(kernels), progress=progress.update)
    weights = read_weights(args.weights, found.members) if args.weights else [1.0] * len(found.members)
    everywhere = _run_every(found, kernels)
    # A feature of Vulkan concerns those devices that run SPIR-V; what the user asks for concerns all.
    concerned = everywhere if args.requiring else everywhere & _spirv(found, kernels)
    lost = [_demand(found, weights, _hidden(at), text, concerned) for at, (text, _) in enumerate(demands)]
    lost.sort(key=lambda demand: -demand.weight)
    picks = {kernel: _picks(found, kernel, kernels[kernel], weights, args) for kernel in kernels} if args.k else {}
    if args.format == "json":
        print_json(_document(args.file, found, kernels, weights, sorted(everywhere), lost, picks))
    else:
        _print(args.file, found, kernels, weights, everywhere, everything=args.all)
        for kernel, cover_of in picks.items():
            picked_variants(kernel, cover_of)
        if len(concerned):
            _print_demands(found, weights, concerned, lost, everything=args.all or bool(args.requiring))
    return 0 if len(everywhere) == len(found.members) else 1


def _constraint(text: str) -> Requirement:
    from targetenv.syntax import parse_constraint

    parts = parse_constraint(text, source_name="--requiring")
    return parts[0] if len(parts) == 1 else AllOf(parts)


def _hidden(at: int) -> str:
    return f"\0{at}"  # no kernel is called so


def _run_every(found: Fleet, kernels: Iterable[str]) -> frozenset[int]:
    """The devices on which every kernel has a variant."""
    running = [kind for kind in range(found.classes) if all(found.variant_on(kernel, kind) is not None for kernel in kernels)]
    kinds = frozenset(running)
    return frozenset(number for number, member in enumerate(found.members) if member.kind in kinds)


def _spirv(found: Fleet, kernels: Mapping[str, Sequence[Artifact]]) -> frozenset[int]:
    """The devices that run SPIR-V for some kernel."""
    modules = {(kernel, row.name) for kernel, rows in kernels.items() for row in rows if row.format == "spirv"}
    kinds = {
        kind for kind in range(found.classes) if any((kernel, found.variant_on(kernel, kind)) in modules for kernel in kernels)
    }
    return frozenset(number for number, member in enumerate(found.members) if member.kind in kinds)


def _demand(found: Fleet, weights: Sequence[float], kernel: str, text: str, devices: frozenset[int]) -> Demand:
    met = found.runs(kernel)[0].tolist()
    lost = tuple(number for number in sorted(devices) if not met[found.members[number].kind])
    return Demand(text, lost, sum(weights[number] for number in lost))


def _picks(found: Fleet, kernel: str, variants: Sequence[Artifact], weights: Sequence[float], args: Namespace) -> Cover:
    rows = tuple(dict.fromkeys(need for variant in variants for need in variant.requires))
    worths = {variant.name: promised(None, variant.requires, rows) for variant in variants}
    candidates = variants_of(found, kernel, [worths[name] for name in found.variants(kernel)])
    return cover(found, candidates, weights, args.k, seconds=args.seconds)


def _print(
    file: str, found: Fleet, kernels: Iterable[str], weights: Sequence[float], everywhere: frozenset[int], *, everything: bool
) -> None:
    total = sum(weights)
    print(f"{file} on {counted(len(found.members), 'device')} in {counted(found.classes, 'class')}")
    rows = []
    for kernel in kernels:
        chosen = found.chosen(kernel)
        by = [(name, sum(weights[number] for number in numbers)) for name, numbers in chosen.items() if name and numbers]
        covered = sum(weight for _, weight in by)
        rows.append((kernel, _share(covered, total), ", ".join(f"{name} {weight:,.10g}" for name, weight in by) or "-"))
    rows.append(("every kernel", _share(sum(weights[number] for number in everywhere), total), ""))
    print_table(("kernel", "covered", "by variant"), rows)
    for kernel in kernels:
        if found.chosen(kernel)[None]:
            print(f"{kernel} runs on none of {counted(len(found.chosen(kernel)[None]), 'device')}")
            print_misses(found, kernel, everything=everything)


def _print_demands(
    found: Fleet, weights: Sequence[float], concerned: frozenset[int], demands: Sequence[Demand], *, everything: bool
) -> None:
    total = sum(weights[number] for number in concerned)
    print(f"requiring one more would lose, of the {total:,.10g} that run every kernel:")
    costly = [demand for demand in demands if demand.loses]
    shown = costly if everything else costly[:_SHOWN]
    width = max((len(demand.text) for demand in shown), default=0)
    for demand in shown:
        names = listed(found.members, demand.loses, everything=everything) if everything or len(demand.loses) <= 3 else ""
        print(f"  {demand.weight:>8,.10g}  {demand.text:<{width}}  {names}".rstrip())
    if len(costly) > len(shown):
        least = min(demand.weight for demand in costly)
        print(f"  and {len(costly) - len(shown)} that lose less, {least:,.10g} at least; `--all` shows them")
    free = [demand.text for demand in demands if not demand.loses]
    if free:
        print(f"  nothing: {', '.join(free)}")


def _document(
    file: str,
    found: Fleet,
    kernels: Iterable[str],
    weights: Sequence[float],
    everywhere: Sequence[int],
    demands: Sequence[Demand],
    picks: Mapping[str, Cover],
) -> dict[str, object]:
    """As JSON; devices are places in `devices`."""
    return {
        "file": file,
        "devices": [{"uri": one.uri, "name": one.name, "class": one.kind} for one in found.members],
        "classes": found.classes,
        "total": sum(weights),
        "kernels": [_kernel(found, kernel, weights, picks.get(kernel)) for kernel in kernels],
        "covered_by_all": list(everywhere),
        "requiring": [{"requires": each.text, "loses": each.weight, "devices": list(each.loses)} for each in demands],
    }


def _kernel(found: Fleet, kernel: str, weights: Sequence[float], cover_of: Cover | None) -> dict[str, object]:
    chosen = found.chosen(kernel)
    runs = found.runs(kernel)
    sizes = [0] * found.classes
    for member in found.members:
        sizes[member.kind] += 1
    row: dict[str, object] = {
        "kernel": kernel,
        "covered": sum(weights[number] for name, numbers in chosen.items() if name is not None for number in numbers),
        "variants": [
            {
                "variant": name,
                "chosen_on": chosen[name],
                "runs_on": sum(size for size, yes in zip(sizes, on, strict=True) if yes),
            }
            for name, on in zip(found.variants(kernel), runs.tolist(), strict=True)
        ],
        "left_out": chosen[None],
        "reasons": reasons_of(found, kernel),
    }
    if cover_of is not None:
        row["picked"] = [pick.name for pick in cover_of.picks]
        row["picked_cover"] = cover_of.reach.covered
        row["proved"] = cover_of.reach.proved
    return row


def _share(covered: float, total: float) -> str:
    return f"{covered:,.10g} of {total:,.10g} ({covered / total:.1%})" if total else "0"
