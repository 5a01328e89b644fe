"""What a SPIR-V module needs beyond the capabilities that it declares: properties and features that its instructions imply.

A capability is necessary, not sufficient: `Int64Atomics` stands for atomics in buffers or in workgroup memory, and a device may
have one of them only. Source: Vulkan specification, Appendix `Validation Rules within a Module` (the VUID-RuntimeSpirv rules).
"""

from __future__ import annotations

from targetenv.match.unknowns import OPEN_MATRIX, UNUSED_MATRIX
from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.record import record
from targetenv.model.requirement import AnyOf, NeedsFeature, NeedsLimit, NeedsMatrix, Relation
from targetenv.registry import spirv
from targetenv.registry.spirv import enumerant_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

COMPUTE_STAGE = 0x20  # VK_SHADER_STAGE_COMPUTE_BIT
SUBGROUP_STAGES = "VkPhysicalDeviceSubgroupProperties::supportedStages"
EXTENDED_TYPES = "VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures::shaderSubgroupExtendedTypes"
UNIFORM_CONTROL_FLOW = "VkPhysicalDeviceShaderSubgroupUniformControlFlowFeaturesKHR::shaderSubgroupUniformControlFlow"
MAXIMAL_RECONVERGENCE = "VkPhysicalDeviceShaderMaximalReconvergenceFeaturesKHR::shaderMaximalReconvergence"
MODE_FEATURES = {
    "SubgroupUniformControlFlowKHR": UNIFORM_CONTROL_FLOW,
    "MaximallyReconvergesKHR": MAXIMAL_RECONVERGENCE,
}
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
_ATOMIC_INT64 = "VkPhysicalDeviceShaderAtomicInt64Features::shader{place}Int64Atomics"
_ATOMIC_IMAGE_INT64 = "VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT::shaderImageInt64Atomics"
_ATOMIC_FLOAT = "VkPhysicalDeviceShaderAtomicFloat{series}FeaturesEXT::shader{place}Float{width}Atomic{operation}"
_PLACES = {
    "StorageBuffer": "Buffer",
    "Uniform": "Buffer",
    "PhysicalStorageBuffer": "Buffer",
    "Workgroup": "Shared",
    "Image": "Image",
}
_SCOPES = {"Device": "device", "Workgroup": "workgroup", "Subgroup": "subgroup", "QueueFamily": "queue-family"}
_FLOAT_ENCODINGS = {"BFloat16KHR": "bf16", "Float8E4M3EXT": "f8E4M3FN", "Float8E5M2EXT": "f8E5M2"}

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
        found.add(known or _REDUCTION_CLASSES.get(_name("GroupOperation", operation), "arithmetic"))
    return tuple(sorted(found))


def float_controls(module: Module) -> tuple[tuple[str, int], ...]:
    """(execution mode, width in bits) for each float control, sorted."""
    return tuple(
        sorted({(mode.name, mode.operands[0]) for mode in module.modes if mode.name in FLOAT_CONTROLS and mode.operands})
    )


def usage(module: Module, layout: Layout, capabilities: frozenset[str]) -> Iterator[Requirement]:
    """The requirements that follow from instructions, execution modes and types of a compute module for Vulkan."""
    yield from _subgroups(module, capabilities)
    for mode, width in float_controls(module):
        yield NeedsLimit(f"{_FLOAT_CONTROLS_STRUCT}{FLOAT_CONTROLS[mode]}{width}", Relation.AT_LEAST, 1)
    yield from _independence(module)
    for mode_name in {mode.name for mode in module.modes} & MODE_FEATURES.keys():
        yield NeedsFeature(MODE_FEATURES[mode_name])
    if module.has_typed_atomics:
        yield from _atomics(module)
    if "CooperativeMatrixKHR" in capabilities:
        yield from _matrices(module, layout)


def _independence(module: Module) -> Iterator[Requirement]:
    """Widths that behave differently need a device that lets them: VkShaderFloatControlsIndependence 0 frees 32 bits, 1 all."""
    for property_name, modes in INDEPENDENCE.items():
        by_width: dict[int, set[str]] = {}
        for mode, width in float_controls(module):
            if mode in modes:
                by_width.setdefault(width, set()).add(mode)
        free, all_free = (NeedsLimit(property_name, Relation.EXACTLY, value) for value in (0, 1))
        if 16 in by_width and 64 in by_width and by_width[16] != by_width[64]:
            yield all_free
        elif 32 in by_width and any(by_width[32] != by_width[other] for other in (16, 64) if other in by_width):
            yield AnyOf((free, all_free))


def _subgroups(module: Module, capabilities: frozenset[str]) -> Iterator[Requirement]:
    if module.group_operations or any(name.startswith("GroupNonUniform") for name in capabilities):
        yield NeedsLimit(SUBGROUP_STAGES, Relation.ALL_BITS, COMPUTE_STAGE)
    if any(_is_extended(module, result) for _, result, _ in module.group_operations):
        yield NeedsFeature(EXTENDED_TYPES)


def _is_extended(module: Module, identifier: int) -> bool:
    """Subgroup operations on 8-, 16- and 64-bit integers and 16-bit floats are a feature of their own."""
    kind, operands = module.types.get(identifier, ("", ()))
    if kind == "OpTypeVector":
        kind, operands = module.types.get(operands[0], ("", ()))
    return (kind == "OpTypeInt" and operands[0] != 32) or (kind == "OpTypeFloat" and operands[0] == 16)


def _atomics(module: Module) -> Iterator[Requirement]:
    results = module.result_types()
    for name, operands in module.instructions("OpAtomic"):
        at = 0 if name in ("OpAtomicStore", "OpAtomicFlagClear") else 2
        pointer = results.get(operands[at], 0) if len(operands) > at else 0
        kind, target = module.types.get(pointer, ("", ()))
        if kind != "OpTypePointer":
            continue
        place = _PLACES.get(_name("StorageClass", target[0]))
        pointee, shape = module.types.get(target[1], ("", ()))
        if place is None:
            continue
        if pointee == "OpTypeInt" and shape[0] == 64:
            yield NeedsFeature(_ATOMIC_IMAGE_INT64 if place == "Image" else _ATOMIC_INT64.format(place=place))
        elif pointee == "OpTypeFloat":
            yield NeedsFeature(_float_atomic(name, place, shape[0]))


def _float_atomic(name: str, place: str, width: int) -> str:
    operation = "Add" if name == "OpAtomicFAddEXT" else "MinMax" if name in ("OpAtomicFMinEXT", "OpAtomicFMaxEXT") else "s"
    series = "2" if width == 16 or operation == "MinMax" else ""
    return _ATOMIC_FLOAT.format(series=series, place=place, width=width, operation=operation)


def _name(kind: str, value: int) -> str:
    found = spirv.enumerants(kind).get(value)
    return found.name if found is not None else ""


def _matrices(module: Module, layout: Layout) -> Iterator[Requirement]:
    """One row for each kind of multiplication; types without a multiplication cannot be told to be in any row."""
    results = module.result_types()
    for operands in module.multiplications:
        identifiers = [operands[0], *(results.get(operand, 0) for operand in operands[2:5])]
        types = [_matrix_type(module, layout, identifier) for identifier in identifiers]
        row = _row(types, operands[5] if len(operands) > 5 else 0)
        yield NeedsMatrix(row) if row is not None else OPEN_MATRIX.requirement
    if not module.multiplications and any(kind == "OpTypeCooperativeMatrixKHR" for kind, _ in module.types.values()):
        yield UNUSED_MATRIX.requirement


@record
class _MatrixType:
    element: str
    is_integer: bool
    scope: str
    rows: int
    columns: int

    def signed(self, *, signed: bool) -> str:
        """The element's name: whether an integer has a sign is said by the multiplication, not by the type."""
        return f"u{self.element}" if self.is_integer and not signed else self.element


def _matrix_type(module: Module, layout: Layout, identifier: int) -> _MatrixType | None:
    kind, operands = module.types.get(identifier, ("", ()))
    if kind != "OpTypeCooperativeMatrixKHR":
        return None
    scope, rows, columns = (layout.value(operand) for operand in operands[1:4])
    scope_name = None if scope is None else _SCOPES.get(_name("Scope", scope))
    element = _element(*module.types.get(operands[0], ("", ())))
    if element is None or scope_name is None or rows is None or columns is None:
        return None
    return _MatrixType(element, element.startswith("i"), scope_name, rows, columns)


def _element(kind: str, shape: tuple[int, ...]) -> str | None:
    """`f16`, `bf16`, `i8` ... as MLIR spells it."""
    if kind == "OpTypeInt":
        return f"i{shape[0]}"
    if kind != "OpTypeFloat":
        return None
    return _FLOAT_ENCODINGS.get(_name("FPEncoding", shape[1])) if len(shape) > 1 else f"f{shape[0]}"


def _row(types: list[_MatrixType | None], flags: int) -> CooperativeMatrix | None:
    result, a, b, c = types
    if result is None or a is None or b is None or c is None:
        return None
    signs = enumerant_values("CooperativeMatrixOperands")
    names = [
        one.signed(signed=bool(flags & signs[f"Matrix{which}SignedComponentsKHR"]))
        for one, which in ((a, "A"), (b, "B"), (c, "C"), (result, "Result"))
    ]
    saturating = bool(flags & signs["SaturatingAccumulationKHR"])
    return CooperativeMatrix(a.rows, b.columns, a.columns, names[0], names[1], names[2], names[3], result.scope, saturating)
