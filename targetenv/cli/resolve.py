"""Which variant of each kernel runs on which device, and why not the others."""

from __future__ import annotations

from targetenv.cli.deciding import add_as_of, add_policy, as_of, policy_of, say_idle
from targetenv.cli.documents import of_alternative, of_enables, of_stack
from targetenv.cli.output import print_json, talk
from targetenv.cli.populations import add_population
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.match.stack import Stack
from targetenv.resolve import resolve
from targetenv.resolve.policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device
    from targetenv.model.lock import Drift
    from targetenv.model.verdict import Finding
    from targetenv.resolve.change import Repair
    from targetenv.resolve.choice import RankedKernel, Resolution

_NEWEST, _NO_POLICY = Stack(), Policy()
EPILOG = "Exit status 0 when every kernel runs on some device, 1 when one runs on none."


def add_question(parser: ArgumentParser) -> None:
    """What is to run, and where: shared with `targetenv lock`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="packages (.tenv), or executables")
    parser.add_argument(
        "--device", action="append", default=[], metavar="DEVICE",
        help="a device (vulkan://0), a driver (vulkan) or a file that describes a device; may be repeated (default: all)",
    )  # fmt: skip
    parser.add_argument("--kernel", action="append", default=[], metavar="NAME", help="only this kernel; may be repeated")
    parser.add_argument(
        "--unknown", choices=("reject", "allow"), default="reject", help="what of variants that are not known to run"
    )


def add_arguments(parser: ArgumentParser) -> None:
    """The question, and how much of the answer is shown."""
    add_question(parser)
    parser.add_argument("--all", action="store_true", help="show satisfied requirements too, and the rule behind each")
    add_as_of(parser)
    add_policy(parser)
    parser.add_argument(
        "--why", action="store_true", help="show what would have met each requirement, and what the device is opened with"
    )
    parser.add_argument(
        "--gaps", action="store_true",
        help="ask every device that targetenv knows by name, and none of this machine: where does no variant run?",
    )  # fmt: skip
    parser.add_argument(
        "--locked", nargs="?", const="targetenv.lock", metavar="FILE",
        help="refuse, with what has changed, unless everything is as `targetenv lock` wrote it (default: targetenv.lock)",
    )  # fmt: skip
    add_population(parser, required=False)
    parser.add_argument(
        "-o", "--output", metavar="FILE",
        help="with --devices: write which variant each device runs, one row for each kernel (.jsonl or .parquet)",
    )  # fmt: skip


def answer(args: Namespace, stack: Stack = _NEWEST, wanted: Policy = _NO_POLICY) -> Resolution:
    """The resolution that the arguments of `add_question` ask for, as of a stack and under a policy."""
    from targetenv.cli.environments import warn
    from targetenv.launch.devices import find_devices

    kernels = collect(args.files, args.kernel)
    devices, unavailable = find_devices(args.device, report=warn)
    return resolve(kernels, devices, unavailable=unavailable, unknown=args.unknown, as_of=stack, policy=wanted)


def run(args: Namespace) -> int:
    """Resolve, explain, and say whether everything runs somewhere and is as it was locked."""
    wanted, stack = policy_of(args), as_of(args)
    if args.gaps and (wanted or stack):
        what = "a policy (--prefer, --pin, --never-jit)" if wanted else "--as-of"
        advice = "name a device with `--device`"
        raise TargetEnvError(Diagnostic("TE5200", f"--gaps and {what} do not go together", help=advice))
    if args.devices:
        from targetenv.cli.fleet import report as report_fleet

        return report_fleet(args, stack, wanted)
    if args.output is not None or args.strict:
        option = "--strict" if args.output is None else "--output"
        raise TargetEnvError(Diagnostic("TE5200", f"`{option}` is about many devices", help="name them: `--devices PATH`"))
    if args.gaps:
        from targetenv.cli.gaps import report

        if args.device or args.locked is not None:
            other = "--device" if args.device else "--locked"
            raise TargetEnvError(
                Diagnostic("TE5200", f"--gaps asks known devices, not those of {other}", help=f"leave `{other}` out")
            )
        report(collect(args.files, args.kernel), as_json=args.format == "json")
        return 0
    resolution = answer(args, stack, wanted)
    say_idle(stack, (row.device.offers.api for row in resolution.ranked))
    changes = _changes(resolution, args) if args.locked is not None else ()
    if args.format == "json":
        from targetenv.cli.lock import of_drift

        print_json(
            of_resolution(resolution, why=args.why)
            | ({} if args.locked is None else {"drift": [of_drift(row) for row in changes]})
        )
    elif not changes:
        print(resolution.explain(everything=args.all, why=args.why))
    if changes:
        from targetenv.diagnostics.render import render

        talk(render(_drifted(changes, resolution, args)))
        return 1
    kernels = {choice.kernel for choice in resolution.choices}
    chosen = {choice.kernel for choice in resolution.choices if choice.variant is not None}
    return 0 if kernels and chosen == kernels else 1


def _changes(resolution: Resolution, args: Namespace) -> tuple[Drift, ...]:
    from targetenv.resolve.lock import drift, lock
    from targetenv.wire.lock import read_lock

    return drift(read_lock(args.locked), lock(resolution, unknown=args.unknown))


def _drifted(changes: Sequence[Drift], resolution: Resolution, args: Namespace) -> Diagnostic:
    """What has changed, then what that does to the choices: the same, or another winner."""
    notes = [f"{row.kind}: {_told(row)}" for row in changes if row.kind != "choice"]
    moved = [f"choice: {_told(row)}" for row in changes if row.kind == "choice"]
    held = ", ".join(f"`{row.kernel}` on {row.device}: {row.variant or 'nothing'}" for row in resolution.choices)
    notes += moved or [f"the choices are the same ({held})"]
    message = f"{args.locked} does not hold: {'another variant would run' if moved else 'what it depends on has changed'}"
    device = "".join(f" --device {name}" for name in args.device)
    accept = (
        f"`targetenv lock {' '.join(args.files)}{device} -o {args.locked}`, with the same options, accepts what is there now"
    )
    return Diagnostic("TE3040", message, notes=tuple(notes), help=accept)


def _told(row: Drift) -> str:
    match row.locked, row.now:
        case "", "there":
            return f"{row.what} is new"
        case "there", "":
            return f"{row.what} is gone"
        case "", now:
            return f"{row.what} is new: {now}"
        case locked, "":
            return f"{row.what} is gone: {locked}"
        case locked, now:
            return f"{row.what}: {locked} -> {now}"


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


def of_resolution(resolution: Resolution, *, why: bool = False) -> dict[str, object]:
    """A resolution as JSON; `why` adds its alternatives to each finding that is not met."""
    from targetenv.model import document
    from targetenv.resolve.repair import repair_of

    numbers = list(dict.fromkeys(row.device for row in resolution.ranked))
    return {
        **of_stack(resolution.as_of),
        **_of_policy(resolution.policy),
        "devices": [
            {"uri": device.uri, "name": device.name, "driver": device.driver, "simulated": device.simulated}
            for device in numbers
        ],
        "chosen": [
            {
                "kernel": row.kernel,
                **_of_device(row.device, numbers),
                "variant": row.choice.variant,
                "because": row.choice.because,
                "rule": row.choice.rule,
                "ambiguous": row.choice.ambiguous,
                "excluded": [{"variant": one.variant, "rule": one.rule, "why": one.why} for one in row.excluded],
                "enables": of_enables(row.enables),
            }
            for row in resolution.ranked
        ],
        "verdicts": [
            {
                "kernel": row.kernel,
                **_of_device(row.device, numbers),
                "variant": verdict.artifact.name,
                "outcome": verdict.outcome.value,
                "findings": [
                    document.of_finding(finding) | (_of_why(finding, row) if why else {}) for finding in verdict.findings
                ],
            }
            for row in resolution.ranked
            for verdict in row.verdicts
        ],
        "repairs": [_of_repair(row, repair) for row in resolution.ranked for repair in (repair_of(row),) if repair is not None],
        "unavailable": [document.of_unavailable(driver) for driver in resolution.unavailable],
    }


def _of_device(device: Device, among: Sequence[Device]) -> dict[str, object]:
    """Which device a row is about: descriptions of several machines may share a URI, so that number and name say which."""
    return {"device": device.uri, "device_name": device.name, "device_number": among.index(device)}


def _of_policy(wanted: Policy) -> dict[str, object]:
    """The field `policy`; nothing where nothing was wanted."""
    if not wanted:
        return {}
    return {"policy": {"prefer": list(wanted.prefer), "pin": dict(wanted.pins), "never_jit": wanted.never_jit}}


def _of_why(finding: Finding, row: RankedKernel) -> dict[str, object]:
    from targetenv.resolve.why import why

    found = why(finding, row)
    if found is None:
        return {}
    return {
        "why": {
            "sentence": found.sentence,
            "alternatives": [of_alternative(each) for each in found.alternatives],
            "repair": found.repair,
        }
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
    from targetenv.artifacts.iree_module import is_module
    from targetenv.wire.files import read_bytes
    from targetenv.wire.package import PackageFile

    data = read_bytes(file)
    if data[:4] == b"PK\x03\x04" and not is_module(data):
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
