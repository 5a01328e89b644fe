"""The Khronos validation layer, for tests and for whoever writes kernels: what it says is collected, never printed."""

from __future__ import annotations

import ctypes
from struct import unpack_from

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, chained, integers
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.drivers.vulkan.block import Block
    from targetenv_runtime.drivers.vulkan.loader import Instance, Loader

LAYER = "VK_LAYER_KHRONOS_validation"
MESSENGER = "VK_EXT_debug_utils"
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p)


class Messages:
    """Collects warnings and errors of the validation layer, also those about creating and destroying the instance itself.

    The layer calls back into Python, in whichever thread made the call that it complains about. The callback only appends, and
    lives as long as this object, which must outlive the instance.
    """

    def __init__(self, loader: Loader) -> None:
        if LAYER not in loader.layers():
            raise HalError(
                Code.UNAVAILABLE,
                f"the layer `{LAYER}` is not installed",
                help="install it (Debian and Ubuntu: `vulkan-validationlayers`), or open the device without validation",
            )
        self.told: list[str] = []
        self._native = _CALLBACK(self._hear)
        severities = ("WARNING", "ERROR")
        kinds = ("VALIDATION", "PERFORMANCE")  # GENERAL is the loader, about the versions of layers
        self.info = block(
            "VkDebugUtilsMessengerCreateInfoEXT",
            messageSeverity=sum(abi.constant(f"VK_DEBUG_UTILS_MESSAGE_SEVERITY_{name}_BIT_EXT") for name in severities),
            messageType=sum(abi.constant(f"VK_DEBUG_UTILS_MESSAGE_TYPE_{name}_BIT_EXT") for name in kinds),
            pfnUserCallback=ctypes.cast(self._native, ctypes.c_void_p).value or 0,
        )
        self._messenger = ctypes.c_uint64()

    def chain(self) -> Block | None:
        """What a VkInstanceCreateInfo points to: this messenger, and synchronization validation switched on."""
        enable = integers([abi.constant("VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT")])
        features = block("VkValidationFeaturesEXT", enabledValidationFeatureCount=1, pEnabledValidationFeatures=enable)
        first = block("VkDebugUtilsMessengerCreateInfoEXT")
        ctypes.memmove(first.buffer, self.info.buffer, len(self.info.buffer))
        return chained(first, features)

    def listen(self, instance: Instance) -> None:
        """Hear what is said between the creation and the destruction of an instance."""
        create = instance.command("vkCreateDebugUtilsMessengerEXT")
        create(instance.handle, self.info.buffer, None, ctypes.byref(self._messenger))

    def stop(self, instance: Instance) -> None:
        """Stop listening, before the instance is destroyed."""
        instance.command("vkDestroyDebugUtilsMessengerEXT")(instance.handle, self._messenger, None)

    def _hear(self, severity: int, _: int, data: int, __: int) -> int:
        form = abi.layout("VkDebugUtilsMessengerCallbackDataEXT")
        raw = ctypes.string_at(data, form.size)
        (text,) = unpack_from("P", raw, form.field("pMessage").offset)
        error = severity & abi.constant("VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT")
        said = ctypes.string_at(text).decode("utf-8", "replace") if text else ""
        self.told.append(f"{'error' if error else 'warning'}: {said}")
        return 0
