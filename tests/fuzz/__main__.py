"""`python -m tests.fuzz [FAMILY...] [--mutations N] [--seed S]`: damage samples of every format, and print what came of it.

Every family runs in a process of its own, so that its memory can be told. A mutation that raises anything but our errors, or
takes longer than five seconds, is written to a file and ends the run with status 1. `make fuzz` makes a million.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from tests.fuzz.engine import mutated, survives
from tests.fuzz.samples import FAMILIES

SLOW = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; all when none is given")
    parser.add_argument("--mutations", type=int, default=1_000_000, help="in all (default 1000000)")
    parser.add_argument("--seed", default="0", help="another seed makes other mutations")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(campaign(options.one, options.mutations, options.seed)))
        return 0
    chosen = options.families or list(FAMILIES)
    if unknown := set(chosen) - set(FAMILIES):
        parser.error(f"no family is called {', '.join(sorted(unknown))}")
    print(
        "| family | samples | mutations | read | refused | mean | slowest | peak memory |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    total = 0
    for family in chosen:
        count = options.mutations // len(chosen)
        command = [sys.executable, "-m", "tests.fuzz", "--one", family, "--mutations", str(count), "--seed", options.seed]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            return 1
        row = json.loads(done.stdout)
        total += row["mutations"]
        read, refused = row["read"], row["mutations"] - row["read"]
        times = f"{row['mean']:.2f} ms | {row['slowest']:.0f} ms | {row['peak']} MiB"
        print(f"| {family} | {len(FAMILIES[family])} | {row['mutations']:,} | {read:,} | {refused:,} | {times} |", flush=True)
    print(f"\n{total:,} mutations, nothing but our errors.")
    return 0


def campaign(family: str, mutations: int, seed: str) -> dict[str, float]:
    """Damage the samples of one family in turn."""
    samples = list(FAMILIES[family].items())
    random = Random(f"{seed} {family}")
    read, slowest = 0, 0.0
    began = time.perf_counter()
    for number in range(mutations):
        name, original = samples[number % len(samples)]
        data = mutated(original, random)
        start = time.perf_counter()
        try:
            read += survives(data)
        except BaseException:
            print(f"{family}: {name}: mutation {number} is kept in {keep(data)}", file=sys.stderr)
            raise
        took = time.perf_counter() - start
        slowest = max(slowest, took)
        if took > SLOW:
            raise SystemExit(f"{family}: {name}: mutation {number} took {took:.1f} s and is kept in {keep(data)}")
    mean = (time.perf_counter() - began) / max(1, mutations)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return {"mutations": mutations, "read": read, "mean": 1000 * mean, "slowest": 1000 * slowest, "peak": peak}


def keep(data: bytes) -> Path:
    path = Path("fuzz-found.bin").resolve()
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
