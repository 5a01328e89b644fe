"""The words of `#vk.target_env`: keys with what they stand for in the Vulkan registry, eras, and what IREE's releases accepted.

Source: iree compiler/src/iree/compiler/Dialect/Vulkan/IR/VulkanBase.td and VulkanAttributes.td through their history
(docs/reference/dialects.md has the commits); what a release accepts was checked by running it.
"""

from __future__ import annotations

from enum import Enum

from targetenv.model.record import record
from targetenv.syntax.device_words import VENDORS


class Kind(Enum):
    """What a key takes as its value."""

    INTEGER = "an integer"
    BITS = "an integer with bits of VkSubgroupFeatureFlagBits"
    SIZE = "three integers, `dense<[X, Y, Z]> : vector<3xi32>`"
    UNIT = "no value, it is a unit"
    MATRICES = "an array of cooperative-matrix properties"


@record
class Key:
    """One key, and the registry's name for it: a member of a feature or property structure."""

    name: str
    kind: Kind
    struct: str = ""
    member: str = ""
    required: bool = False

    @property
    def member_name(self) -> str:
        """The member that this key stands for; most keys are named like it."""
        return self.member or self.name


_LIMITS = "VkPhysicalDeviceLimits"
_CORE = "VkPhysicalDeviceFeatures"
_SUBGROUP = "VkPhysicalDeviceSubgroupProperties"
_SIZE_CONTROL = "VkPhysicalDeviceSubgroupSizeControlProperties"
_16BIT = "VkPhysicalDevice16BitStorageFeatures"
_8BIT = "VkPhysicalDevice8BitStorageFeatures"
_FLOAT16_INT8 = "VkPhysicalDeviceShaderFloat16Int8Features"
_POINTERS = "VkPhysicalDeviceVariablePointersFeatures"

KEYS = (  # in the order in which `#vk.caps` prints them
    Key("maxComputeSharedMemorySize", Kind.INTEGER, _LIMITS, required=True),
    Key("maxComputeWorkGroupInvocations", Kind.INTEGER, _LIMITS, required=True),
    Key("maxComputeWorkGroupSize", Kind.SIZE, _LIMITS, required=True),
    Key("shaderFloat64", Kind.UNIT, _CORE),
    Key("shaderInt16", Kind.UNIT, _CORE),
    Key("shaderInt64", Kind.UNIT, _CORE),
    Key("subgroupFeatures", Kind.BITS, _SUBGROUP, "supportedOperations", required=True),
    Key("subgroupSize", Kind.INTEGER, _SUBGROUP, required=True),
    Key("minSubgroupSize", Kind.INTEGER, _SIZE_CONTROL),
    Key("maxSubgroupSize", Kind.INTEGER, _SIZE_CONTROL),
    Key("storageBuffer16BitAccess", Kind.UNIT, _16BIT),
    Key("storagePushConstant16", Kind.UNIT, _16BIT),
    Key("uniformAndStorageBuffer16BitAccess", Kind.UNIT, _16BIT),
    Key("storageBuffer8BitAccess", Kind.UNIT, _8BIT),
    Key("storagePushConstant8", Kind.UNIT, _8BIT),
    Key("uniformAndStorageBuffer8BitAccess", Kind.UNIT, _8BIT),
    Key("physicalDeviceBufferAddresses", Kind.UNIT, "VkPhysicalDeviceBufferDeviceAddressFeatures", "bufferDeviceAddress"),
    Key("shaderFloat16", Kind.UNIT, _FLOAT16_INT8),
    Key("shaderInt8", Kind.UNIT, _FLOAT16_INT8),
    Key("shaderIntegerDotProduct", Kind.UNIT, "VkPhysicalDeviceShaderIntegerDotProductFeatures"),
    Key("variablePointersStorageBuffer", Kind.UNIT, _POINTERS),
    Key("variablePointers", Kind.UNIT, _POINTERS),
    Key("cooperativeMatrixPropertiesKHR", Kind.MATRICES),
    Key("cooperativeMatrixPropertiesNV", Kind.MATRICES),
)
KEY_BY_NAME = {key.name: key for key in KEYS}
ORDER = {key.name: at for at, key in enumerate(KEYS)}
REQUIRED = tuple(key.name for key in KEYS if key.required)
ERA_A_KEYS = frozenset(
    {"maxComputeWorkGroupInvocations", "maxComputeWorkGroupSize"}
    | {"shaderFloat64", "shaderInt64", "shaderInt16", "shaderFloat16", "shaderInt8"}
)

VERSIONS = ("v1.0", "v1.1", "v1.2", "v1.3", "v1.4")
SUBGROUP_BITS = 0x1FF
ERAS = ("A", "doc", "B", "C")


@record
class Release:
    """What the `vk` dialect of one IREE release accepts, where releases of era C differ."""

    name: str
    extensions: frozenset[str]
    keys: frozenset[str]
    matrices: str  # the key, which also decides the form of its elements

    versions: tuple[str, ...] = ("v1.0", "v1.1", "v1.2", "v1.3")
    vendors: tuple[str, ...] = tuple(vendor for vendor in VENDORS if vendor != "Broadcom")


def _releases() -> dict[str, Release]:
    storage = {"VK_KHR_16bit_storage", "VK_KHR_8bit_storage", "VK_KHR_storage_buffer_storage_class"}
    shader = {"VK_KHR_shader_float16_int8", "VK_KHR_shader_integer_dot_product", "VK_KHR_variable_pointers"}
    every = storage | shader | {"VK_KHR_spirv_1_4", "VK_EXT_subgroup_size_control"}
    keys = {key.name for key in KEYS} - {"physicalDeviceBufferAddresses"}
    nv, khr = "cooperativeMatrixPropertiesNV", "cooperativeMatrixPropertiesKHR"
    rows: dict[str, Release] = {}
    for name in ("20230209", "20230524"):
        extensions = every | {"VK_NV_cooperative_matrix"}
        if name == "20230209":
            extensions -= {"VK_KHR_shader_integer_dot_product"}  # came on 2023-02-28, with its capability key
        dropped = {khr} | ({"shaderIntegerDotProduct"} if name == "20230209" else set())
        rows[name] = Release(name, frozenset(extensions), frozenset(keys - dropped), nv)
    for name in ("20231004", "20231113", "20231218", "20240129"):
        rows[name] = Release(name, frozenset(every | {"VK_KHR_cooperative_matrix"}), frozenset(keys - {nv}), khr)
    for name in ("20240226", "20240410"):
        extensions = every | {"VK_KHR_cooperative_matrix", "VK_KHR_buffer_device_address"}
        rows[name] = Release(name, frozenset(extensions), frozenset(keys - {nv} | {"physicalDeviceBufferAddresses"}), khr)
    return rows


RELEASES = _releases()
