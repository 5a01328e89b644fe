"""The grammars: `grammars/*.lark`, loaded once per process, and text parsed by them with bounds and with carets.

The only module that imports lark.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from targetenv.syntax import brackets, unexpected

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source

    Node = Tree[Token]

_HERE = Path(__file__).resolve().parent.parent
_PACKAGED = _HERE / "grammars"  # in a wheel
_DIRECTORY = _PACKAGED if _PACKAGED.is_dir() else _HERE.parent / "grammars"  # in a checkout, or installed editable


def names() -> tuple[str, ...]:
    """Every grammar that has a start rule, sorted.

    >>> "vk_target_env" in names()
    True
    """
    return tuple(sorted(path.stem for path in _DIRECTORY.glob("*.lark") if path.stem != "common"))


@cache
def load(name: str, *, strict: bool = False) -> Lark:
    """The parser of `grammars/NAME.lark`; `strict` refuses conflicts that lark would otherwise settle silently (tests)."""
    return Lark.open(
        str(_DIRECTORY / f"{name}.lark"),
        parser="lalr",
        lexer="basic",
        propagate_positions=True,
        maybe_placeholders=False,
        strict=strict,
    )


def tree(name: str, source: Source, wanted: unexpected.Wanted = (), hint: unexpected.Hint | None = None) -> Node:
    """The syntax tree of a whole text; `wanted` names what a grammar expects where and `hint` knows its usual mistakes.

    Raises `ParseError` (TE10xx) with a span inside the text.
    """
    brackets.check(source)
    try:
        return load(name).parse(source.text)
    except UnexpectedToken as error:
        token = error.token
        found = None if token.type == "$END" else unexpected.Found(token.type, token.start_pos or 0, str(token))
        raise unexpected.error(source, found, frozenset(error.accepts or ()), wanted, hint) from None
    except UnexpectedCharacters as error:
        at = error.pos_in_stream or 0
        raise unexpected.error(source, unexpected.Found("", at, source.text[at]), frozenset(), wanted, hint) from None
    except UnexpectedInput:  # pragma: no cover  the two above are all that LALR with a basic lexer raises
        raise
