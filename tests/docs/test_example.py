"""The example does what its README says, also on a machine without a GPU driver or without one of the compilers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "saxpy"
pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to build a CPU kernel with")


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=os.environ | paths | environment, capture_output=True, text=True, check=False)


def table(output: str) -> list[list[str]]:
    """Kernel, device and chosen variant of each row of the demo's table."""
    lines = output[output.index("kernel  device") :].splitlines()[1:]
    return [line.split()[:3] for line in lines if line and not line.startswith(" ")]


def test_the_demo_runs_every_kernel_on_every_device(tmp_path: Path, required_drivers: frozenset[str]) -> None:
    done = python(EXAMPLE / "demo.py", tmp_path / "saxpy.tenv")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = table(done.stdout)
    expected = {"cpu"} | (required_drivers & {"vulkan"} if shutil.which("glslc") else set())
    for driver in expected:
        assert [kernel for kernel, device, variant in rows if device == f"{driver}://0" and variant != "none"] == [
            "matmul",
            "saxpy",
            "sum",
        ]


def test_the_demo_runs_on_the_cpu_alone(tmp_path: Path) -> None:
    nothing = str(tmp_path / "nothing.json")
    done = python(
        EXAMPLE / "demo.py", tmp_path / "saxpy.tenv", VK_ICD_FILENAMES=nothing, VK_DRIVER_FILES=nothing, OCL_ICD_VENDORS=nothing
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {device for _, device, _ in table(done.stdout)} == {"cpu://0"}


def test_a_missing_compiler_leaves_its_variants_out(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cc", "cp", "as", "ld", "sh", "ninja", "ldconfig"):
        found = shutil.which(name)
        if found:
            (programs / name).symlink_to(found)
    done = python(EXAMPLE / "demo.py", tmp_path / "saxpy.tenv", PATH=str(programs))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "glslc is not installed" in done.stdout + done.stderr
    assert ["saxpy", "cpu://0"] in [row[:2] for row in table(done.stdout)]


def test_the_python_form_runs(tmp_path: Path) -> None:
    package = tmp_path / "saxpy.tenv"
    assert python("-m", "targetenv", "build", EXAMPLE / "targetenv.toml", "-o", package).returncode == 0
    done = python(EXAMPLE / "run.py", package, "cpu://0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("ran as x86-64-v") == 3
