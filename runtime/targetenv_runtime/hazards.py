"""Which commands must not overlap: those that touch the same bytes while at least one of them writes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from targetenv_runtime.buffer import BufferRef
from targetenv_runtime.commands import Copy, Dispatch, Fill, Update

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    from targetenv_runtime.buffer import Ref
    from targetenv_runtime.commands import Command

    Access: TypeAlias = tuple[object, int, int, str]  # a buffer or the number of a slot, first byte, end, what is done there
    _Row: TypeAlias = tuple[int, int | None, tuple[int, ...], tuple[int, ...]]  # end, writer, readers, those that did either

READ, WRITE, EITHER = "read", "write", "either"
_ACCESSES = {"read": READ, "write": WRITE, "readwrite": WRITE}
_END = 1 << 62  # of a slot that reaches to the end of what will be bound


def accesses(command: Command, table: Sequence[BufferRef] | None = None) -> Iterator[Access]:
    """The memory that a command touches; slots are looked up in the table where there is one.

    What a kernel does with its bindings is `Kernel.access`; where nobody said it, each is `EITHER`.
    """
    if isinstance(command, Dispatch):
        modes = command.function.kernel.access or ()
        for index, ref in enumerate(command.bindings):
            yield _access(ref, _ACCESSES[modes[index]] if index < len(modes) else EITHER, table)
        if command.count is not None:
            yield _access(command.count, READ, table)
        return
    yield _access(command.target, WRITE, table)
    if isinstance(command, Copy):
        yield _access(command.source, READ, table)


def _access(ref: Ref, mode: str, table: Sequence[BufferRef] | None) -> Access:
    if table is not None:
        ref = ref.resolve(table)
    end = _END if ref.length is None else ref.offset + ref.length
    return (ref.buffer if isinstance(ref, BufferRef) else ref.slot), ref.offset, end, mode


def told(index: int, command: Command) -> str:
    """A command as messages name it.

    >>> told(3, Fill(BufferRef(None, 0, 16), b"1"))
    'command 3 (a fill of 16 bytes)'
    """
    if isinstance(command, Dispatch):
        return f"command {index} (a dispatch of `{command.function.name}`)"
    what = "a fill" if isinstance(command, Fill) else "an update" if isinstance(command, Update) else "a copy"
    length = command.target.length
    return f"command {index} ({what}{'' if length is None else f' of {length} bytes'})"


class Hazards:
    """Who touched which bytes since the last barrier. Commands are numbers, in the order in which they are recorded.

    Two accesses of which it is not known whether they write are taken for reads, unless `cautious`: then for writes.
    """

    __slots__ = ("_cautious", "_memory")

    def __init__(self, *, cautious: bool) -> None:
        self._cautious = cautious
        self._memory: dict[object, _Ranges] = {}

    def barrier(self) -> None:
        """Everything so far comes before everything from now on."""
        self._memory.clear()

    def conflicts(self, touched: Sequence[Access]) -> list[int]:
        """The earlier commands that a command with these accesses must come after, each once, the latest first.

        An earlier command behind one of these may be left out, because that one had to come after it.
        """
        found: set[int] = set()
        for place, start, end, mode in touched:
            ranges = self._memory.get(place)
            if ranges is not None and start < end:
                ranges.conflicts(start, end, self._mode(mode), found)
        return sorted(found, reverse=True)

    def add(self, index: int, touched: Sequence[Access]) -> None:
        """From now on this command has touched these, after all that it conflicts with."""
        for place, start, end, mode in touched:
            if start < end:
                ranges = self._memory.get(place)
                if ranges is None:
                    ranges = self._memory[place] = _Ranges()
                ranges.add(start, end, self._mode(mode), index)

    def _mode(self, mode: str) -> str:
        return WRITE if mode == EITHER and self._cautious else mode


class _Ranges:
    """One buffer: disjoint ranges in order, each with the command that wrote it last and those that touched it since."""

    __slots__ = ("_rows", "_starts")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._rows: list[_Row] = []

    def conflicts(self, start: int, end: int, mode: str, found: set[int]) -> None:
        first = max(bisect_right(self._starts, start) - 1, 0)
        for at in range(first, bisect_left(self._starts, end)):
            stop, writer, readers, either = self._rows[at]
            if stop <= start:
                continue
            if writer is not None:
                found.add(writer)
            if mode == WRITE:
                found.update(readers)
                found.update(either)

    def add(self, start: int, end: int, mode: str, index: int) -> None:
        self._cut(start)
        self._cut(end)
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, end)
        if mode == WRITE:
            self._starts[first:last] = [start]
            self._rows[first:last] = [(end, index, (), ())]
            return
        starts: list[int] = []
        rows: list[_Row] = []
        at = start
        for begin, (stop, writer, readers, either) in zip(self._starts[first:last], self._rows[first:last], strict=True):
            if at < begin:
                starts.append(at)
                rows.append((begin, None, *_added((), (), mode, index)))
            starts.append(begin)
            rows.append((stop, writer, *_added(readers, either, mode, index)))
            at = stop
        if at < end:
            starts.append(at)
            rows.append((end, None, *_added((), (), mode, index)))
        self._starts[first:last] = starts
        self._rows[first:last] = rows

    def _cut(self, at: int) -> None:
        """Let a range begin here, if one covers this place."""
        index = bisect_right(self._starts, at) - 1
        if index >= 0 and self._starts[index] < at < self._rows[index][0]:
            stop, writer, readers, either = self._rows[index]
            self._rows[index] = (at, writer, readers, either)
            self._starts.insert(index + 1, at)
            self._rows.insert(index + 1, (stop, writer, readers, either))


def _added(readers: tuple[int, ...], either: tuple[int, ...], mode: str, index: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return ((*readers, index), either) if mode == READ else (readers, (*either, index))
