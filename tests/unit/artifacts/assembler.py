"""A few lines of SPIR-V assembler, so that a test can show the module that it is about."""

from __future__ import annotations

import struct

from targetenv.registry import spirv

Operand = int | str


def assemble(text: str, *, version: tuple[int, int] = (1, 3), bound: int = 100, order: str = "<") -> bytes:
    """One instruction a line, `OpName operand ...`; `%7` is an id, `"text"` a string, a name a value of any operand kind."""
    words = [spirv.MAGIC, version[0] << 16 | version[1] << 8, 0, bound, 0]
    for line in filter(None, map(str.strip, text.splitlines())):
        name, *operands = line.split()
        instruction = spirv.instructions()[spirv.opcodes()[name]]
        kinds = iter(instruction.operands)
        encoded: list[int] = []
        for operand in operands:
            kind = next(kinds, "").rstrip("?*")
            encoded += _encode(operand, kind)
        words.append((len(encoded) + 1) << 16 | instruction.value)
        words += encoded
    return struct.pack(f"{order}{len(words)}I", *words)


def _encode(operand: str, kind: str) -> list[int]:
    if operand.startswith("%"):
        return [int(operand[1:])]
    if operand.startswith('"'):
        raw = operand.strip('"').encode() + b"\0"
        raw += bytes(-len(raw) % 4)
        return list(struct.unpack(f"<{len(raw) // 4}I", raw))
    if operand.lstrip("-").isdigit() or operand.startswith("0x"):
        return [int(operand, 0) & 0xFFFFFFFF]
    if operand in spirv.opcodes():
        return [spirv.opcodes()[operand]]
    for candidate in (kind, "Decoration", "BuiltIn", "StorageClass", "ExecutionMode"):
        try:
            return [spirv.enumerant_values(candidate)[operand]]
        except KeyError:
            continue
    raise ValueError(f"{operand} is no {kind}")


COMPUTE = """
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %1 "main"
"""
