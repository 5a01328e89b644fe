"""`dense<...>` literals of integers: their elements, checked against the type, and the form in which MLIR prints them."""

from __future__ import annotations

import re

from targetenv.model.span import Span
from targetenv.syntax import value as v
from targetenv.syntax.value import span_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.syntax.value import Value

_INTEGER = re.compile(r"([su]?)i([1-9][0-9]{0,7})")
_MOST = 4096  # elements; a workgroup size has three


class DenseError(ValueError):
    """The literal does not fit its type; `span` is the part that does not."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.span = span


def shape(dense: v.Dense) -> tuple[int, ...]:
    """The static shape of the literal's type."""
    if not isinstance(dense.type, v.Shaped):
        raise DenseError("the type of a dense literal must be a vector or a tensor", span_of(dense.type))
    sizes = []
    for size in dense.type.dimensions:
        digits = size.strip("[]")
        if not digits.isdecimal() or len(digits) > 9:
            raise DenseError("the type of a dense literal must have a static shape", span_of(dense.type))
        sizes.append(int(digits))
    return tuple(sizes)


def elements(dense: v.Dense) -> tuple[int, ...]:
    """The elements, row by row, a splat repeated; `DenseError` where literal and type disagree.

    >>> i32 = v.Word(("i32",))
    >>> elements(v.Dense(v.Integer(4), v.Shaped("vector", ("3",), i32)))
    (4, 4, 4)
    """
    sizes = shape(dense)
    signed, width = _width(dense)
    count = 1
    for size in sizes:
        count *= size
    if count > _MOST:
        raise DenseError(f"{count} elements; at most {_MOST} are read", span_of(dense.type))
    literal = dense.literal
    if literal is None:
        if count:
            raise DenseError(f"no elements for a type that has {count}", span_of(dense))
        return ()
    if isinstance(literal, v.String):
        return _raw(literal, count, width)
    flat: list[int] = []
    found = _flatten(literal, flat, signed, width)
    if found != sizes and not (found == () and count):
        written, wanted = ("x".join(map(str, each)) or "no dimensions" for each in (found, sizes))
        raise DenseError(f"a literal of shape {written} for a type of shape {wanted}", span_of(literal))
    return tuple(flat * count if found == () else flat)


def canonical(dense: v.Dense) -> v.Dense:
    """The literal as MLIR prints it: decimal, signed, equal elements as a splat."""
    flat = elements(dense)
    boolean = isinstance(dense.type, v.Shaped) and dense.type.element == v.Word(("i1",))

    def number(of: int) -> Value:
        return v.Word(("true" if of else "false",)) if boolean else v.Integer(of)

    if not flat:
        return v.Dense(None, dense.type)
    if len(set(flat)) == 1:
        return v.Dense(number(flat[0]), dense.type)
    rows: list[Value] = [number(each) for each in flat]
    for size in reversed(shape(dense)[1:]):
        rows = [v.Array(tuple(rows[at : at + size])) for at in range(0, len(rows), size)]
    return v.Dense(v.Array(tuple(rows)), dense.type)


def _width(dense: v.Dense) -> tuple[str, int]:
    element = dense.type.element if isinstance(dense.type, v.Shaped) else dense.type
    if element == v.Word(("index",)):
        return "", 64
    found = _INTEGER.fullmatch(element.text) if isinstance(element, v.Word) else None
    if found is None:
        raise DenseError("expected integer elements", span_of(element))
    return found[1], int(found[2])


def _flatten(literal: Value, into: list[int], signed: str, width: int) -> tuple[int, ...]:
    """Append the numbers of `literal`; its shape, () for a single number."""
    if isinstance(literal, v.Array):
        shapes = {_flatten(each, into, signed, width) for each in literal.items}
        if len(shapes) > 1:
            raise DenseError("rows of different shape", span_of(literal))
        return (len(literal.items), *shapes.pop()) if shapes else (0,)
    if isinstance(literal, v.Word) and literal.text in ("true", "false"):
        into.append(int(literal.text == "true"))
        return ()
    if not isinstance(literal, v.Integer):
        raise DenseError("expected integers", span_of(literal))
    into.append(_wrapped(literal, signed, width))
    return ()


def _wrapped(number: v.Integer, signed: str, width: int) -> int:
    """Signless elements take both ranges and are printed signed, as MLIR does."""
    value = number.value
    low = 0 if signed == "u" else -(1 << (width - 1))
    high = (1 << (width - 1)) if signed == "s" else (1 << width)
    if not low <= value < high:
        raise DenseError(f"`{value}` does not fit `{signed}i{width}`", span_of(number))
    return value - (1 << width) if not signed and value >= 1 << (width - 1) and width > 1 else value


def _raw(literal: v.String, count: int, width: int) -> tuple[int, ...]:
    """`"0x8000..."`: little-endian bytes of every element, or of one that is a splat."""
    size = (width + 7) // 8
    digits = literal.text[2:]
    if not literal.text.startswith("0x") or len(digits) % 2 or not re.fullmatch("[0-9A-Fa-f]*", digits):
        raise DenseError("expected `0x` and an even number of hexadecimal digits", span_of(literal))
    data = bytes.fromhex(digits)
    if len(data) not in (size, size * count):
        raise DenseError(f"{len(data)} bytes for {count} elements of {size}", span_of(literal))
    numbers = [int.from_bytes(data[at : at + size], "little", signed=True) for at in range(0, len(data), size)]
    return tuple(numbers * count if len(numbers) == 1 else numbers)
