"""One line for each device of this machine; with --self-test, a kernel that is really run on each, in each format it loads."""

from __future__ import annotations

from targetenv.cli.output import print_json, print_table
from targetenv.model import document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from targetenv.cli.self_test import Trial
    from targetenv.model.device import Device

EPILOG = "Exit status 3 when there is no device, 1 when a self-test fails."


def add_arguments(parser: ArgumentParser) -> None:
    """Which drivers, and whether to test."""
    parser.add_argument("--driver", action="append", default=[], metavar="D", help="ask only this driver; may be repeated")
    parser.add_argument("--self-test", action="store_true", help="run a kernel on each device, in each format that it loads")


def run(args: Namespace) -> int:
    """List, and test."""
    from targetenv_runtime.probing import probe_all

    from targetenv.launch.devices import known_drivers

    devices, unavailable = probe_all(known_drivers(args.driver))
    tests: list[Trial] = []
    if args.self_test:
        from targetenv.cli.self_test import self_test

        tests = [result for device in devices for result in self_test(device)]
    if args.format == "json":
        fields: dict[str, object] = {
            "devices": [
                {"uri": row.uri, "name": row.name, "driver": row.driver, "simulated": row.simulated} for row in devices
            ],
            "unavailable": [document.of_unavailable(driver) for driver in unavailable],
        }
        if args.self_test:
            fields["self_tests"] = [row.document() for row in tests]
        print_json(fields)
    else:
        if devices:
            print_table(("device", "name", "offers", "loads"), [_row(device) for device in devices])
        for driver in unavailable:
            print(f"no {driver.driver}: {driver.reason} [{driver.code}]")
        if tests:
            print()
            print_table(("device", "format", "self-test", ""), [row.cells() for row in tests])
    if any(row.outcome == "failed" for row in tests):
        return 1
    return 0 if devices else 3


def _row(device: Device) -> tuple[str, str, str, str]:
    offers = device.offers
    what = f"{offers.api} {offers.version}" if offers.version is not None else offers.isa or offers.api
    sizes = ", ".join(map(str, sorted(offers.subgroup_sizes)))
    name = f"{device.name} (simulated)" if device.simulated else device.name
    return device.uri, name, f"{what}, subgroups of {sizes}" if sizes else what, ", ".join(sorted(offers.formats))
