"""One device: who it is, and what it offers."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.record import record


@record
class Device:
    """A device as a probe saw it, or as a file recorded it.

    `uri` is how commands name it (`vulkan://0`, `cpu://0`). `simulated` devices interpret what they are given without the
    hardware, and say so wherever they are printed. `identity` is what tells this device from its neighbours (UUID, PCI address,
    vendor and device id), `provenance` how the facts came to be (driver and its version, prober, rule tables); both are pairs
    sorted by key. `queues` and `memory` describe queue families and memory heaps in the API's own words.
    """

    uri: str
    name: str
    driver: str
    offers: Capabilities
    simulated: bool = False
    identity: tuple[tuple[str, str], ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()
    queues: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()


@record
class Unavailable:
    """A driver that offers no device here, and why. `code` is a diagnostic code (TE51xx), `help` what would change it."""

    driver: str
    code: str
    reason: str
    help: str = ""
