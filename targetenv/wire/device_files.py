"""Every file that describes a Vulkan device, and our own snapshots of any device, told apart by what is in them.

A file holds one device, several of them (a probe, one document for each GPU) or several profiles. `FILE#NAME` names one.
"""

from __future__ import annotations

import os
import re

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Severity, Source, TargetEnvError
from targetenv.model.record import record
from targetenv.wire.complaints import Complaints
from targetenv.wire.files import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from targetenv.model.device import Device

LARGEST = 64 << 20
SUFFIXES = (".json", ".txt", ".log")
_SNAPSHOT = re.compile(rb'\s*\{\s*"schema"\s*:')


@record
class DeviceFile:
    """One device from a file: what the file says, what kind of file it is, and what is odd about it (warnings).

    `name` is the file's, with `#` and the device's own behind it where the file holds several.
    """

    device: Device
    kind: str
    name: str
    diagnostics: tuple[Diagnostic, ...] = ()


def read_device(data: bytes, *, name: str, select: str | None = None) -> DeviceFile:
    """The device that a file describes; `name` is what diagnostics call it, and the URI of a device that has none.

    `select` names one where the file holds several (a profile, a device's name, a number from 0), as `FILE#NAME` does; without
    it a file of several is TE4307. Raises FormatError (TE4302 to TE4309).
    """
    found = read_all(data, name=name)
    if select is None:
        if len(found) == 1:
            return found[0]
        raise FormatError(_several(found, name, "TE4307", f"the file holds {len(found)} devices"))
    for at, each in enumerate(found):
        if select in (str(at), each.name.partition(f"{name}#")[2], each.device.name, each.device.uri):
            return each
    raise FormatError(_several(found, name, "TE4308", f"the file holds no `{select[:80]}`"))


def read_all(data: bytes, *, name: str) -> tuple[DeviceFile, ...]:
    """Every device in a file, in the file's order; at least one, or FormatError."""
    if _SNAPSHOT.match(data):
        return _snapshot(data, name)
    complaints = Complaints(name)
    from targetenv.wire import loose_json

    text = loose_json.decode(data, complaints)
    if text.lstrip()[:1] in ("{", "["):
        values = loose_json.documents(text, name=name, complaints=complaints)
        if len(values) == 1 and isinstance(values[0], list):
            values = values[0]
        found = [each for value in values for each in _of_object(value, name, complaints)]
        if found:
            return tuple(found)
    raise FormatError(
        Diagnostic(
            "TE4304",
            "the file does not describe a device in any way that is known",
            Source(name, ""),
            help="pass a device snapshot, a Vulkan Profile, what `vulkaninfo` wrote, or a report of vulkan.gpuinfo.org",
        )
    )


def read_path(path: str) -> DeviceFile:
    """The device in the file at `path`, which may be `FILE#NAME` where the file holds several."""
    file, _, select = path.partition("#") if not os.path.exists(path) else (path, "", "")  # noqa: PTH110
    return read_device(read_bytes(file, largest=LARGEST), name=file, select=select or None)


def read_devices(path: str) -> Iterator[DeviceFile | Diagnostic]:
    """Every device in the folder at `path`, in the order of file names; a file that holds none gives a warning instead.

    Folders inside the folder, and files that are named otherwise (`SUFFIXES`), are passed over in silence.
    """
    if not os.path.isdir(path):  # noqa: PTH112
        yield from read_all(read_bytes(path, largest=LARGEST), name=path)
        return
    for entry in sorted(os.listdir(path)):  # noqa: PTH208
        file = os.path.join(path, entry)  # noqa: PTH118
        if not entry.endswith(SUFFIXES) or not os.path.isfile(file):  # noqa: PTH113
            continue
        try:
            yield from read_all(read_bytes(file, largest=LARGEST), name=file)
        except TargetEnvError as error:
            first = error.diagnostics[0]
            message = f"passed over: {first.message} [{first.code}]"
            yield Diagnostic("TE4309", message, Source(file, ""), severity=Severity.WARNING)


def _snapshot(data: bytes, name: str) -> tuple[DeviceFile, ...]:
    from targetenv.wire.snapshot import parse_snapshot

    devices, _ = parse_snapshot(data, name=name)
    several = len(devices) > 1
    return tuple(DeviceFile(device, "snapshot", f"{name}#{device.uri}" if several else name) for device in devices)


def _of_object(value: Any, name: str, complaints: Complaints) -> Iterator[DeviceFile]:
    """The devices in one JSON document."""
    from targetenv.wire import capsviewer

    if isinstance(value, dict) and capsviewer.looks_like(value):
        device = capsviewer.read(value, uri=name, complaints=complaints)
        yield DeviceFile(device, "capsviewer", name, complaints.diagnostics())


def _several(found: tuple[DeviceFile, ...], name: str, code: str, message: str) -> Diagnostic:
    names = [each.name.partition(f"{name}#")[2] or each.device.name for each in found]
    listed = ", ".join(f"`{each}`" for each in names[:20])
    return Diagnostic(code, message, Source(name, ""), notes=(f"it holds {listed}",), help=f"name one: `{name}#{names[0]}`")
