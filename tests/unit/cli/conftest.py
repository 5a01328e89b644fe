"""A command line to type at, and a small project to build."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from targetenv.cli import app
from targetenv.model.record import record

CONFIG = """\
[package]
name = "demo"
version = "1.0"

[[kernel]]
name = "scale"
constants = [{name = "a", dtype = "f32"}, {name = "n", dtype = "u32", value = "x.size"}]
bindings = [{name = "x", dtype = "f32", access = "readwrite"}]
grid = ["x.size"]

[[kernel.variant]]
name = "v2"
source = "scale.c"
toolchain = "cc"
target = "x86-64-v2"

[[kernel.variant]]
name = "vulkan"
source = "scale.comp"
toolchain = "glslc"
target = "vulkan1.0"
"""
C_SOURCE = """\
#include <targetenv/kernel.h>
TARGETENV_WORKGROUP_SIZE(scale, 64, 1, 1)
TARGETENV_KERNEL(scale) {
  const float a = targetenv_constant_f32(dispatch, 0);
  const uint32_t n = targetenv_constant_u32(dispatch, 1);
  float *x = (float *)targetenv_binding(dispatch, 0);
  const uint64_t begin = (uint64_t)workgroup->id_x * 64;
  for (uint64_t i = begin; i < begin + 64 && i < n; ++i) x[i] *= a;
  return 0;
}
"""
GLSL_SOURCE = """\
#version 450
layout(local_size_x = 64) in;
layout(push_constant) uniform Constants { float a; uint n; };
layout(set = 0, binding = 0, std430) buffer X { float x[]; };
void main() { if (gl_GlobalInvocationID.x < n) x[gl_GlobalInvocationID.x] *= a; }
"""


@record
class Said:
    """What a command line left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)


Typed = Callable[..., Said]


@pytest.fixture
def te(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Run a command line in this process."""

    def run(*arguments: object) -> Said:
        status = app.run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Said(status, captured.out, captured.err)

    return run


def _write_project(folder: Path) -> None:
    (folder / "targetenv.toml").write_text(CONFIG)
    (folder / "scale.c").write_text(C_SOURCE)
    (folder / "scale.comp").write_text(GLSL_SOURCE)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a build config and its sources; the working directory."""
    _write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The package of that project, built once."""
    for tool in ("cc", "glslc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("built")
    _write_project(folder)
    assert app.run(["build", str(folder), "-o", str(folder / "demo.tenv")]) == 0
    return (folder / "demo.tenv").read_bytes()


@pytest.fixture
def package(project: Path, built: bytes) -> Path:
    """A project with its package."""
    path = project / "demo.tenv"
    path.write_bytes(built)
    return path
