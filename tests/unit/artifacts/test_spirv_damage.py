"""Damaged modules: each kind of damage has its code."""

from __future__ import annotations

import struct

import pytest

from targetenv.artifacts import inspect
from targetenv.diagnostics.diagnostic import FormatError
from tests.unit.artifacts.assembler import COMPUTE, assemble

HEAD = assemble("")
DEEP = "OpTypeInt %1 32 0\n" + "".join(f"OpTypeStruct %{at + 1} %{at}\n" for at in range(1, 150))
DEEP += 'OpTypePointer %200 Workgroup %150\nOpVariable %200 %201 Workgroup\nOpEntryPoint GLCompute %202 "main"'
LOOP = "OpTypeStruct %5 %5\nOpTypePointer %6 Workgroup %5\nOpVariable %6 %7 Workgroup"
HUGE = """
OpTypeInt %2 32 0
OpTypeInt %9 64 0
OpConstant %9 %3 0xffffffff 0x7fffffff
OpTypeArray %4 %2 %3
OpTypePointer %5 Workgroup %4
OpVariable %5 %6 Workgroup
"""


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def patched(data: bytes, word: int, value: int) -> bytes:
    return data[: 4 * word] + words(value) + data[4 * word + 4 :]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "TE4001"),
        (HEAD[:3], "TE4001"),
        (HEAD[:16], "TE4101"),
        (HEAD + b"\0", "TE4101"),
        (patched(HEAD, 1, 0x00020000), "TE4101"),
        (patched(HEAD, 1, 0x01010000), "TE4101"),
        (patched(HEAD, 3, 0), "TE4101"),
        (patched(HEAD, 3, 0xFFFFFFFF), "TE4101"),
        (patched(HEAD, 4, 1), "TE4101"),
        (HEAD + words(17), "TE4102"),
        (HEAD + words(0xFFFF0011), "TE4102"),
        (HEAD + words(0x00010011), "TE4102"),
        (HEAD + words(0x0002000A, 0x41414141), "TE4102"),
        (HEAD + words(0x0002000A, 0x000000FF), "TE4102"),
        (assemble("OpTypeInt %2 32 0\nOpTypeInt %2 32 0"), "TE4103"),
        (assemble("OpTypeInt %100 32 0", bound=100), "TE4103"),
        (assemble("OpTypeInt %0 32 0"), "TE4103"),
        (assemble(COMPUTE + "OpTypePointer %5 Workgroup %6\nOpVariable %5 %7 Workgroup"), "TE4103"),
        (assemble(COMPUTE + "OpTypeInt %5 32 0\nOpVariable %5 %7 Workgroup"), "TE4103"),
        (assemble(COMPUTE + LOOP), "TE4104"),
        (assemble(DEEP, bound=300), "TE4104"),
        (assemble(COMPUTE + HUGE), "TE4104"),
    ],
)  # fmt: skip
def test_damage_has_its_code(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        inspect(data, name="damaged.spv")
    assert refused.value.code == code
    assert refused.value.diagnostics[0].source is not None


def test_a_module_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(FormatError) as refused:
        inspect(HEAD + bytes(16 << 20), name="large.spv")
    assert refused.value.code == "TE4104"


def test_a_decoration_group_cannot_decorate_without_end() -> None:
    group = words(0x0000004A | 2002 << 16, 9, *range(2000))
    with pytest.raises(FormatError) as refused:
        inspect(HEAD + group * 40, name="groups.spv")
    assert refused.value.code == "TE4104"


@pytest.mark.parametrize(
    "instruction",
    [
        words(0x00020011, 0xFFFF),
        words(0x0002000A, 0x00000041),
        words(0x0003000B, 9, 0x00000041),
        words(0x0004000F, 5, 9, 0x00000041),
    ],
    ids=["capabilities", "extensions", "instruction sets", "entry points"],
)
def test_declarations_are_counted(instruction: bytes) -> None:
    with pytest.raises(FormatError) as refused:
        inspect(HEAD + instruction * 5000, name="many.spv")
    assert refused.value.code == "TE4104"


def test_constants_and_types_that_contain_themselves_often_come_to_an_end() -> None:
    """Each level would double the work: this returns at once, or never."""
    doubled = "OpTypeInt %2 32 0\nOpDecorate %5 BuiltIn WorkgroupSize\nOpConstantComposite %2 %5 %5 %5 %5"
    assert inspect(assemble(COMPUTE + doubled), name="x").artifacts[0].kernels[0].workgroup_size is None
    operation = "OpTypeInt %2 32 0\nOpSpecConstantOp %2 %5 OpIAdd %5 %5\nOpExecutionModeId %1 LocalSizeId %5 %5 %5"
    assert inspect(assemble(COMPUTE + operation), name="x").artifacts[0].kernels[0].workgroup_size is None
    chain = "".join(f"OpConstantComposite %2 %{at} {f'%{at - 1} ' * 3}\n" for at in range(11, 90))
    text = COMPUTE + "OpDecorate %89 BuiltIn WorkgroupSize\nOpTypeInt %2 32 0\n" + chain
    assert inspect(assemble(text), name="x").artifacts[0].kernels[0].workgroup_size is None


def test_thousands_of_kernels_and_variables_are_read_in_one_go() -> None:
    """Kernels times variables would be sixteen million steps, kernels times modes as many."""
    types = assemble("OpTypeInt %2 32 0\nOpTypePointer %3 StorageBuffer %2", bound=20000)
    body = b"".join(words(0x0004003B, 3, 100 + at, 12) for at in range(4000))
    entries = b"".join(words(0x0004000F, 5, 5000 + at, 0x00000041) for at in range(4000))
    modes = b"".join(words(0x00060010, 5000 + at, 17, 8, 1, 1) for at in range(4000))
    (artifact,) = inspect(types + entries + modes + body, name="x").artifacts
    assert len(artifact.kernels) == 4000
    assert {kernel.workgroup_size for kernel in artifact.kernels} == {(8, 1, 1)}


def test_cooperative_matrices_are_counted() -> None:
    head = assemble(COMPUTE + "OpTypeFloat %2 16\nOpTypeInt %3 32 0\nOpConstant %3 %4 3", bound=70000)
    types = b"".join(words(0x00070000 | 4456, 100 + at, 2, 4, 4, 4, 4) for at in range(5000))
    with pytest.raises(FormatError) as refused:
        inspect(head + types, name="matrices.spv")
    assert refused.value.code == "TE4104"
    types = b"".join(words(0x00070000 | 4456, 100 + at, 2, 4, 4, 4, 4) for at in range(80))
    undefined = b"".join(words(0x00030001, 100 + at, 300 + at) for at in range(80))
    pairs = [(one, other) for one in range(80) for other in range(80)]
    products = b"".join(
        words(0x00060000 | 4459, 100, 1000 + at, 300 + one, 300 + other, 300) for at, (one, other) in enumerate(pairs)
    )
    with pytest.raises(FormatError) as refused:
        inspect(head + types + undefined + products, name="products.spv")
    assert refused.value.code == "TE4104"


def test_parameters_of_a_kernel_are_counted() -> None:
    text = 'OpMemoryModel Physical64 OpenCL\nOpEntryPoint Kernel %1 "k"\nOpTypeInt %2 32 0\nOpFunction %2 %1 None %3\n'
    parameters = [f"OpFunctionParameter %2 %{at}" for at in range(10, 10 + 256)]
    assert inspect(assemble(text + "\n".join(parameters[:255])), name="k").artifacts[0].kernels[0].constants == 255 * 4
    with pytest.raises(FormatError) as refused:
        inspect(assemble(text + "\n".join(parameters)), name="k")
    assert refused.value.code == "TE4104"


def test_a_chain_of_operations_that_is_too_long_is_not_evaluated() -> None:
    chain = "".join(f"OpSpecConstantOp %2 %{at} OpIAdd %{at - 1} %{at - 1}\n" for at in range(11, 2000))
    text = f"{COMPUTE}OpTypeInt %2 32 0\nOpSpecConstant %2 %10 1\n{chain}"
    for identifier, size in ((1999, None), (40, (1 << 30,) * 3)):
        data = assemble(f"{text}OpExecutionModeId %1 LocalSizeId {f'%{identifier} ' * 3}", bound=3000)
        assert inspect(data, name="x").artifacts[0].kernels[0].workgroup_size == size


def test_execution_modes_are_counted() -> None:
    modes = b"".join(words(0x00030010, 5000 + at, 33) for at in range(66_000))
    with pytest.raises(FormatError) as refused:
        inspect(HEAD + modes, name="modes.spv")
    assert refused.value.code == "TE4104"


@pytest.mark.parametrize("width", [0, 1, 7, 65, 0xFFFFFFFF])
def test_numbers_of_odd_widths_neither_fail_nor_grow(width: int) -> None:
    text = f"""
OpTypeInt %2 {width} 1
OpSpecConstant %2 %10 0xffffffff 0xffffffff
OpSpecConstantOp %2 %11 OpShiftLeftLogical %10 %10
OpSpecConstantOp %2 %12 OpSDiv %10 %10
OpSpecConstantOp %2 %13 OpShiftRightArithmetic %10 %10
OpExecutionModeId %1 LocalSizeId %11 %12 %13
"""
    inspect(assemble(COMPUTE + text), name="x")


def test_a_file_of_unknown_instructions_takes_no_memory_for_each() -> None:
    body = b"".join(words(0x00010000 | opcode) for opcode in range(60000, 65000)) * 20
    assert inspect(HEAD + body, name="x").artifacts[0].kernels == ()


def test_thousands_of_specialization_constants_are_shown_in_part() -> None:
    head = assemble(COMPUTE + "OpTypeInt %2 32 0", bound=70000)
    marks = b"".join(words(0x00040047, 100 + at, 1, at) for at in range(5000))
    constants = b"".join(words(0x00040032, 2, 100 + at, at) for at in range(5000))
    details = inspect(head + marks + constants, name="x").details
    assert [value for key, value in details if key == "specialization constant"][:2] == ["0: u32 = 0", "1: u32 = 1"]
    assert len(details) < 100
