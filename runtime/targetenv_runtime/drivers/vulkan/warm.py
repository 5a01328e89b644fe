"""The Vulkan loader, and how its drivers are loaded while Python imports what will speak to them."""

from __future__ import annotations

import ctypes
import sys
from _thread import allocate_lock, start_new_thread

from targetenv_runtime.ffi.library import Library, LibraryMissing, function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_CANDIDATES = {
    "darwin": ("libvulkan.1.dylib", "libvulkan.dylib", "libMoltenVK.dylib"),
    "win32": ("vulkan-1.dll",),
}
LIBRARY = Library("Vulkan loader", _CANDIDATES.get(sys.platform, ("libvulkan.so.1", "libvulkan.so")))


def warm(library: Library) -> Callable[[], object]:
    """Have the loader load every driver, in a thread of its own; call what comes back before using the library.

    Asking for the instance extensions loads all drivers, and the loader keeps them for the instance that follows. That is most
    of what a cold probe takes (18 of 24 ms with Mesa's four drivers), is spent outside of the interpreter, and needs nothing
    that has to be imported first. What goes wrong here goes wrong again, and is told, when the library is used.
    """
    done = allocate_lock()
    done.acquire()

    def load() -> None:
        try:
            ask = function(library.open(), "vkEnumerateInstanceExtensionProperties")
            ask(None, ctypes.byref(ctypes.c_uint32()), None)
        except (LibraryMissing, AttributeError):
            pass
        finally:
            done.release()

    try:
        start_new_thread(load, ())
    except RuntimeError:  # no more threads: the next call loads the drivers
        done.release()
    return done.acquire
