"""Which variant of each kernel runs on which device, and why not the others."""

from __future__ import annotations

from targetenv.cli.output import print_json
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.resolve.change import Repair
    from targetenv.resolve.choice import RankedKernel, Resolution

EPILOG = "Exit status 0 when every kernel runs on some device, 1 when one runs on none."


def add_arguments(parser: ArgumentParser) -> None:
    """What is to run, and where."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="packages (.tenv), or executables")
    parser.add_argument(
        "--device", action="append", default=[], metavar="DEVICE",
        help="a device (vulkan://0), a driver (vulkan) or a file that describes a device; may be repeated (default: all)",
    )  # fmt: skip
    parser.add_argument("--kernel", action="append", default=[], metavar="NAME", help="only this kernel; may be repeated")
    parser.add_argument("--all", action="store_true", help="show satisfied requirements too, and the rule behind each")
    parser.add_argument(
        "--unknown", choices=("reject", "allow"), default="reject", help="what of variants that are not known to run"
    )


def run(args: Namespace) -> int:
    """Resolve, explain, and say whether everything runs somewhere."""
    from targetenv.launch.devices import find_devices

    kernels = collect(args.files, args.kernel)
    devices, unavailable = find_devices(args.device)
    resolution = resolve(kernels, devices, unavailable=unavailable, unknown=args.unknown)
    if args.format == "json":
        print_json(of_resolution(resolution))
    else:
        print(resolution.explain(everything=args.all))
    chosen = {choice.kernel for choice in resolution.choices if choice.variant is not None}
    return 0 if chosen == set(kernels) else 1


def collect(files: Sequence[str], only: Sequence[str]) -> dict[str, tuple[Artifact, ...]]:
    """Kernel name -> its variants, from packages and executables; TE5201 for a kernel that is in none of them."""
    found: dict[str, list[Artifact]] = {}
    for file in files:
        for kernel, artifacts in _variants(file, alone=len(files) == 1).items():
            found.setdefault(kernel, []).extend(artifacts)
    for name in only:
        if name not in found:
            from targetenv.diagnostics.suggest import did_you_mean

            advice = did_you_mean(name, found) or f"the kernels are {', '.join(found)}"
            raise TargetEnvError(Diagnostic("TE5201", f"there is no kernel `{name}`", help=advice))
    return {kernel: tuple(artifacts) for kernel, artifacts in found.items() if not only or kernel in only}


def of_resolution(resolution: Resolution) -> dict[str, object]:
    """A resolution as JSON."""
    from targetenv.model import document
    from targetenv.resolve.repair import repair_of

    return {
        "chosen": [
            {"kernel": row.kernel, "device": row.device, "variant": row.variant, "because": row.because}
            for row in resolution.choices
        ],
        "verdicts": [
            {
                "kernel": row.kernel,
                "device": row.device.uri,
                "variant": verdict.artifact.name,
                "outcome": verdict.outcome.value,
                "findings": [document.of_finding(finding) for finding in verdict.findings],
            }
            for row in resolution.ranked
            for verdict in row.verdicts
        ],
        "repairs": [_of_repair(row, repair) for row in resolution.ranked for repair in (repair_of(row),) if repair is not None],
        "unavailable": [document.of_unavailable(driver) for driver in resolution.unavailable],
    }


def _of_repair(row: RankedKernel, repair: Repair) -> dict[str, object]:
    from targetenv.model import document

    changes = [
        {
            "means": change.means.name.lower(),
            "text": change.text,
            "paste": list(change.paste),
            "settles": [document.of_requirement(need) for need in change.settles],
        }
        for change in repair.changes
    ]
    return {"kernel": row.kernel, "device": row.device.uri, "variant": repair.variant, "changes": changes}


def _variants(file: str, *, alone: bool) -> dict[str, tuple[Artifact, ...]]:
    """The kernels of one file. In a package variants have names of their own, other files are named by their path."""
    from targetenv.wire.files import read_bytes
    from targetenv.wire.package import PackageFile

    data = read_bytes(file)
    if data[:4] == b"PK\x03\x04":
        with PackageFile(file, data) as opened:
            artifacts = opened.package.artifacts()
        if alone:
            return artifacts
        return {kernel: tuple(_renamed(row, f"{file}:{row.name}") for row in rows) for kernel, rows in artifacts.items()}
    from targetenv.artifacts import inspect

    inspection = inspect(data, name=file)
    if not inspection.artifacts:
        raise TargetEnvError(*inspection.diagnostics)
    found: dict[str, tuple[Artifact, ...]] = {}
    for artifact in inspection.artifacts:
        for kernel in artifact.kernels:
            found[kernel.name] = (*found.get(kernel.name, ()), artifact)
    return found


def _renamed(artifact: Artifact, name: str) -> Artifact:
    from targetenv.model.record import replace

    return replace(artifact, name=name)
