"""Operations on specialization constants, as far as sizes are computed with them.

Source: SPIR-V Specification 1.6, OpSpecConstantOp (the opcodes that it may name) and 3.42.13 to 3.42.15 (what they compute).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNS = {
    "OpIAdd": "+",
    "OpISub": "-",
    "OpIMul": "*",
    "OpUDiv": "/",
    "OpSDiv": "/",
    "OpUMod": "%",
    "OpSRem": "%",
    "OpSMod": "%",
    "OpShiftLeftLogical": "<<",
    "OpShiftRightLogical": ">>",
    "OpShiftRightArithmetic": ">>",
    "OpBitwiseAnd": "&",
    "OpBitwiseOr": "|",
    "OpBitwiseXor": "^",
    "OpLogicalAnd": "and",
    "OpLogicalOr": "or",
    "OpIEqual": "==",
    "OpINotEqual": "!=",
    "OpLogicalEqual": "==",
    "OpLogicalNotEqual": "!=",
    "OpUGreaterThan": ">",
    "OpSGreaterThan": ">",
    "OpUGreaterThanEqual": ">=",
    "OpSGreaterThanEqual": ">=",
    "OpULessThan": "<",
    "OpSLessThan": "<",
    "OpULessThanEqual": "<=",
    "OpSLessThanEqual": "<=",
}


def computed(name: str, values: Sequence[int | None], operand_width: int, width: int) -> int | None:
    """The result, as an unsigned number of `width` bits; None where an operand is not known or the operation is not evaluated.

    Operands are unsigned numbers of `operand_width` bits, except that a shift or a selection takes its own.

    >>> computed("OpISub", (25, 32), 32, 32), computed("OpSDiv", (0xFFFFFFF9, 2), 32, 32)
    (4294967289, 4294967293)
    """
    match values:
        case (int(condition), int(one), int(other)) if name == "OpSelect" and operand_width == 1:
            return one if condition else other
        case (int(one), int(other)):
            found = _binary(name, one, other, operand_width)
        case (int(one),):
            found = _unary(name, one, operand_width)
        case _:
            return None
    return None if found is None else found & ((1 << width) - 1)


def _unary(name: str, one: int, width: int) -> int | None:
    match name:
        case "OpUConvert" | "OpCopyObject":
            return one
        case "OpSConvert":
            return _signed(one, width)
        case "OpSNegate":
            return -one
        case "OpNot" | "OpLogicalNot":
            return ~one
        case _:
            return None


def _binary(name: str, one: int, other: int, width: int) -> int | None:
    a, b = _signed(one, width), _signed(other, width)
    match name:
        case "OpIAdd":
            return one + other
        case "OpISub":
            return one - other
        case "OpIMul":
            return one * other
        case "OpUDiv":
            return one // other if other else None
        case "OpUMod":
            return one % other if other else None
        case "OpSDiv" | "OpSRem" | "OpSMod":
            return _divided(name, a, b) if b else None
        case "OpShiftLeftLogical":
            return one << other if other < width else None
        case "OpShiftRightLogical":
            return one >> other if other < width else None
        case "OpShiftRightArithmetic":
            return a >> other if other < width else None
        case "OpBitwiseAnd" | "OpLogicalAnd":
            return one & other
        case "OpBitwiseOr" | "OpLogicalOr":
            return one | other
        case "OpBitwiseXor":
            return one ^ other
        case "OpIEqual" | "OpLogicalEqual":
            return int(one == other)
        case "OpINotEqual" | "OpLogicalNotEqual":
            return int(one != other)
        case "OpUGreaterThan" | "OpUGreaterThanEqual" | "OpULessThan" | "OpULessThanEqual":
            return _ordered(name, one, other)
        case "OpSGreaterThan" | "OpSGreaterThanEqual" | "OpSLessThan" | "OpSLessThanEqual":
            return _ordered(name, a, b)
        case _:
            return None


def _divided(name: str, a: int, b: int) -> int:
    """Division rounds toward zero; the remainder has the sign of the dividend, the modulus that of the divisor."""
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    if name == "OpSDiv":
        return quotient
    return a - b * quotient if name == "OpSRem" else a % b


def _ordered(name: str, a: int, b: int) -> bool:
    if "Greater" in name:
        return a >= b if name.endswith("Equal") else a > b
    return a <= b if name.endswith("Equal") else a < b


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) & 1 else value
