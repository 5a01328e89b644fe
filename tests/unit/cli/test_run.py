"""`run` computes, reports and writes; it needs numpy for nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from targetenv.cli.specs import read_spec
from targetenv.diagnostics.diagnostic import TargetEnvError

ROOT = Path(__file__).resolve().parents[3]
ARGUMENTS = ("--device", "cpu://0", "--input", "a=2", "--input", "x=5xf32=1,2,3,4,5")


def test_the_result_is_printed_and_written(package: Path, te: Any) -> None:
    said = te("run", package.name, "scale", *ARGUMENTS, "--output", "x=x.npy")
    assert said.status == 0
    assert "x: f32[5] = 2, 4, 6, 8, 10" in said.out
    assert np.load("x.npy").tolist() == [2, 4, 6, 8, 10]


def test_the_json_has_the_fields_that_scripts_rely_on(package: Path, te: Any) -> None:
    shown = te("run", package.name, "scale", *ARGUMENTS, "--format", "json").json
    digest = hashlib.sha256(np.array([2, 4, 6, 8, 10], "f4").tobytes()).hexdigest()
    assert {key: shown[key] for key in ("schema", "kernel", "device", "variant", "outputs")} == {
        "schema": 1, "kernel": "scale", "device": "cpu://0", "variant": "v2",
        "outputs": {"x": {"dtype": "f32", "shape": [5], "sha256": digest}},
    }  # fmt: skip
    assert shown["times"]["runs"] == 1


def test_results_of_repeated_runs_are_those_of_the_first(package: Path, te: Any) -> None:
    said = te("run", package.name, "scale", *ARGUMENTS, "--repeat", "5", "--format", "json")
    assert said.json["times"]["runs"] == 5
    assert said.json["outputs"] == te("run", package.name, "scale", *ARGUMENTS, "--format", "json").json["outputs"]


def test_inputs_come_from_files_and_outputs_go_to_raw_ones(package: Path, te: Any) -> None:
    np.save("in.npy", np.arange(4, dtype=np.float32))
    said = te(
        "run", package.name, "scale", "--device", "cpu", "--input", "a=0.5", "--input", "x=@in.npy", "--output", "x=x.bin"
    )
    assert said.status == 0
    assert np.fromfile("x.bin", "f4").tolist() == [0, 0.5, 1, 1.5]


def test_a_grid_may_be_smaller_than_the_arrays(package: Path, te: Any) -> None:
    said = te(
        "run",
        package.name,
        "scale",
        "--device",
        "cpu",
        "--input",
        "a=0",
        "--input",
        "x=100xf32=1",
        "--grid",
        "64",
        "--output",
        "x=x.bin",
    )
    assert said.status == 0
    assert np.fromfile("x.bin", "f4").sum() == 36


def test_running_from_texts_imports_no_heavy_library(package: Path) -> None:
    heavy = (
        "{'numpy', 'pydantic', 'lark', 'jinja2', 'rich', 'zipfile', 'typing', 'dataclasses', 'inspect', 'subprocess',"
        "'tempfile', 'tomllib', 'logging', 'pathlib', 'importlib.metadata', 'shutil', 'asyncio'}"
    )
    program = (
        "import sys; from targetenv.cli.app import run\n"
        "status = run(sys.argv[1:])\n"
        f"print(status, sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    command = [sys.executable, "-c", program, "run", "demo.tenv", "scale", *ARGUMENTS, "--output", "x=x.npy"]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.stderr.splitlines()[-1] == "0 []", result.stderr
    assert "x: f32[5] = 2, 4, 6" in result.stdout


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("", "TE5206"),
        ("two", "TE5206"),
        ("3xf32=1,2", "TE5204"),
        ("3xf32=", "TE5204"),
        ("3xf32=1,2,x", "TE5206"),
        ("3xf23=1", "TE5206"),
        ("3x=1", "TE5206"),
        ("xf32=1", "TE5206"),
        ("-3xf32=1", "TE5206"),
        ("999999999999xf64=0", "TE5206"),
        ("3xu8=1,2,256", "TE5212"),
        ("3xi32=1.5", "TE5212"),
        ("@nosuch.npy", "TE4301"),
        ("@/dev/null", "TE5210"),
        ("9" * 5000, "TE5206"),
    ],
)
def test_a_spec_that_is_none_is_refused(spec: str, code: str) -> None:
    with pytest.raises(TargetEnvError) as caught:
        read_spec(spec, name="x")
    assert caught.value.code == code
    assert len(str(caught.value)) < 400
