"""Which devices are meant: all of this machine, one by its URI, or one that a file describes."""

from __future__ import annotations

import os

from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, FormatError, Source, TargetEnvError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal, TypeAlias

    from targetenv.model.device import Device, Unavailable

    Found: TypeAlias = tuple[tuple[Device, ...], tuple[Unavailable, ...]]


def find_devices(
    wanted: Sequence[str] = (),
    *,
    isolation: Literal["child", "inline"] = "child",
    report: Callable[[Diagnostic], None] | None = None,
) -> Found:
    """The devices that `wanted` names, in that order, and the drivers that have none, with reasons.

    Each is a URI (`vulkan://0`, `cuda://GPU-<uuid>`), the name of a driver for all of its devices (`vulkan`), a file that
    describes a device (`FILE#NAME` where it describes several), or a folder of such files. Nothing wanted means every driver
    that is asked by default. What names nothing is TE5209; a URI whose driver does not answer, or has no such device, is
    EnvironmentFailed with the driver's own reason. `report` is told what is odd about files.
    """
    if not wanted:
        from targetenv_runtime.probing import probe_all

        return probe_all(isolation=isolation)
    devices: dict[Device, None] = {}
    unavailable: dict[Unavailable, None] = {}
    for name in wanted:
        found = _read(name, report) if driver_of(name) is None else _probe(name, isolation)
        devices |= dict.fromkeys(found[0])
        unavailable |= dict.fromkeys(found[1])
    return tuple(devices), tuple(unavailable)


def driver_of(name: str) -> str | None:
    """The driver that a device argument names, None when it is a file; TE5209 when it is neither.

    >>> driver_of("cpu://0"), driver_of("vulkan")
    ('cpu', 'vulkan')
    """
    from targetenv_runtime.drivers.table import DRIVERS

    driver, separator, _ = name.partition("://")
    if driver in DRIVERS and (separator or not os.path.exists(name)):  # noqa: PTH110  pathlib costs 5 ms
        return driver
    file = name if os.path.exists(name) else name.partition("#")[0]  # noqa: PTH110
    if not separator and file and (os.path.exists(file) or file.endswith(".json")):  # noqa: PTH110
        return None
    from targetenv.diagnostics.suggest import did_you_mean

    what = f"there is no driver `{driver}`" if separator else f"`{name}` is neither a device nor a file"
    advice = did_you_mean(driver, DRIVERS) or "name a device (`cpu://0`, see `targetenv devices`) or a file that describes one"
    raise TargetEnvError(Diagnostic("TE5209", what, notes=(f"the drivers are {', '.join(DRIVERS)}",), help=advice))


def known_drivers(names: Sequence[str]) -> Sequence[str] | None:
    """`names`, all of them drivers (else TE5209); None, for the drivers that are asked by default, when there are none."""
    from targetenv_runtime.drivers.table import DRIVERS

    for name in names:
        if name not in DRIVERS:
            from targetenv.diagnostics.suggest import did_you_mean

            advice = did_you_mean(name, DRIVERS) or f"the drivers are {', '.join(DRIVERS)}"
            raise TargetEnvError(Diagnostic("TE5209", f"there is no driver `{name}`", help=advice))
    return names or None


def in_order_of_use(device: Device) -> tuple[int, bool, str]:
    """A key that puts first what a kernel should run on when nobody says: real accelerators, then this processor, then
    programs that stand in for a device; OpenCL behind the others, which drive the same hardware more directly."""
    kind = dict(device.identity).get("deviceType", "")
    if device.simulated:
        place = 5
    elif device.driver == "cpu":
        place = 3
    elif kind == "cpu":
        place = 4
    else:
        place = {"discrete-gpu": 0, "integrated-gpu": 1}.get(kind, 2)
    return place, device.driver == "opencl", device.uri


def _read(path: str, report: Callable[[Diagnostic], None] | None) -> Found:
    """What a file or a folder describes; of a file with several profiles one must be named."""
    from targetenv.wire import device_files

    file, select = device_files.split(path)
    if os.path.isdir(file):  # noqa: PTH112
        found = list(device_files.read_devices(file))
    else:
        data = device_files.contents(file)
        if select is None and device_files.is_snapshot(data):
            from targetenv.wire.snapshot import parse_snapshot  # pydantic: only when a snapshot is named

            return parse_snapshot(data, name=file)
        found = list(device_files.read_one_or_all(data, name=file, select=select))
    devices: list[Device] = []
    for each in found:
        warnings = (each,) if isinstance(each, Diagnostic) else each.diagnostics
        devices += () if isinstance(each, Diagnostic) else (each.device,)
        for warning in warnings if report is not None else ():
            report(warning)  # type: ignore[misc]
    if not devices:
        raise FormatError(Diagnostic("TE4305", "no file in the folder describes a device", Source(file, "")))
    return tuple(devices), ()


def _probe(name: str, isolation: Literal["child", "inline"]) -> Found:
    from targetenv_runtime.probing import probe_all

    driver, _, selector = name.partition("://")
    devices, unavailable = probe_all([driver], isolation=isolation)
    if not selector and (devices or "://" not in name):
        return (devices[:1] if "://" in name else devices), unavailable
    chosen = tuple(device for device in devices if _is(device, name, selector))
    if chosen:
        return chosen, ()
    if not devices and unavailable:
        first = unavailable[0]
        raise EnvironmentFailed(Diagnostic(first.code, f"there is no `{name}`: {first.reason}", help=first.help))
    there = "; ".join(f"{device.uri} ({device.name})" for device in devices)
    advice = f"use `{devices[0].uri}`" if devices else ""
    notes = (f"{driver} has {there or 'no device'}",)
    raise EnvironmentFailed(Diagnostic("TE5211", f"there is no device `{name}`", notes=notes, help=advice))


def _is(device: Device, uri: str, selector: str) -> bool:
    known = {value.lower() for key, value in device.identity if key in ("uuid", "deviceUUID", "pci", "id")}
    return device.uri == uri or selector.lower() in known
