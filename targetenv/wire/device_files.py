"""Every file that describes a Vulkan device, and our own snapshots of any device, told apart by what is in them.

A file holds one device, several of them (a probe, one document for each GPU) or several profiles. `FILE#NAME` names one.
"""

from __future__ import annotations

import codecs
import os
import re

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Severity, Source, TargetEnvError
from targetenv.model.record import record
from targetenv.wire import loose_json
from targetenv.wire.complaints import Complaints
from targetenv.wire.files import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.device import Device

LARGEST = 32 << 20  # of one file, unpacked; the largest that any tool writes are 0.5 MiB
SUFFIXES = (".json", ".json.gz", ".txt", ".log")
_GZIP = b"\x1f\x8b"
_MOST_DEVICES = 256  # in one document
_SNAPSHOT = re.compile(rb'\s*\{\s*"schema"\s*:')
_JSON_KEY = re.compile(
    rb'"(VkPhysicalDevice(Properties|Features)|ArrayOfVk\w+|capabilities|extensionName|deviceName|offers)"\s*:'
)
_PRINTED = re.compile(rb"^(VULKANINFO|GPU\d+ *:?)\s*$", re.MULTILINE)


@record
class DeviceFile:
    """One device from a file: what the file says, what kind of file it is, and what is odd about it (warnings).

    `name` is the file's, with `#` and the device's own behind it where the file holds several. `alternatives` are what a
    profile demands beside its device's offers: of each row, all that one of its entries has.
    """

    device: Device
    kind: str
    name: str
    diagnostics: tuple[Diagnostic, ...] = ()
    alternatives: tuple[tuple[Capabilities, ...], ...] = ()


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


def read_one_or_all(data: bytes, *, name: str, select: str | None = None) -> tuple[DeviceFile, ...]:
    """What a device argument means: the devices of a file, all of them but of several profiles the one that is named."""
    if select is None:
        found = read_all(data, name=name)
        if len(found) == 1 or any(each.kind != "profile" for each in found):
            return found
    return (read_device(data, name=name, select=select),)


def is_snapshot(data: bytes) -> bool:
    """Whether this is a snapshot of ours."""
    return _SNAPSHOT.match(data) is not None


def read_all(data: bytes, *, name: str) -> tuple[DeviceFile, ...]:
    """Every device in a file, in the file's order; at least one, or FormatError."""
    if is_snapshot(data):
        return _snapshot(data, name)
    data = _utf8(data)
    complaints = Complaints(name)
    text = loose_json.decode(data, complaints)
    looks_like_json = text.lstrip()[:1] in ("{", "[") or (_JSON_KEY.search(data) and not _PRINTED.search(data))
    found = (_of_json if looks_like_json else _of_text)(text, data, name, complaints)
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
    file, select = split(path)
    return read_device(contents(file), name=file, select=select)


def contents(path: str) -> bytes:
    """The bytes of a device file, unpacked where gzip packed them; TE4301 says why they cannot be had."""
    return unpacked(read_bytes(path, largest=LARGEST), name=path)


def unpacked(data: bytes, *, name: str) -> bytes:
    """The same for bytes that were read already."""
    if not data.startswith(_GZIP):
        return data
    import zlib

    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(data, LARGEST)
    except zlib.error as error:
        raise FormatError(Diagnostic("TE4301", f"cannot unpack the file: {error}", Source(name, ""))) from None
    if not unpacking.eof:
        what = f"has more than {LARGEST} bytes unpacked" if len(plain) == LARGEST else "ends in the middle"
        raise FormatError(Diagnostic("TE4301", f"the file {what}", Source(name, "")))
    return plain


def split(path: str) -> tuple[str, str | None]:
    """The file and the name in `FILE#NAME`; a file that is itself called so is one.

    >>> split("nowhere.json#VP_KHR_roadmap_2022")
    ('nowhere.json', 'VP_KHR_roadmap_2022')
    """
    if "#" not in path or os.path.exists(path):  # noqa: PTH110
        return path, None
    file, _, name = path.partition("#")
    return file, name or None


def describes_devices(data: bytes) -> bool:
    """Whether this is worth reading as a device file: a look at words, for callers who take other texts as well."""
    data = _utf8(data)
    return is_snapshot(data) or _JSON_KEY.search(data) is not None or _PRINTED.search(data) is not None


def _utf8(data: bytes) -> bytes:
    """What PowerShell's `>` writes is UTF-16."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data


def read_devices(path: str) -> Iterator[DeviceFile | Diagnostic]:
    """Every device in the folder at `path`, in the order of file names; a file that holds none gives a warning instead.

    Folders inside the folder, and files that are named otherwise (`SUFFIXES`), are passed over in silence.
    """
    if not os.path.isdir(path):  # noqa: PTH112
        yield from read_all(contents(path), name=path)
        return
    for entry in sorted(os.listdir(path)):  # noqa: PTH208
        file = os.path.join(path, entry)  # noqa: PTH118
        if not entry.endswith(SUFFIXES) or not os.path.isfile(file):  # noqa: PTH113
            continue
        try:
            yield from read_all(contents(file), name=file)
        except TargetEnvError as error:
            first = error.diagnostics[0]
            message = f"passed over: {first.message} [{first.code}]"
            yield Diagnostic("TE4309", message, Source(file, ""), severity=Severity.WARNING)


def _snapshot(data: bytes, name: str) -> tuple[DeviceFile, ...]:
    from targetenv.wire.snapshot import parse_snapshot

    devices, _ = parse_snapshot(data, name=name)
    several = len(devices) > 1
    return tuple(DeviceFile(device, "snapshot", f"{name}#{device.uri}" if several else name) for device in devices)


def _of_json(text: str, data: bytes, name: str, complaints: Complaints) -> list[DeviceFile]:
    values = loose_json.documents(text, name=name, complaints=complaints)
    first = values[0] if len(values) == 1 else None
    if isinstance(first, dict) and "schema" in first and ("device" in first or "devices" in first):
        return list(_snapshot(data, name))  # whose keys somebody sorted
    if isinstance(first, list):
        values = first[:_MOST_DEVICES]
    apart = [f"{name}#{at}" if len(values) > 1 else name for at in range(len(values))]
    return [each for value, uri in zip(values, apart, strict=True) for each in _of_object(value, uri, complaints)]


def _of_text(text: str, _: bytes, name: str, complaints: Complaints) -> list[DeviceFile]:
    from targetenv.wire import vulkaninfo_text

    found = vulkaninfo_text.read(text, name=name, of_file=complaints)
    return [DeviceFile(device, kind, device.uri, noted.diagnostics()) for device, kind, noted in found]


def _of_object(value: Any, uri: str, of_file: Complaints) -> Iterator[DeviceFile]:
    """The devices in one JSON document."""
    from targetenv.wire import capsviewer, devsim, vulkan_profile

    if not isinstance(value, dict):
        return
    complaints = Complaints(uri, of_file)
    if vulkan_profile.looks_like(value):
        profiles = vulkan_profile.names(value)
        for profile in profiles:
            each = uri if len(profiles) == 1 else f"{uri}#{profile}"
            complaints = Complaints(each, of_file)
            device, kind, choices = vulkan_profile.read(value, profile, uri=each, complaints=complaints)
            yield DeviceFile(device, kind, each, complaints.diagnostics(), choices)
    elif devsim.looks_like(value):
        device = devsim.read(value, uri=uri, complaints=complaints)
        yield DeviceFile(device, "vulkaninfo-devsim", uri, complaints.diagnostics())
    elif isinstance(value.get("devices"), list):  # vkjson of Android: what the capability viewer writes, in a list
        for at, each in enumerate(value["devices"][:_MOST_DEVICES]):
            if isinstance(each, dict) and capsviewer.looks_like(each):
                label = f"{uri}#{at}" if len(value["devices"]) > 1 else uri
                complaints = Complaints(label, of_file)
                device = capsviewer.read(each, uri=label, complaints=complaints)
                yield DeviceFile(device, "vkjson", label, complaints.diagnostics())
    elif capsviewer.looks_like(value):
        device = capsviewer.read(value, uri=uri, complaints=complaints)
        yield DeviceFile(device, "capsviewer", uri, complaints.diagnostics())


def _several(found: tuple[DeviceFile, ...], name: str, code: str, message: str) -> Diagnostic:
    names = [each.name.partition(f"{name}#")[2] or each.device.name for each in found]
    listed = ", ".join(f"`{each}`" for each in names[:20])
    return Diagnostic(code, message, Source(name, ""), notes=(f"it holds {listed}",), help=f"name one: `{name}#{names[0]}`")
