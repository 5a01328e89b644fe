"""From the shell's prompt to JSON: what is here?"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

from tests.benchmarks import options, table
from tests.benchmarks.cold_start import command
from tests.benchmarks.measure import interleave, process
from tests.benchmarks.table import Row


def rows(chosen: options.Options) -> list[Row]:
    cases = [
        process("vulkan", *command(), "probe", "--driver", "vulkan", "--format", "json"),
        process("cpu", *command(), "probe", "--driver", "cpu", "--format", "json"),
        process("bare", sys.executable, "-c", "pass"),
    ]
    peer = shutil.which("vulkaninfo")
    if peer:
        cases.append(process("vulkaninfo", peer, "--json", "-o", "vulkaninfo.json"))
    timing = interleave(cases, rounds=chosen.rounds)
    return [
        Row(
            "cold `targetenv probe --driver vulkan` to JSON",
            timing["vulkan"],
            "vulkaninfo --json",
            timing.get("vulkaninfo"),
            "1.2",
        ),
        Row("cold `targetenv probe --driver cpu` to JSON", timing["cpu"], "python -c pass", timing["bare"]),
    ]


if __name__ == "__main__":
    parsed = options.parse()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        table.emit(rows(parsed))
