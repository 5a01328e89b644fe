"""The one command that says whether the tree is good: `make test`, or `python tests/gate.py [--only STAGE,...] [ARGUMENT...]`.

Arguments that it does not know go to pytest. Every stage runs, also after one has failed; a table of stages and times follows,
and pytest's own closing line is last.
"""

from __future__ import annotations

import argparse
import ctypes.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CLOSING_LINE = ROOT / ".venv" / "closing-line"  # for scripts that have to print it once more
BIN = Path(sys.executable).parent
TYPED = ("targetenv", "runtime/targetenv_runtime", "tests")


class Stage(NamedTuple):
    """One command and what to call it."""

    name: str
    command: tuple[str, ...]


class Outcome(NamedTuple):
    """How one stage went."""

    name: str
    passed: bool
    seconds: float
    closing: str


def main() -> int:
    parser = argparse.ArgumentParser(description="Run every check of the tree. Unknown arguments go to pytest.")
    parser.add_argument(
        "--only", metavar="STAGE,...", help="only these stages: ruff, format, mypy, imports, codegen, doctest, pytest"
    )
    options, for_pytest = parser.parse_known_args()
    chosen = options.only.split(",") if options.only else None
    every = stages(for_pytest)
    if chosen and (unknown := set(chosen) - {stage.name for stage in every}):
        parser.error(f"no stage is called {', '.join(sorted(unknown))}; there are {', '.join(stage.name for stage in every)}")
    outcomes = [run(stage) for stage in every if chosen is None or stage.name in chosen]
    return summarise(outcomes)


def stages(for_pytest: list[str]) -> list[Stage]:
    python = sys.executable
    required = ",".join(required_drivers())
    workers = [] if any(argument.startswith(("-n", "--numprocesses")) for argument in for_pytest) else ["-n", "2"]
    return [
        Stage("ruff", (tool("ruff"), "check", "--quiet", ".")),
        Stage("format", (tool("ruff"), "format", "--check", "--quiet", ".")),
        Stage("mypy", (tool("mypy"), *TYPED)),
        Stage("imports", (tool("lint-imports"),)),
        Stage("codegen", (python, "-m", "targetenv._codegen", "--check")),
        Stage("doctest", (python, "-m", "pytest", "-q", "--doctest-modules", "targetenv", "runtime/targetenv_runtime")),
        Stage("pytest", (python, "-m", "pytest", *workers, f"--require-driver={required}", *for_pytest)),
    ]


def tool(name: str) -> str:
    """The program beside this interpreter, else the one on PATH."""
    beside = BIN / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def required_drivers() -> list[str]:
    """Drivers whose absence is a failure here: all that this machine has the parts of.

    Found by the parts (a compiler; a loader and a driver's manifest), never by asking our own probe, which is under test.
    """
    drivers = ["null", "host"]
    if shutil.which("cc") or shutil.which("gcc"):
        drivers.append("cpu")
    manifests = [
        directory for directory in ("/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d") if any(Path(directory).glob("*.json"))
    ]
    if ctypes.util.find_library("vulkan") and manifests:
        drivers.append("vulkan")
    if ctypes.util.find_library("OpenCL") and any(Path("/etc/OpenCL/vendors").glob("*.icd")):
        drivers.append("opencl")
    return drivers


def run(stage: Stage) -> Outcome:
    """Run one stage, showing its output as it comes and keeping its last line."""
    print(f"--- {stage.name}: {' '.join(Path(part).name if part[:1] == '/' else part for part in stage.command)}", flush=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    if sys.stdout.isatty():
        environment |= {"FORCE_COLOR": "1"}
    started = time.monotonic()
    closing = ""
    with subprocess.Popen(
        stage.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            closing = line.rstrip("\n") or closing
    return Outcome(stage.name, process.returncode == 0, time.monotonic() - started, closing)


def summarise(outcomes: list[Outcome]) -> int:
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    print("\n--- gate")
    for outcome in outcomes:
        print(f"{outcome.name:<8} {'passed' if outcome.passed else 'FAILED'} {outcome.seconds:7.1f} s")
    print(f"{'total':<8} {'FAILED: ' + ', '.join(failed) if failed else 'passed'} in {sum(o.seconds for o in outcomes):.1f} s")
    closing = next((outcome.closing for outcome in outcomes if outcome.name == "pytest"), "")
    if closing:
        print(closing)
        if CLOSING_LINE.parent.is_dir():
            CLOSING_LINE.write_text(closing + "\n")
    sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
