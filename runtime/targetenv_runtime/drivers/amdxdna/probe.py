"""AMD NPUs that the kernel driver amdxdna has found. Only what sysfs says, so far: no device is opened."""

from __future__ import annotations

from targetenv_runtime.drivers import accelerators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.device import Device, Unavailable


def probe(root: str = "/") -> tuple[list[Device], list[Unavailable]]:
    """The devices in the kernel's order, and for each that cannot be used the reason. `root` is for tests."""
    return accelerators.found("amdxdna", "amdxdna", called="vbnv", otherwise="AMD NPU", root=root)
