"""A device that stands in for a recorded one: chosen for the one, computed on the other."""

from __future__ import annotations

from targetenv.launch.refusals import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal

    from targetenv_runtime.device import Device

    from targetenv.match.enabling import EnableList
    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device as DeviceInfo
    from targetenv.resolve.choice import Resolution
    from targetenv.resolve.policy import Policy


def recorded(name: str) -> DeviceInfo:
    """The device that a file describes; TE5209 where it describes several."""
    from targetenv.launch.devices import driver_of, find_devices

    if driver_of(name) is not None:
        advice = "leave the stand-in out: this device is here"
        raise refused("TE5209", f"`{name}` is no recorded device, so nothing stands in for it", advice)
    devices, _ = find_devices([name])
    if len(devices) != 1:
        there = ", ".join(device.uri for device in devices)
        raise refused("TE5209", f"`{name}` describes {len(devices)} devices: {there}", "name a file that describes one")
    return devices[0]


def open_in_place_of(
    info: DeviceInfo,
    uri: str,
    artifacts: Mapping[str, Sequence[Artifact]],
    *,
    unknown: Literal["reject", "allow"],
    policy: Policy,
) -> tuple[Device, Resolution]:
    """What the recorded device would run, and the device at `uri`, open to run just that.

    NoCompatibleArtifact (TE3001) where nothing runs on the recorded device, or where the stand-in cannot run what was chosen:
    it never runs anything else in its place.
    """
    from targetenv_runtime.device import open_device

    from targetenv.resolve import require, resolve

    found = require(resolve(artifacts, [info], unknown=unknown, policy=policy))
    names = {choice.kernel: choice.variant for choice in found.choices}
    chosen = {kernel: [row for row in rows if row.name == names[kernel]] for kernel, rows in artifacts.items()}
    asked: list[str] = []

    def decide(here: DeviceInfo) -> EnableList:
        asked.append(here.uri)
        return require(resolve(chosen, [here], unknown=unknown)).enables(here.uri)

    device = open_device(uri, enables=decide)
    try:
        if not asked:  # nothing has to be enabled on this device
            decide(device.info)
    except BaseException:
        device.close()
        raise
    return device, found
