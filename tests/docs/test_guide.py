"""The quickstart works as it is written: its files, its commands in order, its Python."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from targetenv.cli.app import VERBS
from targetenv.cli.build import demands
from targetenv.wire.build_config import parse_config
from tests.docs.console import ROOT, Shell, commands

GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))


def _blocks(document: str, language: str) -> list[str]:
    return [block.split("```", 1)[0] for block in document.split(f"```{language}\n")[1:]]


@pytest.mark.skipif(shutil.which("cc") is None or shutil.which("glslc") is None, reason="it builds with cc and glslc")
def test_the_quickstart_works_as_it_is_written(tmp_path: Path, required_drivers: frozenset[str]) -> None:
    document = (GUIDE / "quickstart.md").read_text(encoding="utf-8")
    for language, name in (("c", "scale.c"), ("glsl", "scale.comp"), ("toml", "targetenv.toml")):
        (text,) = _blocks(document, language)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shell = Shell(tmp_path)
    outputs = []
    for command in commands(document):
        if "--device vulkan" in command.text and "vulkan" not in required_drivers:
            continue
        result = shell.run(command.text)
        assert result.status == 0, f"{command.text}\n{result.output}"
        outputs.append(result.output)
    assert "wrote scale.tenv: 3 of 3 variants" in outputs[0]
    assert outputs[-1].endswith("x: f32[5] = 2, 4, 6, 8, 10\n")
    (program,) = _blocks(document, "python")
    (tmp_path / "example.py").write_text(program, encoding="utf-8")
    subprocess.run([sys.executable, "example.py"], cwd=tmp_path, env=shell._environment, check=True)


def test_the_build_config_of_the_guide_is_one(tmp_path: Path) -> None:
    text, table = _blocks((GUIDE / "build-config.md").read_text(encoding="utf-8"), "toml")
    (tmp_path / "matmul.comp").touch()
    config = parse_config(text, name="targetenv.toml", folder=str(tmp_path), toolchains=("glslc",))
    assert config.kernels[0].variants[0].tile == (16, 16, 1)
    untold = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("target"))
    refined = parse_config(untold.rstrip() + "\n" + table, name="targetenv.toml", folder=str(tmp_path), toolchains=("glslc",))
    assert len(demands(refined.kernels[0].variants[0])) == 4


def test_the_page_on_many_devices_prints_what_it_shows(tmp_path: Path) -> None:
    document = (GUIDE / "fleet.md").read_text(encoding="utf-8")
    shell = Shell(tmp_path)
    every = commands(document)
    assert len(every) > 5
    for command in every:
        assert shell.run(command.text).output.rstrip() == command.shown.rstrip(), command.text
    (program,) = _blocks(document, "python")
    (tmp_path / "example.py").write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, env=shell._environment, check=True, capture_output=True)
    assert done.stdout.startswith(b"40 devices in ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_guide_names_only_verbs_that_are_there(page: Path) -> None:
    assert set(re.findall(r"(?:\$ |`)targetenv ([a-z]+)", page.read_text(encoding="utf-8"))) <= set(VERBS)


def test_every_verb_is_in_the_guide() -> None:
    text = (GUIDE / "commands.md").read_text(encoding="utf-8")
    assert all(f"targetenv {verb}" in text or f"| {verb} |" in text for verb in VERBS)
