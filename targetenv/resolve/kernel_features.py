"""What compute kernels are written for: the features, limits and subgroup properties that make one target differ from another.

A device offers hundreds of features, most of them for drawing. These are the ones that a compute kernel has variants for;
each is one step that a target may promise or not. `edits` says them as a refinement of a base target
(docs/concepts/target-language.md).
"""

from __future__ import annotations

from targetenv.model.record import record
from targetenv.model.requirement import NeedsFeature, NeedsFormat, NeedsLimit, NeedsSubgroupSize, NeedsVersion, Relation
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.model.requirement import Requirement

FORMAT = NeedsFormat("spirv")
_LIMITS = "VkPhysicalDeviceLimits::"
_OPERATIONS = "VkPhysicalDeviceSubgroupProperties::supportedOperations"
_FEATURES = tuple(
    f"VkPhysicalDevice{name}"
    for name in (
        "Features::shaderInt16",
        "Features::shaderInt64",
        "Features::shaderFloat64",
        "ShaderFloat16Int8Features::shaderInt8",
        "ShaderFloat16Int8Features::shaderFloat16",
        "8BitStorageFeatures::storageBuffer8BitAccess",
        "8BitStorageFeatures::uniformAndStorageBuffer8BitAccess",
        "16BitStorageFeatures::storageBuffer16BitAccess",
        "16BitStorageFeatures::uniformAndStorageBuffer16BitAccess",
        "VariablePointersFeatures::variablePointers",
        "ScalarBlockLayoutFeatures::scalarBlockLayout",
        "BufferDeviceAddressFeatures::bufferDeviceAddress",
        "VulkanMemoryModelFeatures::vulkanMemoryModel",
        "ShaderSubgroupExtendedTypesFeatures::shaderSubgroupExtendedTypes",
        "SubgroupSizeControlFeatures::subgroupSizeControl",
        "SubgroupSizeControlFeatures::computeFullSubgroups",
        "ShaderIntegerDotProductFeatures::shaderIntegerDotProduct",
        "ShaderAtomicInt64Features::shaderBufferInt64Atomics",
        "ShaderAtomicFloatFeaturesEXT::shaderBufferFloat32AtomicAdd",
        "CooperativeMatrixFeaturesKHR::cooperativeMatrix",
    )
)
_STEPS = (("maxComputeWorkGroupInvocations", (256, 512, 1024)), ("maxComputeSharedMemorySize", (32768, 49152, 65536)))

ROWS: tuple[Requirement, ...] = (
    *(NeedsVersion("vulkan", Version(1, minor)) for minor in range(1, 5)),
    *map(NeedsFeature, _FEATURES),
    # VkSubgroupFeatureFlagBits: basic, vote, arithmetic, ballot, shuffle, shuffle relative, clustered
    *(NeedsLimit(_OPERATIONS, Relation.ALL_BITS, 1 << bit) for bit in range(7)),
    *(NeedsSubgroupSize(size) for size in (8, 16, 32, 64, 128)),
    *(NeedsLimit(_LIMITS + name, Relation.AT_LEAST, value) for name, values in _STEPS for value in values),
)


@record
class Refinement:
    """A target in words: a base, and what is promised beyond it."""

    base: str
    edits: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.base} + {{{', '.join(self.edits)}}}" if self.edits else self.base


def refinement(needs: Iterable[Requirement]) -> Refinement:
    """The target that promises exactly these rows.

    >>> str(refinement([ROWS[0], ROWS[4], NeedsSubgroupSize(16), *ROWS[-3:-1]]))
    'vulkan1.1 + {shaderInt16, maxComputeSharedMemorySize = 49152, subgroupSize = 16}'
    """
    version, mask = Version(1, 0), 0
    names: list[str] = []
    limits: dict[str, int] = {}
    sizes: list[int] = []
    for need in needs:
        match need:
            case NeedsVersion(_, wanted):
                version = max(version, wanted)
            case NeedsFeature(name):
                names.append(_short(name))
            case NeedsLimit(name, Relation.ALL_BITS, int(bits)) if name == _OPERATIONS:
                mask |= bits
            case NeedsLimit(name, _, int(value)):
                bare = name.removeprefix(_LIMITS)
                limits[bare] = max(limits.get(bare, 0), value)
            case NeedsSubgroupSize(size):
                sizes.append(size)
    edits = [*names, *(f"{name} = {value}" for name, value in limits.items())]
    edits += [f"supportedOperations = {hex(mask)}"] if mask else []
    edits += [f"subgroupSize = {max(sizes)}"] if sizes else []
    edits += [f"minSubgroupSize = {min(sizes)}", f"maxSubgroupSize = {max(sizes)}"] if len(sizes) > 1 else []
    return Refinement(f"vulkan{version}", tuple(edits))


def _short(feature: str) -> str:
    from targetenv.registry.vulkan import find_feature

    bare = feature.partition("::")[2]
    return bare if len(find_feature(bare)) == 1 else feature
