"""docs/reference/conformance.md counts the cases that there are. Running them all, and writing it, is `make conformance`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_counts_the_cases_that_there_are() -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")]), "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "tests.conformance", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["the page is fresh"])
