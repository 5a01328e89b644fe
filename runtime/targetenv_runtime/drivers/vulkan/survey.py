"""What every Vulkan device here offers: all features, properties, limits, queues, memory, subgroup sizes, matrices."""

from __future__ import annotations

import ctypes

from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property
from targetenv.model.device import Device, Unavailable
from targetenv.model.version import Version
from targetenv.registry import vulkan as registry
from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_device import identity, subgroup_sizes
from targetenv.registry.vulkan_words import component, scope
from targetenv_runtime.drivers.vulkan import chain, describe
from targetenv_runtime.drivers.vulkan.loader import Instance, Loader, two_calls
from targetenv_runtime.ffi.library import LibraryMissing
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.ffi.library import Library

INSTALL_LOADER = "install the Vulkan loader (Debian and Ubuntu: `libvulkan1`)"
INSTALL_DRIVER = (
    "install the Vulkan driver of your GPU, or Mesa's, which has one for the CPU (Debian and Ubuntu: `mesa-vulkan-drivers`)"
)
# What the loader answers when no driver is installed, or none of them finds anything to drive.
_NO_DRIVER = ("VK_ERROR_INCOMPATIBLE_DRIVER", "VK_ERROR_INITIALIZATION_FAILED")
_MATRICES = "VK_KHR_cooperative_matrix"


def survey(library: Library) -> tuple[list[Device], list[Unavailable]]:
    """Every device in the loader's order, or the reason why there is none."""
    try:
        loader = Loader(library)
        with Instance(loader) as instance:
            devices = [read(instance, physical, index) for index, physical in enumerate(instance.physical_devices())]
    except LibraryMissing as missing:
        return [], [without_loader(missing)]
    except HalError as error:
        return [], [without_device(error)]
    if not devices:
        return [], [Unavailable("vulkan", "TE5102", "the Vulkan drivers find no device", INSTALL_DRIVER)]
    return devices, []


def without_loader(missing: LibraryMissing) -> Unavailable:
    """Why there is no loader: what was tried, each with the dynamic linker's reason."""
    tried = "; ".join(reason for _, reason in missing.tried)
    return Unavailable("vulkan", "TE5101", f"no Vulkan loader: {tried}", INSTALL_LOADER)


def without_device(error: HalError) -> Unavailable:
    """Why a loader gives no device."""
    if error.native is not None and error.native[1] in _NO_DRIVER:
        return Unavailable("vulkan", "TE5102", f"no Vulkan driver that works: {error.message}", INSTALL_DRIVER)
    return Unavailable("vulkan", "TE5103", f"the Vulkan driver failed: {error.message}")


def read(instance: Instance, physical: ctypes.c_void_p, index: int) -> Device:
    """Everything that one physical device says about itself."""
    extensions = instance.device_extensions(physical)
    plain = _plain(instance, physical, "VkPhysicalDeviceProperties")
    version = Version.unpack_vulkan(int.from_bytes(plain.memory[:4], "little"))

    def offered(provider: str) -> bool:
        return provider in extensions or (registry.is_version(provider) and registry.version(provider) <= version)

    ask_features = instance.query2("vkGetPhysicalDeviceFeatures2")
    ask_properties = instance.query2("vkGetPhysicalDeviceProperties2")
    if ask_features is not None and ask_properties is not None:
        features = chain.ask(ask_features, physical, chain.FEATURES, chain.available(abi.feature_structs(), offered))
        properties = chain.ask(ask_properties, physical, chain.PROPERTIES, chain.available(abi.property_structs(), offered))
    else:  # a loader of 1.0, with drivers that cannot be asked for more
        features = _plain(instance, physical, "VkPhysicalDeviceFeatures")
        properties = plain
    values = chain.values(properties)
    true, denied = chain.booleans(features)
    offers = Capabilities(
        api="vulkan",
        version=version,
        formats=frozenset({"spirv"}),
        extensions=frozenset(extensions),
        features=frozenset(true),
        denied=frozenset(denied),
        properties=tuple(Property(name, values[name]) for name in sorted(values)),
        subgroup_sizes=subgroup_sizes(true, values),
        matrices=frozenset(matrices(instance, physical)) if _MATRICES in extensions else frozenset(),
    )
    return Device(
        uri=f"vulkan://{index}",
        name=str(values["VkPhysicalDeviceProperties::deviceName"]),
        driver="vulkan",
        offers=offers,
        identity=identity(values),
        provenance=describe.provenance(values, instance.version),
        queues=describe.queues(instance, physical),
        memory=describe.memory(instance, physical),
    )


def _plain(instance: Instance, physical: ctypes.c_void_p, struct: str) -> chain.Answer:
    """What Vulkan 1.0 has: one struct without a chain."""
    memory = ctypes.create_string_buffer(abi.header(struct)[0])
    instance.command(struct.replace("Vk", "vkGet", 1))(physical, memory)
    return chain.Answer(memory, [(struct, 0)], [])


def matrices(instance: Instance, physical: ctypes.c_void_p) -> list[CooperativeMatrix]:
    """The rows of vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR."""
    name = "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"
    query = instance.find(name)
    if query is None:
        return []
    found = two_calls(name, query, "VkCooperativeMatrixPropertiesKHR", physical)
    return [
        CooperativeMatrix(
            m=found.get("MSize", row),
            n=found.get("NSize", row),
            k=found.get("KSize", row),
            a=component(found.get("AType", row)),
            b=component(found.get("BType", row)),
            c=component(found.get("CType", row)),
            result=component(found.get("ResultType", row)),
            scope=scope(found.get("scope", row)),
            saturating=bool(found.get("saturatingAccumulation", row)),
        )
        for row in range(len(found))
    ]
