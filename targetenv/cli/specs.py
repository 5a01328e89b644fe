"""`--input NAME=SPEC`: `@file.npy`, `4xf32=1,2,3,4`, `1024xf32=0` (one value for all), `2`, `f32=2`."""

from __future__ import annotations

import re

from targetenv.launch.arrays import Array, Scalar, pack_number
from targetenv.launch.refusals import refused
from targetenv.wire.package import DTYPES, item_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TYPED = re.compile(r"((?:\d{1,12}x){0,8})([a-z]+\d+)=(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)")
_LARGEST = 16 << 30  # bytes
FORMS = "`@file.npy`, `4xf32=1,2,3,4`, `1024xf32=0` or a number"


def read_inputs(arguments: Sequence[str]) -> tuple[dict[str, Scalar], dict[str, Array]]:
    """Scalars and arrays by name; CallError (TE5206, TE5202) says which argument is wrong and what could stand there."""
    scalars: dict[str, Scalar] = {}
    arrays: dict[str, Array] = {}
    for argument in arguments:
        name, separator, spec = argument.partition("=")
        if not separator or not name:
            raise refused("TE5206", f"`{argument}` is not `NAME=SPEC`", f"SPEC is {FORMS}")
        if name in scalars or name in arrays:
            raise refused("TE5202", f"input `{name}` is given twice")
        value = read_spec(spec, name=name)
        if isinstance(value, Array):
            arrays[name] = value
        else:
            scalars[name] = value
    return scalars, arrays


def read_spec(spec: str, *, name: str) -> Array | Scalar:
    """What one SPEC says.

    >>> read_spec("3xi16=1,2,3", name="x").data.hex(), read_spec("2.5", name="a")
    ('010002000300', Scalar(value=2.5, dtype=None))
    """
    if spec.startswith("@"):
        from targetenv.wire.files import read_bytes
        from targetenv.wire.npy import read_npy

        return Array(*read_npy(read_bytes(spec[1:], largest=_LARGEST), name=spec[1:]))
    typed = _TYPED.fullmatch(spec)
    if typed is None:
        return Scalar(_number(spec, name))
    lengths, dtype, values = typed.groups()
    if dtype not in DTYPES:
        from targetenv.diagnostics.suggest import did_you_mean

        advice = did_you_mean(dtype, DTYPES) or f"the types are {', '.join(DTYPES)}"
        raise refused("TE5206", f"input `{name}`: there is no type `{dtype}`", advice)
    if not lengths:
        return Scalar(_number(values, name), dtype)
    shape = tuple(int(length) for length in lengths[:-1].split("x"))
    return Array(dtype, shape, _elements(shape, dtype, values, name))


def _elements(shape: tuple[int, ...], dtype: str, values: str, name: str) -> bytes:
    count = item_size(dtype)
    for length in shape:
        count *= length
    if count > _LARGEST:
        raise refused("TE5206", f"input `{name}` would have {count} bytes; at most {_LARGEST} are made from a text")
    count //= item_size(dtype)
    numbers = [_number(text, name) for text in values.split(",")] if values.strip() else []
    if len(numbers) == 1:
        return pack_number(numbers[0], dtype, name=name) * count
    if len(numbers) != count:
        message = f"input `{name}`: {'x'.join(map(str, shape))} elements need {count} values or one for all, got {len(numbers)}"
        raise refused("TE5204", message)
    return b"".join(pack_number(number, dtype, name=name) for number in numbers)


def _number(text: str, name: str) -> int | float:
    word = text.strip()
    try:
        return int(word, 0) if _NUMBER.fullmatch(word) else float(word)
    except ValueError:
        shown = word if len(word) <= 60 else word[:57] + "..."
        raise refused("TE5206", f"input `{name}`: `{shown}` is not a number", f"a SPEC is {FORMS}") from None
