"""Make a package of executables that are built already; what each requires is derived from its bytes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from targetenv.artifacts import identify, inspect
from targetenv.cli import limits
from targetenv.cli.assembly import Declared, Part, assemble, part
from targetenv.cli.claims import audited, unsaid
from targetenv.cli.documents import of_diagnostic
from targetenv.cli.output import print_json, print_table, size, talk
from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, TargetEnvError
from targetenv.model.formats import file_format
from targetenv.model.record import record
from targetenv.wire.files import Output, read_bytes
from targetenv.wire.package import Binding, Constant, PackagedKernel

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Sequence

    from targetenv.artifacts.containers import Budget
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.artifact import Kernel

EPILOG = (
    "Every kernel in the files becomes a kernel of the package, every file with it a variant; `NAME=FILE` gives the kernel of a"
    " file with one entry point another name. Executables do not say what their parameters are called or which type they have:"
    " they are b0, b1 ... and c0, c1 ... (four bytes each). A targetenv.toml can say more; see `targetenv build`."
)


def add_arguments(parser: ArgumentParser) -> None:
    """The files and the package."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="executables, or KERNEL=FILE")
    parser.add_argument("-o", "--output", required=True, metavar="X.tenv", help="the package to write")
    parser.add_argument("--name", help="the package's name (default: from the output's)")
    parser.add_argument("--package-version", default="0", metavar="V", help="the package's version (default: 0)")
    limits.add_arguments(parser)


def run(args: Namespace) -> int:
    """Pack the files."""
    name = args.name or re.sub(r"\.tenv$", "", os.path.basename(args.output)) or "package"  # noqa: PTH119
    with Output(args.output) as output:
        odd: list[Diagnostic] = []
        kernels, parts = _collect(args.files, lambda: limits.budget(args), odd)
        _, data = assemble(name, args.package_version, list(kernels.values()), parts)
        output.write(data)
    warnings = list(dict.fromkeys([*odd, *(warning for row in parts for warning in row.warnings)]))
    if args.format == "json":
        variants = [
            {"kernel": row.variant.kernel, "variant": row.variant.name, "size": row.variant.size, "sha256": row.variant.sha256}
            for row in parts
        ]
        print_json({"package": args.output, "size": len(data), "variants": variants,
                    "diagnostics": [of_diagnostic(warning) for warning in warnings]})  # fmt: skip
    else:
        rows = [(row.variant.kernel, row.variant.name, row.variant.format, size(row.variant.size)) for row in parts]
        print_table(("kernel", "variant", "format", "size"), rows)
    for warning in warnings:
        talk(str(TargetEnvError(warning)))
    talk(f"wrote {args.output}: {len(parts)} variants, {size(len(data))}")
    return 0


def _collect(
    files: Sequence[str], budget: Callable[[], Budget], odd: list[Diagnostic]
) -> tuple[dict[str, PackagedKernel], list[Part]]:
    """The kernels in the files, each with the largest interface that a variant of it has, and the variants.

    What is odd about the files, and where their labels lie, goes to `odd`.
    """
    entries: list[tuple[str, str, str, _Found]] = []
    taken: set[tuple[str, str]] = set()
    for argument in files:
        renamed, separator, path = argument.partition("=")
        path = path if separator else argument
        data = read_bytes(path)
        found = _kernels(data, path, budget(), odd)
        if separator and len(found) != 1:
            message = f"`{path}` has {len(found)} kernels, so `{renamed}=` does not say which is meant"
            raise FormatError(Diagnostic("TE5200", message, help="pass the file without a name"))
        for row in found:
            name = renamed if separator else row.kernel.name
            variant = _variant_name(path, row.place)
            if (name, variant) in taken:
                variant = f"{variant}-{row.leaf.artifacts[0].format}"
            while (name, variant) in taken:
                variant += "_"
            taken.add((name, variant))
            entries.append((name, variant, "!".join((path, *row.place)), row))
    kernels: dict[str, PackagedKernel] = {}
    for name, *_, row in entries:
        kernel = row.kernel
        before = kernels.get(name)
        bindings = max(kernel.bindings or 0, len(before.bindings) if before else 0)
        constants = max(-(-(kernel.constants or 0) // 4), len(before.constants) if before else 0)
        kernels[name] = PackagedKernel(
            name,
            tuple(Constant(f"c{at}", None) for at in range(constants)),
            tuple(Binding(f"b{at}", None) for at in range(bindings)),
            open=kernel.bindings is None or (before is not None and before.open),
        )
    parts = [
        part(
            kernels[name],
            Declared(variant, _claims(row), row.kernel.name, subgroup_size=row.kernel.subgroup_size),
            row.payload,
            source=source,
            inspection=row.leaf,
        )
        for name, variant, source, row in entries
    ]
    return kernels, parts


@record
class _Found:
    """One kernel: the names that lead to its executable through containers, that executable's bytes, what it is."""

    place: tuple[str, ...]
    payload: bytes
    leaf: Inspection
    kernel: Kernel


def _claims(row: _Found) -> tuple[str, ...]:
    """What the container says that the executable is for."""
    target = row.leaf.artifacts[0].target
    return (target,) if target else ()


def _kernels(data: bytes, path: str, budget: Budget, odd: list[Diagnostic]) -> list[_Found]:
    """Every kernel of every executable, through containers; of those that can be read."""
    inspection = inspect(data, name=path, budget=budget)
    odd += [*inspection.diagnostics, *unsaid(audited(inspection, path), inspection.diagnostics)]
    found = []
    for place, leaf, payload in inspection.leaves():
        for artifact in leaf.artifacts:
            if payload is None or identify(payload) == file_format(artifact.format):
                content = data if payload is None else bytes(payload)
                found += [_Found(place, content, leaf, kernel) for kernel in artifact.kernels]
    if not found:
        missing = Diagnostic("TE4605", f"`{path}` holds no kernel", help="pass executables that export one")
        raise FormatError(*(inspection.diagnostics or (missing,)))
    return found


def _variant_name(path: str, place: Sequence[str] = ()) -> str:
    """The names of the file and of what leads to the executable in it, without last suffixes, as a variant may be called."""
    names = [os.path.basename(path), *(name for name in place if name != "module 0")]  # noqa: PTH119
    stem = "-".join(os.path.splitext(name)[0] for name in names)  # noqa: PTH122
    return re.sub(r"[^A-Za-z0-9_.+@-]", "_", stem) or "variant"
