"""`depends`, `requires` and `protect` of vk.xml: which extensions, versions and features a thing needs.

registry.adoc, "Dependency expressions": `+` is and, `,` is or, **of equal precedence, from left to right**; parentheses bind
tighter, `!` negates a name. Atoms are extensions, versions and `Struct::feature`.
"""

from __future__ import annotations

import re
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias, TypeVar

    Truth = TypeVar("Truth", bool, bool | None)
    Tree: TypeAlias = str | tuple[str, "Tree"] | tuple[str, "Tree", "Tree"]

_TOKEN = re.compile(r"\s*([A-Za-z_]\w*(?:::\w+)?|[()+,!])")
_DEEPEST = 64


@cache
def parse(expression: str) -> Tree:
    """The expression as a tree: a name, `("!", tree)`, or `("+" | ",", left, right)`; anything else is a ValueError.

    >>> parse("VK_A,VK_B+(VK_C,VkS::f)")
    ('+', (',', 'VK_A', 'VK_B'), (',', 'VK_C', 'VkS::f'))
    """
    tokens = _tokens(expression)
    tree, at = _chain(tokens, 0, 0, expression)
    if at != len(tokens):
        raise ValueError(f"`{tokens[at]}` closes nothing in `{expression}`")
    return tree


def evaluate(expression: str, holds: Callable[[str], Truth]) -> Truth:
    """Whether the expression holds where each of its names does as `holds` says; an empty one holds.

    `holds` may answer None for "not known", and then so may this: what is known decides where it can.

    >>> evaluate("VK_A+VK_B,VK_C", {"VK_A": True, "VK_B": None, "VK_C": False}.get) is None
    True
    """
    # None comes out only where `holds` puts it in, which the type variable says and the checker cannot follow.
    return _value(parse(expression), holds) if expression else True  # type: ignore[return-value]


def names(expression: str) -> tuple[str, ...]:
    """The names in the expression, each once, in order of appearance.

    >>> names("VK_A,(VK_B+VK_A)")
    ('VK_A', 'VK_B')
    """
    return tuple(dict.fromkeys(word for word in _tokens(expression) if word not in "()+,!"))


def _tokens(expression: str) -> tuple[str, ...]:
    tokens, at = [], 0
    text = expression.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"`{text[at]}` is no part of a dependency expression: `{expression}`")
        tokens.append(found[1])
        at = found.end()
    return tuple(tokens)


def _chain(tokens: tuple[str, ...], at: int, depth: int, text: str) -> tuple[Tree, int]:
    """chain = atom (("+" | ",") atom)*"""
    tree, at = _atom(tokens, at, depth, text)
    while at < len(tokens) and tokens[at] in "+,":
        right, after = _atom(tokens, at + 1, depth, text)
        tree, at = (tokens[at], tree, right), after
    return tree, at


def _atom(tokens: tuple[str, ...], at: int, depth: int, text: str) -> tuple[Tree, int]:
    """atom = "(" chain ")" | "!" atom | name"""
    word = tokens[at] if at < len(tokens) else ""
    if not word or word in "+,)" or depth > _DEEPEST:
        raise ValueError(f"expected a name or `(` before {f'`{word}`' if word else 'the end'} of `{text}`")
    if word == "!":
        tree, at = _atom(tokens, at + 1, depth + 1, text)
        return ("!", tree), at
    if word != "(":
        return word, at + 1
    tree, at = _chain(tokens, at + 1, depth + 1, text)
    if at == len(tokens) or tokens[at] != ")":
        raise ValueError(f"`(` is not closed in `{text}`")
    return tree, at + 1


def _value(tree: Tree, holds: Callable[[str], bool | None]) -> bool | None:
    """Kleene's three values: a false makes an and false, a true makes an or true, whatever is not known."""
    match tree:
        case str(name):
            return holds(name)
        case ("!", inner):
            value = _value(inner, holds)
            return None if value is None else not value
        case ("+", left, right):
            one, other = _value(left, holds), _value(right, holds)
            return False if one is False or other is False else None if one is None or other is None else True
        case (_, left, right):
            one, other = _value(left, holds), _value(right, holds)
            return True if one or other else None if one is None or other is None else False
    raise AssertionError(tree)
