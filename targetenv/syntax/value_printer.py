"""Values as text, exactly as MLIR prints them (mlir/lib/IR/AsmPrinter.cpp)."""

from __future__ import annotations

import re

from targetenv.syntax import value as v

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.syntax.value import Item, Value

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_$.]*(?:::[A-Za-z_][A-Za-z0-9_$.]*)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f\x7f-\U0010ffff]*')


def text_of(item: Item) -> str:
    """The canonical text.

    >>> from targetenv.model.span import Span
    >>> text_of(v.Array((v.Integer(1, v.Word(("i32",))), v.Integer(2))))
    '[1 : i32, 2]'
    """
    match item:
        case v.Integer(value, type_):
            return f"{value}{_annotation(type_)}"
        case v.Float(text, type_):
            return f"{text}{_annotation(type_)}"
        case v.String(text, type_):
            return f"{quote(text)}{_annotation(type_)}"
        case v.Word():
            return item.text
        case v.Array(items):
            return f"[{', '.join(map(text_of, items))}]"
        case v.Dictionary(entries):
            return dictionary(entries)
        case v.Entry():
            return entry(item)
        case v.Dense(literal, type_):
            return f"dense<{_literal(literal)}> : {text_of(type_)}"
        case v.Numbers(type_, items):
            behind = f": {', '.join(map(text_of, items))}" if items else ""
            return f"array<{text_of(type_)}{behind}>"
        case v.Shaped(kind, dimensions, element, layout):
            behind = "" if layout is None else f", {text_of(layout)}"
            return f"{kind}<{''.join(f'{size}x' for size in dimensions)}{text_of(element)}{behind}>"
        case v.Opaque(name, body):
            return f"!{name}{_body(body)}"
        case v.Attribute(name, body, type_):
            return f"#{name}{_body(body)}{_annotation(type_)}"
        case v.Short(body):
            return f"<{', '.join(map(text_of, body))}>"
        case v.Symbol(text):
            return f"@{text}"
        case v.Link(of, to, properties):
            inside = ", ".join(map(entry, properties.entries))  # parameters in their own order, no dictionary
            return f"({text_of(of)} -> {text_of(to)} = {{{inside}}})"
        case v.Path(first, second, number):
            return f"{first}:{second}" + ("" if number is None else f":{number}")
        case v.Call(name, argument):
            return f"{name}({argument})"
        case v.Indexed(text, index):
            return quote(text) if index is None else f"{quote(text)}[{index}]"


def entry(of: v.Entry) -> str:
    """`key`, or `key = value`."""
    return key(of.key) if of.value is None else f"{key(of.key)} = {text_of(of.value)}"


def key(name: str) -> str:
    """A key, in quotes where it is no bare name."""
    return name if _BARE.fullmatch(name) else quote(name)


def dictionary(entries: tuple[v.Entry, ...]) -> str:
    """A dictionary: MLIR keeps them sorted by key, and prints units bare."""
    return f"{{{', '.join(entry(each) for each in sorted(entries, key=lambda each: each.key))}}}"


def quote(text: str) -> str:
    r"""A string with MLIR's escapes: two hexadecimal digits for everything that is not printable ASCII.

    >>> quote('a"b')
    '"a\\22b"'
    """
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    shown = [
        chr(byte) if 32 <= byte < 127 and byte not in (0x22, 0x5C) else "\\\\" if byte == 0x5C else f"\\{byte:02X}"
        for byte in text.encode("utf-8", "surrogatepass")
    ]
    return f'"{"".join(shown)}"'


def _annotation(type_: Value | None) -> str:
    return "" if type_ is None else f" : {text_of(type_)}"


def _body(body: tuple[Item, ...] | None) -> str:
    return "" if body is None else f"<{', '.join(map(text_of, body))}>"


def _literal(literal: Value | None) -> str:
    return "" if literal is None else text_of(literal)
