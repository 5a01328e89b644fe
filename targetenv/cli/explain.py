"""Print the page of one diagnostic code: what it means and how to repair it."""

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
    """One code; without it, the list of all."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="a code such as TE3104; without one, list them all")


def run(args: Namespace) -> int:
    """Print the page, or the list."""
    from targetenv.cli.output import print_json

    if args.code is None:
        if args.format == "json":
            print_json({"codes": [{"code": code, "title": title} for code, title in CODES.items()]})
        else:
            print("\n".join(f"{code}  {title}" for code, title in CODES.items()))
        return 0
    code = find(args.code)
    page = read_page(code)
    if args.format == "json":
        print_json({"code": code, "title": CODES[code], "page": page})
    else:
        print(page.rstrip("\n"))
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
