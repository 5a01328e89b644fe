"""`record`: the frozen, slotted value class that every noun in this room is.

Same contract as `@dataclass(frozen=True, slots=True)`, and type checkers see exactly that. It exists because
`import dataclasses` costs 14 ms and every decorated class another 0.6 ms, which together were half of the time in which a
cold `targetenv run` has to produce its first verified result (docs/adr/0002-records.md has the measurement).
"""

from __future__ import annotations

from operator import attrgetter
from types import FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_: object) -> Callable[[T], T]:
        return lambda function: function


_BLANKS: dict[tuple[int, bool], FunctionType] = {}


class FrozenRecordError(AttributeError):
    """Somebody tried to change a noun; make a new one with `replace` instead."""


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Turn an annotated class into an immutable value: slots, `__init__`, equality, hash, repr, pattern matching.

    A field whose name starts with an underscore takes no part in equality, hash or repr.

    >>> @record
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1) == Point(1, 0), Point(1)
    (True, Point(x=1, y=0))
    """
    names = tuple(cls.__annotations__)
    namespace = {name: value for name, value in vars(cls).items() if name not in ("__dict__", "__weakref__")}
    defaults = {name: namespace.pop(name) for name in names if name in namespace}
    namespace |= {"__slots__": (*names, "__weakref__"), "__match_args__": names}
    # Methods keep the `__class__` cell of the undecorated class: a record must not use zero-argument super().
    metaclass: Any = type(cls)
    made: Any = metaclass(cls.__name__, cls.__bases__, namespace)
    compared = tuple(name for name in names if not name.startswith("_"))
    values = attrgetter(*compared) if len(compared) > 1 else _single(compared)

    def __eq__(self: object, other: object) -> bool:
        return values(self) == values(other) if type(other) is made else NotImplemented

    def __hash__(self: object) -> int:
        return hash((made, values(self)))

    def __repr__(self: object) -> str:
        return f"{made.__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in compared)})"

    def __reduce__(self: object) -> tuple[type, tuple[object, ...]]:
        return made, tuple(getattr(self, name) for name in names)

    own = vars(cls)
    for method in (__eq__, __hash__, __repr__, __reduce__):
        # A class that defines __eq__ gets `__hash__ = None` from Python; that is no definition of ours to keep.
        if own.get(method.__name__) is None:
            setattr(made, method.__name__, method)
    if "__init__" not in own:
        made.__init__ = _initialiser(names, defaults, has_post=hasattr(cls, "__post_init__"))
    made.__setattr__ = made.__delattr__ = _refuse
    return made  # type: ignore[no-any-return]


def replace(value: T, /, **changes: object) -> T:
    """A copy of `value` with some fields changed."""
    names = type(value).__match_args__  # type: ignore[attr-defined]
    return type(value)(**{name: getattr(value, name) for name in names} | changes)


def _single(names: tuple[str, ...]) -> Callable[[object], object]:
    return attrgetter(names[0]) if names else (lambda _: ())


def _refuse(self: object, name: str, *_: object) -> None:
    raise FrozenRecordError(f"{type(self).__name__}.{name} cannot change: nouns are immutable, use replace()")


def _initialiser(names: tuple[str, ...], defaults: dict[str, object], *, has_post: bool) -> Callable[..., None]:
    """An `__init__` for these fields.

    Compiling one for each class would take 60 us, most of what `record` costs: one is compiled for each number of fields, and
    renamed here.
    """
    if tuple(defaults) != names[len(names) - len(defaults) :]:
        raise TypeError(f"a field without a default follows one that has it: {', '.join(names)}")
    blank = _BLANKS.get((len(names), has_post)) or _blank(len(names), has_post=has_post)
    code = blank.__code__
    fields = {f"_{at}": name for at, name in enumerate(names)}
    renamed = code.replace(co_varnames=("self", *names), co_consts=tuple(fields.get(value, value) for value in code.co_consts))
    return FunctionType(renamed, blank.__globals__, "__init__", tuple(defaults.values()))


def _blank(count: int, *, has_post: bool) -> FunctionType:
    parameters = "".join(f", _{at}" for at in range(count))
    body = "; ".join(f"store(self, '_{at}', _{at})" for at in range(count)) or "pass"
    source = f"def __init__(self{parameters}):\n    {body}\n" + ("    self.__post_init__()\n" if has_post else "")
    scope: dict[str, Any] = {"store": object.__setattr__}
    exec(source, scope)  # noqa: S102  same as dataclasses does
    made: FunctionType = scope["__init__"]
    _BLANKS[count, has_post] = made
    return made
