"""Small worlds for match and resolve: offers and requirements over the same few names, so that they meet, miss and overlap."""

from __future__ import annotations

from hypothesis import strategies as st

from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.model.requirement import (
    AllOf,
    AnyOf,
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsFormat,
    NeedsIsa,
    NeedsLimit,
    NeedsMatrix,
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
    Not,
    Relation,
)
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from targetenv.model.capabilities import PropertyValue
    from targetenv.model.requirement import Requirement

    T = TypeVar("T")

LIMITS = "VkPhysicalDeviceLimits::"
EXTENSIONS = ("VK_KHR_spirv_1_4", "VK_KHR_16bit_storage", "VK_KHR_cooperative_matrix", "VK_EXT_unheard_of")
VULKAN_FEATURES = (
    "VkPhysicalDeviceFeatures::shaderInt64",
    "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16",
    "VkPhysicalDeviceCooperativeMatrixFeaturesKHR::cooperativeMatrix",
    "VkPhysicalDeviceMaintenance4Features::maintenance4",
)
CPU_FEATURES = ("avx2", "avx512f", "amx-int8")
CAPABILITIES = ("Shader", "Int64", "Float16", "GroupNonUniformArithmetic", "CooperativeMatrixKHR", "Kernel")
SPIRV_EXTENSIONS = ("SPV_KHR_16bit_storage", "SPV_KHR_cooperative_matrix")
CPUS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "haswell", "armv8-a", "armv8.2-a")
NVIDIA = ("sm_80", "sm_86", "sm_90", "sm_90a", "sm_100f", "compute_80", "compute_90", "compute_100f")
AMD = ("gfx90a", "gfx942", "gfx9-4-generic", "gfx1310", "gfx13-generic")
ISAS = CPUS + NVIDIA + AMD
OFFERED_ISAS = {"cpu": CPUS, "cuda": ("sm_80", "sm_86", "sm_90", "sm_100", "sm_103"), "rocm": ("gfx90a", "gfx942", "gfx1310")}
SCALARS = {  # name -> the relation that a requirement on it has
    LIMITS + "maxComputeSharedMemorySize": Relation.AT_LEAST,
    LIMITS + "maxStorageBufferRange": Relation.AT_LEAST,
    LIMITS + "nonCoherentAtomSize": Relation.AT_MOST,
    LIMITS + "minStorageBufferOffsetAlignment": Relation.MULTIPLE_OF,
    "VkPhysicalDeviceSubgroupProperties::supportedOperations": Relation.ALL_BITS,
    "VkPhysicalDeviceFloatControlsProperties::shaderDenormPreserveFloat16": Relation.AT_LEAST,
}
SUBGROUP = "VkPhysicalDeviceSubgroupProperties::subgroupSize"  # no limit: which of several sizes a device runs best
SIZES = LIMITS + "maxComputeWorkGroupSize"

numbers = st.sampled_from((1, 2, 4, 7, 8, 64, 16384, 32768, 65536))  # an alignment of 0 does not exist
triples = st.tuples(numbers, numbers, numbers)
versions = st.sampled_from([Version(1, minor) for minor in range(5)])
MATRICES = tuple(CooperativeMatrix(16, 16, k, "f16", "f16", c, c) for k in (8, 16) for c in ("f16", "f32"))
matrices = st.sampled_from(MATRICES)


def subsets(members: tuple[T, ...]) -> st.SearchStrategy[frozenset[T]]:
    """One integer each, which is drawn much faster than a set is."""
    return st.integers(0, 2 ** len(members) - 1).map(
        lambda bits: frozenset(member for place, member in enumerate(members) if bits >> place & 1)
    )


scalar_limits = st.sampled_from(sorted(SCALARS)).flatmap(
    lambda name: st.builds(NeedsLimit, st.just(name), st.just(SCALARS[name]), numbers)
)
exact_limits = st.builds(NeedsLimit, st.sampled_from(sorted(SCALARS)), st.just(Relation.EXACTLY), numbers)
size_limits = st.builds(NeedsLimit, st.just(SIZES), st.just(Relation.AT_LEAST), triples)
growing = st.one_of(
    st.builds(NeedsFormat, st.sampled_from(("spirv", "elf-x86_64"))),
    st.builds(NeedsVersion, st.sampled_from(("vulkan", "spirv")), versions),
    st.builds(NeedsIsa, st.sampled_from(ISAS)),
    st.builds(NeedsExtension, st.sampled_from(EXTENSIONS + SPIRV_EXTENSIONS)),
    st.builds(NeedsCapability, st.sampled_from(CAPABILITIES)),
    st.builds(NeedsFeature, st.sampled_from(VULKAN_FEATURES + CPU_FEATURES)),
    st.builds(NeedsSubgroupSize, st.sampled_from((8, 16, 32, 64))),
    st.builds(NeedsMatrix, matrices),
    scalar_limits,
    size_limits,
)
simple = growing | exact_limits | st.builds(NeedsUnknown, st.sampled_from(("which level it needs", "what it links")))

compounds = st.one_of(
    st.builds(AllOf, st.lists(simple, max_size=3).map(tuple)),
    st.builds(AnyOf, st.lists(simple, max_size=3).map(tuple)),
    st.builds(Not, simple),
)
requirements = st.one_of(simple, simple, simple, compounds)

scalar_tables = st.dictionaries(st.sampled_from(sorted(SCALARS)), numbers)
property_tables = st.builds(
    lambda scalars, sizes, own: tuple(
        Property(name, value)
        for name, value in sorted((scalars | ({SIZES: sizes} if sizes else {}) | ({SUBGROUP: own} if own else {})).items())
    ),
    scalar_tables,
    st.none() | triples,
    st.sampled_from((None, 8, 32)),
)
spirv_environments = st.builds(SpirvEnvironment, versions, subsets(CAPABILITIES), subsets(SPIRV_EXTENSIONS))


STRUCTS = tuple(
    sorted(
        {name.partition("::")[0] for name in VULKAN_FEATURES}
        | {"VkPhysicalDeviceSubgroupProperties", "VkCooperativeMatrixPropertiesKHR", "VkPhysicalDeviceFloatControlsProperties"}
    )
)


def consistent(offers: Capabilities) -> Capabilities:
    """No feature is both offered and denied, the instruction set is the API's, and SPIR-V alone has no second version."""
    version = None if offers.api == "spirv" else offers.version
    sets = OFFERED_ISAS.get(offers.api, ())
    isa = (
        sets[ISAS.index(offers.isa) % len(sets)] if offers.isa in ISAS and sets else offers.isa if offers.isa in sets else None
    )
    return replace(offers, denied=offers.denied - offers.features, version=version, isa=isa)


offers = st.builds(
    Capabilities,
    api=st.sampled_from(("vulkan", "cpu", "spirv", "cuda", "rocm")),
    version=st.none() | versions,
    isa=st.none() | st.sampled_from(ISAS),
    formats=subsets(("spirv", "elf-x86_64")),
    extensions=subsets(EXTENSIONS),
    features=subsets(VULKAN_FEATURES + CPU_FEATURES),
    denied=subsets(VULKAN_FEATURES + CPU_FEATURES),
    properties=property_tables,
    subgroup_sizes=subsets((8, 16, 32, 64)),
    matrices=subsets(MATRICES),
    spirv=st.none() | spirv_environments,
    complete=st.booleans(),
    unstated=subsets(STRUCTS),
).map(consistent)

devices = st.builds(
    Device, st.sampled_from(("vulkan://0", "vulkan://10", "cpu://0")), st.just("a device"), st.just("d"), offers
)
artifacts = st.builds(
    Artifact,
    st.text("abcdef", min_size=1, max_size=3),
    st.sampled_from(("spirv", "elf-x86_64", "cubin", "hsaco")),
    st.text("01", max_size=4),
    st.lists(requirements, max_size=4).map(tuple),
    preference=st.integers(-2, 2),
    size=st.integers(0, 2),
)
variants = st.lists(artifacts, max_size=6, unique_by=lambda one: one.name)


def stronger(less: Capabilities, more: Capabilities) -> Capabilities:
    """`less` with what `more` offers as well: no list and no limit begins (that would be news), limits move the better way."""
    values = {row.name: row.value for row in less.properties}
    for row in more.properties:
        if row.name in values and row.name != SUBGROUP:
            values[row.name] = better(row.name, values[row.name], row.value)
    spirv = less.spirv
    if spirv is not None and more.spirv is not None:
        spirv = SpirvEnvironment(
            max(spirv.version, more.spirv.version),
            spirv.capabilities | more.spirv.capabilities,
            spirv.extensions | more.spirv.extensions,
        )
    return replace(
        less,
        version=less.version if more.version is None or less.version is None else max(less.version, more.version),
        formats=less.formats and less.formats | more.formats,
        extensions=less.extensions | more.extensions,
        features=less.features | more.features,
        denied=less.denied - more.features,
        properties=tuple(Property(name, value) for name, value in sorted(values.items())),
        subgroup_sizes=less.subgroup_sizes and less.subgroup_sizes | more.subgroup_sizes,
        matrices=less.matrices and less.matrices | more.matrices,
        spirv=spirv,
    )


def better(name: str, one: PropertyValue, other: PropertyValue) -> PropertyValue:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return tuple(max(pair) for pair in zip(one, other, strict=True))  # type: ignore[return-value,type-var]
    assert isinstance(one, int)
    assert isinstance(other, int)
    match SCALARS.get(name):
        case Relation.AT_MOST:
            return min(one, other)
        case Relation.ALL_BITS:
            return one | other
        case Relation.MULTIPLE_OF:
            return other if other and one % other == 0 else one
        case _:
            return max(one, other)


def grant(given: Capabilities, need: Requirement) -> Capabilities:
    """`given`, and what `need` asks for."""
    match need:
        case NeedsFormat(name):
            return replace(given, formats=given.formats | {name})
        case NeedsVersion("vulkan", version):
            return replace(given, version=version)
        case NeedsIsa(isa):
            return replace(given, isa=isa)
        case NeedsExtension(name) if not name.startswith("SPV_"):
            return replace(given, extensions=given.extensions | {name})
        case NeedsFeature(name):
            return replace(given, features=given.features | {name}, denied=given.denied - {name})
        case NeedsSubgroupSize(size):
            return replace(given, subgroup_sizes=given.subgroup_sizes | {size})
        case NeedsMatrix(matrix):
            return replace(given, matrices=given.matrices | {matrix})
        case NeedsLimit(name, _, value):
            rows = {row.name: row.value for row in given.properties} | {name: value}
            return replace(given, properties=tuple(Property(*row) for row in sorted(rows.items())))
    spirv = given.spirv or SpirvEnvironment(Version(1, 0))
    match need:
        case NeedsVersion(_, version):
            return replace(given, spirv=replace(spirv, version=version))
        case NeedsCapability(name):
            return replace(given, spirv=replace(spirv, capabilities=spirv.capabilities | {name}))
        case NeedsExtension(name):
            return replace(given, spirv=replace(spirv, extensions=spirv.extensions | {name}))
        case _:
            raise AssertionError(need)
