"""Every Vulkan device here. Only `probe` itself: what it needs is imported while the loader loads its drivers."""

from __future__ import annotations

from targetenv_runtime.drivers.vulkan.warm import LIBRARY, warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.device import Device, Unavailable
    from targetenv_runtime.ffi.library import Library


def probe(library: Library = LIBRARY) -> tuple[list[Device], list[Unavailable]]:
    """Every device in the loader's order, or the reason why there is none. Raises nothing for absence.

    A driver that crashes takes the process with it: callers that mind probe in a child process.
    """
    ready = warm(library)
    from targetenv_runtime.drivers.vulkan.survey import survey  # 12 ms, in which the drivers are loaded

    ready()
    return survey(library)
