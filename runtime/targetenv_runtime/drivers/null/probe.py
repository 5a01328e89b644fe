"""The one null device."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device, Unavailable

NULL = Device(
    uri="null://0",
    name="null: executes nothing",
    driver="null",
    offers=Capabilities(api="null", complete=False),
    simulated=True,
    provenance=(("note", "accepts every format and executes nothing"),),
    queues=("any work, completed at once and left undone", "the same"),
)


def probe() -> tuple[list[Device], list[Unavailable]]:
    """The null device is always there."""
    return [NULL], []
