"""The suite again and again, each time in another order, once in Python's development mode, and then the hammer.

`python -m tests.conformance.stress [--repeat 50] [--seconds 60] [-- PYTEST_ARGUMENT...]`
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the conformance suite many times in random order, then the hammer.")
    parser.add_argument("--repeat", type=int, default=50, help="how many orders (default 50)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the hammer on each device (default 60)")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="for pytest, behind --")
    options = parser.parse_args()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    suite = ["-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/conformance", *options.arguments]
    failed = 0
    for seed in range(options.repeat):
        failed += not run([sys.executable, *suite, f"--shuffle={seed}"], environment, f"order {seed}")
    failed += not run([sys.executable, "-X", "dev", *suite], environment, "development mode")
    seconds = str(options.seconds)
    failed += not run([sys.executable, "-m", "tests.conformance.hammer", "--seconds", seconds], environment, "hammer")
    print(f"{failed} of {options.repeat + 2} runs failed" if failed else f"all {options.repeat + 2} runs passed")
    return 1 if failed else 0


def run(command: list[str], environment: dict[str, str], name: str) -> bool:
    """Run one command; its last line when it passed, all that it said when it did not."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or [""]
    passed = done.returncode == 0
    if passed and name != "hammer":
        lines = lines[-1:]
    print(f"{name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.0f} s", *lines, sep="\n    ", flush=True)
    if not passed:
        print(done.stderr, flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main())
