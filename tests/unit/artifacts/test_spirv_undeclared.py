"""What a module uses and does not declare, case by case; tests/differential/test_spirv_capabilities.py asks spirv-val too."""

from __future__ import annotations

import pytest

from targetenv.artifacts.spirv_module import Module
from targetenv.artifacts.spirv_undeclared import undeclared
from tests.unit.artifacts.assembler import COMPUTE, assemble

IMAGE = "OpTypeFloat %3 32\nOpTypeImage %22 %3 "
POINTER = "OpTypeInt %2 32 0\nOpTypeStruct %3 %2\nOpTypeRuntimeArray %4 %3\nOpTypeArray %5 %3 %6\n"
ATOMIC = "OpTypeInt %2 64 0\nOpAtomicIAdd %2 %20 %5 %6 %4 %4"


def missed(text: str) -> list[tuple[str, ...]]:
    return [capabilities for _, capabilities in undeclared(Module(assemble(COMPUTE + text), "x"))]


@pytest.mark.parametrize(
    ("text", "capabilities"),
    [
        ("", []),
        ("OpTypeFloat %2 64", [("Float64",)]),
        ("OpTypeFloat %2 64\nOpTypeFloat %3 64", [("Float64",)]),
        ("OpCapability Float64\nOpTypeFloat %2 64", []),
        ("OpTypeInt %2 64 0", [("Int64",)]),
        ("OpCapability Int64Atomics\nOpTypeInt %2 64 0", []),
        ("OpTypeInt %2 32 0\nOpTypeFloat %3 32", []),
        ("OpCapability StoragePushConstant8\nOpTypeInt %2 8 0", []),
        ("OpCapability StorageInputOutput16\nOpTypeInt %2 16 0\nOpTypeFloat %3 16", []),
        ("OpTypeFloat %2 16 0", []),  # an encoding, which has capabilities of its own
        ("OpImageQuerySize %2 %3 %4", [("Kernel", "ImageQuery")]),
        ("OpCapability ImageQuery\nOpImageQuerySize %2 %3 %4", []),
        ("OpDecorate %9 NonUniform", [("ShaderNonUniform",)]),
        ("OpMemberDecorate %9 0 BuiltIn ViewIndex", [("MultiView",)]),
        ("OpMemberDecorate %9 0 BuiltIn ClipDistance\nOpMemberDecorate %9 1 BuiltIn PointSize", []),
        ("OpDecorate %9 BuiltIn CullDistance", []),
        ("OpExecutionMode %1 DenormPreserve 32", [("DenormPreserve",)]),
        ("OpTypeInt %2 32 0\nOpTypePointer %3 CrossWorkgroup %2", []),
        ("OpTypeInt %2 32 0\nOpTypePointer %3 PhysicalStorageBuffer %2", [("PhysicalStorageBufferAddresses",)]),
    ],
)
def test_what_is_used_takes_any_one_capability(text: str, capabilities: list[tuple[str, ...]]) -> None:
    assert missed(text) == capabilities


@pytest.mark.parametrize(
    ("image", "capabilities"),
    [
        ("2D 0 0 0 1 Unknown", []),
        ("2D 0 0 0 2 R32f", []),
        ("1D 0 0 0 1 Unknown", ["Sampled1D"]),
        ("1D 0 0 0 2 R32f", ["Image1D"]),
        ("Buffer 0 0 0 1 Unknown", ["SampledBuffer"]),
        ("Buffer 0 0 0 2 R32f", ["ImageBuffer"]),
        ("Cube 0 0 0 1 Unknown", []),
        ("Cube 0 1 0 1 Unknown", ["SampledCubeArray"]),
        ("Cube 0 1 0 2 R32f", ["ImageCubeArray"]),
        ("2D 0 0 1 1 Unknown", []),
        ("2D 0 1 1 1 Unknown", []),
        ("2D 0 0 1 2 R32f", ["StorageImageMultisample"]),
        ("2D 0 1 1 2 R32f", ["StorageImageMultisample", "ImageMSArray"]),
        ("2D 0 1 0 2 R32f", []),
        ("SubpassData 0 0 1 2 Unknown", ["InputAttachment"]),
        ("2D 0 0 0 2 Rg32f", ["StorageImageExtendedFormats"]),
    ],
)
def test_an_image_takes_the_capabilities_of_its_shape(image: str, capabilities: list[str]) -> None:
    assert missed(IMAGE + image) == [(name,) for name in capabilities]


@pytest.mark.parametrize(
    ("variable", "capabilities"),
    [
        ("OpTypePointer %7 StorageBuffer %4\nOpVariable %7 %8 StorageBuffer", [("RuntimeDescriptorArray",)]),
        ("OpTypePointer %7 StorageBuffer %5\nOpVariable %7 %8 StorageBuffer", []),
        ("OpTypePointer %7 Workgroup %4\nOpVariable %7 %8 Workgroup", []),
    ],
)
def test_an_array_of_descriptors_without_a_length_takes_its_capability(
    variable: str, capabilities: list[tuple[str, ...]]
) -> None:
    assert missed(POINTER + variable) == capabilities


def test_atomics_on_64_bit_integers_take_their_capability() -> None:
    assert missed(f"OpCapability Int64\n{ATOMIC}") == [("Int64Atomics",)]
    assert missed(f"OpCapability Int64\n{ATOMIC.replace('Int %2 64 0', 'Float %2 32')}") == []


@pytest.mark.parametrize(
    ("text", "capabilities"),
    [
        ("OpImageSampleExplicitLod %5 %40 %41 %42 Lod %10", []),
        ("OpImageGather %5 %40 %41 %42 %10 16 %16", ["ImageGatherExtended"]),
        ("OpImageSampleImplicitLod %5 %40 %41 %42 128 %16", ["MinLod"]),
        ("OpImageSampleImplicitLod %5 %40 %41 %42", []),
    ],
)
def test_image_operands_take_their_capabilities(text: str, capabilities: list[str]) -> None:
    found = missed(text)
    assert found == [(name,) for name in capabilities]


@pytest.mark.parametrize(
    ("operation", "missing"), [("Reduce %9", False), ("ClusteredReduce %9 %10", True), ("InclusiveScan %9", False)]
)
def test_group_operations_take_their_capabilities(operation: str, missing: bool) -> None:
    text = f"OpCapability GroupNonUniformArithmetic\nOpTypeInt %2 32 0\nOpGroupNonUniformIAdd %2 %8 %10 {operation}"
    assert bool(missed(text)) is missing
