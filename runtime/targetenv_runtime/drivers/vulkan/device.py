"""A logical device: what it is opened with, its functions, and whether it is lost."""

from __future__ import annotations

import ctypes

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.version import Version
from targetenv.registry import vulkan as registry
from targetenv.registry import vulkan_abi as abi
from targetenv.registry.extension_closure import closure
from targetenv.registry.vulkan_device import subgroup_sizes
from targetenv_runtime.drivers.vulkan import chain, features
from targetenv_runtime.drivers.vulkan.block import block, floats, strings
from targetenv_runtime.drivers.vulkan.loader import shape
from targetenv_runtime.drivers.vulkan.status import check, failure
from targetenv_runtime.ffi.library import at, function
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from targetenv.model.capabilities import PropertyValue
    from targetenv_runtime.drivers.vulkan.loader import Instance
    from targetenv_runtime.ffi.library import Native

_BUNDLES = tuple(f"VkPhysicalDeviceVulkan1{minor}Features" for minor in (1, 2, 3, 4))
# The properties that the backend looks at; the rest is the probe's business.
_PROPERTIES = (
    "VkPhysicalDeviceFloatControlsProperties",
    "VkPhysicalDeviceMaintenance3Properties",
    "VkPhysicalDeviceMaintenance4Properties",
    "VkPhysicalDeviceSubgroupProperties",
    "VkPhysicalDeviceSubgroupSizeControlProperties",
)


class Plan:
    """What a physical device will be opened with, decided before anything is created.

    `chain` is the memory of a VkPhysicalDeviceFeatures2 with everything that is not enabled set to false, `features` the
    canonical names of what is enabled, `extensions` the names to enable.
    """

    __slots__ = ("chain", "extensions", "features", "values", "version")

    def __init__(
        self,
        instance: Instance,
        physical: ctypes.c_void_p,
        *,
        wanted_features: Collection[str] | None = None,
        wanted_extensions: Collection[str] | None = None,
    ) -> None:
        offered = instance.device_extensions(physical)
        ask_features = instance.query2("vkGetPhysicalDeviceFeatures2")
        ask_properties = instance.query2("vkGetPhysicalDeviceProperties2")
        if ask_features is None or ask_properties is None:
            raise _missing({"VK_KHR_get_physical_device_properties2"}, "the loader")
        self.version = _version(instance, physical)

        def provided(name: str) -> bool:
            return name in offered or (registry.is_version(name) and registry.version(name) <= self.version)

        self.values = chain.values(
            chain.ask(ask_properties, physical, chain.PROPERTIES, chain.available(_PROPERTIES, provided))
        )
        wanted = features.for_compute if wanted_features is None else frozenset(wanted_features).__contains__
        structs = chain.available(_structs(wanted_features, self.version), provided)
        answer = chain.ask(ask_features, physical, chain.FEATURES, structs)
        self.features = frozenset(chain.keep(answer, lambda name: name in features.NEEDED or wanted(name)))
        self.chain = answer
        if missing := (features.NEEDED | frozenset(wanted_features or ())) - self.features:
            raise _missing(missing, "the device")
        extensions = features.EXTENSIONS if wanted_extensions is None else frozenset(wanted_extensions)
        if missing := frozenset(wanted_extensions or ()) - offered.keys():
            raise _missing(missing, "the device", known=offered)
        enabled = {name for name in extensions if name in offered and not self._in_core(name)} | set(wanted_extensions or ())
        enabled |= features.MANDATORY & offered.keys()
        for struct, _ in answer.placed[1:]:
            providers = registry.provided_by(struct)
            if not any(registry.is_version(name) and provided(name) for name in providers):
                enabled.add(next(name for name in providers if name in offered))
        self.extensions = sorted(closure(enabled, offered, self.version))

    def value(self, name: str) -> PropertyValue:
        """A property by its canonical name."""
        return self.values[name]

    def number(self, name: str, default: int = 0) -> int:
        """A property that is a number; `default` where the device does not have it."""
        value = self.values.get(name, default)
        assert isinstance(value, int), name
        return value

    def limit(self, member: str) -> int:
        """A member of VkPhysicalDeviceLimits that is a number."""
        return self.number(f"VkPhysicalDeviceLimits::{member}")

    def triple(self, member: str) -> tuple[int, int, int]:
        """A member of VkPhysicalDeviceLimits that has three numbers."""
        value = self.values[f"VkPhysicalDeviceLimits::{member}"]
        assert isinstance(value, tuple), member
        x, y, z = value
        return int(x), int(y), int(z)

    def _in_core(self, extension: str) -> bool:
        since = registry.core_since(extension)
        return since is not None and since <= self.version


def _structs(wanted: Collection[str] | None, version: Version) -> list[str]:
    """Every feature struct that may have to be chained, none twice: what a bundle of a core version covers is left to it."""
    bundles = [name for name in _BUNDLES if Version(1, max(2, int(name[len("VkPhysicalDeviceVulkan1")]))) <= version]
    covered = {canonical.partition("::")[0] for bundle in bundles for canonical in registry.feature_members(bundle)}
    asked = {name.partition("::")[0] for name in (*(wanted or ()), *features.NEEDED)}
    if wanted is None:
        asked |= features.STRUCTS | {name.partition("::")[0] for name in features.MEMBERS}
    return [*bundles, *sorted(asked - covered - set(bundles) - {"VkPhysicalDeviceFeatures"})]


def _version(instance: Instance, physical: ctypes.c_void_p) -> Version:
    plain = ctypes.create_string_buffer(abi.header("VkPhysicalDeviceProperties")[0])
    instance.command("vkGetPhysicalDeviceProperties")(physical, plain)
    return Version.unpack_vulkan(int.from_bytes(plain.raw[:4], "little"))


def _missing(names: Collection[str], who: str, known: Iterable[str] = ()) -> HalError:
    first, *rest = sorted(names)
    hint = did_you_mean(first, known) if known else ""
    return HalError(
        Code.FAILED_PRECONDITION,
        f"{who} does not offer `{first}`",
        notes=tuple(f"nor `{name}`" for name in rest),
        help=hint or "`targetenv probe --driver vulkan` shows what is offered",
    )


class LogicalDevice:
    """A VkDevice. `call(name)` is one of its functions, `lost` the failure that ended it, if one did."""

    def __init__(self, instance: Instance, physical: ctypes.c_void_p, plan: Plan, family: int, queues: int) -> None:
        self.instance = instance
        self.physical = physical
        self.plan = plan
        self.family = family
        self.lost: HalError | None = None
        self.subgroup_sizes = subgroup_sizes(plan.features, plan.values)
        self.handle = ctypes.c_void_p()
        queue = block(
            "VkDeviceQueueCreateInfo",
            queueFamilyIndex=family,
            queueCount=queues,
            pQueuePriorities=floats([1.0] * queues),
        )
        info = block(
            "VkDeviceCreateInfo",
            pNext=plan.chain.memory,
            queueCreateInfoCount=1,
            pQueueCreateInfos=queue,
            enabledExtensionCount=len(plan.extensions),
            ppEnabledExtensionNames=strings(plan.extensions),
        )
        create = instance.command("vkCreateDevice")
        check("vkCreateDevice", create(physical, info.buffer, None, ctypes.byref(self.handle)))
        self._resolve = function(instance.loader.library.open(), "vkGetDeviceProcAddr", "pointer")
        self._found: dict[str, Native] = {}
        self.destroy = self.call("vkDestroyDevice")

    def has(self, feature: str) -> bool:
        """Whether this feature, given by its canonical name, is enabled."""
        return feature in self.plan.features

    def call(self, name: str) -> Native:
        """A function of this device; where an extension provides it, under the extension's name."""
        found = self._found.get(name)
        if found is None:
            for spelling in (name, f"{name}KHR"):
                address = self._resolve(self.handle, spelling.encode())
                if address:
                    found = self._found[name] = at(address, shape(name))
                    break
            else:
                raise HalError(Code.UNIMPLEMENTED, f"the driver has no `{name}`")
        return found

    def address(self, name: str) -> int:
        """Where a function is that only an enabled extension provides."""
        address: int = self._resolve(self.handle, name.encode())
        return address

    def create(self, name: str, info: ctypes.Array[ctypes.c_char]) -> ctypes.c_uint64:
        """The handle that a `vkCreate...` or `vkAllocate...` function makes."""
        handle = ctypes.c_uint64()
        self.check(name, self.call(name)(self.handle, info, None, ctypes.byref(handle)))
        return handle

    def destroyer(self, name: str) -> Callable[[ctypes.c_uint64], None]:
        """`vkDestroy...` or `vkFree...` of one handle."""
        native = self.call(name)

        def destroy(handle: ctypes.c_uint64) -> None:
            native(self.handle, handle, None)

        return destroy

    def check(self, name: str, result: int) -> None:
        """Raise what a failed call is; a lost device stays lost."""
        if result < 0:
            error = failure(name, result)
            if error.native is not None and error.native[1] == "VK_ERROR_DEVICE_LOST" and self.lost is None:
                self.lost = error
            raise error

    def require(self) -> None:
        """Raise what ended the device, if anything did."""
        if self.lost is not None:
            raise self.lost.again()

    def close(self) -> None:
        """Destroy the device; everything made from it must be gone."""
        if self.handle:
            self.destroy(self.handle, None)
            self.handle = ctypes.c_void_p()
