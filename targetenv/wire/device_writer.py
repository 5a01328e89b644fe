"""Devices as files of any form that is written: our snapshot, a Vulkan Profile, a report in the capability viewer's shape."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.wire.written import Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.device import Device

FORMS = ("json", "profile", "capsviewer")


def write_devices(devices: Sequence[Device], form: str) -> Written:
    """The text of one of `FORMS`; TE4305 when none of the devices can be said in it."""
    if form == "json":
        from targetenv.wire.snapshot import write_snapshot

        return Written(write_snapshot(devices).decode())
    if not any(device.offers.api == "vulkan" for device in devices):
        message = f"there is no device of Vulkan, and a {form} describes no other"
        raise TargetEnvError(Diagnostic("TE4305", message, help="use `--to json`"))
    if form == "profile":
        from targetenv.wire.profile_writer import write_profile

        return write_profile(devices)
    from targetenv.wire.capsviewer_writer import write_capsviewer

    ours = [device for device in devices if device.offers.api == "vulkan"]
    made = [write_capsviewer(device) for device in ours]
    others = tuple(f"{device.uri}: a device of {device.offers.api}" for device in devices if device not in ours)
    return Written("".join(each.text for each in made), (*(loss for each in made for loss in each.losses), *others))
