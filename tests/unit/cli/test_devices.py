"""`devices` lists, tests for real, and says what it leaves out; `targets` lists every name with its source."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from targetenv.artifacts import inspect
from targetenv.cli import self_test


def test_every_device_has_a_line(te: Any) -> None:
    said = te("devices", "--driver", "null", "--driver", "cpu")
    assert said.status == 0
    assert [line.split()[0] for line in said.out.splitlines()] == ["device", "null://0", "cpu://0"]


def test_the_self_test_runs_a_kernel(te: Any) -> None:
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    said = te("devices", "--driver", "cpu", "--self-test", "--format", "json")
    assert said.status == 0
    (row,) = said.json["self_tests"]
    assert (row["device"], row["outcome"], row["reason"]) == ("cpu://0", "passed", "256 results are right")


def test_a_wrong_result_fails_the_self_test(te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "_EXPECTED", bytes(1024))
    said = te("devices", "--driver", "cpu", "--self-test")
    assert said.status == 1
    assert "256 of 256 results are wrong" in said.out


def test_without_a_compiler_the_self_test_says_what_it_leaves_out(te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targetenv.cli.self_test.shutil.which", lambda _: None)
    said = te("devices", "--driver", "cpu", "--self-test")
    assert said.status == 0
    assert "no C compiler is installed" in said.out


def test_the_module_that_is_assembled_is_valid(tmp_path: Path) -> None:
    module = self_test.assemble(self_test._SPIRV)
    (artifact,) = inspect(module, name="self_test.spv").artifacts
    assert (artifact.kernels[0].workgroup_size, artifact.kernels[0].bindings) == ((64, 1, 1), 1)
    if shutil.which("spirv-val") is None:
        pytest.skip("spirv-val is not installed")
    (tmp_path / "x.spv").write_bytes(module)
    subprocess.run(["spirv-val", "--target-env", "vulkan1.0", tmp_path / "x.spv"], check=True)


def test_names_are_listed_with_what_they_stand_for(te: Any) -> None:
    said = te("targets", "x86-64-v3")
    assert said.status == 0
    assert "avx2" in said.out
    assert "psABI" in said.out
    rows = te("targets", "gfx9*", "--format", "json").json["targets"]
    assert {"gfx900", "gfx942"} <= {row["name"] for row in rows}
    assert all(row["source"] for row in rows)


def test_every_name_has_a_source(te: Any) -> None:
    assert all(row["source"] for row in te("targets", "--format", "json").json["targets"])


def test_no_name_is_a_true_no(te: Any) -> None:
    said = te("targets", "haswel")
    assert said.status == 0
    said = te("targets", "hasswell")
    assert said.status == 1
    assert "did you mean `haswell`" in said.out
