"""Ask every oracle that is here, and write or show the table."""

from __future__ import annotations

import argparse
import sys

from tests.differential.decisions.table import DOCUMENT, ask, every_oracle, rendered


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential.decisions", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}; oracles that are not here keep their row")
    options = parser.parse_args()
    answers = [ask(oracle) for oracle in every_oracle()]
    text = rendered(answers)
    if options.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    else:
        print(text)
    for answer in answers:
        for decision in answer.differences:
            print(f"DIFFERENT {answer.oracle.id}: {decision}", file=sys.stderr)
    return int(any(answer.differences for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
