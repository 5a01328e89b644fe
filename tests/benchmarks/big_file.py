"""`targetenv inspect` on files of 100 MB: how long it takes, and how much of the file it touches.

What is touched is what of the file's mapping is in memory after it was inspected; the kernel maps up to 2 MB around an access.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import options, table
from tests.benchmarks.cold_start import command
from tests.benchmarks.measure import interleave, process
from tests.benchmarks.table import Row
from tests.unit.artifacts import iree_builder as iree
from tests.unit.artifacts import nvidia_builder as nvidia
from tests.unit.artifacts.hsaco_builder import code_object, kernel, metadata
from tests.unit.artifacts.test_offload_bundle import bundle

SIZE = 100_000_000
IMAGES = 4
TOUCHED = """
import re, sys
from targetenv.artifacts import inspect
from targetenv.artifacts.containers import Budget
from targetenv.wire.files import map_bytes
data = map_bytes(sys.argv[1])
inspect(data, name=sys.argv[1], budget=Budget(digests=False))
found = re.search(re.escape(sys.argv[1]) + r"\\n(?:.*\\n)*?Rss: +(\\d+) kB", open("/proc/self/smaps").read())
print(int(found[1]) * 1024)
"""


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """What is in the file, and the file."""
    weights = os.urandom(1 << 20) * (SIZE >> 20)
    padding = weights[: SIZE // IMAGES]
    code = code_object(0x53F, metadata(kernel()))
    made = {
        "a module of IREE with 100 MB of weights": iree.module(iree.vulkan(), weights),
        f"a fatbin of {IMAGES} cubins": nvidia.fatbin(*(nvidia.entry(nvidia.cubin(80) + padding, 80) for _ in range(IMAGES))),
        f"an offload bundle of {IMAGES} code objects": bundle(
            *(("hipv4-amdgcn-amd-amdhsa--gfx90a", code + padding) for _ in range(IMAGES)), align=4096
        ),
    }
    for place, (what, data) in enumerate(made.items()):
        path = folder / f"{place}.bin"
        path.write_bytes(data)
        yield what, path
    if (gcc := shutil.which("gcc")) is not None:
        (folder / "weights").write_bytes(weights)
        source, path = folder / "weights.s", folder / "weights.so"
        text = f'.globl weights\nweights: .incbin "{folder / "weights"}"\n'
        source.write_text(f'.section .note.GNU-stack,"",@progbits\n.section .rodata\n{text}')
        subprocess.run([gcc, "-shared", source, "-o", path], check=True)
        yield "a shared object with 100 MB of weights", path


def touched(path: Path) -> int:
    """Bytes of the file that inspecting it brings into memory."""
    done = subprocess.run([sys.executable, "-c", TOUCHED, path], stdout=subprocess.PIPE, check=True, text=True)
    return int(done.stdout)


def rows(chosen: options.Options) -> list[Row]:
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for what, path in files(Path(folder)):
            cases = [
                process("ours", *command(), "inspect", path, "--format", "json"),
                process("whole", sys.executable, "-c", f"open({str(path)!r}, 'rb').read()"),
            ]
            timing = interleave(cases, rounds=chosen.rounds)
            job = f"`targetenv inspect` of {what}; touches {touched(path) / 1e6:.1f} MB"
            made.append(Row(job, timing["ours"], "python, reading all of it", timing["whole"]))
    return made


if __name__ == "__main__":
    table.emit(rows(options.parse()))
