"""Submitting to Vulkan and waiting for it, beside a C program that does the same."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

from targetenv_runtime.device import open_device

from targetenv.model.artifact import Kernel
from tests.benchmarks import options, table
from tests.benchmarks.measure import Case, case, interleave, timed
from tests.benchmarks.native import EXAMPLE, Floor, spirv
from tests.benchmarks.table import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.command_buffer import CommandBuffer

ELEMENTS = 256
MANY = 1000


def rows(chosen: options.Options, directory: Path) -> list[Row]:
    code = spirv(EXAMPLE / "saxpy.comp", directory / "saxpy.spv")
    floor = Floor(directory, code, dispatches=1, elements=ELEMENTS)
    floor_many = Floor(directory, code, dispatches=MANY, elements=ELEMENTS)
    kernel = Kernel("saxpy", (64, 1, 1), bindings=2, constants=8, entry_point="main")
    constants = struct.pack("<fI", 0.0, ELEMENTS)
    grid = (ELEMENTS // 64, 1, 1)
    with open_device("vulkan://0") as device:
        function = device.load(code, "spirv", [kernel])["saxpy"]
        x, y = device.allocate(4 * ELEMENTS), device.allocate(4 * ELEMENTS)
        x.write(bytes(4 * ELEMENTS))
        y.write(bytes(4 * ELEMENTS))
        semaphore, value = device.semaphore(), 0

        def recorded(count: int) -> CommandBuffer:
            commands = device.command_buffer()
            for _ in range(count):
                commands.dispatch(function, grid, (x, y), constants)
                commands.barrier()
            return commands.end()

        one, many = recorded(1), recorded(MANY)

        def execute(commands: CommandBuffer) -> None:
            nonlocal value
            value += 1
            device.queue.execute(commands, signal=[(semaphore, value)])
            semaphore.wait(value)

        def dispatch() -> None:
            nonlocal value
            value += 1
            device.queue.dispatch(function, grid, (x, y), constants, signal=[(semaphore, value)])
            semaphore.wait(value)

        bound = function.bind(grid, (x, y), constants)
        cases = [
            case("bound", bound.run, 200),
            case("submit", lambda: execute(one), 200),
            Case("floor submit", timed(lambda: floor.run(200)), 200),
            case("dispatch", dispatch, 100),
            case("many", lambda: execute(many), 1, jobs=MANY),
            Case("floor many", timed(lambda: floor_many.run(1)), MANY),
            case("record", lambda: recorded(MANY), 1, jobs=MANY),
            Case("floor record", timed(lambda: floor_many.record(1)), MANY),
        ]
        timing = interleave(cases, rounds=chosen.rounds)
    return [
        Row("Vulkan submit + wait, prerecorded: a bound dispatch", timing["bound"], "C", timing["floor submit"], "1.15"),
        Row("the same through a queue and its semaphores", timing["submit"], "C", timing["floor submit"]),
        Row("Vulkan dispatch + wait, not prerecorded", timing["dispatch"], "C, prerecorded", timing["floor submit"]),
        Row("one of 1000 Vulkan dispatches with barriers", timing["many"], "C", timing["floor many"], "1.15"),
        Row("recording one of them", timing["record"], "C", timing["floor record"]),
    ]


if __name__ == "__main__":
    parsed = options.parse()
    with tempfile.TemporaryDirectory() as made:
        table.emit(rows(parsed, Path(made)))
