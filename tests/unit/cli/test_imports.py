"""Each verb loads what it needs, and nothing that would slow it down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIBRARIES = {"lark", "pydantic", "numpy", "jinja2", "rich", "elftools", "archspec", "ninja", "zipfile", "asyncio", "ctypes"}
ENV = "#vk.target_env<v1.1, r(120), [], {}>"


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (("explain", "TE4401"), set()),
        (("parse", ENV), {"lark"}),
        (("parse", ENV, "--to", "spirv", "--format", "json"), {"lark"}),
        (("match", ENV, ENV), {"lark"}),
        (("targets", "vulkan1.1"), {"lark"}),
        (("probe", "--driver", "null", "--format", "json"), set()),
        (("probe", "--driver", "null", "-o", "x.device.json"), set()),
        (("devices", "--driver", "null"), set()),
        (("inspect", "demo.tenv"), set()),
        (("resolve", "demo.tenv", "--device", "null"), set()),
        (("run", "demo.tenv", "scale", "--device", "cpu://0", "--input", "a=1", "--input", "x=4xf32=1"), {"ctypes"}),
        (("run", "nosuch.tenv", "scale"), set()),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_a_verb_loads_only_what_it_needs(arguments: tuple[str, ...], allowed: set[str], package: Path) -> None:
    program = (
        "import sys; from targetenv.cli.app import run\n"
        "run(sys.argv[1:])\n"
        f"print(*sorted({LIBRARIES} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}"}
    done = subprocess.run([sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True)
    loaded = set(done.stderr.splitlines()[-1].split()) if done.stderr.strip() else set()
    assert loaded <= allowed, done.stderr
