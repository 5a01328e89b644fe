"""The ```console blocks of a document: `$ command` lines and what they print.

    python -m tests.docs.console README.md     runs every command, in order, and rewrites what the document shows

Commands run in an empty directory that has the checkout's `docs`, with `targetenv` and `python` on PATH. `$ echo $?` shows the
exit status of the command before it; a command that no such line follows must end with 0.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
STATUS = "echo $?"


class Command(NamedTuple):
    """One `$` line (continued while lines end in a backslash), and what the document shows below it."""

    text: str
    shown: str
    block: int


class Result(NamedTuple):
    """What a command printed, stderr included, and how it ended."""

    output: str
    status: int


def commands(document: str) -> list[Command]:
    """Every command in the console blocks, in order."""
    found: list[Command] = []
    for number, block in enumerate(document.split("```console\n")[1:]):
        text, shown = "", ""
        continued = False
        for line in [*block.split("```", 1)[0].splitlines(), "$ "]:
            if continued:
                text += "\n" + line
            elif line.startswith("$ "):
                if text:
                    found.append(Command(text, shown, number))
                text, shown = line[2:], ""
            else:
                shown += line + "\n"
            continued = bool(text) and text.endswith("\\")
    return found


class Shell:
    """Runs commands one after the other in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        bin_directory = directory / ".bin"
        bin_directory.mkdir()
        for name, arguments in (("targetenv", "-m targetenv"), ("python", "")):
            script = bin_directory / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
            script.chmod(0o755)
        for name in ("docs", "tests"):
            (directory / name).symlink_to(ROOT / name)
        self._environment = os.environ | {
            "PATH": f"{bin_directory}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")]),
            "COLUMNS": "110",
            "NO_COLOR": "1",
        }
        self._status = 0

    def run(self, text: str) -> Result:
        """Run one command line with bash."""
        if text == STATUS:
            return Result(f"{self._status}\n", 0)
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._status = done.returncode
        return Result(done.stdout, done.returncode)


def transcribe(document: str) -> str:
    """The document with what its commands print here and now."""
    with tempfile.TemporaryDirectory() as directory:
        shell = Shell(Path(directory))
        blocks: dict[int, str] = {}
        for command in commands(document):
            blocks[command.block] = blocks.get(command.block, "") + f"$ {command.text}\n{shell.run(command.text).output}"
    first, *rest = document.split("```console\n")
    return first + "".join(
        f"```console\n{blocks.get(number, '').rstrip()}\n```{part.split('```', 1)[1]}" for number, part in enumerate(rest)
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(transcribe(path.read_text(encoding="utf-8")), encoding="utf-8")
