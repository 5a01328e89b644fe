"""Cooperative matrices of SPIR-V modules: rows that a multiplication needs, types that nothing multiplies."""

from __future__ import annotations

from targetenv.artifacts import inspect
from targetenv.artifacts import spirv_matrices as matrices
from targetenv.match.unknowns import OPEN_MATRIX, UNUSED_MATRIX
from targetenv.model.capabilities import CooperativeMatrix
from targetenv.model.requirement import (
    AnyOf,
    NeedsLimit,
    NeedsMatrix,
    Relation,
)
from tests.unit.artifacts.assembler import assemble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement


def required(text: str, **options: object) -> tuple[Requirement, ...]:
    return inspect(assemble(text, **options), name="test.spv").artifacts[0].requires  # type: ignore[arg-type]


MATRICES = """
OpCapability Shader
OpCapability CooperativeMatrixKHR
OpEntryPoint GLCompute %1 "main"
OpTypeInt %2 32 0
OpTypeInt %3 8 0
OpTypeFloat %4 16
OpTypeFloat %5 32
OpConstant %2 %10 3
OpConstant %2 %11 16
OpConstant %2 %12 8
OpConstant %2 %13 32
OpConstant %2 %14 0
OpConstant %2 %15 1
OpConstant %2 %16 2
OpTypeCooperativeMatrixKHR %20 %4 %10 %11 %12 %14
OpTypeCooperativeMatrixKHR %21 %4 %10 %12 %13 %15
OpTypeCooperativeMatrixKHR %22 %5 %10 %11 %13 %16
OpTypeCooperativeMatrixKHR %23 %3 %10 %11 %11 %14
OpTypeCooperativeMatrixKHR %24 %3 %10 %11 %11 %15
OpTypeCooperativeMatrixKHR %25 %2 %10 %11 %11 %16
OpUndef %20 %30
OpUndef %21 %31
OpUndef %22 %32
OpUndef %23 %33
OpUndef %24 %34
OpUndef %25 %35
"""


def test_a_multiplication_needs_its_row() -> None:
    needs = required(MATRICES + "OpCooperativeMatrixMulAddKHR %22 %40 %30 %31 %32")
    assert NeedsMatrix(CooperativeMatrix(16, 32, 8, "f16", "f16", "f32", "f32")) in needs


def test_signs_and_saturation_come_from_the_multiplication() -> None:
    needs = required(MATRICES + "OpCooperativeMatrixMulAddKHR %25 %40 %33 %34 %35 29")
    assert NeedsMatrix(CooperativeMatrix(16, 16, 16, "i8", "ui8", "i32", "i32", "subgroup", True)) in needs


def test_matrices_that_are_multiplied_are_known() -> None:
    needs = required(MATRICES + "OpCooperativeMatrixMulAddKHR %22 %40 %30 %31 %32")
    assert not {OPEN_MATRIX.requirement, UNUSED_MATRIX.requirement} & set(needs)
    assert NeedsMatrix(CooperativeMatrix(16, 16, 16, "ui8", "ui8", "ui32", "ui32")) in required(
        MATRICES + "OpCooperativeMatrixMulAddKHR %25 %40 %33 %34 %35"
    )


def test_a_matrix_type_that_nothing_multiplies_must_be_in_some_row() -> None:
    needs = required(MATRICES)
    assert NeedsMatrix(CooperativeMatrix(16, 0, 8, "f16", "", "", "")) in needs
    assert NeedsMatrix(CooperativeMatrix(0, 32, 8, "", "f16", "", "")) in needs
    either = (NeedsMatrix(CooperativeMatrix(16, 32, 0, "", "", *names)) for names in (("f32", ""), ("", "f32")))
    assert AnyOf(tuple(either)) in needs
    signs = (NeedsMatrix(CooperativeMatrix(16, 0, 16, name, "", "", "")) for name in ("ui8", "i8"))
    assert AnyOf(tuple(signs)) in needs


def test_matrices_of_a_use_that_is_not_known_are_not_known() -> None:
    assert UNUSED_MATRIX.requirement in required(MATRICES.replace("OpConstant %2 %16 2", "OpConstant %2 %16 7"))


def test_cooperative_matrices_need_the_compute_stage() -> None:
    assert NeedsLimit(matrices.STAGES.format("KHR"), Relation.ALL_BITS, 0x20) in required(MATRICES)


NV_MATRICES = """
OpCapability Shader
OpCapability CooperativeMatrixNV
OpEntryPoint GLCompute %1 "main"
OpTypeInt %2 32 0
OpTypeInt %3 8 1
OpTypeInt %4 32 1
OpConstant %2 %10 3
OpConstant %2 %11 16
OpConstant %2 %12 32
OpTypeCooperativeMatrixNV %20 %3 %10 %11 %12
OpTypeCooperativeMatrixNV %21 %3 %10 %12 %11
OpTypeCooperativeMatrixNV %22 %4 %10 %11 %11
OpUndef %20 %30
OpUndef %21 %31
OpUndef %22 %32
OpCooperativeMatrixMulAddNV %22 %40 %30 %31 %32
"""


def test_a_matrix_of_the_older_extension_has_its_sign_in_its_type() -> None:
    needs = required(NV_MATRICES)
    assert NeedsMatrix(CooperativeMatrix(16, 16, 32, "i8", "i8", "i32", "i32")) in needs
    assert NeedsLimit(matrices.STAGES.format("NV"), Relation.ALL_BITS, 0x20) in needs


def test_a_matrix_of_the_older_extension_that_nothing_multiplies_is_not_known() -> None:
    assert UNUSED_MATRIX.requirement in required(NV_MATRICES.partition("OpCooperativeMatrixMulAddNV")[0])


def test_matrices_of_an_open_shape_are_not_known() -> None:
    text = MATRICES.replace("OpConstant %2 %12 8", "OpSpecConstantOp %2 %12 OpUndef %10 %10")
    assert OPEN_MATRIX.requirement in required(text + "OpCooperativeMatrixMulAddKHR %22 %40 %30 %31 %32")
