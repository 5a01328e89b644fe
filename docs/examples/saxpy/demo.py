"""The whole path on this machine: build the example, see what is here, choose with reasons, run everywhere, check with numpy.

`make demo` runs this; so does `python docs/examples/saxpy/demo.py [PACKAGE]` where targetenv is installed. Exit status 0 when
something ran and everything that ran was right.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

import targetenv as te
from targetenv.launch.kernel import LoadedKernel
from targetenv.model.verdict import Outcome
from targetenv.resolve.choice import RankedKernel

HERE = Path(__file__).resolve().parent
OUTPUT = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parents[2] / "build-out" / "saxpy.tenv"
CLOSE_ENOUGH = 1e-5  # of the largest value; sums and products are rounded in another order than numpy's
REPEATS = 15


def main() -> int:
    OUTPUT.parent.mkdir(exist_ok=True)
    if show("build", HERE / "targetenv.toml", "-o", OUTPUT) != 0:
        return 1
    show("probe")
    show("resolve", OUTPUT)
    rows, right = measure()
    print("\nEvery kernel on every device that runs it. Times are whole calls, from numpy arrays to numpy arrays.\n")
    print_table(rows)
    if not rows:
        print("No device here runs any of the variants that could be built.", file=sys.stderr)
    return 0 if rows and right else 1


def show(*arguments: object) -> int:
    """Run one targetenv command, and show it as somebody would have typed it."""
    words = [str(word) for word in arguments]
    here = f"{Path.cwd()}{os.sep}"
    print(f"\n$ targetenv {' '.join(word.removeprefix(here) for word in words)}", flush=True)
    return subprocess.run([sys.executable, "-m", "targetenv", *words], check=False).returncode  # noqa: S603  our own command


def inputs(kernel: str) -> tuple[tuple[object, ...], np.ndarray]:
    """Arguments for a kernel, and what numpy says the result is."""
    random = np.random.default_rng(2024)
    if kernel == "matmul":
        a, b = random.standard_normal((384, 320)).astype(np.float16), random.standard_normal((320, 448)).astype(np.float16)
        return (a, b), a.astype(np.float64) @ b.astype(np.float64)
    x, y = random.standard_normal((2, 1 << 20)).astype(np.float32)
    if kernel == "sum":
        return (np.abs(x),), np.abs(x).sum(dtype=np.float64, keepdims=True)
    return (2.5, x, y), 2.5 * x.astype(np.float64) + y


class Row(NamedTuple):
    """What the table says about one kernel on one device."""

    kernel: str
    device: str
    chosen: str
    error: str
    first: str
    then: str
    others: list[str]


def measure() -> tuple[list[Row], bool]:
    """A row for each kernel on each device that runs one, and whether all results were right."""
    with te.load(OUTPUT) as program:
        devices = dict.fromkeys(row.device.uri for row in program.resolution.ranked if row.choice.variant is not None)
    rows = []
    right = True
    for uri in devices:
        with te.load(OUTPUT, device=uri) as program:
            for ranked in program.resolution.ranked:
                chosen = ranked.choice.variant
                if chosen is None:
                    rows.append(Row(ranked.kernel, uri, "none", "", "", "", others(ranked)))
                    continue
                error, first, then = call(program[ranked.kernel], *inputs(ranked.kernel))
                good = error <= CLOSE_ENOUGH
                right = right and good
                shown = f"{error:.1e}" + ("" if good else " WRONG")
                rows.append(Row(ranked.kernel, uri, chosen, shown, f"{first:.2f} ms", f"{then:.2f} ms", others(ranked)))
    return rows, right


def call(kernel: LoadedKernel, arguments: tuple[object, ...], expected: np.ndarray) -> tuple[float, float, float]:
    """The largest error relative to the largest value, and how long the first call and the median of later ones took, in ms."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = kernel(*arguments)
        times.append((time.perf_counter() - start) * 1e3)
    return float(np.max(np.abs(result - expected)) / np.max(np.abs(expected))), times[0], median(times[1:])


def others(ranked: RankedKernel) -> list[str]:
    """Why the variants that were not chosen were not, one line for each reason."""
    chosen = ranked.choice.variant
    reasons: dict[str, list[str]] = {}
    for verdict in ranked.verdicts:
        if verdict.artifact.name == chosen:
            continue
        if verdict.outcome is Outcome.SATISFIED:
            reason = f"runs too ({chosen}: {ranked.choice.because.split(':')[0]})"
        else:
            first, *more = verdict.unmet
            reason = f"{first.requires}: {first.offers}" + (
                f", and {len(more)} more" if more and first.code != "TE3107" else ""
            )
        reasons.setdefault(reason, []).append(verdict.artifact.name)
    return [f"{', '.join(names)}: {reason}" for reason, names in reasons.items()]


def print_table(rows: list[Row]) -> None:
    head = Row("kernel", "device", "chosen", "max error", "first call", "later", ["why not the others"])
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(6)]
    for row in (head, *rows):
        first, *rest = row.others or [""]
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row[:6], widths, strict=True)), first]).rstrip())
        for line in rest:
            print(" " * (sum(widths) + 2 * len(widths)) + line)


if __name__ == "__main__":
    sys.exit(main())
