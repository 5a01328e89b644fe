"""Floats as MLIR prints them, digit for digit.

LLVM cuts a number down to six digits in a way of its own, and MLIR falls back to as many as the type needs where that does not
read back to the same number; so 45.3 prints as `4.530000e+01` and 95.7 as `95.6999969`, both of type f32.

Source: llvm/lib/Support/APFloat.cpp, IEEEFloat::toString; mlir/lib/IR/AsmPrinter.cpp, printFloatValue.
"""

from __future__ import annotations

import struct

_TYPES = {"f16": ("e", 11), "f32": ("f", 24), "f64": ("d", 53)}  # struct's code, bits of the significand


def float_text(text: str, type_: str = "f64") -> str:
    """The canonical text of a number that was written as `text`; types that are not known keep it.

    >>> float_text("1.5"), float_text("45.3", "f32"), float_text("95.7", "f32")
    ('1.500000e+00', '4.530000e+01', '95.6999969')
    """
    if type_ not in _TYPES:
        return text
    code, bits = _TYPES[type_]
    try:
        number: float = struct.unpack(code, struct.pack(code, float(text)))[0]
    except OverflowError:
        return text
    short = _scientific(number, 6)
    if struct.unpack(code, struct.pack(code, float(short)))[0] == number:
        return short
    return _plain(number, 2 + bits * 59 // 196) or bits_text(int.from_bytes(struct.pack(f">{code}", number), "big"), type_)


def bits_text(bits: int, type_: str) -> str:
    """The bits of a float, as MLIR writes what has no point in decimal: `0x4154387BC0000000`."""
    return f"0x{bits:0{2 * struct.calcsize(_TYPES[type_][0])}X}"


def is_float(type_: str) -> bool:
    """Whether a type's bits may be written in hexadecimal."""
    return type_ in _TYPES


def _digits(number: float, precision: int) -> tuple[str, int]:
    """Digits without trailing zeros, and the exponent of the last one."""
    if number == 0:
        return "0", 0
    numerator, denominator = abs(number).as_integer_ratio()
    exponent = denominator.bit_length() - 1
    significand = numerator * 5**exponent  # number == significand * 10**-exponent
    exponent = -exponent
    wanted = (precision * 196 + 58) // 59
    surplus = significand.bit_length() - wanted
    if surplus > 0:  # a first cut, by bits, that drops digits without rounding
        tens = surplus * 59 // 196
        significand //= 10**tens
        exponent += tens
    shown = str(significand)
    stripped = shown.rstrip("0") or "0"
    exponent += len(shown) - len(stripped)
    if len(stripped) > precision:  # the second, by digits, rounds half up
        dropped = len(stripped) - precision
        rounded = str(int(stripped[:precision]) + (stripped[precision] >= "5"))
        exponent += dropped
        stripped = rounded.rstrip("0") or "0"
        exponent += len(rounded) - len(stripped)
    return stripped, exponent


def _scientific(number: float, precision: int) -> str:
    digits, exponent = _digits(number, precision)
    sign = "-" if str(number).startswith("-") else ""
    power = exponent + len(digits) - 1
    fraction = digits[1:].ljust(precision, "0")
    return f"{sign}{digits[0]}.{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _plain(number: float, precision: int) -> str:
    digits, exponent = _digits(number, precision)
    sign = "-" if str(number).startswith("-") else ""
    first = exponent + len(digits) - 1  # the power of ten of the first digit
    if exponent >= 0:
        if exponent <= 3 and len(digits) + exponent <= precision:
            return ""  # a whole number without a point
    elif first >= 0:
        return f"{sign}{digits[: first + 1]}.{digits[first + 1 :]}"
    elif -first <= 3:
        return f"{sign}0.{'0' * (-first - 1)}{digits}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{'-' if first < 0 else '+'}{abs(first)}"
