"""Devices as target environments: what a build config would have to say to build for exactly this device."""

from __future__ import annotations

import os

from targetenv.cli.output import talk
from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, TargetEnvError
from targetenv.match.environment import offers_of
from targetenv.model.record import record, replace
from targetenv.model.target_env import TargetEnv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.device import Device

# PCI vendor IDs, and Google's for SwiftShader, as the words of IREE's dialects.
_VENDORS = {
    0x1002: "AMD",
    0x13B5: "ARM",
    0x106B: "Apple",
    0x14E4: "Broadcom",
    0x1010: "Imagination",
    0x8086: "Intel",
    0x10DE: "NVIDIA",
    0x5143: "Qualcomm",
    0x1AE0: "SwiftShader",
}
_TYPES = {
    "cpu": "CPU",
    "discrete-gpu": "DiscreteGPU",
    "integrated-gpu": "IntegratedGPU",
    "virtual-gpu": "Other",
    "other": "Other",
}
_DIALECTS = {"vulkan": "vk"}


@record
class Environment:
    """What somebody named on the command line: the environment, and the dialect that is its own, where there is one."""

    name: str
    env: TargetEnv
    dialect: str | None


def environment_of(device: Device) -> TargetEnv:
    """The environment that promises everything this device offers.

    >>> from targetenv.model.capabilities import Capabilities
    >>> from targetenv.model.device import Device
    >>> gpu = Device("vulkan://0", "a GPU", "vulkan", Capabilities("vulkan"), identity=(("vendorID", "0x10de"),))
    >>> environment_of(gpu).vendor
    'NVIDIA'
    """
    identity = dict(device.identity)
    return TargetEnv(
        device.offers,
        vendor=_VENDORS.get(_number(identity.get("vendorID", ""))),
        device_type=_TYPES.get(identity.get("deviceType", "")),
        device_id=_number(identity.get("deviceID", "")) or None,
    )


def dialect_of(device: Device) -> str | None:
    """The dialect that is this API's own; None where the caller has to name one."""
    return _DIALECTS.get(device.offers.api)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        return 0


def offers_from(text: str, name: str) -> Capabilities:
    """What a device offers that a text stands for: a device's URI, a file that describes one, or a target in any dialect.

    `name` is what diagnostics call the text. More than one device is TE5209.
    """
    found = environments_from(text, source=name)
    if len(found) != 1:
        there = ", ".join(each.name for each in found)
        raise TargetEnvError(Diagnostic("TE5209", f"`{text}` stands for {len(found)} devices: {there}", help="name one"))
    return found[0].env.offers


def environments_from(text: str, *, source: str = "<argument>") -> tuple[Environment, ...]:
    """Every environment that a text stands for: of one device or target, or of all devices of a driver or in a file."""
    if _names_devices(text):
        from targetenv.launch.devices import find_devices

        devices, unavailable = find_devices([text], report=warn)
        if not devices:
            reasons = [Diagnostic(each.code, f"{each.driver}: {each.reason}", help=each.help) for each in unavailable]
            raise EnvironmentFailed(*reasons)
        alone = len(devices) == 1 and "://" not in text
        return tuple(Environment(text if alone else each.uri, environment_of(each), dialect_of(each)) for each in devices)
    from targetenv.syntax import parse

    parsed = parse(text, source_name=source)
    return (Environment(text, replace(parsed.env, offers=offers_of(parsed.env)), parsed.dialect),)


def _names_devices(text: str) -> bool:
    """Whether a text is a device's URI, a driver, or a file or folder of devices, rather than a target."""
    from targetenv_runtime.drivers.table import DRIVERS

    return "://" in text or text in DRIVERS or text.endswith(".json") or is_file(text) or _is_folder(text)


def _is_folder(text: str) -> bool:
    """A folder's name has a slash here, so that no folder beside a file hides a target."""
    try:
        return "/" in text and os.path.isdir(text)  # noqa: PTH112
    except ValueError:
        return False


def is_file(text: str) -> bool:
    """Whether a file of that name is there, or of the name before a `#`; any text may be asked."""
    try:
        return os.path.isfile(text) or os.path.isfile(text.partition("#")[0])  # noqa: PTH113
    except ValueError:
        return False


def warn(warning: Diagnostic) -> None:
    """Say what is odd about a file that is used all the same."""
    talk(str(TargetEnvError(warning)))
