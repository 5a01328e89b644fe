"""`#spirv.target_env` records as `TargetEnv`s, and back. A Vulkan environment is converted by the Vulkan registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.model.capabilities import Capabilities, Property, SpirvEnvironment
from targetenv.model.record import replace
from targetenv.model.target_env import TargetEnv
from targetenv.model.version import Version
from targetenv.syntax import dense, matrix_rows, mlir_spirv
from targetenv.syntax import value as v
from targetenv.syntax.device_words import VENDORS
from targetenv.syntax.spirv_target_env import SpirvLimit, SpirvTargetEnv
from targetenv.syntax.vk_lowering import subgroup_sizes
from targetenv.syntax.vk_settings import unprovided

if TYPE_CHECKING:
    from targetenv.model.capabilities import CooperativeMatrix, PropertyValue

_LIMITS = {  # the registry's members
    "max_compute_shared_memory_size": ("VkPhysicalDeviceLimits", "maxComputeSharedMemorySize"),
    "max_compute_workgroup_invocations": ("VkPhysicalDeviceLimits", "maxComputeWorkGroupInvocations"),
    "max_compute_workgroup_size": ("VkPhysicalDeviceLimits", "maxComputeWorkGroupSize"),
    "subgroup_size": ("VkPhysicalDeviceSubgroupProperties", "subgroupSize"),
    "min_subgroup_size": ("VkPhysicalDeviceSubgroupSizeControlProperties", "minSubgroupSize"),
    "max_subgroup_size": ("VkPhysicalDeviceSubgroupSizeControlProperties", "maxSubgroupSize"),
}
_DEFAULTS: dict[str, int | tuple[int, ...]] = {
    "max_compute_shared_memory_size": 16384,
    "max_compute_workgroup_invocations": 128,
    "max_compute_workgroup_size": (128, 128, 64),
    "subgroup_size": 32,
}
_APIS = {"Vulkan": "vulkan", "OpenCL": "opencl", "Metal": "metal", "WebGPU": "webgpu"}
_API_WORDS = {api: word for word, api in _APIS.items()}
_I32 = v.Word(("i32",))


def lower(tree: SpirvTargetEnv) -> TargetEnv:
    """What a record means. Limits that are not written have MLIR's defaults, as the compiler reads them."""
    from targetenv.registry import spirv, vulkan

    numbers: dict[str, int | tuple[int, ...]] = dict(_DEFAULTS) if tree.limits is not None else {}
    matrices: set[CooperativeMatrix] = set()
    for limit in tree.limits or ():
        match limit.value:
            case int(value):
                numbers[limit.key] = value
            case v.Array(items):
                numbers[limit.key] = tuple(item.value for item in items if isinstance(item, v.Integer))
            case v.Dense() as literal:
                numbers[limit.key] = dense.elements(literal)
            case rows:
                matrices |= {row.to_model() for row in rows}
    size, low, high = (numbers.get(key) for key in ("subgroup_size", "min_subgroup_size", "max_subgroup_size"))
    properties = [Property(vulkan.property_name(*_LIMITS[key]), value) for key, value in numbers.items() if key in _LIMITS]
    vendor, device_type, device_id = tree.device or (None, None, None)
    return TargetEnv(
        Capabilities(
            api=_APIS.get(tree.api or "", "spirv"),
            formats=frozenset({"spirv"}),
            properties=tuple(sorted(properties, key=lambda each: each.name)),
            subgroup_sizes=subgroup_sizes(_int(size), _int(low), _int(high)),
            matrices=frozenset(matrices),
            spirv=SpirvEnvironment(
                Version.parse(tree.version),
                frozenset(spirv.canonical_capability(name) or name for name in tree.capabilities),
                frozenset(tree.extensions),
            ),
        ),
        vendor=None if vendor == "Unknown" else vendor,
        device_type=None if device_type == "Unknown" else device_type,
        device_id=device_id,
    )


def _int(value: int | tuple[int, ...] | None) -> int | None:
    return value if isinstance(value, int) else None


def with_guarantees(offers: Capabilities) -> Capabilities:
    """A Vulkan environment with the features that its version and extensions bring on every device.

    An environment says what code may rely on; what Vulkan itself demands of every such device need not be said. That includes
    basic subgroup operations in compute shaders from 1.1 on (Vulkan specification, "Required Limits").
    """
    from targetenv.registry import vulkan
    from targetenv.registry.spirv_environment import guaranteed_features

    version = offers.version or Version(1, 0)
    properties = offers.properties
    operations = vulkan.property_name("VkPhysicalDeviceSubgroupProperties", "supportedOperations")
    if version >= Version(1, 1) and offers.property(operations) is None:
        basic = Property(operations, vulkan.bit_value("VK_SUBGROUP_FEATURE_BASIC_BIT"))
        properties = tuple(sorted((*properties, basic), key=lambda each: each.name))
    features = guaranteed_features(version, offers.extensions, offers.features) - offers.denied
    return replace(offers, features=features, properties=properties)


def raise_(env: TargetEnv) -> tuple[SpirvTargetEnv, tuple[str, ...]]:
    """The record (era D) that says most of `env`, and what it cannot say.

    Capabilities come in the order of their numbers, extensions by name.
    """
    from targetenv.registry import spirv, vulkan
    from targetenv.registry.spirv_environment import support

    offers = env.offers
    environment = offers.spirv or support(with_guarantees(offers)).environment
    known = {vulkan.property_name(*names): key for key, names in _LIMITS.items()}
    limits: list[SpirvLimit] = []
    losses: list[str] = []
    for each in offers.properties:
        key = known.get(each.name)
        if key is not None:
            limits.append(SpirvLimit(key, _literal(each.value)))
        elif each.name != vulkan.property_name("VkPhysicalDeviceSubgroupProperties", "supportedOperations"):
            losses.append(f"property `{each.name}`")
    if offers.matrices:
        rows = tuple(matrix_rows.of_model(each, matrix_rows.SPIRV_KHR) for each in sorted(offers.matrices, key=str))
        limits.append(SpirvLimit("cooperative_matrix_properties_khr", rows))
    if offers.spirv is None:
        losses += _unheard(offers)
    vendor = env.vendor or "Unknown"
    if vendor not in VENDORS:
        losses.append(f"vendor `{vendor}`")
        vendor = "Unknown"

    def number(name: str) -> tuple[int, str]:
        found = spirv.capability(name)
        return (found.number if found else 1 << 32, name)

    tree = SpirvTargetEnv(
        "D",
        f"v{environment.version.major}.{environment.version.minor}",
        tuple(mlir_spirv.spelling(name) for name in sorted(environment.capabilities, key=number)),
        tuple(sorted(environment.extensions)),
        _API_WORDS.get(offers.api),
        (vendor, env.device_type, env.device_id),
        tuple(limits),
    )
    return tree, tuple(losses)


def _literal(value: PropertyValue) -> int | v.Array:
    if isinstance(value, tuple):
        return v.Array(tuple(v.Integer(int(each), _I32) for each in value))
    return int(value)


def _unheard(offers: Capabilities) -> list[str]:
    """Features and extensions of Vulkan that enable nothing in SPIR-V, or would if something else were there."""
    from targetenv.registry import spirv
    from targetenv.registry.spirv_environment import conditions_of

    heard = {"VK_KHR_spirv_1_4"}
    for name in spirv.capability_names() | spirv.extension_names():
        for _, subjects, *_rest in conditions_of(name):
            heard.update(subjects)
    losses = [f"extension `{name}`" for name in sorted(offers.extensions) if name not in heard]
    for name in sorted(offers.features):
        lacking = unprovided(name, offers.version or Version(1, 0), offers.extensions)
        if name not in heard:
            losses.append(f"feature `{name}`")
        elif lacking:
            losses.append(f"feature `{name}`, which needs {' or '.join(lacking)}")
    return losses


def within(tree: SpirvTargetEnv, release: int) -> tuple[SpirvTargetEnv, tuple[str, ...]]:
    """The part of a record (era D) that one release of MLIR accepts, and what that leaves out."""
    known = mlir_spirv.names(release)
    capabilities = tuple(mlir_spirv.spelling(name, release) for name in tree.capabilities)
    losses = [f"capability `{name}`" for name in capabilities if name not in known]
    losses += [f"extension `{name}`" for name in tree.extensions if name not in known]
    made = replace(
        tree,
        capabilities=tuple(name for name in capabilities if name in known),
        extensions=tuple(name for name in tree.extensions if name in known),
    )
    return made, tuple(losses)
