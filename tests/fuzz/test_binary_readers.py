"""Bytes that were never a file: random ones behind a magic number, and well-framed instructions with random contents."""

from __future__ import annotations

from random import Random

import pytest

from targetenv.registry import spirv
from tests.fuzz.engine import survives

# Instructions that the reader interprets: declarations, types, constants, decorations, group operations, atomics, barriers,
# images, matrix products, clocks.
INSTRUCTIONS = """
    Extension ExtInstImport MemoryModel EntryPoint ExecutionMode Capability TypeInt TypeFloat TypeVector TypeMatrix TypeImage
    TypeSampledImage TypeArray TypeRuntimeArray TypeStruct TypePointer ConstantTrue Constant ConstantComposite SpecConstantFalse
    SpecConstant SpecConstantComposite SpecConstantOp Variable Decorate MemberDecorate DecorationGroup GroupDecorate
    AtomicLoad AtomicStore AtomicIAdd AtomicFAddEXT ControlBarrier MemoryBarrier ImageSampleExplicitLod ImageGather ReadClockKHR
    ExecutionModeId GroupNonUniformIAdd GroupNonUniformBroadcast GroupNonUniformRotateKHR FmaKHR TypeCooperativeMatrixKHR
    CooperativeMatrixMulAddKHR TypeCooperativeMatrixNV CooperativeMatrixMulAddNV TypeUntypedPointerKHR UntypedVariableKHR
    Function FunctionParameter
"""
OPCODES = tuple(spirv.opcodes()[f"Op{name}"] for name in INSTRUCTIONS.split())


@pytest.mark.parametrize("magic", [b"\x03\x02\x23\x07", b"\x07\x23\x02\x03", b"\x7fELF\x02\x01\x01"])
def test_random_bytes_behind_a_magic_number_are_read_or_refused(magic: bytes) -> None:
    random = Random(magic)
    for _ in range(500):
        survives(magic + random.randbytes(4 * random.randrange(64)))


def test_well_framed_instructions_with_random_contents_are_read_or_refused() -> None:
    random = Random("words")
    accepted = 0
    for _ in range(3000):
        words = [0x07230203, 0x00010300, 0, 64, 0]
        for _ in range(random.randrange(12)):
            operands = [random.choice((random.randrange(1, 40), random.randrange(8), 0)) for _ in range(random.randrange(2, 9))]
            words += [(len(operands) + 1) << 16 | random.choice(OPCODES), *operands]
        accepted += survives(b"".join(word.to_bytes(4, "little") for word in words))
    assert accepted > 100, "nothing of this was deep enough to be interesting"
