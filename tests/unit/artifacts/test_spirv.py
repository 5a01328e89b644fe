"""SPIR-V modules: what they declare becomes what they require."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts import spirv as reader
from targetenv.artifacts import spirv_usage as usage
from targetenv.match.unknowns import OPEN_ARRAY, OPEN_WORKGROUP
from targetenv.model.requirement import (
    AnyOf,
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsFormat,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
    Relation,
)
from targetenv.model.version import Version
from targetenv.registry import vulkan
from tests.unit.artifacts.assembler import COMPUTE, assemble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv.artifacts import Inspection
    from targetenv.model.artifact import Kernel
    from targetenv.model.requirement import LimitValue, Requirement

CORPUS = Path(__file__).parents[2] / "corpora" / "artifacts"


def inspected(text: str, **options: object) -> Inspection:
    return inspect(assemble(text, **options), name="test.spv")  # type: ignore[arg-type]


def required(text: str, **options: object) -> tuple[Requirement, ...]:
    return inspected(text, **options).artifacts[0].requires


def kernel(text: str, **options: object) -> Kernel:
    return inspected(text, **options).artifacts[0].kernels[0]


def limits(text: str, **options: object) -> dict[str, LimitValue]:
    rows = required(text, **options)
    return {row.name.partition("::")[2]: row.value for row in rows if isinstance(row, NeedsLimit)}


def test_a_real_module_of_spirv_1_0() -> None:
    data = (CORPUS / "saxpy_spv10.spv").read_bytes()
    found = inspect(data, name="saxpy_spv10.spv")
    (artifact,) = found.artifacts
    assert (artifact.name, artifact.format, artifact.size) == ("saxpy_spv10.spv", "spirv", len(data))
    assert artifact.requires[:3] == (NeedsFormat("spirv"), NeedsVersion("spirv", Version(1, 0)), NeedsCapability("Shader"))
    (only,) = artifact.kernels
    assert (only.name, only.workgroup_size, only.bindings, only.constants, only.local_memory) == ("main", (64, 1, 1), 2, 8, 0)
    assert ("main: descriptors", "2 storage buffers") in found.details


def test_local_size_id_of_a_real_module_needs_maintenance4() -> None:
    needs = inspect((CORPUS / "saxpy_spv16.spv").read_bytes(), name="x").artifacts[0].requires
    assert NeedsVersion("spirv", Version(1, 6)) in needs
    assert NeedsFeature(reader.MAINTENANCE4) in needs


def test_both_byte_orders_say_the_same() -> None:
    text = COMPUTE + 'OpExecutionMode %1 LocalSize 4 2 1\nOpExtension "SPV_KHR_16bit_storage"'
    assert required(text, order="<") == required(text, order=">")


def test_declared_capabilities_are_required_and_implied_ones_are_not() -> None:
    needs = required("OpCapability MultiViewport\nOpCapability StorageUniformBufferBlock16")
    assert [need.name for need in needs if isinstance(need, NeedsCapability)] == ["MultiViewport", "StorageBuffer16BitAccess"]


def test_a_capability_that_the_grammar_does_not_name_is_not_known() -> None:
    (unknown,) = (need for need in required("OpCapability 65000") if isinstance(need, NeedsUnknown))
    assert "65000" in unknown.what


def test_extensions_are_required_and_instruction_sets_are_not() -> None:
    needs = required('OpExtension "SPV_KHR_non_semantic_info"\nOpExtInstImport %9 "NonSemantic.Shader.DebugInfo.100"')
    assert [need.name for need in needs if isinstance(need, NeedsExtension)] == ["SPV_KHR_non_semantic_info"]


def test_local_size_gives_workgroup_limits() -> None:
    text = COMPUTE + "OpExecutionMode %1 LocalSize 8 4 2"
    assert kernel(text).workgroup_size == (8, 4, 2)
    assert limits(text) == {"maxComputeWorkGroupSize": (8, 4, 2), "maxComputeWorkGroupInvocations": 64}


SPECIALIZED = """
OpDecorate %11 SpecId 0
OpDecorate %12 BuiltIn WorkgroupSize
OpTypeInt %2 32 0
OpTypeVector %3 %2 3
OpConstant %2 %10 1
OpSpecConstant %2 %11 32
OpSpecConstantComposite %3 %12 %11 %10 %10
"""


def test_the_built_in_workgroup_size_overrides_the_execution_mode() -> None:
    text = COMPUTE + "OpExecutionMode %1 LocalSize 8 4 2" + SPECIALIZED
    assert kernel(text).workgroup_size == (32, 1, 1)


def test_specialization_constants_count_with_their_defaults_and_are_noted() -> None:
    details = dict(inspected(COMPUTE + SPECIALIZED).details)
    assert details["main: workgroup"] == "32x1x1, unless specialization constants change it: spec(0)=32 x 1 x 1"
    assert details["specialization constant"] == "0: u32 = 32"


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("OpIAdd %11 %13", 39),
        ("OpISub %11 %13", 25),
        ("OpIMul %11 %13", 224),
        ("OpUDiv %11 %13", 4),
        ("OpSDiv %11 %13", 4),
        ("OpUMod %11 %13", 4),
        ("OpShiftLeftLogical %11 %13", 4096),
        ("OpShiftRightLogical %11 %13", 0),
        ("OpISub %13 %11", 0xFFFFFFE7),
        ("OpShiftLeftLogical %13 %11", None),
        ("OpShiftRightLogical %13 %11", None),
        ("OpUDiv %11 %14", None),
        ("OpUMod %11 %14", None),
        ("OpUDiv %11 %98", None),
        ("OpBitwiseAnd %11 %13", 0),
        ("OpBitwiseOr %11 %13", 39),
        ("OpBitwiseXor %11 %13", 39),
        ("OpSRem %11 %13", 4),
        ("OpUConvert %11", 32),
        ("OpCompositeExtract %12 0", 32),
        ("OpCompositeExtract %12 1", 1),
        ("OpCompositeExtract %12 3", None),
        ("OpCompositeExtract %11 0", None),
        ("OpBitcast %11", None),
        ("OpSelect %11 %11 %13", None),
    ],
)
def test_the_default_of_an_operation(operation: str, result: int | None) -> None:
    text = COMPUTE + "OpExecutionModeId %1 LocalSizeId %20 %10 %10" + SPECIALIZED.replace("WorkgroupSize", "NumWorkgroups")
    text += f"OpConstant %2 %13 7\nOpConstant %2 %14 0\nOpSpecConstantOp %2 %20 {operation}"
    assert kernel(text).workgroup_size == (None if result is None else (result, 1, 1))


def test_a_composite_that_is_constant_may_have_specialized_parts() -> None:
    text = COMPUTE + SPECIALIZED.replace("OpSpecConstantComposite", "OpConstantComposite")
    assert dict(inspected(text).details)["main: workgroup"].startswith("32x1x1, unless specialization constants")
    fixed = COMPUTE + SPECIALIZED.replace("OpSpecConstantComposite", "OpConstantComposite").replace(
        "OpSpecConstant ", "OpConstant "
    )
    assert dict(inspected(fixed).details)["main: workgroup"] == "32x1x1"


def test_local_size_id_needs_maintenance4_also_where_the_built_in_overrides_it() -> None:
    text = COMPUTE + "OpExecutionModeId %1 LocalSizeId %10 %10 %10" + SPECIALIZED
    assert NeedsFeature(reader.MAINTENANCE4) in required(text)
    assert NeedsFeature(reader.MAINTENANCE4) not in required(COMPUTE + SPECIALIZED)


def test_an_operation_on_specialization_constants_has_a_default() -> None:
    text = (
        COMPUTE
        + "OpExecutionModeId %1 LocalSizeId %20 %10 %10"
        + SPECIALIZED.replace("OpDecorate %12 BuiltIn WorkgroupSize", "")
    )
    text += "OpSpecConstantOp %2 %20 OpIMul %11 %11"
    assert kernel(text).workgroup_size == (1024, 1, 1)


def test_a_kernel_without_a_workgroup_size_is_warned_about() -> None:
    found = inspected(COMPUTE)
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["TE4107"]
    assert found.artifacts[0].kernels[0].workgroup_size is None
    assert OPEN_WORKGROUP.requirement in found.artifacts[0].requires


def test_an_array_as_long_as_the_workgroup_is_measured_by_its_default() -> None:
    """What `shared float s[gl_WorkGroupSize.x]` compiles to where the size is a specialization constant."""
    text = (
        COMPUTE
        + SPECIALIZED
        + """
OpSpecConstantOp %2 %20 OpCompositeExtract %12 0
OpTypeArray %21 %2 %20
OpTypePointer %22 Workgroup %21
OpVariable %22 %23 Workgroup
"""
    )
    assert kernel(text).local_memory == 32 * 4
    assert OPEN_ARRAY.requirement not in required(text)


def test_an_array_of_a_length_that_is_not_evaluated_is_not_known() -> None:
    text = (
        COMPUTE
        + SPECIALIZED
        + """
OpSpecConstantOp %2 %20 OpSelect %11 %11 %10
OpTypeArray %21 %2 %20
OpTypePointer %22 Workgroup %21
OpVariable %22 %23 Workgroup
"""
    )
    assert OPEN_ARRAY.requirement in required(text)


MEMORY = """
OpDecorate %30 Block
OpMemberDecorate %30 0 Offset 0
OpMemberDecorate %30 1 Offset 16
OpMemberDecorate %30 2 Offset 32
OpMemberDecorate %30 2 ColMajor
OpMemberDecorate %30 2 MatrixStride 16
OpTypeInt %2 32 0
OpTypeFloat %3 32
OpTypeVector %4 %3 3
OpTypeMatrix %5 %4 2
OpConstant %2 %10 100
OpTypeArray %6 %4 %10
OpTypeBool %7
OpTypeStruct %30 %2 %4 %5
OpTypePointer %31 PushConstant %30
OpTypePointer %32 Workgroup %6
OpTypePointer %33 Workgroup %7
OpVariable %31 %40 PushConstant
OpVariable %32 %41 Workgroup
OpVariable %33 %42 Workgroup
"""


def test_workgroup_memory_adds_up_without_padding() -> None:
    assert kernel(COMPUTE + MEMORY).local_memory == 100 * 12 + 4
    assert limits(COMPUTE + MEMORY)["maxComputeSharedMemorySize"] == 1204


def test_pointers_at_the_beginning_of_push_constants_are_bindings() -> None:
    text = """
    OpCapability Shader
    OpCapability PhysicalStorageBufferAddresses
    OpMemoryModel PhysicalStorageBuffer64 GLSL450
    OpEntryPoint GLCompute %1 "main"
    OpExecutionMode %1 LocalSize 1 1 1
    OpMemberDecorate %30 0 Offset 0
    OpMemberDecorate %30 1 Offset 8
    OpMemberDecorate %30 2 Offset 16
    OpMemberDecorate %30 3 Offset 24
    OpTypeInt %20 32 0
    OpTypeStruct %21 %20
    OpTypePointer %22 PhysicalStorageBuffer %21
    OpTypeStruct %30 %22 %22 %20 %22
    OpTypePointer %31 PushConstant %30
    OpVariable %31 %40 PushConstant
    """
    found = kernel(text)
    assert (found.bindings, found.constants) == (2, 16)
    assert limits(text)["maxPushConstantsSize"] == 32


def test_push_constants_end_where_their_last_member_does() -> None:
    assert kernel(COMPUTE + MEMORY).constants == 32 + 16 + 12


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        ("OpMemberDecorate %30 0 Offset 8", 8 + 3 * 16 + 4 * 4),
        (
            "OpMemberDecorate %30 0 Offset 8\nOpMemberDecorate %30 0 MatrixStride 16\nOpMemberDecorate %30 0 RowMajor",
            8 + 3 * 16 + 4 * 4,
        ),
    ],
)
def test_a_matrix_takes_a_stride_for_each_of_its_vectors(layout: str, size: int) -> None:
    text = f"""
OpDecorate %30 Block
{layout}
OpTypeFloat %3 32
OpTypeVector %4 %3 4
OpTypeMatrix %5 %4 4
OpTypeStruct %30 %5
OpTypePointer %31 PushConstant %30
OpVariable %31 %40 PushConstant
"""
    assert kernel(COMPUTE + text).constants == size


def test_an_array_in_a_block_takes_its_stride() -> None:
    text = """
OpDecorate %30 Block
OpDecorate %6 ArrayStride 16
OpMemberDecorate %30 0 Offset 4
OpTypeInt %2 32 0
OpConstant %2 %10 3
OpTypeArray %6 %2 %10
OpTypeStruct %30 %6
OpTypePointer %31 PushConstant %30
OpVariable %31 %40 PushConstant
"""
    assert kernel(COMPUTE + text).constants == 4 + 2 * 16 + 4


def test_the_number_of_elements_may_be_a_constant_of_64_bits() -> None:
    text = """
OpTypeInt %2 64 0
OpTypeInt %3 8 0
OpConstant %2 %10 2 1
OpTypeArray %6 %3 %10
OpTypePointer %31 Workgroup %6
OpVariable %31 %40 Workgroup
"""
    assert kernel(COMPUTE + text).local_memory == (1 << 32) + 2


def test_an_initialised_workgroup_variable_needs_its_feature() -> None:
    text = COMPUTE + MEMORY.replace("OpVariable %33 %42 Workgroup", "OpConstantNull %7 %43\nOpVariable %33 %42 Workgroup %43")
    assert NeedsFeature(reader.ZERO_INITIALIZE) in required(text)


def test_workgroup_blocks_overlay_one_another() -> None:
    text = """
OpDecorate %30 Block
OpDecorate %35 Block
OpMemberDecorate %30 0 Offset 60
OpMemberDecorate %35 0 Offset 0
OpTypeInt %2 32 0
OpTypeStruct %30 %2
OpTypeStruct %35 %2
OpTypePointer %31 Workgroup %30
OpTypePointer %36 Workgroup %35
OpVariable %31 %41 Workgroup
OpVariable %36 %42 Workgroup
"""
    assert kernel(COMPUTE + text).local_memory == 64


RESOURCES = """
OpDecorate %40 DescriptorSet 0
OpDecorate %40 Binding 0
OpDecorate %41 DescriptorSet 0
OpDecorate %41 Binding 3
OpDecorate %42 DescriptorSet 1
OpDecorate %42 Binding 0
OpDecorate %43 DescriptorSet 1
OpDecorate %43 Binding 1
OpDecorate %20 Block
OpDecorate %21 BufferBlock
OpTypeInt %2 32 0
OpTypeFloat %3 32
OpConstant %2 %10 4
OpTypeStruct %20 %2
OpTypeStruct %21 %2
OpTypeImage %22 %3 2D 0 0 0 1 Unknown
OpTypeSampledImage %23 %22
OpTypeArray %24 %23 %10
OpTypePointer %30 StorageBuffer %20
OpTypePointer %31 Uniform %21
OpTypePointer %32 Uniform %20
OpTypePointer %33 UniformConstant %24
OpVariable %30 %40 StorageBuffer
OpVariable %31 %41 Uniform
OpVariable %32 %42 Uniform
OpVariable %33 %43 UniformConstant
"""


def test_descriptors_are_counted_by_kind_against_their_limits() -> None:
    found = limits(COMPUTE + RESOURCES)
    assert found["maxPerStageDescriptorStorageBuffers"] == found["maxDescriptorSetStorageBuffers"] == 2
    assert found["maxPerStageDescriptorUniformBuffers"] == 1
    assert found["maxPerStageDescriptorSampledImages"] == found["maxPerStageDescriptorSamplers"] == 4
    assert found["maxPerStageResources"] == 7
    assert found["maxBoundDescriptorSets"] == 2


@pytest.mark.parametrize(
    ("image", "wrapped", "kind"),
    [
        ("2D 0 0 0 1 Unknown", "", "sampled image"),
        ("2D 0 0 0 2 Rgba32f", "", "storage image"),
        ("Buffer 0 0 0 1 Unknown", "", "uniform texel buffer"),
        ("Buffer 0 0 0 2 R32f", "", "storage texel buffer"),
        ("2D 0 0 0 1 Unknown", "OpTypeRuntimeArray %24 %22", "sampled image"),
        ("2D 0 0 0 1 Unknown", "OpTypeSampler %24", "sampler"),
        ("2D 0 0 0 1 Unknown", "OpTypeAccelerationStructureKHR %24", "acceleration structure"),
        ("2D 0 0 0 1 Unknown", "OpTypeTensorARM %24 %3", "TensorARM"),
    ],
)
def test_kinds_of_descriptors(image: str, wrapped: str, kind: str) -> None:
    text = f"""
OpTypeFloat %3 32
OpTypeImage %22 %3 {image}
{wrapped}
OpTypePointer %33 UniformConstant {"%24" if wrapped else "%22"}
OpVariable %33 %43 UniformConstant
"""
    details = dict(inspected(COMPUTE + text).details)
    assert details["main: descriptors"] == f"1 {kind}"


def test_storage_buffers_of_set_0_are_the_bindings_up_to_the_highest() -> None:
    assert kernel(COMPUTE + RESOURCES).bindings == 4


def test_other_descriptors_are_warned_about() -> None:
    codes = [diagnostic.code for diagnostic in inspected(COMPUTE + RESOURCES).diagnostics]
    assert "TE4106" in codes


def test_since_1_4_a_kernel_has_only_the_variables_of_its_interface() -> None:
    two = """
OpEntryPoint GLCompute %1 "first" %40
OpEntryPoint GLCompute %2 "second"
OpExecutionMode %1 LocalSize 64 1 1
OpExecutionMode %2 LocalSize 1 32 1
"""
    text = two + RESOURCES.replace("%2 ", "%7 ").replace(" %2\n", " %7\n")
    first, second = inspected(text, version=(1, 4)).artifacts[0].kernels
    assert (first.bindings, second.bindings) == (1, 0)
    assert limits(text, version=(1, 4))["maxComputeWorkGroupSize"] == (64, 32, 1)


def test_a_module_without_compute_is_inspected_with_a_warning() -> None:
    found = inspected('OpCapability Shader\nOpEntryPoint Vertex %1 "main"')
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["TE4105"]
    assert found.artifacts[0].kernels == ()


def test_an_opencl_kernel_has_limits_of_opencl_and_none_of_vulkan() -> None:
    text = """
OpCapability Kernel
OpMemoryModel Physical64 OpenCL
OpEntryPoint Kernel %1 "k"
OpExecutionMode %1 LocalSize 8 1 1
OpExecutionMode %1 SubgroupSize 16
"""
    needs = required(text)
    assert [(need.name, need.value) for need in needs if isinstance(need, NeedsLimit)] == [
        ("CL_DEVICE_ADDRESS_BITS", 64),
        ("CL_DEVICE_MAX_WORK_ITEM_SIZES", (8, 1, 1)),
        ("CL_DEVICE_MAX_WORK_GROUP_SIZE", 8),
    ]
    assert NeedsSubgroupSize(16) in needs
    assert kernel(text).subgroup_size == 16


SUBGROUP = """
OpCapability Shader
OpCapability GroupNonUniformArithmetic
OpCapability GroupNonUniformClustered
OpEntryPoint GLCompute %1 "main"
OpTypeInt %2 32 0
OpTypeInt %3 64 0
OpTypeBool %4
OpConstant %2 %10 3
OpGroupNonUniformElect %4 %50 %10
OpGroupNonUniformIAdd %2 %51 %10 Reduce %50
OpGroupNonUniformIAdd %2 %52 %10 ClusteredReduce %50 %10
"""


def test_subgroup_operations_are_classified_and_need_the_compute_stage() -> None:
    found = inspected(SUBGROUP)
    assert dict(found.details)["subgroup operations"] == "arithmetic, basic, clustered"
    assert NeedsLimit(usage.SUBGROUP_STAGES, Relation.ALL_BITS, 0x20) in found.artifacts[0].requires
    assert NeedsFeature(usage.EXTENDED_TYPES) not in found.artifacts[0].requires


def test_subgroup_operations_on_wide_integers_need_extended_types() -> None:
    assert NeedsFeature(usage.EXTENDED_TYPES) in required(SUBGROUP + "OpGroupNonUniformIAdd %3 %53 %10 Reduce %50")


def test_subgroup_operations_on_vectors_of_halves_need_extended_types() -> None:
    text = SUBGROUP + "OpTypeFloat %5 16\nOpTypeVector %6 %5 2\nOpGroupNonUniformFAdd %6 %53 %10 Reduce %50"
    assert NeedsFeature(usage.EXTENDED_TYPES) in required(text)


def test_a_subgroup_capability_alone_needs_the_compute_stage() -> None:
    needs = required(COMPUTE + "OpCapability GroupNonUniformVote")
    assert NeedsLimit(usage.SUBGROUP_STAGES, Relation.ALL_BITS, 0x20) in needs
    assert not any(isinstance(need, NeedsLimit) and need.name == usage.SUBGROUP_STAGES for need in required(COMPUTE))


def test_execution_modes_with_a_feature_of_their_own_need_it() -> None:
    needs = required(COMPUTE + "OpExecutionMode %1 MaximallyReconvergesKHR")
    assert NeedsFeature(usage.MAXIMAL_RECONVERGENCE) in needs
    assert NeedsFeature(usage.UNIFORM_CONTROL_FLOW) not in needs


def test_float_controls_need_their_properties() -> None:
    text = COMPUTE + "OpExecutionMode %1 DenormPreserve 16\nOpExecutionMode %1 RoundingModeRTE 64"
    found = limits(text)
    assert found["shaderDenormPreserveFloat16"] == found["shaderRoundingModeRTEFloat64"] == 1


INDEPENDENCE = "VkPhysicalDeviceFloatControlsProperties::denormBehaviorIndependence"
FREE, ALL_FREE = (NeedsLimit(INDEPENDENCE, Relation.EXACTLY, value) for value in (0, 1))


@pytest.mark.parametrize(
    ("modes", "needed"),
    [
        ("DenormPreserve 16,DenormPreserve 32", None),
        ("DenormPreserve 16,RoundingModeRTE 32", None),
        ("DenormPreserve 16,DenormFlushToZero 32", AnyOf((FREE, ALL_FREE))),
        ("DenormPreserve 32,DenormFlushToZero 64", AnyOf((FREE, ALL_FREE))),
        ("DenormPreserve 16,DenormFlushToZero 64", ALL_FREE),
        ("DenormPreserve 16,DenormFlushToZero 32,DenormFlushToZero 64", ALL_FREE),
    ],
)
def test_widths_that_behave_differently_need_independence(modes: str, needed: Requirement | None) -> None:
    text = COMPUTE + "".join(f"OpExecutionMode %1 {mode}\n" for mode in modes.split(","))
    found = [need for need in required(text) if "ndependence" in repr(need)]
    assert found == ([] if needed is None else [needed])


ATOMICS = """
OpTypeInt %2 32 0
OpTypeInt %3 64 0
OpTypeFloat %4 32
OpConstant %2 %10 1
OpTypePointer %20 StorageBuffer %3
OpTypePointer %21 Workgroup %3
OpTypePointer %22 StorageBuffer %4
OpTypePointer %23 Workgroup %2
OpVariable %21 %40 Workgroup
OpVariable %23 %43 Workgroup
"""
INT64 = "VkPhysicalDeviceShaderAtomicInt64Features::shader{}Int64Atomics"
FLOAT2 = "VkPhysicalDeviceShaderAtomicFloat2FeaturesEXT::shaderBufferFloat32AtomicMinMax"
FLOAT = "VkPhysicalDeviceShaderAtomicFloatFeaturesEXT::shaderBufferFloat32Atomic{}"


@pytest.mark.parametrize(
    ("instructions", "feature"),
    [
        ("OpAccessChain %20 %60 %41 %10\nOpAtomicIAdd %3 %61 %60 %10 %10 %10", INT64.format("Buffer")),
        ("OpAtomicUMax %3 %61 %40 %10 %10 %10", INT64.format("Shared")),
        ("OpAccessChain %22 %60 %41 %10\nOpAtomicFAddEXT %4 %61 %60 %10 %10 %10", FLOAT.format("Add")),
        ("OpAccessChain %22 %60 %41 %10\nOpAtomicStore %60 %10 %10 %10", FLOAT.format("s")),
        ("OpAccessChain %22 %60 %41 %10\nOpAtomicFMinEXT %4 %61 %60 %10 %10 %10", FLOAT2),
    ],
)
def test_atomics_need_the_feature_of_their_place_and_width(instructions: str, feature: str) -> None:
    assert NeedsFeature(feature) in required(COMPUTE + ATOMICS + instructions)


def test_atomics_on_32_bit_integers_need_nothing_more() -> None:
    needs = required(COMPUTE + ATOMICS + "OpAtomicIAdd %2 %61 %43 %10 %10 %10\nOpAtomicStore %43 %10 %10 %10")
    assert not [need for need in needs if isinstance(need, NeedsFeature)]


def test_every_name_that_the_reader_writes_is_canonical_in_the_registry() -> None:
    def canonical(name: str, lookup: Callable[[str, str], str]) -> bool:
        struct, _, member = name.partition("::")
        return lookup(struct, member) == name

    workgroup = ("maxComputeWorkGroupSize", "maxComputeWorkGroupInvocations", "maxComputeSharedMemorySize")
    limit_names = {*workgroup, "maxPushConstantsSize", "maxBoundDescriptorSets", "maxPerStageResources"}
    for name in limit_names.union(*reader.DESCRIPTOR_LIMITS.values()):
        assert vulkan.relation(reader.LIMITS + name) is Relation.AT_LEAST, name
    assert vulkan.relation(usage.SUBGROUP_STAGES) is Relation.ALL_BITS
    for name in (reader.MAINTENANCE4, reader.ZERO_INITIALIZE, usage.EXTENDED_TYPES, *usage.MODE_FEATURES.values()):
        assert canonical(name, vulkan.feature), name
    for name in usage.INDEPENDENCE:
        assert canonical(name, vulkan.property_name), name
    assert vulkan.bit_value("VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_32_BIT_ONLY") == 0
    assert vulkan.bit_value("VK_SHADER_FLOAT_CONTROLS_INDEPENDENCE_ALL") == 1
    for stem in usage.FLOAT_CONTROLS.values():
        for width in (16, 32, 64):
            assert canonical(f"VkPhysicalDeviceFloatControlsProperties::{stem}{width}", vulkan.property_name)
    for name in (INT64.format("Buffer"), INT64.format("Shared"), FLOAT.format("Add"), FLOAT.format("s")):
        assert canonical(name, vulkan.feature), name
    assert vulkan.bit_value("VK_SHADER_STAGE_COMPUTE_BIT") == usage.COMPUTE_STAGE


def test_a_sampled_image_of_a_buffer_is_a_uniform_texel_buffer() -> None:
    text = RESOURCES.replace("OpTypeImage %22 %3 2D", "OpTypeImage %22 %3 Buffer")
    found = limits(COMPUTE + text)
    assert found["maxPerStageDescriptorSampledImages"] == 4
    assert "maxPerStageDescriptorSamplers" not in found


def test_views_of_one_binding_count_once() -> None:
    text = RESOURCES.replace("OpDecorate %41 Binding 3", "OpDecorate %41 Binding 0")
    assert limits(COMPUTE + text)["maxPerStageDescriptorStorageBuffers"] == 1


def test_a_sampler_and_an_image_may_share_a_binding_and_both_count() -> None:
    image = "OpTypeFloat %3 32\nOpTypeImage %22 %3 2D 0 0 0 1 Unknown\nOpTypePointer %31 UniformConstant %22\n"
    sampler = "OpTypeSampler %23\nOpTypePointer %32 UniformConstant %23\n"
    text = image + sampler + "OpVariable %31 %41 UniformConstant\nOpVariable %32 %42 UniformConstant"
    found = limits(COMPUTE + text)
    assert found["maxPerStageDescriptorSampledImages"] == found["maxPerStageDescriptorSamplers"] == 1


def test_arrays_of_arrays_of_descriptors_multiply() -> None:
    text = RESOURCES.replace(
        "OpTypePointer %33 UniformConstant %24", "OpTypeArray %25 %24 %10\nOpTypePointer %33 UniformConstant %25"
    )
    assert limits(COMPUTE + text)["maxPerStageDescriptorSampledImages"] == 16


def test_an_array_of_descriptors_of_a_length_that_is_not_evaluated_is_not_known() -> None:
    text = RESOURCES.replace("OpConstant %2 %10 4", "OpSpecConstantOp %2 %10 OpBitcast %2")
    assert OPEN_ARRAY.requirement in required(COMPUTE + text)


def test_samplers_and_acceleration_structures_are_no_resources_of_a_stage() -> None:
    text = "OpTypeSampler %22\nOpTypeAccelerationStructureKHR %23\nOpTypePointer %32 UniformConstant %22\n"
    text += "OpTypePointer %33 UniformConstant %23\nOpVariable %32 %42 UniformConstant\nOpVariable %33 %43 UniformConstant\n"
    text += "OpDecorate %43 Binding 1"
    needs = required(COMPUTE + text)
    names = {need.name for need in needs if isinstance(need, NeedsLimit)}
    assert "VkPhysicalDeviceLimits::maxPerStageDescriptorSamplers" in names
    assert names >= set(reader.ACCELERATION_STRUCTURES)
    assert "VkPhysicalDeviceLimits::maxPerStageResources" not in names


def test_the_largest_uniform_block_bounds_the_range() -> None:
    assert limits(COMPUTE + RESOURCES)["maxUniformBufferRange"] == 4


def test_an_untyped_variable_is_counted_by_the_type_that_it_holds() -> None:
    text = "OpTypeInt %2 32 0\nOpConstant %2 %10 3\nOpTypeArray %3 %2 %10\nOpTypeUntypedPointerKHR %4 Workgroup\n"
    assert kernel(COMPUTE + text + "OpUntypedVariableKHR %4 %5 Workgroup %3").local_memory == 12
    assert kernel(COMPUTE + text + "OpUntypedVariableKHR %4 %5 Workgroup").local_memory == 0


def test_what_is_used_and_not_declared_is_required_and_warned_about() -> None:
    found = inspected(COMPUTE + "OpExecutionMode %1 LocalSize 1 1 1\nOpTypeFloat %2 64")
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["TE4108"]
    assert NeedsCapability("Float64") in found.artifacts[0].requires
    several = required(COMPUTE + "OpTypeInt %2 8 0")
    assert any(isinstance(need, AnyOf) and NeedsCapability("Int8") in need.parts for need in several)


def test_what_a_declared_capability_declares_is_not_missed() -> None:
    found = inspected(COMPUTE + "OpExecutionMode %1 LocalSize 1 1 1\nOpCapability Int64Atomics\nOpTypeInt %2 64 0")
    assert found.diagnostics == ()


def test_specialization_changes_the_requirements() -> None:
    data = assemble(COMPUTE + SPECIALIZED)
    by_default = reader.inspect_spirv(data, name="x", digest="")
    doubled = reader.inspect_spirv(data, name="x", digest="", specialization={0: 64, 99: 1})
    assert by_default.artifacts[0].kernels[0].workgroup_size == (32, 1, 1)
    assert doubled.artifacts[0].kernels[0].workgroup_size == (64, 1, 1)
    need = NeedsLimit(reader.LIMITS + "maxComputeWorkGroupInvocations", Relation.AT_LEAST, 64)
    assert dict(doubled.reasons)[need] == "workgroup size of `main` = spec(0)=64 x 1 x 1"


def test_lengths_that_are_specialized_are_told_with_the_memory_that_they_take() -> None:
    text = SPECIALIZED + "OpSpecConstantOp %2 %20 OpIMul %11 %11\nOpTypeArray %21 %2 %20\nOpTypePointer %22 Workgroup %21\n"
    found = inspected(COMPUTE + text + "OpVariable %22 %23 Workgroup")
    need = NeedsLimit(reader.LIMITS + "maxComputeSharedMemorySize", Relation.AT_LEAST, 4096)
    assert dict(found.reasons)[need] == "workgroup variables of `main`, arrays of (spec(0)=32 * spec(0)=32)"


HALF_IN_A_BUFFER = """
OpDecorate %30 Block
OpTypeFloat %4 16
OpTypeStruct %30 %4
OpTypePointer %31 StorageBuffer %30
OpVariable %31 %32 StorageBuffer
"""


@pytest.mark.parametrize(
    ("declared", "asked"),
    [
        ("", True),
        ("OpCapability StorageBuffer16BitAccess", False),
        ("OpCapability UniformAndStorageBuffer16BitAccess", True),
        ("OpCapability StoragePushConstant16", True),
        ("OpCapability Float16", True),
    ],
)
def test_a_feature_that_a_declared_capability_stands_for_is_not_asked_for_twice(declared: str, asked: bool) -> None:
    feature = "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess"
    assert (NeedsFeature(feature) in required(COMPUTE + declared + HALF_IN_A_BUFFER)) is asked


def test_vectors_are_multiplied_and_added_by_the_width_of_their_numbers() -> None:
    text = "OpTypeFloat %2 16\nOpTypeVector %3 %2 4\nOpTypeFloat %4 8\nOpFmaKHR %3 %9 %5 %6 %7\nOpFmaKHR %4 %8 %5 %6 %7"
    features = [need.name for need in required(COMPUTE + text) if isinstance(need, NeedsFeature)]
    assert features == [usage.FMA.format(width=16)]


@pytest.mark.parametrize(("version", "asked"), [((1, 4), False), ((1, 5), True)])
def test_a_broadcast_from_a_computed_invocation_is_a_feature_since_spirv_1_5(version: tuple[int, int], asked: bool) -> None:
    text = "OpTypeInt %2 32 0\nOpConstant %2 %10 3\nOpGroupNonUniformBroadcast %2 %11 %10 %12 {}"
    needs = required(COMPUTE + text.format("%12"), version=version)
    assert (NeedsFeature(usage.BROADCAST_DYNAMIC_ID) in needs) is asked
    assert NeedsFeature(usage.BROADCAST_DYNAMIC_ID) not in required(COMPUTE + text.format("%10"), version=version)


@pytest.mark.parametrize(("clusters", "asked"), [("", False), (" %10", True)])
def test_a_rotation_within_clusters_is_a_feature_of_its_own(clusters: str, asked: bool) -> None:
    text = f"OpTypeInt %2 32 0\nOpConstant %2 %10 3\nOpGroupNonUniformRotateKHR %2 %11 %10 %12 %13{clusters}"
    assert (NeedsFeature(usage.ROTATE_CLUSTERED) in required(COMPUTE + text)) is asked


def test_the_scope_of_the_device_is_a_feature_of_the_vulkan_memory_model_only() -> None:
    text = COMPUTE + "OpTypeInt %2 32 0\nOpConstant %2 %10 1\nOpMemoryBarrier %10 %10"
    assert NeedsFeature(usage.DEVICE_SCOPE) not in required(text)
    assert NeedsFeature(usage.DEVICE_SCOPE) in required(text.replace("GLSL450", "Vulkan"))


def test_independence_is_about_one_entry_point_at_a_time() -> None:
    text = COMPUTE + 'OpEntryPoint GLCompute %2 "other"\nOpExecutionMode %1 DenormPreserve 16\n'
    needs = required(text + "OpExecutionMode %2 DenormFlushToZero 64")
    assert not [need for need in needs if "ndependence" in repr(need)]
