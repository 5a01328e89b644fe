"""Opening a Vulkan device. Only `open` itself: what it needs is imported while the loader loads its drivers."""

from __future__ import annotations

from targetenv_runtime.drivers.vulkan.warm import LIBRARY, warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from targetenv.match.enabling import EnableList
    from targetenv.model.device import Device
    from targetenv_runtime.drivers.vulkan.compute import VulkanBackend
    from targetenv_runtime.ffi.library import Library


def open(  # noqa: A001  the name that every driver's backend has
    selector: str,
    *,
    extensions: Collection[str] | None = None,
    features: Collection[str] | None = None,
    enables: EnableList | Callable[[Device], EnableList] | None = None,
    validation: bool = False,
    queues: int | None = None,
    library: Library = LIBRARY,
) -> VulkanBackend:
    """A device by its place in the loader's order, its UUID (with dashes or without) or its PCI address.

    `extensions` and `features` (canonical names) are enabled exactly as given, on top of what the backend itself cannot do
    without; None enables everything offered that a compute kernel may rely on. `enables` is both in one, or a function that is
    given what the device offers and says it before the device is opened. `queues` is how many of the family's queues are
    used, at most 4 by default. With `validation` the Khronos layer watches: see `VulkanBackend.validation_messages`.
    """
    ready = warm(library)
    from targetenv_runtime.drivers.vulkan import compute

    ready()
    return compute.open_device(
        library, selector, extensions=extensions, features=features, enables=enables, validation=validation, queues=queues
    )
