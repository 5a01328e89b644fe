"""A text that is one attribute, perhaps with aliases in front of it, read by the shared grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lark import Token, Tree

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.model.record import replace
from targetenv.syntax import value as v
from targetenv.syntax import value_reader
from targetenv.syntax.brackets import DEEPEST
from targetenv.syntax.grammar import tree
from targetenv.syntax.value import span_of

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.span import Span
    from targetenv.syntax.value import Item, Value

_MOST = 10_000  # values after aliases have been put in: a few lines of aliases can ask for any number


def attribute(source: Source) -> v.Attribute:
    """The attribute that a text ends with, aliases (`#name = ...`) put in.

    Raises `ParseError` (TE10xx; TE1235 for an alias that is not defined, defined twice, or grows without bound).
    """
    aliases = _Aliases(source)
    made: Item | None = None
    for child in tree("mlir_attribute", source).children:
        if isinstance(child, Tree) and value_reader.rule(child) == "definition":
            name, value = child.children
            assert isinstance(name, Token)
            assert isinstance(value, Tree)
            aliases.define(name, value_reader.value(value))
        elif isinstance(child, Tree):
            made = aliases.put_in(value_reader.value(child))
    assert isinstance(made, v.Attribute)
    return made


class _Aliases:
    """The aliases of one text, each with its whole value, and what may still be copied."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._values: dict[str, Value] = {}
        self._left = _MOST

    def define(self, name: Token, value: Value) -> None:
        key = str(name)[1:]
        if key in self._values:
            self._refuse(f"alias `#{key}` is defined twice", value_reader.token_span(name))
        self._values[key] = self.put_in(value)

    def put_in(self, value: Value) -> Value:
        """The value with every alias in it replaced."""
        made = self._replaced(value)
        if _depth(made) > DEEPEST:
            self._refuse(f"with aliases put in, values are nested more than {DEEPEST} deep", span_of(value))
        return made

    def _refuse(self, message: str, span: Span) -> None:
        raise ParseError(Diagnostic("TE1235", message, self._source, (Label(span),)))

    def _replaced(self, value: Value) -> Value:
        match value:
            case v.Attribute(name, None, None) if "." not in name:
                if name not in self._values:
                    self._refuse(f"alias `#{name}` is not defined", span_of(value))
                found = self._values[name]
                self._left -= _size(found)
                if self._left < 0:
                    self._refuse(f"aliases stand for more than {_MOST} values", span_of(value))
                return found
            case v.Attribute(_, body) if body is not None:
                return replace(value, body=self._items(body))
            case v.Short(body):
                return replace(value, body=self._items(body))
            case v.Array(items):
                return replace(value, items=tuple(map(self._replaced, items)))
            case v.Dictionary(entries):
                return replace(value, entries=tuple(map(self._entry, entries)))
            case _:
                return value

    def _items(self, items: tuple[Item, ...]) -> tuple[Item, ...]:
        made: list[Item] = []
        for item in items:
            if isinstance(item, v.Entry):
                made.append(self._entry(item))
            elif isinstance(item, v.Path | v.Call | v.Indexed):
                made.append(item)
            else:
                made.append(self._replaced(item))
        return tuple(made)

    def _entry(self, entry: v.Entry) -> v.Entry:
        return entry if entry.value is None else replace(entry, value=self._replaced(entry.value))


def _inside(item: Item) -> tuple[Item, ...]:
    match item:
        case v.Attribute(_, body) | v.Opaque(_, body):
            return body or ()
        case v.Short(items) | v.Array(items) | v.Dictionary(items):
            return items
        case v.Entry(_, value) if value is not None:
            return (value,)
        case _:
            return ()


def _size(item: Item) -> int:
    return 1 + sum(map(_size, _inside(item)))


def _depth(item: Item) -> int:
    deepest = max(map(_depth, _inside(item)), default=0)
    return deepest if isinstance(item, v.Entry) else deepest + 1
