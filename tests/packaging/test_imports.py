"""What is loaded when. Times are measured in tests/benchmarks; here it is the modules, which do not depend on the weather."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.packaging.test_tree import ROOT

HEAVY = {"lark", "pydantic", "numpy", "jinja2", "rich", "elftools", "archspec"}
SLOW = {
    "typing",
    "dataclasses",
    "inspect",
    "subprocess",
    "tempfile",
    "zipfile",
    "tomllib",
    "importlib.metadata",
    "logging",
    "asyncio",
}
# What stands apart, so that only those who hand in arrays, or resolve fleets, import it.
APART = {"targetenv.launch.numpy_arguments", "targetenv.resolve.planes", "targetenv.resolve.optimum"}
LOAD_PATH = ("model", "diagnostics", "registry", "match", "resolve", "launch", "cli/app.py", "cli/run.py")


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement adds to a fresh interpreter."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@cache
def load_path_modules() -> list[str]:
    places = [*(ROOT / "targetenv" / name for name in LOAD_PATH), ROOT / "runtime" / "targetenv_runtime"]
    files = [path for place in places for path in (place.rglob("*.py") if place.is_dir() else [place])]
    return sorted({module_name(path) for path in files} - APART)


def module_name(path: Path) -> str:
    base = ROOT / "runtime" if path.is_relative_to(ROOT / "runtime") else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def test_importing_targetenv_loads_next_to_nothing() -> None:
    loaded = loaded_by("import targetenv")
    assert not loaded & (HEAVY | SLOW | {"ctypes", "json", "argparse", "enum", "re"})


@pytest.mark.parametrize("module", load_path_modules())
def test_a_module_on_the_load_path_loads_nothing_slow(module: str) -> None:
    assert not loaded_by(f"import {module}") & (HEAVY | SLOW)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to build a CPU kernel with")
def test_a_cold_run_on_the_cpu_loads_nothing_slow(tmp_path: Path) -> None:
    package = tmp_path / "saxpy.tenv"
    example = ROOT / "docs" / "examples" / "saxpy" / "targetenv.toml"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    built = [sys.executable, "-m", "targetenv", "build", str(example), "-o", str(package)]
    subprocess.run(built, env=environment, check=True, capture_output=True)
    arguments = ["run", str(package), "saxpy", "--device", "cpu://0", "--input", "a=2"]
    arguments += ["--input", "x=4xf32=1", "--input", "y=4xf32=1", "--output", f"y={tmp_path / 'y.npy'}"]
    loaded = loaded_by(f"from targetenv.cli.app import run; assert run({arguments}) == 0; print()")
    assert not loaded & (HEAVY | SLOW)


def test_importing_is_silent_under_warnings_as_errors() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import targetenv, targetenv_runtime, targetenv.cli.app"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
