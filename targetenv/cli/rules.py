"""Rules for people: one with its source and with who decides otherwise, or the list of all."""

from __future__ import annotations

from targetenv.cli.documents import of_rule
from targetenv.cli.output import print_json
from targetenv.match.rules import FAMILIES, every_rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from targetenv.match.rules import Rule

_WIDTH = 100


def is_rule(text: str) -> bool:
    """Whether a text has the shape of a rule's id, known or not: `cuda.ptx`.

    >>> is_rule("cuda.ptx"), is_rule("TE3104")
    (True, False)
    """
    family, dot, rest = text.partition(".")
    return bool(dot and rest) and family in FAMILIES


def known(text: str) -> Rule | None:
    """The rule of this id."""
    return next((row for row in every_rule() if row.id == text), None)


def page(row: Rule, *, indent: str = "") -> str:
    """One rule: what it says, where it is from, when it holds, what checks it, and who decides otherwise.

    >>> print(page(known("cuda.ptx-chip")))
    cuda.ptx-chip: PTX with `a` is compiled for that very chip
      source: NVIDIA, ptxas --help, `--gpu-name`
      since: cuda 12.0
      checked against: ptxas, see docs/reference/oracles.md
    """
    lines = [f"{indent}{row.id}: {row.text}"]
    facts = (
        ("source", row.source),
        ("since", row.since),
        ("until", row.until),
        ("checked against", _oracle(row)),
        ("others decide otherwise", row.others),
    )
    for name, value in facts:
        if value:
            lines += _wrapped(f"{name}: {value}", f"{indent}  ")
    return "\n".join(lines)


def print_rules(*, as_json: bool) -> None:
    """Every rule, one a line."""
    rows = every_rule()
    if as_json:
        print_json({"rules": [of_rule(row) for row in rows]})
        return
    width = max(len(row.id) for row in rows)
    print("\n".join(f"{row.id:<{width}}  {row.text}" for row in rows))


def _oracle(row: Rule) -> str:
    if row.oracle == "laws":
        return "its laws (property tests)"
    return f"{row.oracle}, see docs/reference/oracles.md" if row.oracle else ""


def _wrapped(text: str, indent: str) -> Iterable[str]:
    """Lines of at most `_WIDTH`; what follows the first is indented further."""
    return (f"{indent}{'  ' if number else ''}{line}" for number, line in enumerate(_lines(text)))


def _lines(text: str) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line
