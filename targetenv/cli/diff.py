"""What differs between two targets, devices or files, and which of them offers more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.environments import offers_from
from targetenv.cli.output import print_json
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.match.difference import differences, relation

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from targetenv.match.difference import Difference
    from targetenv.model.capabilities import Capabilities

EPILOG = (
    "> marks where A offers more, < where B does, ~ where neither has all that the other has, = what no code depends on. Limits"
    " are ordered by their type in vk.xml. With --compat and one target, the two sides are the SPIR-V environment that the"
    " registry gives it and the one that this release of IREE gave it: what IREE left out, and what would have enabled it. Exit"
    " status 0 when nothing differs, else 1."
)
_MARKS = {"stronger": ">", "weaker": "<", "incomparable": "~", "identity": "="}
_FIELDS = ("kind", "name", "a", "b", "order", "stronger", "because", "limittype")


def add_arguments(parser: ArgumentParser) -> None:
    """The two sides, or one and a release."""
    parser.add_argument("a", metavar="A", help="a target, a device (vulkan://0), or a file that describes one")
    parser.add_argument("b", nargs="?", metavar="B", help="the same")
    parser.add_argument("--compat", metavar="iree@RELEASE", help="compare with what this release of IREE makes of A")


def run(args: Namespace) -> int:
    """Print every difference."""
    if (args.b is None) == (args.compat is None):
        raise TargetEnvError(Diagnostic("TE5200", "expected two sides", help="pass A and B, or A and `--compat iree@20231218`"))
    names, (a, b) = ((args.a, args.b), _two(args.a, args.b)) if args.b else _beside_iree(args.a, args.compat)
    found = differences(a, b)
    stands = relation(found)
    if args.format == "json":
        rows = [{name: getattr(each, name) for name in _FIELDS} for each in found]
        print_json({"schema": 1, "a": names[0], "b": names[1], "relation": stands, "differences": rows})
    else:
        _print_text(names, stands, found)
    return 1 if found else 0


def _two(a: str, b: str) -> tuple[Capabilities, Capabilities]:
    return offers_from(a, "A"), offers_from(b, "B")


def _beside_iree(text: str, release: str) -> tuple[tuple[str, str], tuple[Capabilities, Capabilities]]:
    """One environment, its SPIR-V side by the registry and as a release of IREE converted it."""
    from targetenv.model.record import replace
    from targetenv.syntax import parse, render

    parsed = parse(text, source_name="A")
    offers = parsed.env.offers
    converted = parse(render(parsed, "spirv", release).text).env.offers.spirv
    return (f"the registry, for {text}", f"{release}, for the same"), (offers, replace(offers, spirv=converted))


def _print_text(names: tuple[str, str], stands: str, found: tuple[Difference, ...]) -> None:
    print(f"A  {names[0]}\nB  {names[1]}")
    words = {
        "equal": "they offer the same; only what tells them apart differs" if found else "nothing differs",
        "stronger": "A offers everything that B does, and more",
        "weaker": "B offers everything that A does, and more",
        "incomparable": "each offers something that the other does not",
    }
    print(words[stands])
    labels = [f"{each.kind} {each.name}" for each in found]
    width = max(map(len, labels), default=0)
    for each, label in zip(found, labels, strict=True):
        because = f"  ({each.because})" if each.because else ""
        print(f"  {_MARKS[each.order]} {label:<{width}}  A: {each.a}  B: {each.b}{because}")
