"""`python -m tests.benchmarks [NAME...] [-o FILE]`: run benchmarks and print one Markdown table.

Every benchmark runs in processes of its own: once free to use all cores and, where threads hand work to each other, once pinned
to one. Nothing here is asserted; tests/packaging checks what can be checked without a clock.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.table import Row, collect, markdown

ROOT = Path(__file__).parents[2]
# name -> whether it is also run pinned to one core
BENCHMARKS = {
    "vulkan_submit": True,
    "cpu_dispatch": True,
    "cold_start": False,
    "probing": False,
    "reading": False,
    "fleet": False,
    "big_file": False,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all when none is given")
    parser.add_argument("--rounds", type=int, default=15, help="rounds that are kept (default 15)")
    parser.add_argument(
        "--iree", metavar="PYTHON", default="", help="an interpreter with iree.runtime and iree.compiler, as a peer"
    )
    parser.add_argument(
        "--iree-parser", metavar="PYTHON", default="", help="one with iree-compiler 20231218, which reads #vk.target_env"
    )
    parser.add_argument("--tvm", metavar="PYTHON", default="", help="one with apache-tvm, whose targets are read beside ours")
    parser.add_argument("-o", "--output", type=Path, help="write the table there too")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    rows = [row for name in options.names or BENCHMARKS for row in run(name, options)]
    text = f"{markdown(rows)}\n\n{machine()}\n"
    print(text, end="")
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    return 0


def run(name: str, options: argparse.Namespace) -> list[Row]:
    """The rows of one benchmark, pinned ones marked as such."""
    last = max(os.sched_getaffinity(0))
    rows = []
    for pinned in (False, True) if BENCHMARKS[name] else (False,):
        print(f"{name}{', one core' if pinned else ''} ...", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", "--rounds", str(options.rounds)]
        command += ["--iree", options.iree, "--iree-parser", options.iree_parser, "--tvm", options.tvm]
        command += ["--pin", str(last)] if pinned else []
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users' interpreters keep what they have compiled
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            print(f"{name} failed with {done.returncode}; its rows are left out", file=sys.stderr)
            continue
        suffix = ", pinned" if pinned else ""
        rows += [row._replace(job=row.job + suffix) for row in collect(done.stdout)]
    return rows


def machine() -> str:
    """Where the numbers were made."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{len(os.sched_getaffinity(0))} cores, {model}, {python}, Linux {platform.release().split('-')[0]}."


if __name__ == "__main__":
    sys.exit(main())
