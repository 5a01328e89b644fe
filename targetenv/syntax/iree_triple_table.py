"""What IREE's triples stand for: one row for each architecture, and the few rules about products and systems.

Source: what iree-compile 20231218.742 and 20240410.859 attach for every combination (`--iree-vulkan-target-triple`).
"""

from __future__ import annotations

from functools import cache

from targetenv.model.record import record
from targetenv.syntax import value as v
from targetenv.syntax.matrix_rows import MatrixRow
from targetenv.syntax.vk_names import KEY_BY_NAME
from targetenv.syntax.vk_settings import Setting, canonical
from targetenv.syntax.vk_target_env import VkTargetEnv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.syntax.vk_settings import SettingValue

PRODUCTS = ("unknown", "a650", "a660", "swiftshader", "moltenvk")
OPERATING_SYSTEMS = ("unknown", "linux", "iOS", "macos", "windows", "android30", "android31")

_STORAGE_16 = ("storageBuffer16BitAccess", "storagePushConstant16", "uniformAndStorageBuffer16BitAccess")
_STORAGE_8 = ("storageBuffer8BitAccess", "storagePushConstant8", "uniformAndStorageBuffer8BitAccess")
_POINTERS = ("variablePointersStorageBuffer", "variablePointers")
_SMALL = ("shaderInt16", *_STORAGE_16, *_STORAGE_8, "shaderFloat16", "shaderInt8", *_POINTERS)
_WIDE = ("shaderFloat64", "shaderInt64", *_SMALL, "shaderIntegerDotProduct")
_DESKTOP = (
    *("VK_KHR_16bit_storage", "VK_KHR_8bit_storage", "VK_KHR_shader_float16_int8", "VK_KHR_shader_integer_dot_product"),
    *("VK_KHR_spirv_1_4", "VK_KHR_storage_buffer_storage_class", "VK_KHR_variable_pointers", "VK_EXT_subgroup_size_control"),
)
_MATRIX = "VK_KHR_cooperative_matrix"
_ADDRESS = "VK_KHR_buffer_device_address"
_LEAST = ("VK_KHR_storage_buffer_storage_class", "VK_KHR_variable_pointers")


@record
class Arch:
    """One architecture: device, limits (shared memory, invocations, size), subgroups (bits, size, smallest, largest)."""

    vendor: str
    kind: str
    shared: int = 16384
    invocations: int = 128
    size: tuple[int, int, int] = (128, 128, 64)
    bits: int = 0x01
    subgroup: int = 32
    range: tuple[int, int] | None = None
    features: tuple[str, ...] = ()
    extensions: tuple[str, ...] = _DESKTOP
    matrices: tuple[str, ...] = ()
    addresses: bool = False  # since 2024-02, where the device has the feature


_CUBE = (1024, 1024, 1024)
_FLAT = (1024, 1024, 64)
_RDNA = Arch("AMD", "DiscreteGPU", 65536, 1024, _CUBE, 0xFF, 64, (32, 64), _WIDE, addresses=True)
_TURING = Arch(
    *("NVIDIA", "DiscreteGPU", 49152, 1024, _FLAT, 0xFF, 32, (32, 32), _WIDE, (*_DESKTOP, _MATRIX)),
    matrices=("8x8x32 i8 i32", "16x16x16 f16 f16", "16x16x16 f16 f32"),
    addresses=True,
)
_ARCHES = {
    "unknown": Arch("Unknown", "Unknown", subgroup=64, extensions=_LEAST),
    "cpu": Arch("Unknown", "CPU"),
    "rdna1": _RDNA,
    "rdna2": _RDNA,
    "rdna3": Arch(
        *("AMD", "DiscreteGPU", 65536, 1024, _CUBE, 0xFF, 64, (32, 64), _WIDE, (*_DESKTOP, _MATRIX)),
        matrices=("16x16x16 i8 i32", "16x16x16 f16 f16", "16x16x16 f16 f32"),
        addresses=True,
    ),
    "m1": Arch(
        *("Apple", "IntegratedGPU", 32768, 1024, _CUBE, 0xBF, 32, None, (*_SMALL, "shaderInt64")),
        tuple(name for name in _DESKTOP if name.partition("_KHR_")[2] not in ("shader_integer_dot_product", "spirv_1_4"))[:-1],
        addresses=True,
    ),
    "valhall": Arch(
        *("ARM", "IntegratedGPU", 32768, 512, (512, 512, 512), 0xCF, 16, None),
        (*_SMALL, "shaderIntegerDotProduct"),
        _DESKTOP[:-1],
    ),
    "turing": _TURING,
    "ampere": _TURING,
    "pascal": Arch(
        *("NVIDIA", "DiscreteGPU", 49152, 1536, (1536, 1024, 64), 0xFF, 32, (32, 32), _WIDE, (*_DESKTOP, _MATRIX)),
        addresses=True,
    ),
    "adreno": Arch(
        *("Qualcomm", "IntegratedGPU", 32768, 1024, _FLAT, 0xBF, 64, None),
        ("shaderInt16", "storageBuffer16BitAccess", "shaderFloat16", "shaderInt8", *_POINTERS),
        (_DESKTOP[0], _DESKTOP[2], *_DESKTOP[4:7]),
    ),
    "arc": Arch(
        *("Intel", "DiscreteGPU", 32768, 1024, _FLAT, 0xFF, 32, (8, 32), (*_SMALL, "shaderIntegerDotProduct")),
        addresses=True,
    ),
}
ARCHES = tuple(_ARCHES)
_WITH_ADDRESS_EXTENSION = frozenset(name for name, arch in _ARCHES.items() if arch.addresses) | {"cpu"}


@cache
def expansion(arch: str, product: str, system: str, release: str) -> VkTargetEnv:
    """The environment of a triple whose parts are known, as a release expands it."""
    row = _ARCHES[arch]
    vendor, bits, subgroup = row.vendor, row.bits, row.subgroup
    extensions, features = list(row.extensions), list(row.features)
    android = system in ("android30", "android31")
    if arch == "cpu" and product == "swiftshader":
        vendor, bits, subgroup = "SwiftShader", 0x3F, 4
        extensions = ["VK_KHR_storage_buffer_storage_class"]
    elif release >= "20240226" and arch in _WITH_ADDRESS_EXTENSION:
        extensions.insert(extensions.index("VK_KHR_storage_buffer_storage_class") + 1, _ADDRESS)
        features += ["physicalDeviceBufferAddresses"] if row.addresses else []
    if system == "android31" and arch == "adreno":
        extensions.append("VK_KHR_8bit_storage")
        features.append("storageBuffer8BitAccess")
    if system == "android31" and arch == "valhall":
        bits = 0xFF
    low = arch == "unknown" or android or product in ("swiftshader", "moltenvk")
    values: dict[str, SettingValue] = {
        "maxComputeSharedMemorySize": row.shared,
        "maxComputeWorkGroupInvocations": row.invocations,
        "maxComputeWorkGroupSize": _size(row.size),
        "subgroupFeatures": bits,
        "subgroupSize": subgroup,
    }
    if row.range is not None:
        values |= {"minSubgroupSize": row.range[0], "maxSubgroupSize": row.range[1]}
    values |= dict.fromkeys(features)
    values["cooperativeMatrixPropertiesKHR"] = tuple(map(_matrix, row.matrices))
    settings = tuple(Setting(key, canonical(KEY_BY_NAME[key]), value) for key, value in values.items())
    return VkTargetEnv("C", "v1.1" if low else "v1.3", 0, tuple(extensions), (vendor, row.kind, None), settings)


def _size(size: tuple[int, int, int]) -> v.Dense:
    literal: v.Value = v.Array(tuple(map(v.Integer, size))) if len(set(size)) > 1 else v.Integer(size[0])
    return v.Dense(literal, v.Shaped("vector", ("3",), v.Word(("i32",))))


def _matrix(text: str) -> MatrixRow:
    shape, operand, result = text.split(" ")
    m, n, k = map(int, shape.split("x"))
    return MatrixRow((m, n, k), (operand, operand, result, result), saturating=False, scope="Subgroup")
