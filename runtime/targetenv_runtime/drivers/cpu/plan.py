"""A recording as steps for this machine: ranges of dispatches that one native call runs, big grids, and moves of memory.

Commands run in the order of their levels, one after the other; only a big grid is spread over threads. Which grids are big is
measured the first two times (the first finds memory cold), so a recording that is executed again and again settles on its third
execution: until then a grid of several workgroups takes a call of its own, a grid of one never does.
"""

from __future__ import annotations

import ctypes

from targetenv_runtime.buffer import Slot
from targetenv_runtime.commands import Copy, Dispatch, Fill
from targetenv_runtime.drivers.cpu.dispatch import Block, Entry, Records
from targetenv_runtime.drivers.cpu.schedule import TRIALS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from targetenv_runtime.buffer import BufferRef, Ref
    from targetenv_runtime.commands import Command, Recording
    from targetenv_runtime.drivers.cpu.schedule import Schedule

    Table: TypeAlias = Sequence[BufferRef]
    Step: TypeAlias = Callable[[Table], None]

_CHUNK = 1 << 16  # bytes of a repeated pattern that are written at once


class Plan:
    """What one recording is on this device; `run` executes it to its end and raises what went wrong."""

    __slots__ = ("_commands", "_open", "_schedule", "_steps", "_trials", "_wide")

    def __init__(self, recording: Recording, schedule: Schedule) -> None:
        self._schedule = schedule
        self._commands: list[Command | Block | Step] = []
        self._open: list[tuple[Block, Dispatch]] = []
        self._wide: dict[Block, bool] = {}
        for level in recording.levels:
            for command in level:
                self._commands.append(self._dispatch(command) if isinstance(command, Dispatch) else command)
        self._trials = TRIALS if self._wide and schedule.threads > 1 else 0
        self._steps = self._compile()

    def run(self, table: Table) -> None:
        for block, command in self._open:
            block.fill(command.grid, [ref.resolve(table) for ref in command.bindings], command.constants)
        for step in self._steps:
            step(table)
        if self._trials:
            self._trials -= 1
            if not self._trials:
                self._steps = self._compile()

    def _dispatch(self, command: Dispatch) -> Block | Step:
        return self._block(command) if command.count is None else self._counted(command, command.count)

    def _counted(self, command: Dispatch, count: Ref) -> Step:
        """A step for a grid that is in memory by the time."""
        entry = command.function.entry
        assert isinstance(entry, Entry)
        block = Block(entry, len(command.bindings), len(command.constants), self._schedule.threads)
        schedule, bindings = self._schedule, command.bindings

        def step(table: Table) -> None:
            x, y, z = (ctypes.c_uint32 * 3).from_address(count.resolve(table).address)
            if x and y and z:
                block.fill((x, y, z), [ref.resolve(table) for ref in bindings], command.constants)
                schedule.measured(block) if block.total > 1 else schedule.alone(block)

        return step

    def _block(self, command: Dispatch) -> Block:
        entry = command.function.entry
        assert isinstance(entry, Entry)
        block = Block(entry, len(command.bindings), len(command.constants), self._schedule.threads)
        if any(isinstance(ref, Slot) for ref in command.bindings):
            self._open.append((block, command))
            block.shape(command.grid, command.grid)
        else:
            block.fill(command.grid, [ref.resolve(()) for ref in command.bindings], command.constants)
        if block.total > 1:
            self._wide[block] = False
        return block

    def _compile(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        narrow: list[Block] = []
        for command in self._commands:
            if isinstance(command, Block) and not (command in self._wide and self._trials) and not self._wide.get(command):
                narrow.append(command)
                continue
            if narrow:
                steps.append(self._records(narrow))
                narrow = []
            if callable(command):
                steps.append(command)
            elif not isinstance(command, Block):
                steps.append(_move(command))
            elif self._trials:
                steps.append(self._trial(command))
            else:
                steps.append(self._spread(command))
        if narrow:
            steps.append(self._records(narrow))
        return tuple(steps)

    def _records(self, blocks: list[Block]) -> Step:
        records, call = Records(blocks), self._schedule.loops.records

        def step(_: Table) -> None:
            failure = call(records.pointer)
            if failure:
                raise records.blocks[failure >> 32].entry.failed(failure & 0xFFFFFFFF)

        return step

    def _trial(self, block: Block) -> Step:
        def step(_: Table) -> None:
            self._wide[block] = self._schedule.measured(block)

        return step

    def _spread(self, block: Block) -> Step:
        def step(_: Table) -> None:
            self._schedule.spread(block)

        return step


def _move(command: Command) -> Step:
    """A step for a command that moves bytes. `memmove` and `memset` release the GIL."""
    if isinstance(command, Fill):
        pattern = command.pattern

        def fill(table: Table) -> None:
            target = command.target.resolve(table)
            _fill(target.address, target.length, pattern)

        return fill
    if isinstance(command, Copy):

        def copy(table: Table) -> None:
            source, target = command.source.resolve(table), command.target.resolve(table)
            ctypes.memmove(target.address, source.address, target.length)

        return copy
    assert not isinstance(command, Dispatch)
    data = command.data

    def update(table: Table) -> None:
        ctypes.memmove(command.target.resolve(table).address, data, len(data))

    return update


def _fill(address: int, length: int, pattern: bytes) -> None:
    if pattern.count(pattern[:1]) == len(pattern):
        ctypes.memset(address, pattern[0], length)
        return
    chunk = pattern * (min(length, _CHUNK) // len(pattern) + 1)
    step = min(length, _CHUNK)
    for at in range(0, length, _CHUNK):
        ctypes.memmove(address + at, chunk, min(step, length - at))
