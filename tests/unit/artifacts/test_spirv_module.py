"""The stream of a module, read as declarations: exactly these operands, at exactly these bounds."""

from __future__ import annotations

import struct

import pytest

from targetenv.artifacts import spirv_module as reader
from targetenv.artifacts.spirv_module import Constant, EntryPoint, Mode, Module, Variable
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.registry import spirv
from tests.unit.artifacts.assembler import assemble

STRINGS = ("OpExtension", "OpExtInstImport", "OpEntryPoint")  # which no number is
TEXT = """
OpCapability Shader
OpCapability Int64
OpExtension "SPV_KHR_16bit_storage"
OpExtInstImport %9 "GLSL.std.450"
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %1 "main" %5 %6
OpExecutionMode %1 LocalSize 8 4 2
OpName %5 "five"
OpName %6 "six"
OpDecorate %5 Binding 3
OpDecorate %5 DescriptorSet 1
OpMemberDecorate %7 2 Offset 16
OpDecorate %8 NonWritable
OpGroupDecorate %8 %5 %6
OpTypeInt %2 32 0
OpTypePointer %3 StorageBuffer %2
OpConstant %2 %4 7
OpVariable %3 %5 StorageBuffer
OpVariable %3 %6 Private %4
OpVariable %3 %10 Function
OpAtomicStore %5 %4 %4 %4
OpControlBarrier %4 %2 %4
OpAtomicIAdd %2 %20 %5 %6 %4 %4
"""


def module(text: str = TEXT, **options: object) -> Module:
    return Module(assemble(text, **options), "x")  # type: ignore[arg-type]


def test_every_declaration_is_read_with_its_operands() -> None:
    found = module()
    assert found.capabilities == [1, 11]
    assert (found.extensions, found.imports) == (["SPV_KHR_16bit_storage"], ["GLSL.std.450"])
    assert (found.addressing, found.memory_model) == ("Logical", "GLSL450")
    assert found.entry_points == [EntryPoint("GLCompute", 1, "main", frozenset({5, 6}))]
    assert found.modes == [Mode(1, "LocalSize", (8, 4, 2))]
    assert found.modes_of == {1: {"LocalSize": (8, 4, 2)}}
    assert found.decorations[5] == {"Binding": (3,), "DescriptorSet": (1,), "NonWritable": ()}
    assert found.decorations[6] == {"NonWritable": ()}
    assert found.member_decorations == {(7, 2): {"Offset": (16,)}}
    assert found.types == {2: ("OpTypeInt", (32, 0)), 3: ("OpTypePointer", (12, 2))}
    assert found.constants == {4: Constant("OpConstant", 2, (7,))}
    assert found.variables == [Variable(5, 3, "StorageBuffer", False), Variable(6, 3, "Private", True)]


def test_operations_are_collected_with_what_decides_about_them() -> None:
    found = module()
    assert found.atomic_operations == {"OpAtomicStore", "OpAtomicIAdd"}
    assert found.memory_scopes == {4: "OpAtomicStore", 2: "OpControlBarrier", 6: "OpAtomicIAdd"}
    assert (found.has_typed_atomics, found.has_wide_atomics) == (True, False)


@pytest.mark.parametrize(
    ("lines", "typed", "wide"),
    [
        ("OpTypeInt %3 32 0\nOpAtomicIAdd %3 %20 %5 %6 %4 %4", False, False),
        ("OpTypeInt %3 64 0\nOpAtomicIAdd %3 %20 %5 %6 %4 %4", True, True),
        ("OpTypeFloat %3 64\nOpAtomicExchange %3 %20 %5 %6 %4 %4", True, False),
        ("OpTypeFloat %3 32\nOpAtomicExchange %3 %20 %5 %6 %4 %4", True, False),
    ],
)
def test_only_some_atomics_have_to_be_looked_at_again(lines: str, typed: bool, wide: bool) -> None:
    found = module(lines)
    assert (found.has_typed_atomics, found.has_wide_atomics) == (typed, wide)


def test_a_second_pass_gives_whole_instructions_in_order() -> None:
    found = module()
    assert found.instructions(("OpAtomicIAdd", "OpName", "OpControlBarrier")) == [
        ("OpName", (5, *_text("five"))),
        ("OpName", (6, *_text("six"))),
        ("OpControlBarrier", (4, 2, 4)),
        ("OpAtomicIAdd", (2, 20, 5, 6, 4, 4)),
    ]
    assert found.instructions(("OpFmaKHR",)) == []


def test_names_are_those_that_are_asked_for() -> None:
    assert module().names({6, 7}) == {6: "six"}
    assert module().names(set()) == {}


def test_results_have_their_types() -> None:
    assert module().result_types() == {4: 2, 5: 3, 6: 3, 10: 3, 20: 2}


def test_an_instruction_without_room_for_a_result_has_none() -> None:
    short = assemble("OpTypeInt %2 32 0") + struct.pack("<2I", 2 << 16 | spirv.opcodes()["OpUndef"], 2)
    assert Module(short, "x").result_types() == {}


def test_the_opcodes_of_a_module_are_known() -> None:
    names = {spirv.instructions()[opcode].name for opcode in module().opcodes}
    assert {"OpCapability", "OpAtomicStore", "OpControlBarrier"} <= names
    assert "OpFmaKHR" not in names


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_file_of_many_words_is_read_like_one_of_few(order: str) -> None:
    nops = "OpNop\n" * (1 << 18)
    found = module(TEXT + nops + "OpTypeFloat %30 16", order=order)
    assert found.types[30] == ("OpTypeFloat", (16,))


@pytest.mark.parametrize(("instruction", "most"), [("OpCapability Shader", 4096), ('OpExtension "a"', 4096)])
def test_as_many_declarations_are_read_as_it_says(instruction: str, most: int) -> None:
    module(f"{instruction}\n" * most)
    with pytest.raises(FormatError) as refused:
        module(f"{instruction}\n" * (most + 1))
    assert refused.value.code == "TE4104"


def test_as_many_targets_of_groups_are_read_as_it_says() -> None:
    def group(count: int) -> bytes:
        words = (count + 2) << 16 | spirv.opcodes()["OpGroupDecorate"], 9, *([5] * count)
        return assemble("") + struct.pack(f"<{len(words)}I", *words)

    assert Module(group(65_000) + group(535)[20:], "x").decorations[5] == {}
    with pytest.raises(FormatError) as refused:
        Module(group(65_000) + group(536)[20:], "x")
    assert refused.value.code == "TE4104"


@pytest.mark.parametrize("length", [0, 1, 3, 4, 65_531])
def test_a_string_ends_inside_of_its_instruction(length: int) -> None:
    assert module(f'OpExtension "{"a" * length}"').extensions == ["a" * length]


@pytest.mark.parametrize(
    ("version", "accepted"), [((1, 0), True), ((1, 6), True), ((1, 255), True), ((0, 9), False), ((2, 0), False)]
)
def test_the_major_version_is_1(version: tuple[int, int], accepted: bool) -> None:
    if accepted:
        assert module("", version=version).version.minor == version[1]
        return
    with pytest.raises(FormatError) as refused:
        module("", version=version)
    assert refused.value.code == "TE4101"


@pytest.mark.parametrize(("bound", "accepted"), [(1, True), (4_194_303, True), (4_194_304, False), (0, False)])
def test_the_bound_is_within_the_universal_limit(bound: int, accepted: bool) -> None:
    if accepted:
        assert module("", bound=bound).bound == bound
        return
    with pytest.raises(FormatError) as refused:
        module("", bound=bound)
    assert refused.value.code == "TE4101"


@pytest.mark.parametrize(("identifier", "accepted"), [(1, True), (9, True), (10, False), (0, False)])
def test_an_id_is_below_the_bound(identifier: int, accepted: bool) -> None:
    text = f"OpTypeInt %{identifier} 32 0"
    if accepted:
        assert module(text, bound=10).types == {identifier: ("OpTypeInt", (32, 0))}
        return
    with pytest.raises(FormatError) as refused:
        module(text, bound=10)
    assert refused.value.code == "TE4103"


def test_an_id_is_defined_once_also_as_a_constant() -> None:
    with pytest.raises(FormatError) as refused:
        module("OpTypeInt %2 32 0\nOpConstant %2 %3 1\nOpTypeInt %3 32 0")
    assert refused.value.code == "TE4103"


@pytest.mark.parametrize("name", [name for name in reader._HANDLERS if name not in STRINGS])
def test_an_instruction_that_is_too_short_is_refused_and_one_that_is_long_enough_is_not(name: str) -> None:
    fewest, _ = reader._HANDLERS[name]

    def with_operands(count: int) -> bytes:
        operands = [50 + at for at in range(count)]
        return assemble("", bound=100) + struct.pack(f"<{count + 1}I", (count + 1) << 16 | spirv.opcodes()[name], *operands)

    with pytest.raises(FormatError) as refused:
        Module(with_operands(fewest - 1), "x")
    assert refused.value.code == "TE4102"
    Module(with_operands(fewest), "x")


def _text(text: str) -> tuple[int, ...]:
    raw = text.encode() + b"\0"
    raw += bytes(-len(raw) % 4)
    return struct.unpack(f"<{len(raw) // 4}I", raw)
