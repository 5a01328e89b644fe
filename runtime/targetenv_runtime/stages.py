"""Grids in memory on a device that cannot read them: one recording becomes several, and the host reads grids in between."""

from __future__ import annotations

from struct import unpack

from targetenv_runtime.buffer import BufferRef
from targetenv_runtime.commands import GRID_BYTES, Copy, Dispatch, Recording
from targetenv_runtime.queue import require
from targetenv_runtime.semaphore import Semaphore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.commands import Command
    from targetenv_runtime.queue import Queue
    from targetenv_runtime.semaphore import Point


class Stage:
    """Levels that can be submitted together: those of the first stage, or from one that needs grids up to the next.

    Submitted behind the last level are copies of what the next stage needs, into memory that the host sees.
    """

    def __init__(self, buffers: tuple[Buffer, ...], staging: Buffer | None) -> None:
        self.staging = staging
        self.levels: list[tuple[Command, ...]] = []
        self.recording = Recording((), buffers)

    def settle(self) -> None:
        """Read the grids of the first level, now that they are there; the recording is complete then."""
        if self.staging is not None:
            self.levels[0] = self._counted(self.levels[0], self.staging.read())
        self.recording.levels = tuple(level for level in self.levels if level)

    @staticmethod
    def _counted(level: tuple[Command, ...], grids: bytes) -> tuple[Command, ...]:
        commands: list[Command] = []
        at = 0
        for command in level:
            if isinstance(command, Dispatch) and command.count is not None:
                grid = command.function.check(
                    unpack("<3I", grids[at : at + GRID_BYTES]), command.constants, len(command.bindings)
                )
                at += GRID_BYTES
                if 0 not in grid:
                    commands.append(Dispatch(command.function, grid, command.bindings, command.constants))
            else:
                commands.append(command)
        return tuple(commands)


def submit(
    queue: Queue, recording: Recording, table: Sequence[BufferRef], wait: Iterable[Point], signal: Iterable[Point]
) -> None:
    """Submit a recording in stages, one after the other; what goes wrong in one of them fails `signal`."""
    signals = tuple(signal)
    require(signals)
    stages = _split(queue, recording)
    chain = Semaphore()
    stages[0].settle()
    queue.submit(stages[0].recording, table, wait, ((chain, 1),))
    for number, stage in enumerate(stages[1:], 1):
        at = 2 * number
        queue.submit(
            Recording((), ()), (), ((chain, at - 1),), ((chain, at),), native=False, effect=stage.settle, name="read grids"
        )
        last = stage is stages[-1]
        points = signals if last else ((chain, at + 1),)
        queue.submit(stage.recording, table, ((chain, at),), points, native=False)


def _split(queue: Queue, recording: Recording) -> list[Stage]:
    stages = [Stage(recording.buffers, None)]
    for level in recording.levels:
        counts = [command.count for command in level if isinstance(command, Dispatch) and command.count is not None]
        if counts:
            staging = queue.owner.allocate(GRID_BYTES * len(counts), "host")
            copies = (Copy(count, BufferRef(staging, GRID_BYTES * index, GRID_BYTES)) for index, count in enumerate(counts))
            stages[-1].levels.append(tuple(copies))
            stages.append(Stage(recording.buffers, staging))
        stages[-1].levels.append(level)
    return stages
