"""Print the page of one diagnostic code or of one rule; `-` explains an answer that `resolve` or `match` printed as JSON."""

from __future__ import annotations

import os

from targetenv.diagnostics.codes import CODES
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  pathlib costs 5 ms
_PACKAGED = os.path.join(_HERE, "diagnostics", "pages")  # noqa: PTH118  wheel
_CHECKOUT = os.path.join(os.path.dirname(_HERE), "docs", "errors")  # noqa: PTH118, PTH120  checkout, editable


def add_arguments(parser: ArgumentParser) -> None:
    """One code, rule or answer; without it, the list of all codes."""
    parser.add_argument(
        "what",
        nargs="?",
        metavar="WHAT",
        help="a code (TE3104), a rule (cuda.ptx), or - for an answer of resolve or match in JSON; without it, list all codes",
    )
    parser.add_argument("--rules", action="store_true", help="list every compatibility rule")


def run(args: Namespace) -> int:
    """Print the page, or the list."""
    from targetenv.cli.output import print_json

    if args.rules or (args.what or "").strip() == "-" or "." in (args.what or ""):
        return _rules(args)
    if args.what is None:
        if args.format == "json":
            print_json({"codes": [{"code": code, "title": title} for code, title in CODES.items()]})
        else:
            print("\n".join(f"{code}  {title}" for code, title in CODES.items()))
        return 0
    code = find(args.what)
    page = read_page(code)
    if args.format == "json":
        print_json({"code": code, "title": CODES[code], "page": page})
    else:
        print(page.rstrip("\n"))
    return 0


def _rules(args: Namespace) -> int:
    from targetenv.cli import rules
    from targetenv.cli.documents import of_rule
    from targetenv.cli.output import print_json

    if args.rules:
        rules.print_rules(as_json=args.format == "json")
        return 0
    if args.what == "-":
        from targetenv.cli.answers import explain_answer

        return explain_answer(as_json=args.format == "json")
    row = rules.known(args.what.strip().lower())
    if row is None:
        from targetenv.diagnostics.suggest import did_you_mean
        from targetenv.match.rules import every_rule

        advice = did_you_mean(args.what, [each.id for each in every_rule()]) or "`targetenv explain --rules` lists every rule"
        raise TargetEnvError(Diagnostic("TE3016", f"there is no rule `{args.what}`", help=advice))
    if args.format == "json":
        print_json({"rule": of_rule(row)})
    else:
        print(rules.page(row))
    return 0


def find(text: str) -> str:
    """The code that `text` names, however it is spelt (`te3104`, `3104`, `error[TE3104]`); TE5213 when there is none."""
    word = text.strip().upper()
    word = word[word.find("[") + 1 :].partition("]")[0] if "[" in word else word
    word = f"TE{word}" if word.isdigit() else word
    if word in CODES:
        return word
    from targetenv.diagnostics.suggest import nearest

    near = nearest(word, CODES)
    advice = f"did you mean `{near[0]}` ({CODES[near[0]]})?" if near else "`targetenv explain` lists every code"
    raise TargetEnvError(Diagnostic("TE5213", f"`{text}` is not a diagnostic code", help=advice))


def read_page(code: str) -> str:
    """The Markdown page of a code."""
    from targetenv.wire.files import read_bytes

    folder = _PACKAGED if os.path.isdir(_PACKAGED) else _CHECKOUT  # noqa: PTH112
    return read_bytes(os.path.join(folder, f"{code}.md")).decode()  # noqa: PTH118
