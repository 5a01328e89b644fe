"""What we say about each of Vulkan's 183 VUID-RuntimeSpirv rules, with a module that shows what is derived.

The rules are those of Vulkan 1.3.239 (validusage.json of that header); the page docs/reference/spirv-coverage.md is made of
this table by `python -m tests.unit.artifacts.spirv_rules`.
"""

from __future__ import annotations

from pathlib import Path

from targetenv.artifacts import spirv as reader
from targetenv.artifacts import spirv_images as images
from targetenv.artifacts import spirv_matrices as matrices
from targetenv.artifacts import spirv_storage as storage
from targetenv.artifacts import spirv_usage as usage
from targetenv.match.phrases import required
from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.record import record
from targetenv.model.requirement import (
    AnyOf,
    NeedsCapability,
    NeedsFeature,
    NeedsLimit,
    NeedsMatrix,
    Relation,
)
from tests.unit.artifacts.assembler import COMPUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "spirv-coverage.md"
COUNT = 183

# A piece of every module below: types 2 u32, 3 u64, 4 f16, 5 f32, 6 f64, 7 u8; constants 10 = 1 (Device), 11 = 3 (Subgroup),
# 12 = 5 (QueueFamily).
BASE = """
OpTypeInt %2 32 0
OpTypeInt %3 64 0
OpTypeFloat %4 16
OpTypeFloat %5 32
OpTypeFloat %6 64
OpTypeInt %7 8 0
OpConstant %2 %10 1
OpConstant %2 %11 3
OpConstant %2 %12 5
"""
LIMITS = "VkPhysicalDeviceLimits::"


@record
class Derived:
    """A rule that becomes a requirement: `module` is one that the rule is about, `need` what we derive from it."""

    module: str
    need: Requirement
    version: tuple[int, int] = (1, 3)


def _at_least(name: str, value: int | tuple[int, ...]) -> NeedsLimit:
    return NeedsLimit(LIMITS + name, Relation.AT_LEAST, value)


def _atomic(place: str, type_id: int, instruction: str) -> str:
    """An atomic through pointer 60 to the type, in this storage class."""
    pointer = "OpVariable %20 %60 Workgroup" if place == "Workgroup" else "OpAccessChain %20 %60 %61 %10"
    text = f"{BASE}OpTypePointer %20 {place} %{type_id}\n{pointer}\n"
    return COMPUTE + text + instruction.format(type=f"%{type_id}")


def _float(place: str, width: int, operation: str) -> Derived:
    type_id = {16: 4, 32: 5, 64: 6}[width]
    instruction = {"Add": "OpAtomicFAddEXT", "MinMax": "OpAtomicFMaxEXT", "s": "OpAtomicExchange"}[operation]
    module = _atomic(place, type_id, instruction + " {type} %62 %60 %10 %10 %63")
    name = {"StorageBuffer": "Buffer", "Workgroup": "Shared", "Image": "Image"}[place]
    series = "2" if width == 16 or operation == "MinMax" else ""
    feature = f"VkPhysicalDeviceShaderAtomicFloat{series}FeaturesEXT::shader{name}Float{width}Atomic{operation}"
    return Derived(module, NeedsFeature(feature))


def _mode(mode: str) -> str:
    return COMPUTE + "".join(f"OpExecutionMode %1 {one}\n" for one in mode.split(","))


def _memory(place: str, width: int, *decorations: str) -> str:
    """A variable in this storage class that holds a structure of one number of this width."""
    number = {8: 7, 16: 4}[width]
    lines = [f"OpDecorate %30 {one}" for one in decorations]
    kinds = f"OpTypeStruct %30 %{number}\nOpTypePointer %31 {place} %30\nOpVariable %31 %32 {place}"
    return COMPUTE + "\n".join([*lines, BASE, kinds])


def _image(*decorations: str) -> str:
    lines = [f"OpDecorate %32 {one}" for one in decorations]
    kinds = "OpTypeImage %30 %5 2D 0 0 0 2 Unknown\nOpTypePointer %31 UniformConstant %30\nOpVariable %31 %32 UniformConstant"
    return COMPUTE + "\n".join([*lines, BASE, kinds])


def _offset(instruction: str) -> str:
    """A sampling instruction with the constant offset (-9, 11) as %16."""
    numbers = "OpTypeInt %13 32 1\nOpConstant %13 %14 0xfffffff7\nOpConstant %13 %15 11\nOpTypeVector %17 %13 2\n"
    return f"{COMPUTE}{BASE}{numbers}OpConstantComposite %17 %16 %14 %15\n{instruction}"


NV = (
    COMPUTE
    + BASE
    + """
OpConstant %2 %13 16
OpTypeCooperativeMatrixNV %20 %4 %11 %13 %13
OpTypeCooperativeMatrixNV %22 %5 %11 %13 %13
OpUndef %20 %30
OpUndef %22 %32
OpCooperativeMatrixMulAddNV %22 %40 %30 %30 %32
"""
)
ROW = NeedsMatrix(CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32"))
SIZED_BY_ID = COMPUTE + BASE + "OpExecutionModeId %1 LocalSizeId %10 %10 %10"
SIZED = COMPUTE + "OpExecutionMode %1 LocalSize 8 4 2"
INITIALISED = COMPUTE + BASE + "OpConstantNull %2 %20\nOpTypePointer %21 Workgroup %2\nOpVariable %21 %22 Workgroup %20"
BROADCAST = "OpGroupNonUniform{}Broadcast %2 %40 %11 %41 %42"
CLOCK = COMPUTE + BASE + "OpReadClockKHR %3 %40 %{}"
BARRIER = COMPUTE + BASE + "OpMemoryBarrier %{} %10"
SHARED = COMPUTE + BASE + "OpTypePointer %20 Workgroup %3\nOpVariable %20 %21 Workgroup"
GATHER, SAMPLE = "OpImageGather %5 %40 %41 %42 %10 8 %16", "OpImageSampleExplicitLod %5 %40 %41 %42 10 %10 %16"
_INT64 = "VkPhysicalDeviceShaderAtomicInt64Features::shader{}Int64Atomics"
_CONTROLS = "VkPhysicalDeviceFloatControlsProperties::"
_SUBGROUPS = NeedsLimit(usage.SUBGROUP_STAGES, Relation.ALL_BITS, 0x20)


def _independence(kind: str, *values: int) -> Requirement:
    needs = tuple(NeedsLimit(f"{_CONTROLS}{kind}Independence", Relation.EXACTLY, value) for value in values)
    return needs[0] if len(needs) == 1 else AnyOf(needs)


DERIVED: dict[str, Derived] = {
    "LocalSizeId-06433": Derived(SIZED_BY_ID, NeedsFeature(reader.MAINTENANCE4)),
    "LocalSizeId-06434": Derived(SIZED_BY_ID, NeedsFeature(reader.MAINTENANCE4)),
    "x-06429": Derived(SIZED, _at_least("maxComputeWorkGroupSize", (8, 4, 2))),
    "y-06430": Derived(SIZED, _at_least("maxComputeWorkGroupSize", (8, 4, 2))),
    "z-06431": Derived(SIZED, _at_least("maxComputeWorkGroupSize", (8, 4, 2))),
    "x-06432": Derived(SIZED, _at_least("maxComputeWorkGroupInvocations", 64)),
    "Workgroup-06530": Derived(SHARED, _at_least("maxComputeSharedMemorySize", 8)),
    "OpVariable-06373": Derived(INITIALISED, NeedsFeature(reader.ZERO_INITIALIZE)),
    "shaderZeroInitializeWorkgroupMemory-06372": Derived(INITIALISED, NeedsFeature(reader.ZERO_INITIALIZE)),
    "None-06275": Derived(COMPUTE + BASE + "OpGroupNonUniformIAdd %3 %40 %11 Reduce %41", NeedsFeature(usage.EXTENDED_TYPES)),
    "None-06343": Derived(COMPUTE + BASE + "OpGroupNonUniformElect %2 %40 %11", _SUBGROUPS),
    "SubgroupUniformControlFlowKHR-06379": Derived(
        _mode("SubgroupUniformControlFlowKHR"), NeedsFeature(usage.UNIFORM_CONTROL_FLOW)
    ),
    "None-06278": Derived(
        _atomic("StorageBuffer", 3, "OpAtomicIAdd {type} %62 %60 %10 %10 %63"), NeedsFeature(_INT64.format("Buffer"))
    ),
    "None-06279": Derived(
        _atomic("Workgroup", 3, "OpAtomicIAdd {type} %62 %60 %10 %10 %63"), NeedsFeature(_INT64.format("Shared"))
    ),
    "None-06288": Derived(
        _atomic("Image", 3, "OpAtomicIAdd {type} %62 %60 %10 %10 %63"),
        NeedsFeature("VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT::shaderImageInt64Atomics"),
    ),
    "None-06280": _float("StorageBuffer", 32, "Add"),
    "None-06281": _float("Workgroup", 64, "s"),
    "None-06282": _float("Image", 32, "s"),
    "None-06284": _float("StorageBuffer", 16, "MinMax"),
    "None-06285": _float("Workgroup", 32, "MinMax"),
    "None-06286": _float("Image", 32, "MinMax"),
    "None-06335": _float("Image", 32, "Add"),
    "None-06336": _float("StorageBuffer", 64, "Add"),
    "None-06337": _float("Workgroup", 16, "Add"),
    "None-06338": _float("StorageBuffer", 32, "MinMax"),
    "None-06339": _float("Workgroup", 64, "MinMax"),
    "OpTypeCooperativeMatrixNV-06316": Derived(NV, ROW),
    "OpTypeCooperativeMatrixNV-06322": Derived(
        NV, NeedsLimit(matrices.STAGES.format("NV"), Relation.ALL_BITS, usage.COMPUTE_STAGE)
    ),
    **{f"OpCooperativeMatrixMulAddNV-0{number}": Derived(NV, ROW) for number in range(6317, 6322)},
    "OpTypeImage-06269": Derived(_image("NonReadable"), NeedsCapability(images.ACCESS["NonWritable"])),
    "OpTypeImage-06270": Derived(_image("NonWritable"), NeedsCapability(images.ACCESS["NonReadable"])),
    "OpImage-06376": Derived(_offset(GATHER), NeedsLimit(images.OFFSETS[True][0], Relation.AT_MOST, -9)),
    "OpImage-06377": Derived(_offset(GATHER), NeedsLimit(images.OFFSETS[True][1], Relation.AT_LEAST, 11)),
    "OpImageSample-06435": Derived(_offset(SAMPLE), NeedsLimit(images.OFFSETS[False][0], Relation.AT_MOST, -9)),
    "OpImageSample-06436": Derived(_offset(SAMPLE), NeedsLimit(images.OFFSETS[False][1], Relation.AT_LEAST, 11)),
    "denormBehaviorIndependence-06289": Derived(
        _mode("DenormPreserve 16,DenormFlushToZero 64"), _independence("denormBehavior", 1)
    ),
    "denormBehaviorIndependence-06290": Derived(
        _mode("DenormPreserve 16,DenormFlushToZero 32"), _independence("denormBehavior", 0, 1)
    ),
    "roundingModeIndependence-06291": Derived(_mode("RoundingModeRTE 16,RoundingModeRTZ 64"), _independence("roundingMode", 1)),
    "roundingModeIndependence-06292": Derived(
        _mode("RoundingModeRTE 64,RoundingModeRTZ 32"), _independence("roundingMode", 0, 1)
    ),
    **{
        f"{property_name}{width}-0{first + at}": Derived(
            _mode(f"{mode} {width}"), NeedsLimit(f"{_CONTROLS}{property_name}{width}", Relation.AT_LEAST, 1)
        )
        for (mode, property_name), first in zip(usage.FLOAT_CONTROLS.items(), (6296, 6299, 6293, 6302, 6305), strict=True)
        for at, width in enumerate((16, 32, 64))
    },
    "storageBuffer8BitAccess-06328": Derived(
        _memory("StorageBuffer", 8, "Block"), NeedsFeature(storage.BUFFER.format(width=8))
    ),
    "uniformAndStorageBuffer8BitAccess-06329": Derived(
        _memory("Uniform", 8, "Block"), NeedsFeature(storage.UNIFORM.format(width=8))
    ),
    "storagePushConstant8-06330": Derived(_memory("PushConstant", 8, "Block"), NeedsFeature(storage.PUSH.format(width=8))),
    "storageBuffer16BitAccess-06331": Derived(
        _memory("Uniform", 16, "BufferBlock"), NeedsFeature(storage.BUFFER.format(width=16))
    ),
    "uniformAndStorageBuffer16BitAccess-06332": Derived(
        _memory("Uniform", 16, "Block"), NeedsFeature(storage.UNIFORM.format(width=16))
    ),
    "storagePushConstant16-06333": Derived(_memory("PushConstant", 16, "Block"), NeedsFeature(storage.PUSH.format(width=16))),
    "shaderSubgroupClock-06267": Derived(CLOCK.format(11), NeedsFeature(usage.CLOCKS["Subgroup"])),
    "shaderDeviceClock-06268": Derived(CLOCK.format(10), NeedsFeature(usage.CLOCKS["Device"])),
    "subgroupBroadcastDynamicId-06276": Derived(
        COMPUTE + BASE + BROADCAST.format("Quad"), NeedsFeature(usage.BROADCAST_DYNAMIC_ID), (1, 5)
    ),
    "subgroupBroadcastDynamicId-06277": Derived(
        COMPUTE + BASE + BROADCAST.format(""), NeedsFeature(usage.BROADCAST_DYNAMIC_ID), (1, 5)
    ),
    "vulkanMemoryModel-06265": Derived(
        BARRIER.format(10).replace("Logical GLSL450", "Logical Vulkan"), NeedsFeature(usage.DEVICE_SCOPE)
    ),
    "vulkanMemoryModel-06266": Derived(BARRIER.format(12), NeedsFeature(usage.MEMORY_MODEL)),
}

_VALUE = "about a value that exists only while the shader runs"
_UNIFORM = "about which invocations agree on a value while the shader runs"
_SPARSE = "about the image that is bound: the module does not say whether it is sparse"
_RESOURCE = "about how images and samplers were created, not about the device"
_MODULE = "about the module alone: no device makes it right or wrong (spirv-val and the validation layer check it)"
NOT_DERIVABLE: dict[str, str] = {
    "DescriptorSet-06323": "about the pipeline layout that the caller makes; our vulkan driver makes it from the same bindings",
    "NonUniform-06274": _UNIFORM,
    "None-06283": _SPARSE,
    "None-06287": _SPARSE,
    "OpCooperativeMatrixLoadNV-06324": _VALUE,
    "OpImageWrite-07112": _MODULE,
    "PhysicalStorageBuffer64-06314": _VALUE,
    "PhysicalStorageBuffer64-06315": _VALUE,
    "OpImageBlockMatchSADQCOM-06982": _UNIFORM,
    "OpImageBlockMatchSSDQCOM-06983": _MODULE,
    "OpImageBlockMatchSSDQCOM-06984": _MODULE,
    "OpImageBlockMatchSSDQCOM-06985": _RESOURCE,
    "OpImageBlockMatchSSDQCOM-06986": _RESOURCE,
    "OpImageBlockMatchSSDQCOM-06987": _RESOURCE,
    "OpImageBlockMatchSSDQCOM-06988": _VALUE + "; where the block's size is a constant it could be derived, and is not",
    "OpImageBoxFilterQCOM-06989": _VALUE + "; where the box's size is a constant it could be derived, and is not",
    "OpImageBoxFilterQCOM-06990": _UNIFORM,
    "OpImageWeightedSampleQCOM-06979": _UNIFORM,
    "OpImageWeightedSampleQCOM-06980": _MODULE,
    "OpImageWeightedSampleQCOM-06981": _MODULE,
    **{f"OpRayQueryInitializeKHR-0{number}": _VALUE for number in (6348, 6349, 6350, 6351, 6352, 6889, 6890, 6891)},
    "OpRayQueryGenerateIntersectionKHR-06353": _VALUE,
    "OpRayQueryGenerateIntersectionKHR-06354": _VALUE,
}

_FRAGMENT, _MESH, _GEOMETRY = "fragment shaders", "mesh and task shaders", "geometry and transform feedback"
_INTERFACE, _TESSELLATION, _TRACING = "interfaces between graphics stages", "tessellation", "ray-tracing pipelines"
NOT_COMPUTE: dict[str, str] = {
    "Fragment-06427": _FRAGMENT,
    "Location-06428": _FRAGMENT,
    "NonWritable-06340": _FRAGMENT,
    "SampleRateShading-06378": _FRAGMENT,
    "shaderSampleRateInterpolationFunctions-06325": _FRAGMENT,
    **{f"Offset-0{number}": _FRAGMENT for number in (6344, 6345, 6346, 6347)},
    **{f"shaderEarlyAndLateFragmentTests-0{number}": _FRAGMENT for number in range(6767, 6774)},
    "NonWritable-06341": "vertex, tessellation and geometry shaders",
    "None-06342": "quad operations outside of fragment and compute shaders",
    **{f"MeshEXT-0{number}": _MESH for number in (7115, 7116, 7118, 7295, 7296, 7297, 7298, 7332, 7333)},
    **{f"MeshNV-0{number}": _MESH for number in (7113, 7114)},
    **{f"TaskEXT-0{number}": _MESH for number in (7117, 7291, 7292, 7293, 7294, 7299, 7300, 7301, 7302)},
    "Location-06272": _INTERFACE,
    "OpEntryPoint-07754": _INTERFACE,
    "OpTypeVector-06816": _INTERFACE,
    "maintenance4-06817": _INTERFACE,
    "storageInputOutput16-06334": _INTERFACE,
    "Offset-06308": _GEOMETRY,
    "OpEmitStreamVertex-06310": _GEOMETRY,
    "Stream-06312": _GEOMETRY,
    "XfbBuffer-06309": _GEOMETRY,
    "XfbStride-06313": _GEOMETRY,
    "transformFeedbackStreamsLinesTriangles-06311": _GEOMETRY,
    "tessellationShader-06326": _TESSELLATION,
    "tessellationShader-06327": _TESSELLATION,
    "OpReportIntersectionKHR-06998": _TRACING,
    **{f"OpHitObjectTraceRayMotionNV-0{number}": _TRACING for number in (7704, 7709, 7711)},
    **{f"OpHitObjectTraceRayNV-0{number}": _TRACING for number in (7705, 7706, 7707, 7708, 7710, *range(7712, 7717))},
    **{f"OpTraceRayKHR-0{number}": _TRACING for number in (*range(6355, 6361), 6552, 6553, 6554, 6892, 6893)},
    **{f"OpTraceRayMotionNV-0{number}": _TRACING for number in range(6361, 6368)},
}


MORE = """What is more than that list, from newer headers or from rules under other names: the rows and stages of
VK_KHR_cooperative_matrix, rotation within clusters, `OpFmaKHR` by width, 8- and 16-bit numbers in workgroup blocks, the range
of uniform blocks, push constants, and the descriptors of each kind by stage and by set (a binding that several variables share
counts once).

A declared capability is always required, also where nothing uses it: Vulkan refuses the module otherwise. What is used and not
declared is required too, with the warning [TE4108](../errors/TE4108.md).

## Specialization constants

Requirements are those of the default values. `targetenv inspect` lists the constants, and shows a size that depends on them as
what it is computed from: `spec(0)=32 x 1 x 1`, `(spec(3)=4 * 16)`. In Python,
`targetenv.artifacts.spirv.inspect_spirv(data, name=..., digest=..., specialization={0: 64})` gives the requirements of other
values. Our vulkan driver sets none, so the defaults are what runs.

## OpenCL

A module with kernels for OpenCL requires, beside format, version, capabilities and extensions, in OpenCL's names: address bits,
work-group and work-item sizes, local memory, the size of its arguments, constant arguments, samplers, and the program's
constants. `targetenv inspect` lists the arguments. Which capabilities a device takes follows from its version, its extensions
and its answers (`targetenv/match/opencl.py`); a capability or a SPIR-V extension that no row names is not known. Before SPIR-V
1.4 a module does not say which kernel uses which local variable, so each counts for all.
"""


def page() -> str:
    """The page, as it must be."""
    lines = [
        "# SPIR-V: which of Vulkan's rules become requirements",
        "",
        "What a module needs and only a device can answer, Vulkan lists under the names `VUID-RuntimeSpirv-...`. Header",
        f"1.3.239 has {COUNT} of them. For each this page says whether `targetenv` derives a requirement from the bytes.",
        "It is made of `tests/unit/artifacts/spirv_rules.py`, which has a module for every rule that is derived; run",
        "`python -m tests.unit.artifacts.spirv_rules` after a change there.",
        "",
        "| | rules |",
        "|---|---|",
        f"| derived | {len(DERIVED)} |",
        f"| not derivable from a module | {len(NOT_DERIVABLE)} |",
        f"| not relevant to compute | {len(NOT_COMPUTE)} |",
        "",
        "## Derived",
        "",
        "The last column shows the requirement of the module that the table has for this rule.",
        "",
        "| rule | requirement, by example |",
        "|---|---|",
        *(f"| {name} | {required(row.need).replace('|', chr(92) + '|')} |" for name, row in sorted(DERIVED.items())),
        "",
        MORE,
        "## Not derivable",
        "",
        "| rule | why |",
        "|---|---|",
        *(f"| {name} | {why} |" for name, why in sorted(NOT_DERIVABLE.items())),
        "",
        "## Not relevant to compute",
        "",
        "| about | rules |",
        "|---|---|",
        *(
            f"| {about} | {', '.join(sorted(name for name, other in NOT_COMPUTE.items() if other == about))} |"
            for about in sorted(set(NOT_COMPUTE.values()))
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
