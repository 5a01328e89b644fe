"""What a SPIR-V module needs beyond the capabilities that it declares: properties and features that its instructions imply.

A capability is necessary, not sufficient: `Int64Atomics` stands for atomics in buffers or in workgroup memory, and a device may
have one of them only. Source: Vulkan specification, Appendix `Validation Rules within a Module` (the VUID-RuntimeSpirv rules);
docs/reference/spirv-coverage.md goes through them one by one. Every requirement comes with what in the module asks for it.
"""

from __future__ import annotations

from targetenv.artifacts.spirv_atomics import atomics
from targetenv.artifacts.spirv_images import images
from targetenv.artifacts.spirv_matrices import matrices
from targetenv.artifacts.spirv_storage import storage
from targetenv.model.requirement import AnyOf, NeedsFeature, NeedsLimit, Relation
from targetenv.model.version import Version
from targetenv.registry.spirv import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

    Asked: TypeAlias = tuple[Requirement, str]

COMPUTE_STAGE = 0x20  # VK_SHADER_STAGE_COMPUTE_BIT
SUBGROUP_STAGES = "VkPhysicalDeviceSubgroupProperties::supportedStages"
EXTENDED_TYPES = "VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures::shaderSubgroupExtendedTypes"
BROADCAST_DYNAMIC_ID = "VkPhysicalDeviceVulkan12Features::subgroupBroadcastDynamicId"
ROTATE_CLUSTERED = "VkPhysicalDeviceShaderSubgroupRotateFeatures::shaderSubgroupRotateClustered"
UNIFORM_CONTROL_FLOW = "VkPhysicalDeviceShaderSubgroupUniformControlFlowFeaturesKHR::shaderSubgroupUniformControlFlow"
MAXIMAL_RECONVERGENCE = "VkPhysicalDeviceShaderMaximalReconvergenceFeaturesKHR::shaderMaximalReconvergence"
MODE_FEATURES = {
    "SubgroupUniformControlFlowKHR": UNIFORM_CONTROL_FLOW,
    "MaximallyReconvergesKHR": MAXIMAL_RECONVERGENCE,
}
MEMORY_MODEL = "VkPhysicalDeviceVulkanMemoryModelFeatures::vulkanMemoryModel"
DEVICE_SCOPE = "VkPhysicalDeviceVulkanMemoryModelFeatures::vulkanMemoryModelDeviceScope"
CLOCKS = {
    "Subgroup": "VkPhysicalDeviceShaderClockFeaturesKHR::shaderSubgroupClock",
    "Device": "VkPhysicalDeviceShaderClockFeaturesKHR::shaderDeviceClock",
}
FMA = "VkPhysicalDeviceShaderFmaFeaturesKHR::shaderFmaFloat{width}"
FLOAT_CONTROLS = {
    "DenormPreserve": "shaderDenormPreserveFloat",
    "DenormFlushToZero": "shaderDenormFlushToZeroFloat",
    "SignedZeroInfNanPreserve": "shaderSignedZeroInfNanPreserveFloat",
    "RoundingModeRTE": "shaderRoundingModeRTEFloat",
    "RoundingModeRTZ": "shaderRoundingModeRTZFloat",
}
_FLOAT_CONTROLS_STRUCT = "VkPhysicalDeviceFloatControlsProperties::"
INDEPENDENCE = {
    _FLOAT_CONTROLS_STRUCT + "denormBehaviorIndependence": ("DenormPreserve", "DenormFlushToZero"),
    _FLOAT_CONTROLS_STRUCT + "roundingModeIndependence": ("RoundingModeRTE", "RoundingModeRTZ"),
}
_BROADCASTS = {"OpGroupNonUniformBroadcast": 4, "OpGroupNonUniformQuadBroadcast": 4}
_DYNAMIC_IDS = Version(1, 5)  # from this version of SPIR-V on the invocation to broadcast from need not be a constant

# Class of each non-uniform group operation; for those not named here the GroupOperation operand decides.
_OPERATION_CLASSES = {
    "Elect": "basic",
    "All": "vote",
    "Any": "vote",
    "AllEqual": "vote",
    "Broadcast": "ballot",
    "BroadcastFirst": "ballot",
    "Ballot": "ballot",
    "InverseBallot": "ballot",
    "BallotBitExtract": "ballot",
    "BallotBitCount": "ballot",
    "BallotFindLSB": "ballot",
    "BallotFindMSB": "ballot",
    "Shuffle": "shuffle",
    "ShuffleXor": "shuffle",
    "ShuffleUp": "relative shuffle",
    "ShuffleDown": "relative shuffle",
    "RotateKHR": "rotate",
    "QuadBroadcast": "quad",
    "QuadSwap": "quad",
    "QuadAllKHR": "quad",
    "QuadAnyKHR": "quad",
    "PartitionNV": "partitioned",
}
_LEGACY_CLASSES = {
    "OpSubgroupBallotKHR": "ballot",
    "OpSubgroupFirstInvocationKHR": "ballot",
    "OpSubgroupReadInvocationKHR": "ballot",
    "OpSubgroupAllKHR": "vote",
    "OpSubgroupAnyKHR": "vote",
    "OpSubgroupAllEqualKHR": "vote",
}
_REDUCTION_CLASSES = {"ClusteredReduce": "clustered"} | dict.fromkeys(
    ("PartitionedReduceNV", "PartitionedInclusiveScanNV", "PartitionedExclusiveScanNV"), "partitioned"
)


def subgroup_classes(module: Module) -> tuple[str, ...]:
    """The classes of subgroup operations that the instructions use, sorted: `arithmetic`, `ballot`, `basic` ..."""
    found = set()
    for name, _, operation in module.group_operations:
        short = name.removeprefix("OpGroupNonUniform")
        known = _LEGACY_CLASSES.get(name) or _OPERATION_CLASSES.get(short)
        found.add(known or _REDUCTION_CLASSES.get(name_of("GroupOperation", operation), "arithmetic"))
    return tuple(sorted(found))


def float_controls(module: Module) -> tuple[tuple[str, int], ...]:
    """(execution mode, width in bits) for each float control, sorted."""
    return tuple(
        sorted({(mode.name, mode.operands[0]) for mode in module.modes if mode.name in FLOAT_CONTROLS and mode.operands})
    )


def usage(module: Module, layout: Layout, capabilities: frozenset[str]) -> Iterator[Asked]:
    """The requirements that follow from instructions, execution modes and types of a compute module for Vulkan."""
    yield from _subgroups(module, capabilities)
    for mode, width in float_controls(module):
        limit = NeedsLimit(f"{_FLOAT_CONTROLS_STRUCT}{FLOAT_CONTROLS[mode]}{width}", Relation.AT_LEAST, 1)
        yield limit, f"execution mode {mode} {width}"
    yield from _independence(module)
    for mode_name in sorted({mode.name for mode in module.modes} & MODE_FEATURES.keys()):
        yield NeedsFeature(MODE_FEATURES[mode_name]), f"execution mode {mode_name}"
    for need, because in storage(module):
        if need not in _declared_features(capabilities):
            yield need, because
    if module.has_typed_atomics:
        yield from atomics(module)
    yield from _scopes(module, layout)
    yield from _widths(module)
    yield from images(module, layout)
    yield from matrices(module, layout)


def _declared_features(capabilities: frozenset[str]) -> frozenset[Requirement]:
    """The features that a declared capability stands for alone: requiring the capability requires them."""
    from targetenv.registry.spirv_environment import conditions_of, is_exact

    rows = (row for name in capabilities if is_exact(name) for row in conditions_of(name))
    return frozenset(NeedsFeature(subjects[0]) for kind, subjects, *_ in rows if kind == "f" and len(subjects) == 1)


def _independence(module: Module) -> Iterator[Asked]:
    """Widths that behave differently need a device that lets them: VkShaderFloatControlsIndependence 0 frees 32 bits, 1 all."""
    for property_name, modes in INDEPENDENCE.items():
        free, all_free = (NeedsLimit(property_name, Relation.EXACTLY, value) for value in (0, 1))
        for by_width in _modes_by_width(module, modes):
            because = "float controls that are not the same for every width"
            if 16 in by_width and 64 in by_width and by_width[16] != by_width[64]:
                yield all_free, because
            elif 32 in by_width and any(by_width[32] != by_width[other] for other in (16, 64) if other in by_width):
                yield AnyOf((free, all_free)), because


def _modes_by_width(module: Module, modes: tuple[str, ...]) -> Iterator[dict[int, set[str]]]:
    """Width -> modes of each entry point; what two entry points do need not be the same."""
    found: dict[int, dict[int, set[str]]] = {}
    for mode in module.modes:
        if mode.name in modes and mode.operands:
            found.setdefault(mode.entry_point, {}).setdefault(mode.operands[0], set()).add(mode.name)
    yield from found.values()


def _subgroups(module: Module, capabilities: frozenset[str]) -> Iterator[Asked]:
    if module.group_operations or any(name.startswith("GroupNonUniform") for name in capabilities):
        what = ", ".join(subgroup_classes(module))
        because = f"subgroup operations ({what})" if what else "a capability for subgroup operations"
        yield NeedsLimit(SUBGROUP_STAGES, Relation.ALL_BITS, COMPUTE_STAGE), because
    for name, result, _ in sorted(module.group_operations):
        if _is_extended(module, result):
            yield NeedsFeature(EXTENDED_TYPES), f"{name} on numbers that are not of 32 bits"
            break
    if module.version >= _DYNAMIC_IDS:
        for name, operands in module.instructions(_BROADCASTS):
            if len(operands) > _BROADCASTS[name] and operands[_BROADCASTS[name]] not in module.constants:
                yield NeedsFeature(BROADCAST_DYNAMIC_ID), f"{name} from an invocation that is not a constant"
                break
    if any(len(operands) > 5 for _, operands in module.instructions(("OpGroupNonUniformRotateKHR",))):
        yield NeedsFeature(ROTATE_CLUSTERED), "OpGroupNonUniformRotateKHR within clusters"


def _is_extended(module: Module, identifier: int) -> bool:
    """Subgroup operations on 8-, 16- and 64-bit integers and 16-bit floats are a feature of their own."""
    kind, operands = module.types.get(identifier, ("", ()))
    if kind == "OpTypeVector":
        kind, operands = module.types.get(operands[0], ("", ()))
    return (kind == "OpTypeInt" and operands[0] != 32) or (kind == "OpTypeFloat" and operands[0] == 16)


def _scopes(module: Module, layout: Layout) -> Iterator[Asked]:
    """The device's and the queue family's scope are there with the Vulkan memory model, the device's as an option of it."""
    found: dict[str, str] = {}
    for identifier, name in module.memory_scopes.items():
        scope = layout.value(identifier)
        if scope is not None:
            found.setdefault(name_of("Scope", scope), name)
    if "QueueFamily" in found:
        yield NeedsFeature(MEMORY_MODEL), f"{found['QueueFamily']} in the scope of the queue family"
    if "Device" in found and module.memory_model == "Vulkan":
        yield NeedsFeature(DEVICE_SCOPE), f"{found['Device']} in the scope of the device, in the Vulkan memory model"
    for _, operands in module.instructions(("OpReadClockKHR",)):
        clock = layout.value(operands[2]) if len(operands) > 2 else None
        feature = CLOCKS.get("" if clock is None else name_of("Scope", clock))
        if feature is not None:
            yield NeedsFeature(feature), f"OpReadClockKHR in the scope of the {name_of('Scope', clock or 0).lower()}"


def _widths(module: Module) -> Iterator[Asked]:
    for _, operands in module.instructions(("OpFmaKHR",)):
        kind, shape = module.types.get(operands[0] if operands else 0, ("", ()))
        if kind == "OpTypeVector":
            kind, shape = module.types.get(shape[0], ("", ()))
        if kind == "OpTypeFloat" and shape[0] in (16, 32, 64):
            yield NeedsFeature(FMA.format(width=shape[0])), f"OpFmaKHR on {shape[0]}-bit floats"
