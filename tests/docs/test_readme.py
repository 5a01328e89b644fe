"""The README works as it stands: every command ends as shown, and where the machine does not matter prints what is shown."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.console import ROOT, STATUS, Command, Shell, commands

README = (ROOT / "README.md").read_text(encoding="utf-8")
SAME_EVERYWHERE = re.compile(r"targetenv (parse|match|explain) ['a-zA-Z]")


@pytest.mark.skipif(shutil.which("cc") is None or shutil.which("glslc") is None, reason="the README builds with cc and glslc")
def test_the_commands_end_as_shown(tmp_path: Path, required_drivers: frozenset[str]) -> None:
    shell = Shell(tmp_path)
    every = commands(README)
    assert len(every) > 10
    for command, following in pairwise([*every, Command("", "", -1)]):
        if "vulkan" in command.text and "vulkan" not in required_drivers:
            continue
        result = shell.run(command.text)
        if command.text == STATUS:
            assert result.output == command.shown
        elif following.text != STATUS:
            assert result.status == 0, f"{command.text}\n{result.output}"
        if SAME_EVERYWHERE.match(command.text) and "|" not in command.text:
            assert result.output == command.shown
    for number, block in enumerate(README.split("```python\n")[1:]):
        script = tmp_path / f"example{number}.py"
        script.write_text(block.split("```", 1)[0], encoding="utf-8")
        subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=True)


def test_the_readme_names_only_verbs_that_are_there() -> None:
    from targetenv.cli.app import VERBS

    assert set(re.findall(r"(?:\$ |`)targetenv ([a-z]+)", README)) <= set(VERBS)
