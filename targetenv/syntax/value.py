"""The attribute values of MLIR as nouns: read from a syntax tree, printed as MLIR prints them.

Spans take no part in equality: the same value written in two ways is the same value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.model.record import record
from targetenv.model.span import Span

if TYPE_CHECKING:
    from typing import TypeAlias

_NOWHERE = Span(0, 0)


@record
class Integer:
    """`64`, `64 : i32`; hexadecimal is printed in decimal, as MLIR does."""

    value: int
    type: Value | None = None
    _span: Span = _NOWHERE


@record
class Float:
    """`1.5`, kept as written."""

    text: str
    type: Value | None = None
    _span: Span = _NOWHERE


@record
class String:
    """A quoted string, decoded."""

    text: str
    type: Value | None = None
    _span: Span = _NOWHERE


@record
class Word:
    """A bare word or several joined by `|`: `unit`, `f16`, `fp32|fp16`."""

    parts: tuple[str, ...]
    _span: Span = _NOWHERE

    @property
    def text(self) -> str:
        """The word as MLIR prints it."""
        return "|".join(self.parts)


@record
class Array:
    """`[a, b]`"""

    items: tuple[Value, ...]
    _span: Span = _NOWHERE


@record
class Entry:
    """`key = value`; without a value it is a unit."""

    key: str
    value: Value | None
    _key_span: Span = _NOWHERE
    _span: Span = _NOWHERE


@record
class Dictionary:
    """`{a, b = 1 : i32}`, entries as written."""

    entries: tuple[Entry, ...]
    _span: Span = _NOWHERE


@record
class Dense:
    """`dense<[1, 2]> : vector<2xi32>`; `literal` is None for `dense<>`."""

    literal: Value | None
    type: Value
    _span: Span = _NOWHERE


@record
class Numbers:
    """`array<i64: 1, 2>`"""

    type: Value
    items: tuple[Value, ...]
    _span: Span = _NOWHERE


@record
class Shaped:
    """`vector<3xi32>`; `kind` is the word in front, `dimensions` as written between the bracket and the element type."""

    kind: str
    dimensions: tuple[str, ...]
    element: Value
    layout: Value | None = None
    _span: Span = _NOWHERE


@record
class Opaque:
    """A dialect's type: `!hal.device`."""

    name: str
    body: tuple[Item, ...] | None
    _span: Span = _NOWHERE


@record
class Attribute:
    """`#dialect.name<...>`; `name` without the hash."""

    name: str
    body: tuple[Item, ...] | None
    type: Value | None = None
    _name_span: Span = _NOWHERE
    _span: Span = _NOWHERE


@record
class Short:
    """`<...>`: an attribute whose name follows from its place."""

    body: tuple[Item, ...]
    _span: Span = _NOWHERE


@record
class Symbol:
    """`@name`"""

    text: str
    _span: Span = _NOWHERE


@record
class Link:
    """`(@a -> @b = {...})`"""

    of: Symbol
    to: Symbol
    properties: Dictionary
    _span: Span = _NOWHERE


@record
class Path:
    """`AMD:DiscreteGPU:5`; the number is None where it is not written."""

    first: str
    second: str
    number: int | None = None
    _span: Span = _NOWHERE


@record
class Call:
    """`r(120)`"""

    name: str
    argument: int
    _span: Span = _NOWHERE


@record
class Indexed:
    """`"vulkan"[3]`; the index is None in `"vulkan"[]`."""

    text: str
    index: int | None
    _span: Span = _NOWHERE


if TYPE_CHECKING:
    Value: TypeAlias = (
        Integer
        | Float
        | String
        | Word
        | Array
        | Dictionary
        | Dense
        | Numbers
        | Shaped
        | Opaque
        | Attribute
        | Short
        | Symbol
        | Link
    )
    Item: TypeAlias = Value | Entry | Path | Call | Indexed


def span_of(item: Item) -> Span:
    """Where this value stands in the text that it was read from."""
    return item._span
