"""Calling CPU kernels from Python, beside bare ctypes calls and loops in C over the same machine code."""

from __future__ import annotations

import ctypes
import struct
import tempfile
from pathlib import Path

from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.cpu import include_directory

from targetenv.model.artifact import Kernel
from tests.benchmarks import options, table
from tests.benchmarks.measure import Case, case, interleave, timed
from tests.benchmarks.native import EXAMPLE, HERE, shared_object
from tests.benchmarks.table import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.buffer import Buffer

TINY = 1024
LARGE = 16 << 20
TILE = 16384  # what one workgroup of saxpy.c covers
MANY = 1000


class Bare:
    """The kernel's three blocks as ctypes sees them: environment, dispatch, workgroup (include/targetenv/kernel.h)."""

    def __init__(self, library: ctypes.CDLL, elements: int) -> None:
        self.x, self.y = (ctypes.create_string_buffer(4 * elements) for _ in range(2))
        self.constants = ctypes.create_string_buffer(struct.pack("<fI", 0.0, elements), 8)
        self.pointers = (ctypes.c_void_p * 2)(ctypes.addressof(self.x), ctypes.addressof(self.y))
        self.lengths = (ctypes.c_size_t * 2)(4 * elements, 4 * elements)
        addresses = [ctypes.addressof(self.constants), ctypes.addressof(self.pointers), ctypes.addressof(self.lengths)]
        count = -(-elements // TILE)
        block = struct.pack("<IIHHIIHBBQQQQQ", TILE, 1, 1, 2, count, 1, 1, 1, 2, *addresses, 0, 0)
        self.arguments = [ctypes.create_string_buffer(block, len(block)) for block in (bytes(96), block, bytes(32))]
        self.kernel = library.saxpy
        self.references = tuple(ctypes.byref(block) for block in self.arguments)


def rows(chosen: options.Options, directory: Path) -> list[Row]:
    include = ("-I", include_directory())
    path = shared_object(EXAMPLE / "saxpy.c", directory / "saxpy.so", "-march=x86-64-v3", *include)
    floor = ctypes.CDLL(str(shared_object(HERE / "cpu_floor.c", directory / "cpu_floor.so", *include)))
    library = ctypes.CDLL(str(path))
    tiny, large = Bare(library, TINY), Bare(library, LARGE)
    with open_device("cpu://0") as device:
        function = device.load(path.read_bytes(), "elf-x86_64", [Kernel("saxpy", (TILE, 1, 1), 2, 8)])["saxpy"]

        def arguments(elements: int) -> tuple[tuple[int], tuple[Buffer, Buffer], bytes]:
            x, y = device.allocate(4 * elements), device.allocate(4 * elements)
            x.write(bytes(4 * elements))
            y.write(bytes(4 * elements))
            return (-(-elements // TILE),), (x, y), struct.pack("<fI", 0.0, elements)

        grid, buffers, constants = arguments(TINY)
        bound = function.bind(grid, buffers, constants).run
        bound_large = function.bind(*arguments(LARGE)).run
        commands = device.command_buffer()
        for _ in range(MANY):
            commands.dispatch(function, grid, buffers, constants)
            commands.barrier()
        commands.end()
        semaphore, value = device.semaphore(), 0

        def execute() -> None:
            nonlocal value
            value += 1
            device.queue.execute(commands, signal=[(semaphore, value)])
            semaphore.wait(value)

        kernel, references = tiny.kernel, tiny.references
        cases = [
            case("checked", lambda: function.run(grid, buffers, constants), 2000),
            case("bound", bound, 5000),
            case("ctypes", lambda: kernel(*references), 5000),
            case("recorded", execute, 20, jobs=MANY),
            Case("C loop", timed(lambda: floor.floor_loop(kernel, *references, MANY), 20), 20 * MANY),
            case("large", bound_large, 4),
            Case("C halves", timed(lambda: floor.floor_halves(kernel, *large.references[:2]), 4), 4),
        ]
        timing = interleave(cases, rounds=chosen.rounds)
    return [
        Row("CPU dispatch of 1024 floats, checked", timing["checked"], "ctypes, prebuilt", timing["ctypes"], "1.5 us"),
        Row("CPU dispatch of 1024 floats, bound", timing["bound"], "ctypes, prebuilt", timing["ctypes"], "0.4 us"),
        Row("one of 1000 recorded CPU dispatches", timing["recorded"], "loop in C", timing["C loop"], "0.1 us"),
        Row("CPU saxpy of 16 M floats", timing["large"], "C, two threads", timing["C halves"], "1.05"),
    ]


if __name__ == "__main__":
    parsed = options.parse()
    with tempfile.TemporaryDirectory() as made:
        table.emit(rows(parsed, Path(made)))
