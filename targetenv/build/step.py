"""What is to be built, what that takes, and what came of it."""

from __future__ import annotations

from targetenv.model.record import record


@record
class Step:
    """One executable to build: `source` with `toolchain` for `target`; `name` is unique (`saxpy/v3`)."""

    name: str
    toolchain: str
    source: str
    target: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    entry_point: str | None = None


@record
class Command:
    """One process to run, as its arguments; it makes `output` of `source`. `depfile` lists what else was read, make's way."""

    name: str
    arguments: tuple[str, ...]
    source: str
    output: str
    depfile: str | None = None


@record
class Built:
    """The bytes that a step made."""

    step: Step
    data: bytes


@record
class Missing:
    """A step whose tool is not installed; `tools` are the names that were looked for."""

    step: Step
    tools: tuple[str, ...]


@record
class Failed:
    """A step whose tool refused; `lines` are what it said, first error first."""

    step: Step
    tool: str
    lines: tuple[str, ...]
