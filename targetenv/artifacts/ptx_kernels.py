"""The functions of a PTX module: their parameters and bounds, and the shared memory that a kernel and what it calls take."""

from __future__ import annotations

import re

from targetenv.artifacts.cuda import Launch
from targetenv.model.artifact import Parameter
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"\.\w+|[\w$%]+|\[[^\[\]]*\]|\([^()]*\)|,")
_TYPE = re.compile(r"\.(?:[busf]|bf|tf)(\d{1,3})(x2)?")
_HANDLES = {".texref": "image", ".surfref": "image", ".samplerref": "sampler"}
_HANDLE = 8
_BOUND = re.compile(r"\.(\w+)(?:\s+(\d{1,10}(?:\s*,\s*\d{1,10}){0,2}))?")
_WORD = re.compile(r"[A-Za-z_$%][\w$%]*")
_MOST_DIGITS = 18
_MOST_BYTES = 1 << 62
_MOST_STEPS = 1 << 22  # from function to function, for all kernels of a module
_EXPLICIT = "explicitcluster"
_CLUSTER_SIZE = "reqnctapercluster"
_REQUIRED_THREADS = "reqntid"


@record
class Variable:
    """A variable or parameter, in bytes; `kind` as a parameter of the model has it."""

    name: str
    size: int
    alignment: int
    kind: str = "value"


@record
class Function:
    """A kernel (`is_entry`) or a function: its header behind its name, its body, the shared memory that it declares."""

    name: str
    is_entry: bool
    header: str
    body: str
    shared: tuple[Variable, ...]


@record
class Entry:
    """What the module says of one kernel; `bounds` are its directives with the numbers behind each."""

    name: str
    launch: Launch
    parameters: tuple[Parameter, ...]
    parameters_size: int
    bounds: tuple[tuple[str, tuple[int, ...]], ...]


def variables(declaration: str) -> tuple[Variable, ...]:
    """What a declaration without its state space declares; sizes are 0 where the type is none that can be there.

    >>> variables(".align 16 .b8 tile[2][256], other[4]")
    (Variable(name='tile', size=512, alignment=16, kind='value'), Variable(name='other', size=4, alignment=16, kind='value'))
    """
    found: list[Variable] = []
    name, kind, before = "", "value", ""
    size, count, vector, alignment = 0, 1, 1, 0
    for word in [*_TOKEN.findall(declaration), ","]:
        if word == ",":
            if name:
                found.append(Variable(name, size * vector * count, max(1, alignment or size * vector), kind))
            name, count = "", 1
        elif word[0] == ".":
            if word in (".v2", ".v4", ".v8"):
                vector = int(word[2:])
            elif word in _HANDLES:
                size, kind = _HANDLE, _HANDLES[word]
            elif word == ".ptr":
                kind = "buffer"
            elif not size and (typed := _TYPE.fullmatch(word)):
                size = int(typed[1]) * (2 if typed[2] else 1) // 8
        elif word[0] == "[":
            count = min(count * _number(word[1:-1].strip()), _MOST_BYTES)
        elif word[0].isdigit():
            if before == ".align" and not size:  # behind the type it is that of what a pointer points to
                alignment = _number(word)
        elif word[0] != "(":
            name = word
        before = word
    return tuple(found)


def entries(functions: Sequence[Function], shared: Sequence[Variable]) -> tuple[Entry, ...]:
    """The kernels. `shared` are the variables of the module, which take memory of the kernels that reach them.

    OverflowError where the functions name one another in so many ways that it would take too long to follow.
    """
    sharing = _Sharing(functions, shared)
    return tuple(_entry(row, sharing.taken(row)) for row in functions if row.is_entry)


class _Sharing:
    """Which functions and shared variables each function names, and what a kernel takes of all that it reaches so."""

    __slots__ = ("_functions", "_left", "_named", "_variables")

    def __init__(self, functions: Sequence[Function], shared: Sequence[Variable]) -> None:
        self._functions = {row.name: row for row in functions}
        self._variables = {row.name: row for row in shared}
        self._left = _MOST_STEPS
        self._named: dict[str, frozenset[str]] = {}
        called = {row.name for row in functions if not row.is_entry}
        if self._variables or any(self._functions[name].shared for name in called):
            names = self._variables.keys() | called
            self._named = {row.name: frozenset(names.intersection(_WORD.findall(row.body))) for row in functions}

    def taken(self, kernel: Function) -> int:
        """Bytes of shared memory, placed as ptxas places them: what is aligned most first."""
        found = list(kernel.shared)
        reached, waiting = {kernel.name}, [kernel.name]
        while waiting:
            named = self._named.get(waiting.pop(), frozenset())
            self._left -= len(named) + 1
            if self._left < 0:
                raise OverflowError
            for name in named - reached:
                if name in self._variables:
                    found.append(self._variables[name])
                else:
                    found += self._functions[name].shared
                    waiting.append(name)
            reached |= named
        at = 0
        for variable in sorted(found, key=lambda row: (-row.alignment, row.size)):
            at = _aligned(at, variable.alignment) + variable.size
        return at


def _entry(kernel: Function, shared: int) -> Entry:
    listed, _, directives = kernel.header.partition(")") if "(" in kernel.header else ("", "", kernel.header)
    parameters = []
    at = 0
    for text in listed.replace("(", " ").split(","):
        for variable in variables(text):
            at = _aligned(at, variable.alignment)
            parameters.append(Parameter(at, variable.size, variable.kind, variable.name))
            at += variable.size
    bounds = {name: tuple(int(part) for part in numbers.split(",") if part) for name, numbers in _BOUND.findall(directives)}
    threads = bounds.get(_REQUIRED_THREADS)
    launch = Launch(
        (*threads, 1, 1)[:3] if threads else None,  # type: ignore[arg-type]
        shared,
        clusters=_EXPLICIT in bounds or _CLUSTER_SIZE in bounds,
    )
    return Entry(kernel.name, launch, tuple(parameters), at, tuple(bounds.items()))


def _aligned(at: int, alignment: int) -> int:
    return -(-at // alignment) * alignment


def _number(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        return 0
    try:
        return int(text.rstrip("uU"), 0)
    except ValueError:
        return 0
