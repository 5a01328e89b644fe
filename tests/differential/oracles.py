"""Other people's compilers, each in a virtual environment of its own, asked many questions in one process.

The environments are made on demand and kept in `$TARGETENV_ORACLES` or `~/.cache/targetenv/oracles`; one that cannot be
made is a skip that names the requirement. Nothing of them is ever imported into this process.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

CACHE = Path(
    os.environ.get("TARGETENV_ORACLES")
    or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "targetenv/oracles"
)

#: name -> what pip installs; the old wheels were built against numpy 1
IREE = {
    "iree@20231218": ("iree-compiler==20231218.742", "numpy<2"),
    "iree@20240410": ("iree-compiler==20240410.859", "numpy<2"),
    "iree@3.13": ("iree-base-compiler==3.13.0",),
}
#: NVIDIA's assembler, fatbinary and cuobjdump: one release that writes today's cubins, one that wrote both older encodings
CUDA = {
    "cuda@13.5": ("nvidia-cuda-nvcc==13.5.37", "nvidia-cuda-cuobjdump==13.5.37"),
    "cuda@12.9": ("nvidia-cuda-nvcc-cu12==12.9.86",),
}
#: IREE's runtime with its tools, which runs what its compiler makes
_RUNTIME = {"iree-runtime@3.13": ("iree-base-runtime==3.13.0", "numpy")}
_WHEELS = IREE | CUDA | _RUNTIME

_ASK = """
import json, sys
from iree.compiler import ir
with ir.Context():
    for text in json.load(sys.stdin):
        try:
            answer = [True, str(ir.Attribute.parse(text))]
        except Exception as error:
            answer = [False, str(error)]
        print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True)
class Compiler:
    """One release of IREE's compiler."""

    name: str
    home: Path

    @property
    def python(self) -> str:
        return str(self.home / "bin" / "python")

    def parse(self, texts: list[str]) -> list[tuple[bool, str]]:
        """What `ir.Attribute.parse` says of each text: accepted and how it prints, or refused and why.

        A text on which the compiler crashes is refused with `crash: ...`; the ones after it are asked in a new process.
        """
        answers: list[tuple[bool, str]] = []
        while len(answers) < len(texts):
            done = subprocess.run(
                [self.python, "-c", _ASK], input=json.dumps(texts[len(answers) :]), capture_output=True, text=True, timeout=300
            )
            answers += [(ok, said) for ok, said in map(json.loads, done.stdout.splitlines())]
            if done.returncode and len(answers) < len(texts):
                answers.append((False, f"crash: exit status {done.returncode}"))
        return answers

    def compile(self, source: str, *flags: str) -> subprocess.CompletedProcess[str]:
        """`iree-compile FLAGS -` over an MLIR module."""
        return subprocess.run(
            [str(self.home / "bin" / "iree-compile"), *flags, "-"], input=source, capture_output=True, text=True, timeout=300
        )


def iree(name: str) -> Compiler:
    """The compiler called `name` in `IREE`; skips the test, saying why, where pip cannot have it."""
    _have(name)
    return Compiler(name, _home(name))


def iree_runtime() -> Path:
    """The folder of `iree-run-module`; skips the test, saying why, where pip cannot have it."""
    (name,) = _RUNTIME
    _have(name)
    return _home(name) / "bin"


def cuda(name: str) -> dict[str, Path]:
    """The tools of the release called `name` in `CUDA`, by name; skips the test, saying why, where pip cannot have it."""
    _have(name)
    return {path.name: path for path in _home(name).glob("lib/python*/site-packages/nvidia/*/bin/*")}


def _have(name: str) -> None:
    refused = _install(name)
    if refused:
        pytest.skip(f"{_WHEELS[name][0]} is not to be had here: {refused}")


def _home(name: str) -> Path:
    return CACHE / f"{re.sub(r'[^A-Za-z0-9.]+', '-', name)}-py{sys.version_info.major}.{sys.version_info.minor}"


@cache
def _install(name: str) -> str:
    """Make the environment unless it is there; pip's last word where that failed, which is asked once a process."""
    home = _home(name)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test processes, one installation
        if (home / "ready").exists():
            return ""
        venv.create(home, with_pip=True, clear=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--only-binary=:all:", *_WHEELS[name]]
        done = subprocess.run(pip, capture_output=True, text=True, timeout=1200)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        (home / "ready").touch()
        return ""
