"""Write down which variant runs on which device, with all that this depends on; `resolve --locked` refuses when it changed."""

from __future__ import annotations

from targetenv.cli.deciding import add_as_of, add_policy, as_of, policy_of
from targetenv.cli.output import print_json, talk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from targetenv.model.lock import Drift

FILE = "targetenv.lock"
EPILOG = "Exit status 0 when every kernel runs on some device, 1 when one runs on none; the lock is written either way."


def add_arguments(parser: ArgumentParser) -> None:
    """What is locked, on which devices, and where it is written."""
    from targetenv.cli.resolve import add_question

    add_question(parser)
    add_as_of(parser)
    add_policy(parser)
    parser.add_argument("-o", "--output", default=FILE, metavar="FILE", help=f"the lock file; `-` prints it (default: {FILE})")


def run(args: Namespace) -> int:
    """Resolve, and write the lock."""
    from targetenv.cli.resolve import answer
    from targetenv.resolve.lock import lock
    from targetenv.wire.lock import write_lock

    resolution = answer(args, as_of(args), policy_of(args))
    made = lock(resolution, unknown=args.unknown)
    data = write_lock(made)
    chosen = {choice.kernel for choice in resolution.choices if choice.variant is not None}
    kernels = {choice.kernel for choice in resolution.choices}
    if args.output == "-":
        print(data.decode(), end="")
    else:
        from targetenv.wire.files import write_bytes

        write_bytes(args.output, data)
        rows = [f"{choice.kernel} on {choice.device}: {choice.variant or 'nothing runs'}" for choice in made.choices]
        if args.format == "json":
            print_json(
                {
                    "output": args.output,
                    "chosen": [{"kernel": c.kernel, "device": c.device, "variant": c.variant} for c in made.choices],
                }
            )
        else:
            print("\n".join(rows))
            talk(f"wrote {args.output}: {_counted(len(kernels), 'kernel')} on {_counted(len(made.devices), 'device')}")
    return 0 if kernels and chosen == kernels else 1


def of_drift(found: Drift) -> dict[str, str]:
    """One change as JSON."""
    return {"kind": found.kind, "what": found.what, "locked": found.locked, "now": found.now}


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
