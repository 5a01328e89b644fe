"""An answer that `resolve` or `match` printed as JSON, told by the rules behind it, each with its source."""

from __future__ import annotations

import json
import sys

from targetenv.cli.documents import of_rule
from targetenv.cli.output import print_json
from targetenv.cli.rules import known, page
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MARKS = {"satisfied": "✓", "unknown": "?", "unsatisfied": "✗"}
_LARGEST = 64 << 20  # characters


def explain_answer(*, as_json: bool) -> int:
    """Read the answer from stdin and tell it; TE3017 when it is none."""
    answer = _read(sys.stdin.read(_LARGEST + 1))
    try:
        decisions = list(_decisions(answer))
        used = dict.fromkeys(decision for _, rules in decisions for decision in rules)
    except (AttributeError, KeyError, TypeError):
        raise _no_answer("a field is missing, or not of its type") from None
    rows = [row for row in map(known, used) if row is not None]
    if as_json:
        print_json({"rules": [of_rule(row) for row in sorted(rows, key=lambda row: row.id)]})
        return 0
    if answer.get("as_of"):
        print("as of " + ", ".join(f"{component} {version}" for component, version in answer["as_of"].items()) + "\n")
    print("\n\n".join("\n".join(lines) for lines, _ in decisions))
    print("\nThe rules that decided\n")
    print("\n".join(page(row, indent="  ") for row in sorted(rows, key=lambda row: row.id)))
    return 0


def _read(text: str) -> dict[str, Any]:
    if len(text) > _LARGEST:
        raise _no_answer(f"it has more than {_LARGEST} characters")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_answer("it is not JSON") from None
    if not isinstance(answer, dict) or answer.get("schema") != 1 or not ("verdicts" in answer or "findings" in answer):
        raise _no_answer("it has neither verdicts nor findings")
    return answer


def _no_answer(why: str) -> TargetEnvError:
    advice = "pipe an answer in: `targetenv resolve X.tenv --format json | targetenv explain -`"
    return TargetEnvError(Diagnostic("TE3017", f"stdin is no answer of `resolve` or `match`: {why}", help=advice))


def _decisions(answer: dict[str, Any]) -> Iterator[tuple[list[str], list[str]]]:
    """The lines of each decision, with the ids of its rules."""
    if "verdicts" not in answer:
        lines = [f"{answer['requires']} on {answer['offers']}: {answer['outcome']}"]
        yield lines + list(_findings(answer["findings"], "  ")), [row["rule"] for row in answer["findings"]]
        return
    for chosen in answer["chosen"]:
        verdicts = [row for row in answer["verdicts"] if _question(row) == _question(chosen)]
        name = f" ({chosen['device_name']})" if chosen.get("device_name") else ""
        because = f", {chosen['because']}" if chosen.get("because") else ""
        step = f"  [{chosen['rule']}]" if chosen.get("rule") else ""
        lines = [f"{chosen['kernel']} on {chosen['device']}{name}: {chosen['variant'] or 'nothing runs'}{because}{step}"]
        rules = [chosen["rule"]] if chosen.get("rule") else []
        for row in verdicts:
            lines.append(f"  {_MARKS[row['outcome']]} {row['variant']}")
            lines += _findings(row["findings"], "      ")
            rules += [finding["rule"] for finding in row["findings"]]
        yield lines, rules


def _question(row: dict[str, Any]) -> tuple[object, object, object]:
    return row["kernel"], row["device"], row.get("device_number")


def _findings(findings: list[dict[str, str]], indent: str) -> Iterator[str]:
    """What is met in one line of rules, what is not one by one."""
    met = dict.fromkeys(row["rule"] for row in findings if row["outcome"] == "satisfied")
    count = sum(row["outcome"] == "satisfied" for row in findings)
    if met:
        yield f"{indent}✓ {count} {'requirement' if count == 1 else 'requirements'} met  [{', '.join(sorted(met))}]"
    for row in findings:
        if row["outcome"] != "satisfied":
            yield f"{indent}{_MARKS[row['outcome']]} {row['requires']}  {row['offers']}  [{row['code']}, {row['rule']}]"
            general = known(row["rule"])
            if general is not None and row["source"] != general.source:  # the very row of a table
                yield f"{indent}  source: {row['source']}"
