"""What files contain and require: containers opened, requirements derived from bytes, labels held against them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli import limits
from targetenv.cli.claims import audited, audited_variant, of_audited, unsaid
from targetenv.cli.documents import of_diagnostic
from targetenv.cli.output import print_json, size, talk
from targetenv.diagnostics.diagnostic import Diagnostic, Severity, Source, TargetEnvError
from targetenv.diagnostics.render import printable
from targetenv.match.phrases import required
from targetenv.model import document
from targetenv.model.record import record
from targetenv.wire.files import map_bytes

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.artifacts.audit import Audited
    from targetenv.artifacts.containers import Budget
    from targetenv.model.artifact import Kernel
    from targetenv.model.requirement import Requirement
    from targetenv.wire.package import Package, PackagedKernel, PackageFile, Variant

EPILOG = "Exit status 2 when a file cannot be read, is damaged, or is of no known format."


def add_arguments(parser: ArgumentParser) -> None:
    """The files."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="executables and containers of any format that is known")
    parser.add_argument(
        "--claim",
        action="append",
        default=[],
        metavar="TARGET",
        help="what the files are said to be for; may be given repeatedly",
    )
    parser.add_argument(
        "--scan", action="store_true", help="decode the instructions of CPU objects, which bounds what they need from below"
    )
    limits.add_arguments(parser)


@record
class Executable:
    """One executable, wherever it was found: `path` leads to it from the file through containers."""

    format: str
    path: tuple[str, ...]
    size: int
    target: str | None
    requires: tuple[Requirement, ...]
    kernels: tuple[Kernel, ...]
    details: tuple[tuple[str, str], ...] = ()
    reasons: tuple[tuple[Requirement, str], ...] = ()

    def required(self) -> list[document.Document]:
        """The requirements as JSON, with what asks for them where the bytes tell it."""
        because = dict(self.reasons)
        return [
            document.of_requirement(need) | ({"because": because[need]} if need in because else {}) for need in self.requires
        ]


@record
class Report:
    """What one file is."""

    file: str
    format: str
    executables: tuple[Executable, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    package: Package | None = None
    details: tuple[tuple[str, str], ...] = ()
    audit: tuple[Audited, ...] = ()

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "file": self.file,
            "format": self.format,
            "executables": [
                {
                    "format": row.format,
                    "path": list(row.path),
                    "size": row.size,
                    "target": row.target,
                    "requires": row.required(),
                    "kernels": [document.of_kernel(kernel) for kernel in row.kernels],
                    "details": [list(pair) for pair in row.details],
                }
                for row in self.executables
            ],
            "details": [list(pair) for pair in self.details],
            "audit": [of_audited(row) for row in self.audit],
            "diagnostics": [of_diagnostic(diagnostic) for diagnostic in self.diagnostics],
        }


def run(args: Namespace) -> int:
    """Report on every file; one that cannot be read does not hide the others."""
    status = 0
    for place, file in enumerate(args.files):
        try:
            report = examine(file, limits.budget(args, digests=False), args.claim, scan=args.scan)
        except TargetEnvError as error:
            status = 2
            talk(str(error))
            if args.format == "json":
                failed = {"file": file, "format": None, "executables": [], "details": [], "audit": []}
                failed["diagnostics"] = [of_diagnostic(diagnostic) for diagnostic in error.diagnostics]
                print_json(failed, lines=len(args.files) > 1)
            continue
        if args.format == "json":
            print_json(report.document(), lines=len(args.files) > 1)
        else:
            print(("\n" if place else "") + describe(report))
            for diagnostic in report.diagnostics:
                talk(str(TargetEnvError(diagnostic)))
    return status


def examine(file: str, budget: Budget, claimed: Sequence[str] = (), *, scan: bool = False) -> Report:
    """Open one file, and the containers in it; FormatError when it is of no known format, damaged, or above the budget.

    What the file is `claimed` to be for is held against its bytes, as is what its name and its containers say. `scan` decodes
    the instructions of CPU objects.
    """
    from targetenv.artifacts import identify, inspect
    from targetenv.wire.package import PackageFile

    data = map_bytes(file)
    if identify(data) in ("tenv", None) and bytes(data[:4]) == b"PK\x03\x04":
        with PackageFile(file, bytes(data)) as opened:
            return _of_package(file, opened, claimed, budget if scan else None)
    inspection = inspect(data, name=file, budget=budget)
    if scan:
        from targetenv.artifacts.scan import scanned

        inspection = scanned(inspection, data, name=file, budget=budget)
    executables = tuple(
        Executable(row.format, path, row.size, row.target, row.requires, row.kernels, leaf.details, leaf.reasons)
        for path, leaf, _ in inspection.leaves()
        for row in leaf.artifacts
    )
    details = inspection.details if inspection.members or not inspection.artifacts else ()
    rows = audited(inspection, file, claimed)
    warnings = (*inspection.diagnostics, *unsaid(rows, inspection.diagnostics))
    return Report(file, inspection.format, executables, warnings, details=details, audit=rows)


def describe(report: Report) -> str:
    """A report for people, without a trailing newline."""
    package = report.package
    if package is None:
        lines = [f"{report.file}: {report.format}", *_aligned(report.details, "  ")]
        for row in report.executables:
            if row.path:
                lines.append(f"  {' / '.join(row.path)}: {row.format}, {size(row.size)}")
            lines += _lines(row, "    " if row.path else "  ")
        return _text(lines)
    head = f"{report.file}: package {package.name} {package.version}, {_count(len(package.kernels), 'kernel')}, "
    lines = [head + _count(len(package.variants), "variant")]
    for kernel in package.kernels:
        lines.append(f"  {_signature(kernel)}")
        for variant, row in zip(package.variants, report.executables, strict=True):
            if variant.kernel == kernel.name:
                target = f" for {row.target}" if row.target else ""
                lines.append(f"    {variant.name}: {row.format}{target}, {size(row.size)}")
                lines += _requirements(row, "      ")
    return _text(lines)


def _text(lines: list[str]) -> str:
    """Names come from the file, and must not reach a terminal as a command to it."""
    return "\n".join(map(printable, lines))


def _of_package(file: str, opened: PackageFile, claimed: Sequence[str], scan: Budget | None) -> Report:
    """Every variant: the requirements that the package states, held against what the bytes say."""
    from targetenv.artifacts import inspect
    from targetenv.cli.assembly import Declared, part

    package = opened.package
    executables, warnings = [], []
    audit: list[Audited] = []
    for variant in package.variants:
        kernel = package.kernel(variant.kernel)
        assert kernel is not None, "the manifest was checked"
        declared = Declared(
            variant.name, variant.target, variant.entry_point, variant.tile, variant.subgroup_size, variant.preference
        )
        data, place = bytes(opened.payload(variant)), f"{file}:{variant.member}"
        found = part(kernel, declared, data, source=place)
        inspection = inspect(data, name=place)
        if scan is not None:
            from targetenv.artifacts.scan import scanned

            inspection = scanned(inspection, data, name=place, budget=scan)
        rows = audited_variant(inspection, place, variant.member, (*variant.target, *claimed))
        audit += rows
        warnings += [warning for warning in found.warnings if warning.code != "TE4604"]  # the audit says it with its reasons
        warnings += [*_label_audit(variant, found.variant, file), *(row.warning for row in rows if row.warning is not None)]
        (artifact,) = (row for row in package.artifacts(kernel.name)[kernel.name] if row.name == variant.name)
        executables.append(
            Executable(variant.format, (variant.member,), variant.size, artifact.target, variant.requires, artifact.kernels)
        )
    return Report(file, "tenv", tuple(executables), tuple(warnings), package, audit=tuple(audit))


def _label_audit(stated: Variant, found: Variant, file: str) -> list[Diagnostic]:
    hidden = [required(requirement) for requirement in found.requires if requirement not in stated.requires]
    if stated.format != found.format:
        hidden.insert(0, f"format {found.format}, not {stated.format}")
    if not hidden:
        return []
    message = f"the package does not say that variant `{stated.kernel}/{stated.name}` requires {', '.join(hidden)}"
    advice = "build the package again: its manifest was made by an older targetenv, or changed"
    return [Diagnostic("TE4412", message, Source(file, ""), help=advice, severity=Severity.WARNING)]


def _lines(row: Executable, indent: str) -> list[str]:
    return [*_aligned(row.details, indent), *_requirements(row, indent)]


def _aligned(details: tuple[tuple[str, str], ...], indent: str) -> list[str]:
    width = max((len(key) for key, _ in details), default=0)
    return [f"{indent}{key:<{width}}  {value}" for key, value in details]


def _requirements(row: Executable, indent: str) -> list[str]:
    because = {need: f" ({text})" for need, text in row.reasons}
    return [f"{indent}requires {required(need)}{because.get(need, '')}" for need in row.requires]


def _signature(kernel: PackagedKernel) -> str:
    """`saxpy(a: f32, n: u32 = x.size; x: f32 read, y: f32 readwrite) over [x.size]`."""
    constants = [
        f"{row.name}: {row.dtype or '?'}" + (f" = {row.value}" if row.value is not None else "") for row in kernel.constants
    ]
    bindings = [
        f"{row.name}: {row.dtype or '?'}{list(row.shape) if row.shape is not None else ''} {row.access}".replace("'", "")
        for row in kernel.bindings
    ]
    grid = f" over [{', '.join(map(str, kernel.grid))}]" if kernel.grid is not None else ""
    parameters = "; ".join(filter(None, [", ".join(constants), ", ".join([*bindings, *(["..."] if kernel.open else [])])]))
    return f"{kernel.name}({parameters}){grid}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
