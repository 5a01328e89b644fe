"""Why a driver has no devices, in the same words for every driver."""

from __future__ import annotations

from targetenv.model.device import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.ffi.library import LibraryMissing


def no_library(driver: str, missing: LibraryMissing, install: str) -> Unavailable:
    """No candidate could be loaded: each with the dynamic linker's reason."""
    tried = "; ".join(reason for _, reason in missing.tried)
    return Unavailable(driver, "TE5101", f"no {missing.name} library: {tried}", install)


def no_device(driver: str, reason: str, repair: str = "") -> Unavailable:
    """The driver is there and leads to nothing."""
    return Unavailable(driver, "TE5102", reason, repair)


def failed(driver: str, call: str, number: int, name: str) -> Unavailable:
    """A call of the driver's API failed."""
    return Unavailable(driver, "TE5103", f"`{call}` failed: {name} ({number})")


def no_node(driver: str, reason: str, repair: str = "") -> Unavailable:
    """The device's file is not there."""
    return Unavailable(driver, "TE5104", reason, repair)


def no_right(driver: str, node: str, group: str) -> Unavailable:
    """The device's file is there and this user may not open it."""
    return Unavailable(driver, "TE5105", f"`{node}` may not be opened by this user", f"become a member of the group `{group}`")


def no_module(driver: str, module: str, path: str) -> Unavailable:
    """The kernel driver is not loaded."""
    return Unavailable(
        driver, "TE5108", f"the kernel module {module} is not loaded: `{path}` is not there", f"load it: `modprobe {module}`"
    )
