"""Any attribute as MLIR prints it: with the types that `value_printer` leaves to the writer, floats and defaults included.

Attributes of target descriptions inside others (`#spirv.target_env` in a dictionary) are read and printed by their dialect;
others are opaque and printed as they stand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.syntax import dense, value_printer
from targetenv.syntax import value as v
from targetenv.syntax.float_text import bits_text, float_text, is_float
from targetenv.syntax.value import span_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from targetenv.syntax.value import Item, Value

    # Prints the attributes of one dialect: the attribute, and what prints any value inside it.
    Special: TypeAlias = Callable[[v.Attribute, "Printer"], str]

_SIGNLESS = re.compile(r"i([1-9]\d{0,3})")
_I64, _F64 = v.Word(("i64",)), v.Word(("f64",))


class Printer:
    """Prints values; `special` has the dialects' own printers by attribute name, `source` the text that spans refer to."""

    def __init__(self, source: str, special: dict[str, Special]) -> None:
        self.source = source
        self._special = special

    def text(self, item: Item, *, elide: bool = False) -> str:
        """The canonical text; `elide` leaves out `: i64` and `: f64`, as inside arrays."""
        match item:
            case v.Integer(number, v.Word() as type_) if is_float(type_.text):
                return f"{bits_text(number, type_.text)}{self._annotation(type_, _F64, elide=elide)}"
            case v.Integer(number, v.Word() as type_) if (found := _SIGNLESS.fullmatch(type_.text)) is not None:
                width = int(found[1])
                number -= (1 << width) if width > 1 and 1 << (width - 1) <= number < 1 << width else 0
                return f"{number}{self._annotation(type_, _I64, elide=elide)}"
            case v.Integer(number, type_):
                return f"{number}{self._annotation(type_ or _I64, _I64, elide=elide)}"
            case v.Float(text, type_):
                name = type_.text if isinstance(type_, v.Word) else "f64"
                return f"{float_text(text, name)}{self._annotation(type_ or _F64, _F64, elide=elide)}"
            case v.Dense(literal, type_) if literal is not None:
                return f"dense<{self._literal(item)}> : {value_printer.text_of(type_)}"
            case v.Numbers(v.Word() as type_, items) if items:
                numbers = (
                    float_text(each.text, type_.text) if isinstance(each, v.Float) else self.text(each) for each in items
                )
                plain = (number.partition(" : ")[0] for number in numbers)
                return f"array<{type_.text}: {', '.join(plain)}>"
            case v.Array(items):
                return f"[{', '.join(self.text(each, elide=True) for each in items)}]"
            case v.Dictionary(entries):
                return self.dictionary(entries)
            case v.Attribute(name):
                special = self._special.get(name)
                return special(item, self) if special is not None else self.opaque(item)
            case _:
                return value_printer.text_of(item)

    def dictionary(self, entries: tuple[v.Entry, ...]) -> str:
        """Sorted by key, units bare."""
        ordered = sorted(entries, key=lambda each: each.key)
        return f"{{{', '.join(self.entry(each) for each in ordered)}}}"

    def entry(self, entry: v.Entry) -> str:
        """`key`, or `key = value`."""
        key = value_printer.key(entry.key)
        unit = entry.value is None or entry.value == v.Word(("unit",))
        return key if unit or entry.value is None else f"{key} = {self.text(entry.value)}"

    def opaque(self, attribute: v.Attribute) -> str:
        """As it was written, white space apart; what is inside is read by a dialect that is not known here."""
        written = span_of(attribute).of(self.source)
        return " ".join(written.split()) if written else value_printer.text_of(attribute)

    def _literal(self, item: v.Dense) -> str:
        try:
            found = dense.canonical(item)
        except dense.DenseError:  # floats, or a shape that is not checked here
            element = item.type.element if isinstance(item.type, v.Shaped) else item.type
            name = element.text if isinstance(element, v.Word) else "f64"
            return _floats(item.literal, name)
        return value_printer.text_of(found.literal) if found.literal is not None else ""

    def _annotation(self, type_: Value, usual: Value, *, elide: bool) -> str:
        return "" if elide and type_ == usual else f" : {value_printer.text_of(type_)}"


def _floats(literal: Value | None, type_: str) -> str:
    """The elements of a dense literal of floats, equal ones as a splat."""
    match literal:
        case v.Float(text):
            return float_text(text, type_)
        case v.Array(items):
            rows = [_floats(each, type_) for each in items]
            flat = all(isinstance(each, v.Float) for each in items)
            return rows[0] if flat and rows and len(set(rows)) == 1 else f"[{', '.join(rows)}]"
        case None:
            return ""
        case _:
            return value_printer.text_of(literal)
