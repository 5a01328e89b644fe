"""Run commands, as many at a time as there are cores, and collect what they made: ninja does it, in a temporary folder."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from targetenv.build.step import Built, Command, Failed, Missing
from targetenv.build.toolchains import TOOLCHAINS, Workshop, command
from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.build.step import Step

_LINES = 6  # of what a tool said; the rest is rarely about the first error


def execute(steps: Sequence[Step], workshop: Workshop, *, folder: str, ninja: str) -> tuple[Built | Missing | Failed, ...]:
    """What came of each step, in their order. Tools run in `folder`, which sources and options are relative to.

    `ninja` is how that program is called; TE4603 if it cannot be. A step never stops another one. When this is interrupted,
    ninja and the tools are stopped and what they made is removed.
    """
    with TemporaryDirectory(prefix="targetenv-build-", ignore_cleanup_errors=True) as made:
        outputs = [str(Path(made) / f"{at}{TOOLCHAINS[step.toolchain].suffix}") for at, step in enumerate(steps)]
        planned = [command(step, output, workshop) for step, output in zip(steps, outputs, strict=True)]
        _run([row for row in planned if isinstance(row, Command)], Path(made), folder, ninja)
        return tuple(_result(step, row) for step, row in zip(steps, planned, strict=True))


def _run(commands: Sequence[Command], made: Path, folder: str, ninja: str) -> None:
    if not commands:
        return
    lines = [f"builddir = {_path(str(made))}", "rule run", "  command = $line > $out.log 2>&1"]
    for row in commands:
        lines += [f"build {_path(row.output)}: run", f"  line = {_escaped(shlex.join(row.arguments))}"]
    (made / "build.ninja").write_text("\n".join(lines) + "\n")
    try:
        process = subprocess.Popen(  # noqa: S603  the program is ours, its arguments too
            [ninja, "-f", str(made / "build.ninja"), "-k", "0"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        advice = "install it: `pip install ninja`"
        message = f"cannot run ninja: {(error.strerror or str(error)).lower()}"
        raise EnvironmentFailed(Diagnostic("TE4603", message, help=advice)) from error
    try:
        process.wait()
    except BaseException:
        process.terminate()  # ninja stops the tools that it runs
        process.wait(10)
        raise


def _result(step: Step, row: Command | Missing) -> Built | Missing | Failed:
    if isinstance(row, Missing):
        return row
    output = Path(row.output)
    if output.is_file():
        return Built(step, output.read_bytes())
    log = Path(f"{row.output}.log")
    said = log.read_text(errors="replace") if log.is_file() else ""
    return Failed(step, Path(row.arguments[0]).name, _first_errors(said.replace(f"{output.parent}/", "")))


def _first_errors(said: str) -> tuple[str, ...]:
    """The tool's own words from its first error on; all of them where none is called an error."""
    lines = [line.rstrip() for line in said.splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if "error" in line.lower()), 0)
    return tuple(lines[first : first + _LINES]) or ("it said nothing",)


def _escaped(text: str) -> str:
    return text.replace("$", "$$").replace("\n", " ")


def _path(text: str) -> str:
    return _escaped(text).replace(" ", "$ ").replace(":", "$:")
