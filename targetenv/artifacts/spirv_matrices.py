"""Which rows of the device's table of cooperative matrices a module needs.

Source: Vulkan specification, VkCooperativeMatrixPropertiesKHR and the VUID-RuntimeSpirv-OpTypeCooperativeMatrix rules for
VK_KHR_cooperative_matrix and its predecessor VK_NV_cooperative_matrix.
"""

from __future__ import annotations

from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.spirv_module import MOST_DECLARED
from targetenv.match.unknowns import OPEN_MATRIX, UNUSED_MATRIX
from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.record import record
from targetenv.model.requirement import AnyOf, NeedsLimit, NeedsMatrix, Relation
from targetenv.registry.spirv import enumerant_values, name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

KHR, NV = "OpTypeCooperativeMatrixKHR", "OpTypeCooperativeMatrixNV"
STAGES = "VkPhysicalDeviceCooperativeMatrixProperties{}::cooperativeMatrixSupportedStages"
_COMPUTE_STAGE = 0x20  # VK_SHADER_STAGE_COMPUTE_BIT
_SCOPES = {"Device": "device", "Workgroup": "workgroup", "Subgroup": "subgroup", "QueueFamily": "queue-family"}
_FLOAT_ENCODINGS = {"BFloat16KHR": "bf16", "Float8E4M3EXT": "f8E4M3FN", "Float8E5M2EXT": "f8E5M2"}
_USES = {"MatrixAKHR": "a", "MatrixBKHR": "b", "MatrixAccumulatorKHR": "accumulator"}


@record
class _MatrixType:
    """One matrix type; `names` are those of its element: an integer's sign may be left to the multiplication."""

    names: tuple[str, ...]
    scope: str
    rows: int
    columns: int
    use: str


def matrices(module: Module, layout: Layout) -> Iterator[tuple[Requirement, str]]:
    """The stage, a row for each kind of multiplication, and some row for each type that nothing multiplies."""
    kinds = {kind for kind, _ in module.types.values()} & {KHR, NV}
    for kind in sorted(kinds):
        stages = STAGES.format(kind.removeprefix("OpTypeCooperativeMatrix"))
        yield NeedsLimit(stages, Relation.ALL_BITS, _COMPUTE_STAGE), "cooperative matrices in a compute shader"
    results = module.result_types() if module.multiplications else {}
    multiplied: set[int] = set()
    shapes = dict.fromkeys(_shapes(module, results))
    if max(len(shapes), sum(kind in kinds for kind, _ in module.types.values()) if kinds else 0) > MOST_DECLARED:
        message = f"the module has more than the {MOST_DECLARED} kinds of cooperative matrices that are read"
        raise damaged("TE4104", module.name, message)
    for operands in shapes:
        *identifiers, flags = operands
        multiplied.update(identifiers)
        types = [_matrix_type(module, layout, identifier) for identifier in identifiers]
        row = _row(types, flags)
        yield (NeedsMatrix(row), "a multiplication of cooperative matrices") if row is not None else OPEN_MATRIX.asked
    for identifier, (kind, _) in module.types.items():
        if kind in kinds and identifier not in multiplied:
            yield _lonely(_matrix_type(module, layout, identifier))


def _shapes(module: Module, results: dict[int, int]) -> Iterator[tuple[int, ...]]:
    """The types of result, A, B and C with the flags, for each multiplication: thousands of them share a few shapes."""
    for operands in module.multiplications:
        yield operands[0], *(results.get(operand, 0) for operand in operands[2:5]), operands[5] if len(operands) > 5 else 0


def _lonely(matrix: _MatrixType | None) -> tuple[Requirement, str]:
    """A type that is only loaded and stored must still be in some row, which the rest of the row does not matter for."""
    if matrix is None:
        return OPEN_MATRIX.asked
    if matrix.use not in ("a", "b", "accumulator"):
        return UNUSED_MATRIX.asked
    rows = []
    for name in matrix.names:
        match matrix.use:
            case "a":
                rows.append(CooperativeMatrix(matrix.rows, 0, matrix.columns, name, "", "", "", matrix.scope))
            case "b":
                rows.append(CooperativeMatrix(0, matrix.columns, matrix.rows, "", name, "", "", matrix.scope))
            case _:
                rows.append(CooperativeMatrix(matrix.rows, matrix.columns, 0, "", "", name, "", matrix.scope))
                rows.append(CooperativeMatrix(matrix.rows, matrix.columns, 0, "", "", "", name, matrix.scope))
    needs = tuple(NeedsMatrix(row) for row in rows)
    because = f"a cooperative-matrix type of use {matrix.use} that nothing multiplies"
    return (needs[0] if len(needs) == 1 else AnyOf(needs)), because


def _matrix_type(module: Module, layout: Layout, identifier: int) -> _MatrixType | None:
    kind, operands = module.types.get(identifier, ("", ()))
    if kind not in (KHR, NV):
        return None
    scope, rows, columns = (layout.value(operand) for operand in operands[1:4])
    scope_name = None if scope is None else _SCOPES.get(name_of("Scope", scope))
    use = layout.value(operands[4]) if kind == KHR else None
    element, shape = module.types.get(operands[0], ("", ()))
    names = _elements(element, shape, signed=kind == NV)
    if not names or scope_name is None or rows is None or columns is None:
        return None
    use_name = "" if use is None else _USES.get(name_of("CooperativeMatrixUse", use), "")
    return _MatrixType(names, scope_name, rows, columns, use_name)


def _elements(kind: str, shape: tuple[int, ...], *, signed: bool) -> tuple[str, ...]:
    """`f16`, `bf16`, `i8` ... as MLIR spells it; where the type does not say the sign, both."""
    if kind == "OpTypeInt":
        names = f"ui{shape[0]}", f"i{shape[0]}"
        return names[shape[1] & 1 :][:1] if signed else names
    if kind != "OpTypeFloat":
        return ()
    if len(shape) > 1:
        name = _FLOAT_ENCODINGS.get(name_of("FPEncoding", shape[1]))
        return () if name is None else (name,)
    return (f"f{shape[0]}",)


def _row(types: list[_MatrixType | None], flags: int) -> CooperativeMatrix | None:
    result, a, b, c = types
    if result is None or a is None or b is None or c is None:
        return None
    signs = enumerant_values("CooperativeMatrixOperands")
    names = [
        one.names[-1] if flags & signs[f"Matrix{which}SignedComponentsKHR"] else one.names[0]
        for one, which in ((a, "A"), (b, "B"), (c, "C"), (result, "Result"))
    ]
    saturating = bool(flags & signs["SaturatingAccumulationKHR"])
    return CooperativeMatrix(a.rows, b.columns, a.columns, names[0], names[1], names[2], names[3], result.scope, saturating)
