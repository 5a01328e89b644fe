"""The same commands as a build file of somebody else's build, for ninja, make or CMake. It builds the same bytes."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath
from typing import TYPE_CHECKING

from targetenv.build.step import Command
from targetenv.build.toolchains import TOOLCHAINS, Workshop, command, template

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.build.step import Missing, Step

SYSTEMS = ("ninja", "cmake", "make")
OUTPUT_FOLDER = "build-out"
_NOTICE = "Written by `targetenv build --emit`; run that again when targetenv.toml changes."


def output_of(step: Step, folder: str) -> str:
    """Where in `folder` an emitted build file puts what a step makes, and where its package command looks for it."""
    return f"{folder}/{step.name}{TOOLCHAINS[step.toolchain].suffix}"


def commands_of(
    steps: Sequence[Step], workshop: Workshop, folder: str = OUTPUT_FOLDER, *, depfiles: bool = True
) -> list[Command | Missing]:
    """The command of each step, with outputs in `folder` and, for build systems, dependency files beside them."""
    pairs = [(step, output_of(step, folder)) for step in steps]
    return [command(step, output, workshop, depfile=f"{output}.d" if depfiles else None) for step, output in pairs]


def emit(system: str, commands: Sequence[Command], package: Command, *, folder: str) -> str:
    """The build file; `package` is the command that makes the package of what the others made.

    ninja and make run it in `folder`, which paths are relative to; CMake is told so, and needs absolute outputs and sources.
    """
    quote, path = _SPELLINGS[system]
    return template(f"{system}.j2").render(
        notice=_NOTICE,
        commands=[_spelt(row, f"build_{at}", quote, path) for at, row in enumerate(commands)],
        package=_spelt(package, "package", quote, path),
        folder=path(folder),
        target=re.sub(r"[^\w.-]", "_", PurePath(package.output).stem),
        folders=sorted({path(str(PurePath(row.output).parent)) for row in commands}),
    )


def _spelt(row: Command, rule: str, quote: Callable[[Sequence[str]], str], path: Callable[[str], str]) -> dict[str, str]:
    return {
        "id": row.name,
        "rule": rule,
        "line": quote(row.arguments),
        "source": path(row.source),
        "output": path(row.output),
        "depfile": path(row.depfile) if row.depfile else "",
    }


def _ninja_line(arguments: Sequence[str]) -> str:
    return shlex.join(arguments).replace("$", "$$")


def _ninja_path(path: str) -> str:
    return path.replace("$", "$$").replace(" ", "$ ").replace(":", "$:")


def _make_line(arguments: Sequence[str]) -> str:
    return shlex.join(arguments).replace("$", "$$")


def _make_path(path: str) -> str:
    return path.replace("$", "$$").replace(" ", "\\ ").replace("#", "\\#")


def _cmake_path(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace(";", "\\;")
    return f'"{escaped}"'


def _cmake_line(arguments: Sequence[str]) -> str:
    return " ".join(map(_cmake_path, arguments))


_SPELLINGS: dict[str, tuple[Callable[[Sequence[str]], str], Callable[[str], str]]] = {
    "ninja": (_ninja_line, _ninja_path),
    "make": (_make_line, _make_path),
    "cmake": (_cmake_line, _cmake_path),
}
