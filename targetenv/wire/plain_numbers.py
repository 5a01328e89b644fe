"""Numbers as files write them: `64`, `64.0`, `"64"`, `"0x40"`, `"0,5"`; negative ones that went through a signed type."""

from __future__ import annotations

_MOST_DIGITS = 40


def number(word: str) -> int | float:
    """The number that a word says; a ValueError when it is none.

    >>> number("0x40"), number("010"), number("0,5")
    (64, 10, 0.5)
    """
    if len(word) > _MOST_DIGITS:
        raise ValueError(word)
    try:
        return int(word, 0)
    except ValueError:
        return int(word) if word.isdecimal() else float(word.replace(",", "."))


def whole(raw: object, *, size: int, signed: bool) -> int:
    """An integer of `size` bytes.

    >>> whole("4294967295", size=4, signed=False) == whole(-1, size=4, signed=False)
    True
    """
    value = number(raw.strip()) if isinstance(raw, str) else raw
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int):
        raise ValueError(raw)  # noqa: TRY004  one error for every value that is not understood
    bits = 8 * size
    if signed:
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(raw)
    elif value < 0:
        if value < -(1 << bits - 1):
            raise ValueError(raw)
        value += 1 << bits
    elif value >> bits:
        raise ValueError(raw)
    return int(value)
