"""The Vulkan loader and an instance of it: functions by name, enumerations, physical devices in the loader's order."""

from __future__ import annotations

import ctypes

from targetenv.model.version import Version
from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, room, strings, text
from targetenv_runtime.drivers.vulkan.status import check
from targetenv_runtime.ffi.library import at, function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv_runtime.drivers.vulkan.block import Block
    from targetenv_runtime.ffi.library import Library, Native

PROPERTIES2 = "VK_KHR_get_physical_device_properties2"
PORTABILITY = "VK_KHR_portability_enumeration"
_SHAPES = {"i": "int", "v": "void"}


def shape(name: str) -> str:
    """What a command returns, as `targetenv_runtime.ffi.library.at` calls it."""
    return _SHAPES.get(abi.command(name).code, "pointer")


class Loader:
    """The loader's global functions. LibraryMissing when there is no loader."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._resolve = function(library.open(), "vkGetInstanceProcAddr", "pointer")

    def find(self, name: str, instance: ctypes.c_void_p | None = None) -> Native | None:
        """A global command, or one of `instance`; None when the loader does not know it."""
        address = self._resolve(instance, name.encode())
        return at(address, shape(name)) if address else None

    def version(self) -> int:
        """The packed version of the loader; 1.0 where it cannot say."""
        enumerate_version = self.find("vkEnumerateInstanceVersion")
        packed = ctypes.c_uint32(1 << 22)
        if enumerate_version is not None:
            check("vkEnumerateInstanceVersion", enumerate_version(ctypes.byref(packed)))
        return packed.value

    def extensions(self) -> dict[str, int]:
        """Instance extensions with their revisions, of the loader and of every driver, not of layers."""
        enumerate_extensions = self.find("vkEnumerateInstanceExtensionProperties")
        assert enumerate_extensions is not None, "a global command of Vulkan 1.0"
        return _extensions(
            two_calls("vkEnumerateInstanceExtensionProperties", enumerate_extensions, "VkExtensionProperties", None)
        )

    def layers(self) -> frozenset[str]:
        """The names of the layers that could be enabled."""
        enumerate_layers = self.find("vkEnumerateInstanceLayerProperties")
        assert enumerate_layers is not None, "a global command of Vulkan 1.0"
        found = two_calls("vkEnumerateInstanceLayerProperties", enumerate_layers, "VkLayerProperties")
        return frozenset(text(name) for name, *_ in found.rows())


class Instance:
    """A VkInstance, made for the newest version that the registry tables know and with portability devices enumerated.

    HalError when the loader refuses: UNAVAILABLE with `native="VK_ERROR_INCOMPATIBLE_DRIVER"` is "no driver at all".
    """

    def __init__(
        self, loader: Loader, *, layers: Sequence[str] = (), extensions: Sequence[str] = (), following: Block | None = None
    ) -> None:
        self.loader = loader
        self.version = loader.version()
        offered = loader.extensions()
        self.extensions = tuple(dict.fromkeys([*(name for name in (PROPERTIES2, PORTABILITY) if name in offered), *extensions]))
        # A 1.0 loader refuses any other version; from 1.1 on this is the highest version that is used, whatever the loader's.
        newest = Version.parse(abi.HEADER_VERSION)
        version = self.version if self.version >> 12 == 1 << 10 else newest.major << 22 | newest.minor << 12
        info = block(
            "VkInstanceCreateInfo",
            pNext=following,
            flags=abi.constant("VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR") if PORTABILITY in offered else 0,
            pApplicationInfo=block("VkApplicationInfo", apiVersion=version),
            enabledLayerCount=len(layers),
            ppEnabledLayerNames=strings(layers),
            enabledExtensionCount=len(self.extensions),
            ppEnabledExtensionNames=strings(self.extensions),
        )
        self.handle = ctypes.c_void_p()
        create = loader.find("vkCreateInstance")
        assert create is not None, "a global command of Vulkan 1.0"
        check("vkCreateInstance", create(info.buffer, None, ctypes.byref(self.handle)))
        self._found: dict[str, Native | None] = {}

    def find(self, name: str) -> Native | None:
        """A command of this instance, None when neither the loader nor a driver knows it."""
        if name not in self._found:
            self._found[name] = self.loader.find(name, self.handle)
        return self._found[name]

    def command(self, name: str) -> Native:
        """A command that every instance of this kind has."""
        found = self.find(name)
        assert found is not None, f"{name} is not there"
        return found

    def query2(self, name: str) -> Native | None:
        """A `vkGetPhysicalDevice...2` query: the extension's where it is enabled, else the core's, else None."""
        return self.find(f"{name}KHR" if PROPERTIES2 in self.extensions else name)

    def physical_devices(self) -> tuple[ctypes.c_void_p, ...]:
        """The physical devices, in the loader's order: `vulkan://0` is the first."""
        count = ctypes.c_uint32()
        enumerate_devices = self.command("vkEnumeratePhysicalDevices")
        check("vkEnumeratePhysicalDevices", enumerate_devices(self.handle, ctypes.byref(count), None))
        handles = (ctypes.c_void_p * count.value)()
        check("vkEnumeratePhysicalDevices", enumerate_devices(self.handle, ctypes.byref(count), handles))
        return tuple(ctypes.c_void_p(handle) for handle in handles[: count.value])

    def device_extensions(self, physical: ctypes.c_void_p) -> dict[str, int]:
        """A physical device's extensions with their revisions."""
        name = "vkEnumerateDeviceExtensionProperties"
        return _extensions(two_calls(name, self.command(name), "VkExtensionProperties", physical, None))

    def close(self) -> None:
        """Destroy the instance; whatever was made from it must be gone."""
        if self.handle:
            self.command("vkDestroyInstance")(self.handle, None)
            self.handle = ctypes.c_void_p()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def two_calls(name: str, native: Native, struct: str, *arguments: object) -> Block:
    """Vulkan's enumeration: ask for the count, then for that many structs; again when there were more in between."""
    count = ctypes.c_uint32()
    while True:
        check(name, native(*arguments, ctypes.byref(count), None) or 0)
        found = room(struct, count.value)
        result = native(*arguments, ctypes.byref(count), found.buffer) or 0
        if result != abi.constant("VK_INCOMPLETE"):
            check(name, result)
            return found.first(count.value)


def _extensions(found: Block) -> dict[str, int]:
    return {text(name): revision for name, revision in found.rows()}
