"""Options on how is decided: as of which stack, and what is wanted beyond what fits."""

from __future__ import annotations

from targetenv.match.stack import Stack, parse_stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable

    from targetenv.resolve.policy import Policy


def add_as_of(parser: ArgumentParser) -> None:
    """The stack; `targetenv.match.stack` reads its text."""
    parser.add_argument(
        "--as-of",
        metavar="STACK",
        help="decide as this stack would: versions of driver, cuda, rocm, llvm, vulkan, as in `driver=570,cuda=12.8`",
    )


def add_policy(parser: ArgumentParser) -> None:
    """Pins, preferences, and no compilation at load time."""
    parser.add_argument(
        "--prefer", action="append", default=[], metavar="KEY",
        help="of variants that nothing else separates take those of this kind (native, jit ...), format or name, or the"
        " `smaller` one; may be repeated, the first that tells them apart decides",
    )  # fmt: skip
    parser.add_argument(
        "--pin", action="append", default=[], metavar="KERNEL=VARIANT", help="run this kernel as this variant or not at all"
    )
    parser.add_argument("--never-jit", action="store_true", help="choose nothing that is compiled when it is loaded")


def as_of(args: Namespace) -> Stack:
    """The stack that was named, or the newest that the rules know; ParseError (TE301x) where it is wrong."""
    return Stack() if args.as_of is None else parse_stack(args.as_of)


def say_idle(stack: Stack, apis: Iterable[str]) -> None:
    """Say which components of the stack decided nothing, since no device here is of their kind."""
    for component in stack.idle(apis):
        from targetenv.cli.output import talk
        from targetenv.registry.releases import APIS

        kinds = " or ".join(APIS[component])
        talk(f"note: `{component}` of --as-of decides nothing here: no device is of {kinds}")


def policy_of(args: Namespace) -> Policy:
    """What the options of `add_policy` say; PolicyError TE3023 where a pin is none."""
    from targetenv.resolve.policy import parse_pins, policy

    return policy(args.prefer, parse_pins(args.pin), never_jit=args.never_jit)
