"""Worlds for the lattice of capabilities: devices of one API, over names in which promotion and guarantees matter."""

from __future__ import annotations

from hypothesis import strategies as st

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsCapability, NeedsExtension, NeedsFeature
from tests.property import worlds

# Promoted extensions that a newer device need not list, and one that the core took in as an optional feature only.
EXTENSIONS = (
    *worlds.EXTENSIONS,
    "VK_KHR_shader_draw_parameters",
    "VK_KHR_draw_indirect_count",
    "VK_KHR_variable_pointers",
    "VK_KHR_shader_float16_int8",
    "VK_AMD_gpu_shader_half_float",
)
FEATURES = (
    *worlds.VULKAN_FEATURES,
    "VkPhysicalDeviceShaderDrawParametersFeatures::shaderDrawParameters",
    "VkPhysicalDeviceVulkan12Features::drawIndirectCount",
    "VkPhysicalDeviceVariablePointersFeatures::variablePointersStorageBuffer",
)
EXACT = "VkPhysicalDeviceFloatControlsProperties::denormBehaviorIndependence"
OPERATIONS = "VkPhysicalDeviceSubgroupProperties::supportedOperations"
CAPABILITIES = ("DrawParameters", "VariablePointersStorageBuffer", "Float16", "DenormPreserve")


def of_api(api: str) -> st.SearchStrategy[Capabilities]:
    """Offers of one API."""
    formats = frozenset({"spirv"} if api in ("vulkan", "spirv") else {"elf-x86_64"})  # the API's own goes without saying
    return worlds.offers.map(lambda one: worlds.consistent(replace(one, api=api, formats=formats | one.formats)))


def _vulkan(one: Capabilities, extensions: frozenset[str], features: frozenset[str], independence: int) -> Capabilities:
    # Every device of Vulkan 1.1 has basic subgroup operations.
    masks = [Property(row.name, int(row.value) | 1) if row.name == OPERATIONS else row for row in one.properties]  # type: ignore[arg-type]
    rows = tuple(sorted((*masks, Property(EXACT, independence)), key=lambda row: row.name))
    denied = one.denied - features
    return replace(one, extensions=extensions, features=features, denied=denied, properties=rows)


vulkan = st.builds(_vulkan, of_api("vulkan"), worlds.subsets(EXTENSIONS), worlds.subsets(FEATURES), st.integers(0, 1))
# What a probe finds out: everything, and the same limits of every device.
probed = st.builds(
    lambda one, version, limits: replace(one, version=version, complete=True, unstated=frozenset(), properties=limits),
    vulkan,
    worlds.versions,
    st.tuples(*[worlds.numbers for _ in worlds.SCALARS], worlds.triples).map(
        lambda values: tuple(
            Property(name, value) for name, value in sorted(zip((*worlds.SCALARS, worlds.SIZES), values, strict=True))
        )
    ),
)


@st.composite
def alike(draw: st.DrawFn, count: int) -> tuple[Capabilities, ...]:
    """Devices of one API."""
    api = draw(st.sampled_from(("vulkan", "vulkan", "cpu", "rocm", "cuda", "spirv")))
    return tuple(draw(vulkan if api == "vulkan" else of_api(api)) for _ in range(count))


needs_of_all = st.one_of(
    worlds.growing,
    worlds.growing,
    worlds.exact_limits,
    st.sampled_from(EXTENSIONS).map(NeedsExtension),
    st.sampled_from(FEATURES).map(NeedsFeature),
    st.sampled_from(CAPABILITIES).map(NeedsCapability),
)
