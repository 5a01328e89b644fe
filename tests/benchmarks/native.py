"""Compiling what benchmarks stand beside, and the example's kernels; anything missing ends the benchmark with its name."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "docs" / "examples" / "saxpy"


def shared_object(source: Path, target: Path, *options: str) -> Path:
    """A shared object from one C file, as optimised as a release."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("benchmark: no C compiler here")
    subprocess.run([compiler, "-O3", "-shared", "-fPIC", *options, str(source), "-o", str(target)], check=True)
    return target


def spirv(source: Path, target: Path) -> bytes:
    """SPIR-V for Vulkan 1.0 from one GLSL file."""
    compiler = shutil.which("glslc")
    if compiler is None:
        sys.exit("benchmark: no glslc here")
    subprocess.run([compiler, "-O", "--target-env=vulkan1.0", str(source), "-o", str(target)], check=True)
    return target.read_bytes()


class Floor:
    """The C program `vulkan_floor.c`, with one device open and one command buffer recorded."""

    def __init__(self, directory: Path, code: bytes, *, dispatches: int, elements: int) -> None:
        path = directory / "vulkan_floor.so"
        if not path.exists():
            shared_object(HERE / "vulkan_floor.c", path)
        self.library = ctypes.CDLL(str(path))
        self.library.floor_open.restype = ctypes.c_void_p
        opened = self.library.floor_open(code, ctypes.c_size_t(len(code)), 0, dispatches, elements)
        if not opened:
            sys.exit("benchmark: no Vulkan device here")
        self.handle = ctypes.c_void_p(opened)

    def run(self, rounds: int) -> None:
        """Submit and wait, so often."""
        if self.library.floor_run(self.handle, rounds):
            sys.exit("benchmark: the C program's submission failed")

    def record(self, rounds: int) -> None:
        """Record the command buffer anew, so often."""
        if self.library.floor_record(self.handle, rounds):
            sys.exit("benchmark: the C program's recording failed")
