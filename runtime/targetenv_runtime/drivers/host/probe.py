"""The two host devices: one that works in the caller's thread, one that works in threads of its own, as a GPU would."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device, Unavailable
from targetenv_runtime.drivers.host.image import FORMAT


def _device(ordinal: int, name: str, queues: str) -> Device:
    offers = Capabilities(api="host", formats=frozenset({FORMAT}))
    return Device(f"host://{ordinal}", name, "host", offers, simulated=True, queues=(queues,) * QUEUES)


QUEUES = 2
DEVICES = (
    _device(0, "host: Python callables, inline", "any work, done before the call returns"),
    _device(1, "host: Python callables, threaded", "any work, in a thread of the queue's own"),
)


def probe() -> tuple[list[Device], list[Unavailable]]:
    """Both are always there."""
    return list(DEVICES), []
