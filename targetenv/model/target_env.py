"""What a compiler was told, or may be told, about the device to come."""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities
from targetenv.model.record import record
from targetenv.model.triple import Triple


@record
class TargetEnv:
    """A target environment: the capabilities that code may rely on, and the little identity that dialects carry.

    Every dialect of `targetenv.syntax` lowers to this and is raised from it; what one of them cannot say is reported as a loss.
    `device_type` is IREE's word (`CPU`, `DiscreteGPU`, `IntegratedGPU`, `Other`).
    """

    offers: Capabilities
    name: str | None = None
    vendor: str | None = None
    device_type: str | None = None
    device_id: int | None = None
    triple: Triple | None = None
