"""Laws of the SPIR-V reader: more in a module never means fewer requirements, and what it says is always an answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from targetenv.artifacts import inspect
from targetenv.artifacts.spirv import inspect_spirv
from targetenv.model.requirement import NeedsLimit
from targetenv.resolve.implication import implies
from tests.unit.artifacts.assembler import COMPUTE, assemble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

BASE = (
    COMPUTE
    + """
OpExecutionMode %1 LocalSize 8 4 2
OpDecorate %95 SpecId 0
OpTypeInt %2 32 0
OpTypeInt %3 64 0
OpTypeInt %4 8 0
OpTypeFloat %5 16
OpTypeFloat %6 32
OpTypeFloat %7 64
OpConstant %2 %10 1
OpConstant %2 %11 3
OpConstant %2 %12 5
OpConstant %2 %13 16
OpConstant %2 %14 0
OpConstant %2 %15 2
OpSpecConstant %2 %95 32
OpSpecConstantOp %2 %94 OpIMul %95 %13
OpTypeVector %16 %6 4
OpTypeStruct %17 %4
OpTypeStruct %18 %5
OpTypeArray %19 %6 %94
OpTypePointer %20 StorageBuffer %3
OpTypePointer %21 Workgroup %7
OpTypePointer %22 Image %6
OpTypePointer %23 StorageBuffer %17
OpTypePointer %24 Uniform %18
OpTypePointer %25 PushConstant %18
OpTypePointer %26 Workgroup %19
OpTypeImage %27 %6 2D 0 0 0 2 Unknown
OpTypePointer %28 UniformConstant %27
OpTypeCooperativeMatrixKHR %29 %5 %11 %13 %13 %14
OpTypeCooperativeMatrixKHR %30 %5 %11 %13 %13 %10
OpTypeCooperativeMatrixKHR %31 %6 %11 %13 %13 %15
OpUndef %29 %32
OpUndef %30 %33
OpUndef %31 %34
OpTypeInt %35 32 1
OpTypeVector %36 %35 2
OpConstant %35 %37 0xfffffff0
OpConstantComposite %36 %38 %37 %37
OpAccessChain %20 %40 %41 %10
OpAccessChain %21 %42 %41 %10
OpAccessChain %22 %43 %41 %10
"""
)
# Each line may stand in a module or not; none takes back what another one says.
LINES = (
    "OpAtomicIAdd %3 %60 %40 %10 %10 %10",
    "OpAtomicFAddEXT %7 %61 %42 %10 %10 %10",
    "OpAtomicExchange %6 %62 %43 %10 %10 %10",
    "OpAtomicStore %42 %12 %10 %10",
    "OpMemoryBarrier %12 %10",
    "OpControlBarrier %10 %10 %10",
    "OpReadClockKHR %3 %63 %10",
    "OpReadClockKHR %3 %64 %11",
    "OpGroupNonUniformIAdd %3 %65 %11 Reduce %10",
    "OpGroupNonUniformBroadcast %2 %66 %11 %10 %65",
    "OpGroupNonUniformRotateKHR %2 %67 %11 %10 %10 %10",
    "OpFmaKHR %16 %68 %10 %10 %10",
    "OpFmaKHR %5 %69 %10 %10 %10",
    "OpCooperativeMatrixMulAddKHR %31 %70 %32 %33 %34",
    "OpCooperativeMatrixMulAddKHR %31 %71 %32 %33 %34 16",
    "OpImageSampleExplicitLod %16 %72 %10 %10 10 %10 %38",
    "OpImageGather %16 %73 %10 %10 %10 8 %38",
    "OpVariable %23 %74 StorageBuffer",
    "OpVariable %24 %75 Uniform",
    "OpVariable %25 %76 PushConstant",
    "OpVariable %26 %77 Workgroup",
    "OpVariable %28 %78 UniformConstant",
    "OpDecorate %75 Binding 1",
    "OpDecorate %78 Binding 2",
    "OpDecorate %78 DescriptorSet 3",
    "OpExecutionMode %1 DenormPreserve 16",
    "OpExecutionMode %1 DenormFlushToZero 32",
    "OpExecutionMode %1 RoundingModeRTE 64",
    "OpExecutionMode %1 RoundingModeRTZ 16",
    "OpExecutionMode %1 MaximallyReconvergesKHR",
    'OpExtension "SPV_KHR_16bit_storage"',
    "OpCapability GroupNonUniformVote",
    "OpCapability ImageQuery",
    'OpExtInstImport %79 "Private.set"',
    "OpExecutionModeId %1 LocalSizeId %10 %10 %10",
)
chosen = st.lists(st.sampled_from(LINES), unique=True)


def required(lines: list[str], version: tuple[int, int]) -> tuple[Requirement, ...]:
    return inspect(assemble(BASE + "\n".join(lines), version=version), name="x").artifacts[0].requires


@given(chosen, chosen, st.sampled_from([(1, 3), (1, 5)]))
def test_more_instructions_never_mean_fewer_requirements(some: list[str], others: list[str], version: tuple[int, int]) -> None:
    size = "OpExecutionModeId"  # takes the place of the literal size
    some, others = ([line for line in lines if not line.startswith(size)] for lines in (some, others))
    fewer, more = required(some, version), required([*some, *(line for line in others if line not in some)], version)
    assert [need for need in fewer if not any(implies(other, need) for other in more)] == []


@given(chosen, st.randoms())
def test_the_order_of_instructions_does_not_matter(lines: list[str], random: object) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(required(lines, (1, 5))) == set(required(shuffled, (1, 5)))


@given(chosen)
def test_every_requirement_is_there_once_and_every_reason_is_one_of_them(lines: list[str]) -> None:
    found = inspect(assemble(BASE + "\n".join(lines)), name="x")
    needs = found.artifacts[0].requires
    assert len(set(needs)) == len(needs)
    assert {need for need, _ in found.reasons} <= set(needs)
    assert all(because for _, because in found.reasons)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_a_larger_specialization_asks_for_at_least_as_much(one: int, other: int) -> None:
    data = assemble(BASE + "OpVariable %26 %77 Workgroup")
    small, large = sorted((one & 0xFFFFFF, other & 0xFFFFFF))

    def shared(value: int) -> int:
        found = inspect_spirv(data, name="x", digest="", specialization={0: value}).artifacts[0]
        sizes = [need.value for need in found.requires if isinstance(need, NeedsLimit) and "SharedMemory" in need.name]
        (size,) = sizes or [0]
        assert isinstance(size, int)
        return size

    assert shared(small) <= shared(large)
    assert shared(small) == small * 16 * 4
