"""From the shell's prompt to a verified result: whole processes, cold interpreter, warm file cache."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import options, table
from tests.benchmarks.measure import Case, interleave, process
from tests.benchmarks.table import Row

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "saxpy" / "targetenv.toml"
PEER = Path(__file__).with_name("iree_peer.py")
INPUTS = ("--input", "a=2", "--input", "x=1024xf32=1", "--input", "y=1024xf32=3")
IREE_DRIVERS = {"cpu": "local-sync", "vulkan": "vulkan"}


def command() -> list[str]:
    """`targetenv` as a user starts it: the installed script where there is one."""
    script = Path(sys.executable).with_name("targetenv")
    return [str(script)] if script.exists() else [sys.executable, "-m", "targetenv"]


def rows(chosen: options.Options) -> list[Row]:
    subprocess.run([*command(), "build", EXAMPLE, "-o", "saxpy.tenv"], check=True, stdout=subprocess.DEVNULL)
    if chosen.iree:
        subprocess.run([chosen.iree, PEER, "compile", "."], check=True, stdout=subprocess.DEVNULL)
    made = []
    bare = process("bare", sys.executable, "-c", "pass")
    for driver, iree_driver in IREE_DRIVERS.items():
        ours = [*command(), "run", "saxpy.tenv", "saxpy", "--device", f"{driver}://0", *INPUTS]
        if not right(ours):
            print(f"no {driver}://0 here, its rows are left out", file=sys.stderr)
            continue
        cases: list[Case] = [process("ours", *ours), bare]
        if chosen.iree:
            cases.append(process("iree", chosen.iree, PEER, "run", iree_driver, f"saxpy-{driver}.vmfb"))
        timing = interleave(cases, rounds=chosen.rounds)
        job = f"cold `targetenv run`, saxpy of 1024 floats on {driver}"
        made.append(Row(job, timing["ours"], "python -c pass", timing["bare"]))
        if chosen.iree:
            made.append(Row(job, timing["ours"], "python iree.runtime", timing["iree"], "0.35"))
    return made


def right(ours: list[str]) -> bool:
    """Whether the run works here; a wrong result ends the benchmark."""
    done = subprocess.run([*ours, "--format", "json", "--output", "y=y.npy"], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return False
    if done.returncode != 0:
        sys.exit(done.stderr)
    import numpy as np

    assert json.loads(done.stdout)["outputs"]["y"]["shape"] == [1024]
    assert (np.load("y.npy") == 5).all()
    return True


if __name__ == "__main__":
    parsed = options.parse()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        table.emit(rows(parsed))
