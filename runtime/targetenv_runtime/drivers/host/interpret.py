"""What each command means, in Python."""

from __future__ import annotations

from functools import partial
from itertools import product
from struct import unpack

from targetenv_runtime.commands import Copy, Dispatch, Fill, Update
from targetenv_runtime.foreign import guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv_runtime.buffer import BufferRef, Ref
    from targetenv_runtime.commands import Command, Recording


def prepare(recording: Recording, table: Sequence[BufferRef]) -> list[Callable[[], object]]:
    """The commands as calls in an order that the recording allows, with all memory captured."""
    return [_call(command, table) for level in recording.levels for command in level]


def _call(command: Command, table: Sequence[BufferRef]) -> Callable[[], object]:
    if isinstance(command, Fill):
        return partial(_fill, _memory(command.target, table), command.pattern)
    if isinstance(command, Update):
        return partial(_write, _memory(command.target, table), command.data)
    if isinstance(command, Copy):
        return partial(_write, _memory(command.target, table), _memory(command.source, table))
    count = None if command.count is None else _memory(command.count, table)
    return partial(_dispatch, command, [_memory(ref, table) for ref in command.bindings], count)


def _memory(ref: Ref, table: Sequence[BufferRef]) -> memoryview:
    part = ref.resolve(table)
    handle = part.buffer.allocation.handle
    assert isinstance(handle, (bytearray, memoryview)), "the memory of this driver, also where a user does not get to see it"
    return memoryview(handle)[part.offset : part.offset + part.length]


def _fill(target: memoryview, pattern: bytes) -> None:
    target[:] = (pattern * (len(target) // len(pattern) + 1))[: len(target)]


def _write(target: memoryview, data: bytes | memoryview) -> None:
    target[:] = data


def _dispatch(command: Dispatch, bindings: list[memoryview], count: memoryview | None) -> None:
    kernel = command.function.entry
    if not callable(kernel):
        raise TypeError(f"`{command.function.name}` is not callable")
    x, y, z = grid = command.grid if count is None else unpack("<3I", count)
    what = f"kernel `{command.function.name}`"
    for workgroup in product(range(z), range(y), range(x)):
        guarded(what, kernel, workgroup[::-1], grid, bindings, command.constants)
