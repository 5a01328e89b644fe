"""Build a package from a targetenv.toml: compile every variant, derive what each requires, and pack them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from targetenv.build.emit import OUTPUT_FOLDER, SYSTEMS, commands_of, emit, output_of
from targetenv.build.execute import execute
from targetenv.build.step import Built, Command, Failed, Missing, Step
from targetenv.build.toolchains import TOOLCHAINS, Workshop
from targetenv.cli.assembly import Declared, Part, assemble, part
from targetenv.cli.documents import of_diagnostic
from targetenv.cli.output import print_json, print_table, size, talk
from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, FormatError, Label, Severity, Source, TargetEnvError
from targetenv.wire.build_config import read_config
from targetenv.wire.files import Output, read_bytes

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.model.requirement import Requirement
    from targetenv.model.target_env import TargetEnv
    from targetenv.wire.build_config import BuildConfig, KernelConfig, VariantConfig

    Result = Built | Missing | Failed

EPILOG = (
    "A variant whose toolchain is missing or fails is reported and left out; the rest is built. --strict makes that an error."
)


def add_arguments(parser: ArgumentParser) -> None:
    """The config and what to do with it."""
    parser.add_argument(
        "config", nargs="?", default="targetenv.toml", help="the build config, or its folder (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", metavar="X.tenv", help="the package to write (default: the package's name, here)")
    parser.add_argument("--strict", action="store_true", help="a variant that cannot be built is an error")
    parser.add_argument("--dry-run", action="store_true", help="print the commands, run nothing")
    parser.add_argument("--emit", choices=SYSTEMS, help="print a build file that makes the same package")
    parser.add_argument(
        "--tool", action="append", default=[], metavar="NAME=PATH", help="use this program, such as cc=clang-19"
    )
    parser.add_argument(
        "--from", dest="folder", metavar="DIR", help="package what was compiled into DIR (emitted build files do this)"
    )


def run(args: Namespace) -> int:
    """Build, or print how."""
    path = Path(args.config)
    config = read_config(str(path / "targetenv.toml" if path.is_dir() else path), toolchains=TOOLCHAINS)
    for kernel in config.kernels:
        for variant in kernel.variants:
            demands(variant)  # what is wrong there is said before anything is compiled
    output = args.output or f"{config.name}.tenv"
    steps = [(kernel, variant, _step(kernel, variant)) for kernel in config.kernels for variant in kernel.variants]
    tools = _tools(args.tool)
    workshop = Workshop(lambda name: tools.get(name) or _installed(name), _understand, _includes())
    plain = [step for _, _, step in steps]
    try:
        if args.dry_run or args.emit:
            lenient = Workshop(lambda name: tools.get(name) or (name,), _understand, workshop.includes)
            print(_plan(config, plain, lenient, output, args), end="")
            return 0
        with Output(output) as file:  # first, so that a place that cannot be written to costs no build
            results = _collected(plain, args.folder) if args.folder else _executed(plain, workshop, config)
            parts, problems = _parts(steps, results)
            if args.strict and problems:
                strict = [_as_error(problem) for problem in problems]
                raise (EnvironmentFailed if any(row.code == "TE4601" for row in strict) else FormatError)(*strict)
            _require_every_kernel(config, parts, problems)
            _, data = assemble(config.name, config.version, [row.kernel for row in config.kernels], parts)
            file.write(data)
    except _CannotTell as error:
        raise FormatError(_pointed(config, steps, error)) from None
    warnings = [*problems, *(warning for row in parts for warning in row.warnings)]
    _report(args, output, steps, parts, warnings, len(data))
    return 0


class _CannotTell(ValueError):
    """A target that a toolchain cannot be told; `step` is the one that asked for it."""


def _step(kernel: KernelConfig, variant: VariantConfig) -> Step:
    name = f"{kernel.kernel.name}/{variant.name}"
    return Step(name, variant.toolchain, variant.source, variant.target, variant.options, variant.entry_point)


def _tools(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`--tool` and the compiler that the environment names, as make does: $CC."""
    tools = {"cc": tuple(shlex.split(os.environ["CC"]))} if os.environ.get("CC", "").strip() else {}
    for pair in pairs:
        name, separator, path = pair.partition("=")
        known = [tool for row in TOOLCHAINS.values() for tool in row.tools]
        if not separator or not path or name not in known:
            advice = f"write `--tool NAME=PATH` with one of {', '.join(f'`{tool}`' for tool in known)}"
            raise TargetEnvError(Diagnostic("TE5200", f"`{pair}` names no tool", help=advice))
        tools[name] = tuple(shlex.split(path))
    return tools


def _installed(name: str) -> tuple[str, ...] | None:
    found = shutil.which(name)
    return (found,) if found else None


def ninja_program() -> str:
    """The program of the ninja package beside this interpreter, or the system's."""
    try:
        import ninja
    except ImportError:
        return shutil.which("ninja") or "ninja"
    return str(Path(ninja.BIN_DIR) / "ninja")


def _understand(text: str) -> TargetEnv:
    from targetenv.syntax import parse

    return parse(text, source_name="<target>").env


def _includes() -> tuple[str, ...]:
    from targetenv_runtime.drivers.cpu import include_directory

    return (str(include_directory()),)


def _plan(config: BuildConfig, steps: Sequence[Step], workshop: Workshop, output: str, args: Namespace) -> str:
    folder = Path(config.folder).resolve()
    root = f"{folder}/" if args.emit == "cmake" else ""
    absolute = [
        Step(row.name, row.toolchain, f"{root}{row.source}", row.target, row.options, row.entry_point) if root else row
        for row in steps
    ]
    made = commands_of(absolute, workshop, f"{root}{OUTPUT_FOLDER}", depfiles=bool(args.emit))
    commands = [row for row in made if isinstance(row, Command)]
    if not args.emit:
        return "".join(f"{shlex.join(row.arguments)}\n" for row in commands)
    here = Path(output).resolve()
    target = str(here) if root else os.path.relpath(here, folder)
    name = Path(config.source.name).name
    program = (sys.executable, "-m", "targetenv", "build", f"{root}{name}", "--from", f"{root}{OUTPUT_FOLDER}", "-o", target)
    package = Command(f"package {target}", program, f"{root}{name}", target)
    return emit(args.emit, commands, package, folder=str(folder))


def _executed(steps: Sequence[Step], workshop: Workshop, config: BuildConfig) -> tuple[Result, ...]:
    from targetenv.build.targets import words

    for step in steps:
        try:
            words(step.toolchain, step.target, _understand)
        except ValueError as error:
            raise _CannotTell(step, error) from error
    return execute(steps, workshop, folder=config.folder, ninja=ninja_program())


def _collected(steps: Sequence[Step], folder: str) -> tuple[Result, ...]:
    return tuple(Built(step, read_bytes(output_of(step, folder))) for step in steps)


def _parts(
    steps: Sequence[tuple[KernelConfig, VariantConfig, Step]], results: Sequence[Result]
) -> tuple[list[Part], list[Diagnostic]]:
    parts, problems = [], []
    for (kernel, variant, step), result in zip(steps, results, strict=True):
        left_out = f"variant `{step.name}` is left out"
        match result:
            case Built(_, data):
                declared = Declared(
                    variant.name,
                    variant.target,
                    variant.entry_point,
                    variant.tile,
                    variant.subgroup_size,
                    variant.preference,
                    demands(variant),
                )
                parts.append(part(kernel.kernel, declared, data, source=variant.source))
            case Missing(_, tools):
                message = f"{left_out}: {' or '.join(tools)} is not installed"
                advice = TOOLCHAINS[variant.toolchain].help
                problems.append(Diagnostic("TE4601", message, help=advice, severity=Severity.WARNING))
            case Failed(_, tool, lines):
                problems.append(
                    Diagnostic("TE4602", f"{left_out}: {tool} failed", notes=("\n".join(lines),), severity=Severity.WARNING)
                )
    return parts, problems


def demands(variant: VariantConfig) -> tuple[Requirement, ...]:
    """What the build config requires of a device for this variant; `ParseError` (TE10, TE13) for a constraint that is wrong."""
    from targetenv.syntax import parse_constraint

    where = f"target of variant `{variant.name}`"
    return tuple(need for text in variant.require for need in parse_constraint(text, source_name=where))


def _require_every_kernel(config: BuildConfig, parts: Sequence[Part], problems: Sequence[Diagnostic]) -> None:
    built = {row.variant.kernel for row in parts}
    lacking = [row.kernel.name for row in config.kernels if row.kernel.name not in built]
    if lacking:
        message = f"no variant of kernel `{'` or `'.join(lacking)}` was built, so no package is written"
        error = EnvironmentFailed if any(row.code == "TE4601" for row in problems) else FormatError
        raise error(
            Diagnostic("TE4606", message, Source(config.source.name, ""), help="repair what the warnings say"), *problems
        )


def _as_error(problem: Diagnostic) -> Diagnostic:
    from targetenv.model.record import replace

    return replace(problem, severity=Severity.ERROR)


def _pointed(config: BuildConfig, steps: Sequence[tuple[KernelConfig, VariantConfig, Step]], error: _CannotTell) -> Diagnostic:
    step, reason = error.args
    place = next(variant._place for _, variant, row in steps if row is step)
    labels = (Label(place),) if place else ()
    if isinstance(reason, TargetEnvError):
        first = reason.diagnostics[0]
        return Diagnostic("TE4508", f"variant `{step.name}`: {first.message}", config.source, labels, help=first.help)
    return Diagnostic("TE4508", str(reason), config.source, labels)


def _report(
    args: Namespace,
    output: str,
    steps: Sequence[tuple[KernelConfig, VariantConfig, Step]],
    parts: Sequence[Part],
    warnings: Sequence[Diagnostic],
    length: int,
) -> None:
    from targetenv.diagnostics.render import render

    made = {(row.variant.kernel, row.variant.name): row.variant for row in parts}
    rows = [(kernel.kernel.name, variant, made.get((kernel.kernel.name, variant.name))) for kernel, variant, _ in steps]
    if args.format == "json":
        variants = [
            {
                "kernel": kernel,
                "variant": config.name,
                "toolchain": config.toolchain,
                "target": list(config.target),
                "built": variant is not None,
                "size": variant.size if variant else None,
                "sha256": variant.sha256 if variant else None,
            }
            for kernel, config, variant in rows
        ]
        print_json(
            {"package": output, "size": length, "variants": variants, "diagnostics": [of_diagnostic(row) for row in warnings]}
        )
    else:
        table = [
            (
                kernel,
                config.name,
                config.toolchain,
                ", ".join(config.target) or "-",
                size(variant.size) if variant else "left out",
            )
            for kernel, config, variant in rows
        ]
        print_table(("kernel", "variant", "toolchain", "target", "size"), table)
    for warning in warnings:
        talk(render(warning))
    talk(f"wrote {output}: {len(parts)} of {len(rows)} variants, {size(length)}")
