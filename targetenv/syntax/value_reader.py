"""Syntax trees of `mlir_attribute.lark` (and of the grammars that import it) as values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from lark import Token, Tree

from targetenv.model.span import Span
from targetenv.syntax import value as v

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv.syntax.grammar import Node
    from targetenv.syntax.value import Item, Value

_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{2})|(.))")
_ESCAPED = {"n": "\n", "t": "\t"}


def rule(node: Node) -> str:
    """The name of the rule that made this node, as the grammar that defines it spells it."""
    return str(node.data).rpartition("__")[2]


def span(node: Node) -> Span:
    """Where this node stands; an empty rule stands nowhere and gets an empty span."""
    meta = node.meta
    return Span(0, 0) if meta.empty else Span(meta.start_pos, meta.end_pos)


def token_span(token: Token) -> Span:
    """Where this token stands."""
    return Span(token.start_pos or 0, token.end_pos or 0)


def integer(token: str) -> int:
    """`64`, `-1`, `0x40`"""
    negative = token.startswith("-")
    digits = token.lstrip("- \t\r\n")
    # int() refuses more than 4300 digits; nothing that long is a number anybody means, and the range checks say so.
    number = int(digits, 16) if digits.startswith("0x") else int(digits[:4000])
    return -number if negative else number


def unquote(token: str) -> str:
    r"""The text of a quoted string. MLIR's escapes: `\"`, `\\`, `\n`, `\t` and two hexadecimal digits.

    >>> unquote('"a\\22b"')
    'a"b'
    """

    def plain(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _ESCAPED.get(found[2], found[2])

    return _ESCAPE.sub(plain, token[1:-1])


def key(node: Node) -> str:
    """A dictionary key: a name, `Struct::member`, or a quoted string."""
    first = cast("Token", node.children[0])
    if first.type.endswith("STRING"):
        return unquote(first)
    return "::".join(str(part) for part in node.children if not str(cast("Token", part).type).endswith("QUALIFIER"))


def value(node: Node) -> Value:
    """Any value."""
    made = item(node)
    assert not isinstance(made, v.Entry | v.Path | v.Call | v.Indexed), "the grammar allows these as parameters only"
    return made


def item(node: Node) -> Item:
    """Any value, or a parameter of a dialect attribute."""
    return _READERS[rule(node)](node)


def _nodes(node: Node) -> list[Node]:
    return [child for child in node.children if isinstance(child, Tree)]


def _tokens(node: Node) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token)]


def _optional(nodes: list[Node]) -> Value | None:
    return value(nodes[0]) if nodes else None


def _integer(node: Node) -> Item:
    return v.Integer(integer(_tokens(node)[0]), _optional(_nodes(node)), span(node))


def _float(node: Node) -> Item:
    return v.Float(str(_tokens(node)[0]), _optional(_nodes(node)), span(node))


def _string(node: Node) -> Item:
    return v.String(unquote(_tokens(node)[0]), _optional(_nodes(node)), span(node))


def _word(node: Node) -> Item:
    return v.Word(tuple(str(part) for part in _tokens(node) if part.type.rpartition("__")[2] != "VBAR"), span(node))


def _array(node: Node) -> Item:
    return v.Array(tuple(value(child) for child in _nodes(node)), span(node))


def _dictionary(node: Node) -> Item:
    return v.Dictionary(tuple(entry(child) for child in _nodes(node)), span(node))


def entry(node: Node) -> v.Entry:
    """`key`, `key = value`"""
    first, *rest = _nodes(node)
    return v.Entry(key(first), _optional(rest), span(first), span(node))


def _dense(node: Node) -> Item:
    *literal, type_ = _nodes(node)
    raw = [token for token in _tokens(node) if token.type.endswith("STRING")]
    return v.Dense(v.String(unquote(raw[0]), None, token_span(raw[0])) if raw else _optional(literal), value(type_), span(node))


def _numbers(node: Node) -> Item:
    type_, *items = map(value, _nodes(node))
    return v.Numbers(type_, tuple(items), span(node))


def _attribute(node: Node) -> Item:
    name = _tokens(node)[0]
    nodes = _nodes(node)
    type_ = value(nodes.pop().children[0]) if nodes and rule(nodes[-1]) == "annotation" else None  # type: ignore[arg-type]
    body = tuple(item(child) for child in nodes.pop().children) if nodes else None  # type: ignore[arg-type]
    return v.Attribute(str(name)[1:], body, type_, token_span(name), span(node))


def _short(node: Node) -> Item:
    return v.Short(tuple(item(child) for child in _nodes(_nodes(node)[0])), span(node))


def _opaque(node: Node) -> Item:
    nodes = _nodes(node)
    body = tuple(item(child) for child in _nodes(nodes[0])) if nodes else None
    return v.Opaque(str(_tokens(node)[0])[1:], body, span(node))


def _symbol(node: Node) -> Item:
    return v.Symbol(str(_tokens(node)[0])[1:], span(node))


def _link(node: Node) -> Item:
    of, to, properties = (item(child) for child in _nodes(node))
    return v.Link(cast("v.Symbol", of), cast("v.Symbol", to), cast("v.Dictionary", properties), span(node))


def _path(node: Node) -> Item:
    first, second, *number = _tokens(node)
    return v.Path(str(first), str(second), integer(number[0]) if number else None, span(node))


def _call(node: Node) -> Item:
    name, argument = _tokens(node)
    return v.Call(str(name), integer(argument), span(node))


def _indexed(node: Node) -> Item:
    text, *index = _tokens(node)
    return v.Indexed(unquote(text), integer(index[0]) if index else None, span(node))


def _named(node: Node) -> Item:
    return v.Word((str(_tokens(node)[0]),), span(node))


def _shaped(node: Node) -> Item:
    head = str(_tokens(node)[0])
    kind, _, dimensions = head.partition("<")
    element, *layout = _nodes(node)
    sizes = tuple(part.strip() for part in dimensions.split("x")[:-1])
    return v.Shaped(kind.strip(), sizes, value(element), _optional(layout), span(node))


def _number(node: Node) -> Item:
    token = _tokens(node)[0]
    if token.type.endswith("FLOAT"):
        return v.Float(str(token), None, span(node))
    return v.Integer(integer(token), None, span(node))


_READERS: dict[str, Callable[[Node], Item]] = {
    "integer": _integer,
    "float": _float,
    "string": _string,
    "word": _word,
    "array": _array,
    "dictionary": _dictionary,
    "entry": entry,
    "setting": entry,
    "dense": _dense,
    "numbers": _numbers,
    "attribute": _attribute,
    "short": _short,
    "opaque": _opaque,
    "symbol": _symbol,
    "link": _link,
    "path": _path,
    "call": _call,
    "indexed": _indexed,
    "named": _named,
    "shaped": _shaped,
    "number": _number,
    "rows": _array,
}
