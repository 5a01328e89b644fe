"""`targetenv resolve ... --devices`: what a population of devices runs, summed up, as JSON, as lines or as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.cover_text import print_misses, reasons_of
from targetenv.cli.output import print_json, print_table, talk
from targetenv.cli.populations import Population, Progress, counted, listed
from targetenv.cli.resolve import collect
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.model.verdict import Outcome
from targetenv.resolve.fleets import fleet

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from targetenv.match.stack import Stack
    from targetenv.resolve.fleets import Fleet, Member
    from targetenv.resolve.policy import Policy

_GROUPS = 20  # rows of the table of devices that run the same


def report(args: Namespace, stack: Stack, wanted: Policy) -> int:
    """Resolve, write what was asked for, and say whether everything runs somewhere."""
    _check(args)
    if args.output is None:
        found = _resolved(args, stack, wanted)
    else:
        from targetenv.wire.files import Output
        from targetenv.wire.results import check_suffix, write_results

        check_suffix(args.output)
        with Output(args.output) as output:  # opened first: what cannot be written is said before the work
            found = _resolved(args, stack, wanted)
            written = write_results(output, rows_of(found))
        talk(f"wrote {args.output}: {counted(written, 'row')}")
    if args.format == "json":
        print_json(document_of(found))
    else:
        _print(found, everything=args.all)
    return 0 if found.kernels and all(_runs_somewhere(found, kernel) for kernel in found.kernels) else 1


def _check(args: Namespace) -> None:
    for option, given in (("--device", args.device), ("--gaps", args.gaps), ("--locked", args.locked is not None)):
        if given:
            message = f"`--devices` and `{option}` do not go together"
            raise TargetEnvError(Diagnostic("TE5200", message, help=f"leave `{option}` out"))


def _resolved(args: Namespace, stack: Stack, wanted: Policy) -> Fleet:
    kernels = collect(args.files, args.kernel)
    population = Population(args.devices, strict=args.strict)
    with Progress("devices read") as progress:
        asked = tuple(kernels)
        told = progress.update
        return fleet(kernels, population, unknown=args.unknown, as_of=stack, policy=wanted, reasons=asked, progress=told)


def rows_of(found: Fleet) -> Iterator[dict[str, object]]:
    """One row for each device and kernel, in the order of the devices; the columns of docs/reference/device-tables.md."""
    of_class: dict[int, list[dict[str, object]]] = {}
    for member in found.members:
        rows = of_class.get(member.kind)
        if rows is None:
            rows = of_class[member.kind] = [_row(found, kernel, member.kind) for kernel in found.kernels]
        for row in rows:
            yield {"device": member.uri, "name": member.name, "class": member.kind, **row}


def document_of(found: Fleet) -> dict[str, object]:
    """A fleet as JSON; in `kernels`, devices are places in `devices`."""
    return {
        "devices": [{"uri": member.uri, "name": member.name, "class": member.kind} for member in found.members],
        "classes": found.classes,
        "chosen": [{"kernel": row.kernel, "device": row.device, "variant": row.variant} for row in found.choices()],
        "kernels": [_kernel(found, kernel) for kernel in found.kernels],
        "unavailable": [],
    }


def _row(found: Fleet, kernel: str, kind: int) -> dict[str, object]:
    outcomes = [(name, found.outcome(kernel, at, kind)) for at, name in enumerate(found.variants(kernel))]
    return {
        "kernel": kernel,
        "variant": found.variant_on(kernel, kind),
        "runs": [name for name, outcome in outcomes if outcome is Outcome.SATISFIED],
        "unknown": [name for name, outcome in outcomes if outcome is Outcome.UNKNOWN],
    }


def _kernel(found: Fleet, kernel: str) -> dict[str, object]:
    chosen = found.chosen(kernel)
    left = chosen.pop(None)
    return {
        "kernel": kernel,
        "covered": len(found.members) - len(left),
        "variants": [{"variant": name, "devices": numbers} for name, numbers in chosen.items()],
        "left_out": left,
        "reasons": reasons_of(found, kernel),
    }


def _runs_somewhere(found: Fleet, kernel: str) -> bool:
    return any(found.variant_on(kernel, kind) is not None for kind in range(found.classes))


def _print(found: Fleet, *, everything: bool) -> None:
    variants = sum(len(found.variants(kernel)) for kernel in found.kernels)
    pairs = variants * len(found.members)
    stack = f", as of {found.as_of}" if found.as_of else ""
    print(
        f"{counted(len(found.members), 'device')} in {counted(found.classes, 'class')},"
        f" {counted(len(found.kernels), 'kernel')}, {counted(variants, 'variant')}: {counted(pairs, 'pair')}{stack}"
    )
    alike: dict[tuple[str | None, ...], list[int]] = {}
    of_class = [tuple(found.variant_on(kernel, kind) for kernel in found.kernels) for kind in range(found.classes)]
    for number, member in enumerate(found.members):
        alike.setdefault(of_class[member.kind], []).append(number)
    groups = sorted(alike.items(), key=lambda group: (-len(group[1]), group[1]))
    shown = groups if everything else groups[:_GROUPS]
    columns = ("devices", *found.kernels, "which")
    print_table(columns, [_group(found.members, choices, numbers, everything=everything) for choices, numbers in shown])
    if len(groups) > len(shown):
        rest = sum(len(numbers) for _, numbers in groups[len(shown) :])
        print(f"and {counted(rest, 'device')} in {len(groups) - len(shown)} more rows; `--all` shows them")
    for kernel in found.kernels:
        left = found.chosen(kernel)[None]
        if left:
            print(f"✗ {kernel} runs on none of {counted(len(left), 'device')}")
            print_misses(found, kernel, everything=everything)


def _group(
    members: Sequence[Member], choices: Sequence[str | None], numbers: Sequence[int], *, everything: bool
) -> tuple[str, ...]:
    names = listed(members, numbers, everything=True) if everything else listed(members, numbers, most=3)
    return str(len(numbers)), *(name or "-" for name in choices), names
