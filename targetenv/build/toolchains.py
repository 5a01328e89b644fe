"""The toolchains, one row each, and how a step becomes a command: one template for each, one argument on each of its lines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from targetenv.build.step import Command, Missing
from targetenv.build.targets import words
from targetenv.model.record import record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2 import Template

    from targetenv.build.step import Step
    from targetenv.model.target_env import TargetEnv

TEMPLATES = Path(__file__).parent / "templates"


@record
class Toolchain:
    """One way to build: the programs that do it, in order of preference, what they make, and how to get one."""

    name: str
    tools: tuple[str, ...]
    suffix: str
    help: str = ""
    tracks_includes: bool = True


TOOLCHAINS: dict[str, Toolchain] = {
    row.name: row
    for row in (
        Toolchain("glslc", ("glslc",), ".spv", "install glslc: `apt-get install glslc`, or the Vulkan SDK"),
        Toolchain("cc", ("cc", "gcc", "clang"), ".so", "install a C compiler: `apt-get install gcc`"),
        Toolchain("opencl-c", ("cp",), ".cl", tracks_includes=False),  # kept as source: the device's driver compiles it
        Toolchain("prebuilt", ("cp",), "", tracks_includes=False),
    )
}


@record
class Workshop:
    """What commands are made with: where tools are, where headers are, and who reads unusual targets.

    `find_tool` maps a program's name to how it is called, or None when it is not installed.
    """

    find_tool: Callable[[str], Sequence[str] | None]
    understand: Callable[[str], TargetEnv]
    includes: tuple[str, ...] = ()


def command(step: Step, output: str, workshop: Workshop, *, depfile: str | None = None) -> Command | Missing:
    """The command that builds `step` into `output`, or what is missing; a target that cannot be told is a ValueError."""
    toolchain = TOOLCHAINS[step.toolchain]
    told = words(step.toolchain, step.target, workshop.understand)
    called = next((found for name in toolchain.tools if (found := workshop.find_tool(name))), None)
    if called is None:
        return Missing(step, toolchain.tools)
    tool, *before = called
    depfile = depfile if toolchain.tracks_includes else None
    text = template(f"{'prebuilt' if toolchain.tools == ('cp',) else step.toolchain}.j2").render(
        tool=tool,
        source=step.source,
        output=output,
        options=step.options,
        entry_point=step.entry_point,
        includes=workshop.includes if step.toolchain == "cc" else (),
        depfile=depfile,
        environment=told.environment,
        spirv=told.spirv,
        march=told.march,
        level=told.level,
    )
    first, *rest = text.split("\n")
    return Command(step.name, (first, *before, *(line for line in rest if line)), step.source, output, depfile)


@cache
def template(name: str) -> Template:
    """A template of this room; an unknown variable in it is an error."""
    environment = Environment(  # noqa: S701  these are commands, not web pages
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
