"""`python -m tests.conformance`: run the suite and write docs/reference/conformance.md; `--check` only counts the cases."""

from __future__ import annotations

import argparse
import os
import sys

import pytest

from tests.conformance.report import PAGE, Tally


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description="Run the suite, write what it shows.")
    parser.add_argument(
        "--check", action="store_true", help="run nothing; say whether the page counts the cases that there are"
    )
    options = parser.parse_args()
    os.environ.setdefault("PYTEST_ADDOPTS", "")
    tally = Tally()
    arguments = ["-q", "-n0", "-p", "no:cacheprovider", "tests/conformance"]
    status = pytest.main([*arguments, "--collect-only", "-qq"] if options.check else arguments, plugins=[tally])
    if options.check:
        fresh = PAGE.exists() and PAGE.read_text(encoding="utf-8") == tally.page()
        print("the page is fresh" if fresh else "the page is stale: run `make conformance`")
        return 0 if fresh else 1
    if status or tally.bad:
        print(f"nothing is written: {', '.join(tally.bad[:5]) or 'the run did not end well'}", file=sys.stderr)
        return 1
    PAGE.write_text(tally.page(), encoding="utf-8")
    print(f"{PAGE} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
