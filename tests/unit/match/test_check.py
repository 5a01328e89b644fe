"""One requirement against one set of offers: the answer, its code and the rule that gave it."""

from __future__ import annotations

import pytest

from targetenv.match import check
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
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
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import x86

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN
SHARED = "VkPhysicalDeviceLimits::maxComputeSharedMemorySize"
FLOAT16 = "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"
MATRIX = CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32")

VULKAN = Capabilities(
    "vulkan",
    Version(1, 1, 120),
    formats=frozenset({"spirv"}),
    extensions=frozenset({"VK_KHR_spirv_1_4"}),
    features=frozenset({"VkPhysicalDeviceFeatures::shaderInt64"}),
    properties=(Property(SHARED, 32768), Property("VkPhysicalDeviceSubgroupProperties::supportedOperations", 7)),
    subgroup_sizes=frozenset({8, 16}),
    matrices=frozenset({MATRIX}),
)
PARTIAL = Capabilities("vulkan", Version(1, 1), denied=frozenset({FLOAT16}), complete=False)
CPU = Capabilities("cpu", isa="x86-64-v3", formats=frozenset({"elf-x86_64"}))
MASKED = Capabilities("cpu", isa="znver4", denied=frozenset({"avx2"}))
OPEN = Capabilities("cpu", isa="x86-64-v3", features=frozenset(x86.features("haswell")), complete=False)
OPENCL = Capabilities(
    "opencl",
    Version(3, 0),
    formats=frozenset({"spirv", "opencl-c"}),
    extensions=frozenset({"cl_khr_fp64"}),
    properties=(Property("CL_DEVICE_IMAGE_SUPPORT", 0),),
)
OPENCL22 = Capabilities("opencl", Version(2, 2), formats=frozenset({"spirv"}), complete=False)
OPENCL12 = Capabilities("opencl", Version(1, 2), formats=frozenset({"opencl-c"}), complete=False)
STATED = Capabilities(
    "spirv", spirv=SpirvEnvironment(Version(1, 3), frozenset({"Shader"}), frozenset({"SPV_KHR_16bit_storage"}))
)


@pytest.mark.parametrize(
    ("offers", "requirement", "outcome", "code", "rule"),
    [
        (VULKAN, NeedsFormat("spirv"), YES, "TE3107", "format.listed"),
        (CPU, NeedsFormat("spirv"), NO, "TE3107", "format.listed"),
        (PARTIAL, NeedsFormat("spirv"), UNKNOWN, "TE3107", "format.listed"),
        (VULKAN, AllOf((NeedsSubgroupSize(8), NeedsSubgroupSize(32))), NO, "TE3111", "compound.all"),
        (VULKAN, AnyOf((NeedsSubgroupSize(8), NeedsSubgroupSize(32))), YES, "TE3111", "compound.any"),
        (VULKAN, Not(NeedsSubgroupSize(8)), NO, "TE3111", "compound.not"),
        (VULKAN, NeedsVersion("vulkan", Version(1, 1)), YES, "TE3101", "version.at-least"),
        (VULKAN, NeedsVersion("vulkan", Version(1, 2)), NO, "TE3101", "version.at-least"),
        (VULKAN, NeedsVersion("spirv", Version(1, 4)), YES, "TE3101", "spirv.version"),
        (VULKAN, NeedsVersion("spirv", Version(1, 5)), NO, "TE3101", "spirv.version"),
        (STATED, NeedsVersion("spirv", Version(1, 3)), YES, "TE3101", "spirv.stated"),
        (CPU, NeedsVersion("spirv", Version(1, 0)), NO, "TE3101", "version.at-least"),
        (PARTIAL, NeedsVersion("driver", Version(1, 0)), UNKNOWN, "TE3101", "version.at-least"),
        (VULKAN, NeedsExtension("VK_KHR_spirv_1_4"), YES, "TE3102", "extension.listed"),
        (VULKAN, NeedsExtension("VK_KHR_16bit_storage"), YES, "TE3102", "extension.promoted"),
        (VULKAN, NeedsExtension("VK_KHR_8bit_storage"), NO, "TE3102", "extension.listed"),
        (PARTIAL, NeedsExtension("VK_KHR_8bit_storage"), UNKNOWN, "TE3102", "extension.listed"),
        (VULKAN, NeedsExtension("SPV_KHR_storage_buffer_storage_class"), YES, "TE3102", "spirv.enabled"),
        (VULKAN, NeedsExtension("SPV_INTEL_subgroups"), NO, "TE3102", "spirv.enabled"),
        (STATED, NeedsExtension("SPV_KHR_16bit_storage"), YES, "TE3102", "spirv.stated"),
        (STATED, NeedsExtension("SPV_KHR_8bit_storage"), NO, "TE3102", "spirv.stated"),
        (VULKAN, NeedsFeature("VkPhysicalDeviceFeatures::shaderInt64"), YES, "TE3103", "feature.answered"),
        (VULKAN, NeedsFeature(FLOAT16), NO, "TE3103", "feature.answered"),
        (PARTIAL, NeedsFeature(FLOAT16), NO, "TE3103", "feature.answered"),
        (PARTIAL, NeedsFeature("VkPhysicalDeviceFeatures::shaderInt64"), UNKNOWN, "TE3103", "feature.answered"),
        (PARTIAL, NeedsFeature("VkPhysicalDeviceFeatures::robustBufferAccess"), YES, "TE3103", "feature.guaranteed"),
        (VULKAN, NeedsLimit(SHARED, Relation.AT_LEAST, 32768), YES, "TE3104", "limit.relation"),
        (VULKAN, NeedsLimit(SHARED, Relation.AT_LEAST, 32769), NO, "TE3104", "limit.relation"),
        (PARTIAL, NeedsLimit(SHARED, Relation.AT_LEAST, 16384), YES, "TE3104", "limit.guaranteed"),
        (PARTIAL, NeedsLimit(SHARED, Relation.AT_LEAST, 16385), UNKNOWN, "TE3104", "limit.guaranteed"),
        (VULKAN, NeedsLimit("VkPhysicalDeviceLimits::maxViewports", Relation.AT_LEAST, 2), UNKNOWN, "TE3104", "limit.relation"),
        (CPU, NeedsLimit(SHARED, Relation.AT_LEAST, 1), NO, "TE3104", "limit.relation"),
        (VULKAN, NeedsCapability("Shader"), YES, "TE3105", "spirv.enabled"),
        (VULKAN, NeedsCapability("Int64"), YES, "TE3105", "spirv.enabled"),
        (VULKAN, NeedsCapability("GroupNonUniformArithmetic"), YES, "TE3105", "spirv.enabled"),
        (VULKAN, NeedsCapability("GroupNonUniformShuffle"), NO, "TE3105", "spirv.enabled"),
        (VULKAN, NeedsCapability("Kernel"), NO, "TE3105", "spirv.enabled"),
        (PARTIAL, NeedsCapability("Int64"), UNKNOWN, "TE3105", "spirv.enabled"),
        (STATED, NeedsCapability("Shader"), YES, "TE3105", "spirv.stated"),
        (STATED, NeedsCapability("Int64"), NO, "TE3105", "spirv.stated"),
        (CPU, NeedsCapability("Shader"), NO, "TE3105", "spirv.stated"),
        (OPENCL, NeedsCapability("Kernel"), YES, "TE3105", "opencl.capability"),
        (OPENCL, NeedsCapability("Pipes"), UNKNOWN, "TE3105", "opencl.capability"),
        (OPENCL, NeedsCapability("Float64"), YES, "TE3105", "opencl.capability"),
        (OPENCL, NeedsCapability("Float16"), NO, "TE3105", "opencl.capability"),
        (OPENCL, NeedsCapability("ImageBasic"), NO, "TE3105", "opencl.capability"),
        (OPENCL, NeedsVersion("spirv", Version(1, 0)), UNKNOWN, "TE3101", "opencl.il"),
        (OPENCL22, NeedsVersion("spirv", Version(1, 2)), YES, "TE3101", "opencl.il"),
        (OPENCL22, NeedsVersion("spirv", Version(1, 3)), UNKNOWN, "TE3101", "opencl.il"),
        (OPENCL22, NeedsCapability("Pipes"), YES, "TE3105", "opencl.capability"),
        (OPENCL12, NeedsCapability("Kernel"), NO, "TE3105", "opencl.capability"),
        (OPENCL12, NeedsVersion("spirv", Version(1, 0)), NO, "TE3101", "opencl.il"),
        (VULKAN, NeedsIsa("x86-64-v2"), NO, "TE3106", "isa.same"),
        (CPU, NeedsIsa("x86-64-v3"), YES, "TE3106", "x86.features"),
        (CPU, NeedsFeature("avx2"), YES, "TE3103", "x86.features"),
        (CPU, NeedsFeature("avx512f"), NO, "TE3103", "feature.answered"),
        (MASKED, NeedsFeature("avx2"), NO, "TE3103", "feature.answered"),
        (MASKED, NeedsIsa("znver4"), NO, "TE3106", "x86.features"),
        (Capabilities("hip", isa="gfx942"), NeedsIsa("gfx942"), YES, "TE3106", "amd.processor"),
        (CPU, NeedsIsa("x86-64-v2"), YES, "TE3106", "x86.features"),
        (CPU, NeedsIsa("x86-64-v4"), NO, "TE3106", "x86.features"),
        (CPU, NeedsIsa("armv8-a"), NO, "TE3106", "isa.same"),
        (CPU, NeedsIsa("gfx942"), NO, "TE3106", "isa.same"),
        (MASKED, NeedsIsa("x86-64-v3"), NO, "TE3106", "x86.features"),
        (MASKED, NeedsIsa("x86-64-v4"), NO, "TE3106", "x86.features"),
        (MASKED, NeedsIsa("x86-64-v2"), YES, "TE3106", "x86.features"),
        (OPEN, NeedsIsa("znver4"), UNKNOWN, "TE3106", "x86.features"),
        (OPEN, NeedsIsa("haswell"), YES, "TE3106", "x86.features"),
        (PARTIAL, NeedsIsa("x86-64-v2"), UNKNOWN, "TE3106", "isa.same"),
        (VULKAN, NeedsSubgroupSize(16), YES, "TE3108", "subgroup.in-set"),
        (VULKAN, NeedsSubgroupSize(12), NO, "TE3108", "subgroup.in-set"),
        (VULKAN, NeedsSubgroupSize(32), NO, "TE3108", "subgroup.in-set"),
        (PARTIAL, NeedsSubgroupSize(32), UNKNOWN, "TE3108", "subgroup.in-set"),
        (VULKAN, NeedsMatrix(MATRIX), YES, "TE3109", "matrix.row"),
        (VULKAN, NeedsMatrix(CooperativeMatrix(16, 16, 16, "f16", "f16", "f16", "f16")), NO, "TE3109", "matrix.row"),
        (PARTIAL, NeedsMatrix(MATRIX), UNKNOWN, "TE3109", "matrix.row"),
        (VULKAN, NeedsUnknown("which level it needs"), UNKNOWN, "TE3110", "unknown.never-satisfied"),
    ],
)
def test_a_requirement_is_answered_by_its_rule(
    offers: Capabilities, requirement: Requirement, outcome: Outcome, code: str, rule: str
) -> None:
    finding = check(requirement, offers)
    assert (finding.outcome, finding.code, finding.rule) == (outcome, code, rule)
    assert finding.requirement == requirement
    assert finding.requires
    assert finding.offers
    assert finding.source


@pytest.mark.parametrize(
    ("requirement", "requires", "offers"),
    [
        (NeedsLimit(SHARED, Relation.AT_LEAST, 65536), "limit maxComputeSharedMemorySize >= 65536", "device offers 32768"),
        (NeedsSubgroupSize(32), "subgroup size 32", "device offers 8, 16"),
        (NeedsVersion("spirv", Version(1, 6)), "SPIR-V >= 1.6", "device offers SPIR-V 1.4"),
        (NeedsExtension("VK_KHR_16bit_storage"), "extension VK_KHR_16bit_storage", "offered via core 1.1"),
        (NeedsCapability("Kernel"), "capability Kernel", "not usable in Vulkan"),
        (
            NeedsLimit("VkPhysicalDeviceSubgroupProperties::supportedOperations", Relation.ALL_BITS, 16),
            "limit supportedOperations has all bits of 0x10",
            "device offers 0x7",
        ),
    ],
)
def test_both_sides_are_said_in_the_fields_words(requirement: Requirement, requires: str, offers: str) -> None:
    finding = check(requirement, VULKAN)
    assert (finding.requires, finding.offers) == (requires, offers)


def test_every_alternative_of_a_missing_capability_is_named() -> None:
    offers = check(NeedsCapability("Float16"), VULKAN).offers
    assert offers.startswith("none of ")
    assert FLOAT16 in offers
    assert "VK_AMD_gpu_shader_half_float" in offers


def test_a_property_that_is_text_meets_no_relation() -> None:
    offers = Capabilities("vulkan", properties=(Property(SHARED, "a lot"),))
    assert check(NeedsLimit(SHARED, Relation.AT_LEAST, 1), offers).outcome is NO


def test_the_missing_features_of_a_level_are_named() -> None:
    finding = check(NeedsIsa("x86-64-v4"), CPU)
    assert finding.requires == "instruction set x86-64-v4"
    assert finding.offers == "device offers x86-64-v3, without avx512bw, avx512cd, avx512dq, avx512f, avx512vl"


DRAW = "VkPhysicalDeviceVulkan12Features::drawIndirectCount"
QUADS = NeedsLimit("VkPhysicalDeviceSubgroupProperties::quadOperationsInAllStages", Relation.AT_LEAST, 1)


@pytest.mark.parametrize(
    ("version", "extensions", "requirement", "outcome", "rule"),
    [
        (Version(1, 1), (), NeedsExtension("VK_KHR_16bit_storage"), YES, "extension.promoted"),
        (Version(1, 0, 999), (), NeedsExtension("VK_KHR_16bit_storage"), NO, "extension.listed"),
        (Version(1, 1), ("VK_KHR_draw_indirect_count",), NeedsFeature(DRAW), YES, "feature.by-extension"),
        (Version(1, 1), ("VK_KHR_16bit_storage",), NeedsFeature(DRAW), NO, "feature.answered"),
        (Version(1, 1), (), QUADS, UNKNOWN, "limit.relation"),
        (Version(1, 0), (), QUADS, NO, "limit.relation"),
        (None, (), QUADS, NO, "limit.relation"),
    ],
)
def test_versions_and_extensions_bring_what_they_bring(
    version: Version | None, extensions: tuple[str, ...], requirement: Requirement, outcome: Outcome, rule: str
) -> None:
    finding = check(requirement, Capabilities("vulkan", version, extensions=frozenset(extensions)))
    assert (finding.outcome, finding.rule) == (outcome, rule)


def test_a_compound_is_answered_by_the_parts_that_decide() -> None:
    offered, missing = NeedsSubgroupSize(8), NeedsSubgroupSize(32)
    assert check(AnyOf((missing, offered)), VULKAN).offers == "subgroup size 8: device offers 8, 16"
    assert check(AllOf((missing, offered)), VULKAN).offers == "subgroup size 32: device offers 8, 16"
    assert check(Not(missing), VULKAN).outcome is YES


def test_a_device_with_many_matrices_lists_some_and_counts_the_rest() -> None:
    rows = frozenset(CooperativeMatrix(m, 16, 16, "f16", "f16", "f32", "f32") for m in (8, 16, 24, 32, 40))
    offers = check(
        NeedsMatrix(CooperativeMatrix(64, 16, 16, "f16", "f16", "f32", "f32")), Capabilities("vulkan", matrices=rows)
    )
    assert offers.offers.endswith(" and 3 more")


def test_of_a_struct_that_a_complete_source_leaves_open_nothing_is_a_no() -> None:
    struct = "VkPhysicalDevice8BitStorageFeatures"
    offers = Capabilities("vulkan", Version(1, 1), extensions=frozenset({"VK_KHR_8bit_storage"}))
    need = NeedsFeature(f"{struct}::storagePushConstant8")
    assert check(need, offers).outcome is Outcome.UNSATISFIED
    assert check(need, replace(offers, unstated=frozenset({struct}))).outcome is Outcome.UNKNOWN
    assert (
        check(NeedsExtension("VK_KHR_16bit_storage_x"), replace(offers, unstated=frozenset({struct}))).outcome
        is Outcome.UNSATISFIED
    )


def test_an_extension_of_instances_is_nothing_that_a_device_denies() -> None:
    offers = Capabilities("vulkan", Version(1, 1))
    assert check(NeedsExtension("VK_KHR_surface"), offers).outcome is Outcome.UNKNOWN
    assert check(NeedsExtension("VK_KHR_swapchain"), offers).outcome is Outcome.UNSATISFIED
    assert check(NeedsExtension("VK_KHR_get_physical_device_properties2"), offers).outcome is Outcome.SATISFIED, "core in 1.1"
