"""The devices of this machine with everything they offer, and every driver that has none, with the reason."""

from __future__ import annotations

from targetenv.cli.output import print_json, talk
from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, TargetEnvError
from targetenv.model import document
from targetenv.wire.device_writer import FORMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.model.device import Device, Unavailable

EPILOG = "Exit status 3 when no device was found. What -o writes is read by `resolve --device`, `match` and `parse @FILE`."


def add_arguments(parser: ArgumentParser) -> None:
    """Which drivers, and in what form."""
    parser.add_argument("--driver", action="append", default=[], metavar="D", help="ask only this driver; may be repeated")
    parser.add_argument("--to", metavar="FORM", help="json, profile, capsviewer, or a dialect (vk, spirv ...)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it here: a device snapshot, or the texts of --to")
    parser.add_argument(
        "--timeout", type=float, default=20.0, metavar="S", help="seconds for all drivers together (default: 20)"
    )


def run(args: Namespace) -> int:
    """Probe, and print or write."""
    from targetenv_runtime.probing import probe_all

    from targetenv.launch.devices import known_drivers

    devices, unavailable = probe_all(known_drivers(args.driver), timeout=args.timeout)
    if not devices and (args.to not in (None, "json") or args.output):
        raise EnvironmentFailed(*(_absence(driver) for driver in unavailable))
    if args.to in FORMS and args.to != "json":
        text = _as_file(devices, args.to)
    elif args.to not in (None, "json"):
        text = _texts(devices, args.to)
    elif args.output:
        from targetenv.wire.snapshot import write_snapshot

        text = write_snapshot(devices, unavailable).decode()
    elif args.format == "json" or args.to == "json":
        rows = [document.of_unavailable(driver) for driver in unavailable]
        print_json({"devices": [document.of_device(device) for device in devices], "unavailable": rows})
        return 0 if devices else 3
    else:
        text = describe(devices, unavailable)
    if args.output:
        from targetenv.wire.files import write_bytes

        write_bytes(args.output, text.encode())
        talk(f"wrote {args.output}: {_count(len(devices), 'device')}")
        for driver in unavailable:
            talk(f"{driver.driver}: {driver.reason} [{driver.code}]")
    else:
        print(text, end="")
    return 0 if devices else 3


def describe(devices: Sequence[Device], unavailable: Sequence[Unavailable]) -> str:
    """Devices and absent drivers for people."""
    blocks = [_block(device) for device in devices]
    if unavailable:
        lines = ["drivers without a device"]
        for driver in unavailable:
            lines.append(f"  {driver.driver}: {driver.reason} [{driver.code}]")
            lines += [f"    help: {driver.help}"] if driver.help else []
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _block(device: Device) -> str:
    offers = device.offers
    rows = [
        ("runs", ", ".join(sorted(offers.formats))),
        ("api", f"{offers.api} {offers.version}" if offers.version else ""),
        ("instruction set", offers.isa or ""),
        ("extensions", str(len(offers.extensions) or "")),
        ("features", _features(device)),
        ("properties", str(len(offers.properties) or "")),
        ("subgroup sizes", ", ".join(map(str, sorted(offers.subgroup_sizes)))),
        ("matrices", "; ".join(sorted(map(str, offers.matrices)))),
        *[("queue", queue) for queue in device.queues],
        *[("memory", memory) for memory in device.memory],
        *device.identity,
        *device.provenance,
    ]
    simulated = "  (simulated)" if device.simulated else ""
    width = max(len(key) for key, _ in rows)
    return "\n".join(
        [f"{device.uri}  {device.name}{simulated}", *(f"  {key:<{width}}  {value}" for key, value in rows if value)]
    )


def _features(device: Device) -> str:
    offers = device.offers
    if not offers.features:
        return ""
    if offers.denied:
        return f"{len(offers.features)} of {len(offers.features) + len(offers.denied)}"
    return " ".join(sorted(offers.features))


def _as_file(devices: Sequence[Device], form: str) -> str:
    """The devices in one file of a form that others read too; what it cannot say goes to stderr."""
    from targetenv.cli.parse import summary
    from targetenv.wire.device_writer import write_devices

    made = write_devices(devices, form)
    if made.losses:
        talk(summary(made.losses, form, "these devices"))
    return made.text


def _texts(devices: Sequence[Device], dialect: str) -> str:
    from targetenv.cli.environments import environment_of
    from targetenv.cli.parse import summary
    from targetenv.syntax import render

    lines: list[str] = []
    problems: list[TargetEnvError] = []
    for device in devices:
        try:
            made = render(environment_of(device), dialect)
        except TargetEnvError as error:
            problems.append(error)
            continue
        lines.append(f"{made.text}\n")
        if made.losses:
            talk(summary(made.losses, dialect, device.uri))
    if not lines:
        raise problems[0]
    for problem in problems:
        talk(f"note: {problem.diagnostics[0].message}")
    return "".join(lines)


def _absence(driver: Unavailable) -> Diagnostic:
    return Diagnostic(driver.code, f"{driver.driver}: {driver.reason}", help=driver.help)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
