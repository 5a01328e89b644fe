"""Which few targets serve most devices of a population, proved; or which devices a package covers, and what that leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.candidates import named, targets
from targetenv.cli.cover_text import TARGET, document_of, print_targets
from targetenv.cli.output import print_json
from targetenv.cli.populations import Population, Progress, add_population, read_weights
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.model.artifact import Artifact
from targetenv.resolve.cover import SECONDS, candidates_of, cover, derived, promised, variants_of
from targetenv.resolve.fleets import fleet
from targetenv.resolve.kernel_features import FORMAT, ROWS, refinement

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
EPILOG = (
    "Without FILE and --candidates, the candidates are the named targets of the devices' APIs and, for Vulkan, everything that"
    " some of the devices have in common. Exit status 0 when every device is covered, 1 when one is left out."
)


def add_arguments(parser: ArgumentParser) -> None:
    """The devices, and what is to cover them."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a package (.tenv) or an executable: what does it cover?")
    add_population(parser, required=True)
    parser.add_argument("--k", type=int, metavar="N", help="how many targets (default 4), or variants of each kernel, to pick")
    parser.add_argument(
        "--candidates", action="append", default=[], metavar="TARGET",
        help="pick among these: a target in any dialect (KIND:TARGET where it has several kinds), a constraint, FILE#PROFILE",
    )  # fmt: skip
    parser.add_argument("--weights", metavar="FILE", help="what each device counts: a name, a tab and a number on each line")
    parser.add_argument(
        "--requiring", action="append", default=[], metavar="CONSTRAINT",
        help="with FILE: what would requiring this too lose (`shaderFloat16`)? may be repeated",
    )  # fmt: skip
    parser.add_argument("--kernel", action="append", default=[], metavar="NAME", help="only this kernel; may be repeated")
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="S", help=f"how long to search (default {SECONDS:g})")
    parser.add_argument("--all", action="store_true", help="name every device, and every requirement that was tried")


def run(args: Namespace) -> int:
    """Cover, explain, and say whether everybody is covered."""
    if args.k is not None and args.k < 1:
        raise _usage(f"`--k {args.k}` picks nothing", "pass 1 or more")
    if not 0 < args.seconds < float("inf"):
        raise _usage(f"`--seconds {args.seconds:g}` is no time to search", "pass a positive number")
    if args.file is not None:
        if args.candidates:
            raise _usage("the candidates are the variants in FILE", "leave out `--candidates`")
        from targetenv.cli.package_cover import report

        return report(args)
    if args.requiring or args.kernel:
        option = "--requiring" if args.requiring else "--kernel"
        raise _usage(f"`{option}` is about a package", "name one: `targetenv cover X.tenv ...`")
    return _targets(args)


def _targets(args: Namespace) -> int:
    given = [each for text in dict.fromkeys(args.candidates) for each in targets(text)]
    rows = tuple(dict.fromkeys(need for each in given for need in each.requires)) if given else ROWS
    known = given or named()
    kernels = {TARGET: tuple(each.artifact() for each in known)}
    if not given:
        kernels |= {_row(at): (Artifact("met", "spirv", "", (FORMAT, need)),) for at, need in enumerate(rows)}
    with Progress("devices read") as progress:
        devices = Population(args.devices, strict=args.strict)
        found = fleet(kernels, devices, reasons=(TARGET,), progress=progress.update)
    weights = read_weights(args.weights, found.members) if args.weights else [1.0] * len(found.members)
    worths = {each.name: promised(each.offers, each.requires, rows) for each in known}
    candidates = variants_of(found, TARGET, [worths[name] for name in found.variants(TARGET)])
    whole = True
    if not given:
        asked = [_row(at) for at in range(len(rows))]
        sets, whole = derived(found, asked, weights)
        names = [str(refinement(need for at, need in enumerate(rows) if each >> at & 1)) for each in sets]
        candidates += candidates_of(found, asked, sets, names)
    answer = cover(found, candidates, weights, args.k or 4, seconds=args.seconds)
    if args.format == "json":
        print_json(document_of(found, answer, len(rows), whole=whole))
    else:
        what = "requirements that the candidates have" if given else "kernel features"
        print_targets(found, answer, f"{len(rows)} {what}", whole=whole, everything=args.all)
    return 0 if not answer.left else 1


def _usage(message: str, advice: str) -> TargetEnvError:
    return TargetEnvError(Diagnostic("TE5200", message, help=advice))


def _row(at: int) -> str:
    return f"row {at}"
