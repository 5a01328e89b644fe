"""The cpu device: kernels of shared objects, run by the caller's thread and, for big grids, by a pool of threads beside it.

A submission is done when `submit` returns: no thread, no hand-over, and the next one sees everything.
"""

from __future__ import annotations

import ctypes
import os

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.formats import libraries_of
from targetenv.model.record import replace
from targetenv_runtime.backend import Allocation, Backend, Loaded
from targetenv_runtime.buffer import Buffer, BufferRef
from targetenv_runtime.drivers.cpu.cores import cores
from targetenv_runtime.drivers.cpu.dispatch import LARGEST, LARGEST_Z, Block, Entry
from targetenv_runtime.drivers.cpu.image import MACHINES, range_entries
from targetenv_runtime.drivers.cpu.image_tables import check
from targetenv_runtime.drivers.cpu.library import Library
from targetenv_runtime.drivers.cpu.loops import Loops
from targetenv_runtime.drivers.cpu.memory import Pages
from targetenv_runtime.drivers.cpu.plan import Plan
from targetenv_runtime.drivers.cpu.schedule import Schedule
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from targetenv.model.artifact import Kernel
    from targetenv.model.device import Device
    from targetenv_runtime.backend import Grid, Memory
    from targetenv_runtime.commands import Bindable, Recording
    from targetenv_runtime.drivers.cpu.iree_library import Export
    from targetenv_runtime.executable import Function

_ALIGNMENT = 16  # what a C compiler may expect of any object (max_align_t)
_MOST_THREADS = 1024
_MOST_LOCAL_MEMORY = 1 << 30
_IREE_QUERY = "iree_hal_executable_library_query"


class CpuBackend(Backend):
    """This machine's processor. `threads` bounds how many threads a grid is spread over; default is the cores it may use."""

    name = "cpu"
    uri = "cpu://0"
    synchronous = True
    indirect = True
    binding_alignment = _ALIGNMENT

    def __init__(self, *, threads: int | None = None) -> None:
        self.machine = os.uname().machine
        if self.machine not in MACHINES:
            raise HalError(Code.UNAVAILABLE, f"kernels cannot be run on {self.machine}", help="use x86_64 or aarch64")
        self.formats = frozenset({f"elf-{self.machine}", *libraries_of(f"elf-{self.machine}")})
        self._schedule = Schedule(Loops(machine=self.machine), threads or cores().available)
        self._records = self._schedule.loops.records
        self._epoch = 0

    def describe(self) -> Device:
        from targetenv_runtime.drivers.cpu.probe import probe  # reads a dozen files

        devices, unavailable = probe()
        if not devices:
            raise HalError(Code.UNAVAILABLE, unavailable[0].reason, help=unavailable[0].help)
        return devices[0]

    def close(self) -> None:
        self._schedule.pool.close()

    # --- memory

    def alloc(self, size: int, memory: Memory) -> Allocation:
        del memory  # all of it is the same to a CPU
        pages = Pages(size)
        return Allocation(pages, size, address=pages.address, view=pages.view())

    def free(self, handle: object) -> None:
        if handle is not None:  # the host's own memory is not ours to close
            assert isinstance(handle, Pages)
            handle.close()

    def import_host(self, memory: memoryview) -> Allocation:
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory)) if len(memory) else 0
        if address % _ALIGNMENT:
            raise HalError(Code.INVALID_ARGUMENT, f"memory at {address:#x} does not begin at a multiple of {_ALIGNMENT} bytes")
        return Allocation(None, len(memory), address=address, view=memory)

    # --- executables

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        """Kernels by their exported range entries, or by the table that an executable library of IREE's has.

        What the image says about itself completes what the caller knows.
        """
        del image_format  # the image says it
        tables = check(image, self.machine)
        library = Library(image, "targetenv-kernels")
        try:
            exports = None
            if library.address(_IREE_QUERY) is not None:
                from targetenv_runtime.drivers.cpu import iree_library  # 1 ms that only IREE's libraries cost

                exports = iree_library.exports(library, tables)
            if exports is None:
                found = [_entry(library, image, kernel) for kernel in kernels]
            else:
                found = self._entries(library, exports, kernels)
        except HalError:
            library.close()
            raise
        return Loaded(library, [kernel for kernel, _ in found], [entry for _, entry in found])

    def _entries(self, library: Library, exports: dict[str, Export], kernels: Sequence[Kernel]) -> list[tuple[Kernel, Entry]]:
        """Kernels of a library of IREE's, with range entries made for them."""
        from targetenv_runtime.drivers.cpu.iree_library import ALIGNMENT
        from targetenv_runtime.drivers.cpu.ranges import Ranges

        known = [_described(exports, kernel) for kernel in kernels]
        functions = [exports[kernel.entry_point or kernel.name].address for kernel in kernels]
        library.ranges = ranges = Ranges(functions, native=self._schedule.loops.native)
        return [
            (
                kernel,
                Entry(kernel.name, address, kernel.workgroup_size or (1, 1, 1), kernel.local_memory or 0, ALIGNMENT),
            )
            for kernel, address in zip(known, ranges.addresses, strict=True)
        ]

    def unload(self, handle: object) -> None:
        assert isinstance(handle, Library)
        handle.close()

    # --- work

    def submit(
        self, queue: int, recording: Recording | None, table: Sequence[BufferRef], waits: Sequence[tuple[Backend, int, int]]
    ) -> int:
        del queue, waits  # everything submitted before is done
        self._epoch += 1
        if recording is not None:
            plan = recording.replay.get(self)
            if not isinstance(plan, Plan):
                plan = Plan(recording, self._schedule)
                if recording.reusable:
                    recording.replay[self] = plan
            plan.run(table)
        return self._epoch

    def completed(self, queue: int) -> int:
        del queue
        return self._epoch

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        del queue, epoch, timeout
        return True

    # --- one kernel, at once

    def bind(self, function: Function, grid: Grid, bindings: Sequence[BufferRef], constants: bytes) -> Callable[[], object]:
        entry = function.entry
        assert isinstance(entry, Entry)
        block = Block(entry, len(bindings), len(constants), self._schedule.threads)
        block.fill(grid, bindings, constants)
        return self._schedule.bound(block)

    def run(self, function: Function, grid: Sequence[int], bindings: Sequence[Bindable], constants: bytes) -> bool:
        """The plain case, every argument checked; anything else is the core's to run or to explain."""
        if (
            function.least is not None
            or len(bindings) != function.bindings
            or type(constants) is not bytes
            or len(constants) != function.constants
        ):
            return False
        owner = function.owner
        held = []  # by this frame: another thread may close a buffer while the kernel runs
        addresses = []
        lengths = []
        for binding in bindings:
            if type(binding) is Buffer:
                allocation = binding.allocation
                address, length = allocation.address, allocation.size
            elif type(binding) is BufferRef:
                allocation = binding.buffer.allocation
                offset, length = binding.offset, binding.length
                if offset < 0 or offset % _ALIGNMENT or offset + length > allocation.size:
                    return False
                address = allocation.address + offset
            else:
                return False
            if length <= 0 or allocation.owner is not owner:  # without memory it has no owner
                return False
            held.append(allocation)
            addresses.append(address)
            lengths.append(length)
        entry: Entry = function.entry  # type: ignore[assignment]  # of its own loaded images a backend knows it
        if entry.alignment:
            entry.check(addresses)
        idle = entry.idle
        try:
            block = idle.pop()
        except IndexError:
            block = Block(entry, len(bindings), len(constants), self._schedule.threads)
        try:
            if grid != block.grid:
                shape = _shape(grid)
                if shape is None:
                    return False
                block.shape(shape, grid)
            block.write(addresses + lengths, constants)
            if block.total == 1:
                status = self._records(block.pointer)
                if status:
                    raise entry.failed(status)
            else:
                self._schedule.measured(block)
        finally:
            idle.append(block)
        return True


def open(selector: str = "", **options: object) -> CpuBackend:  # noqa: A001  the name that every driver's backend has
    """The cpu device; its selector is `0` or empty. Option `threads` bounds the threads of one grid.

    Features need no enabling on a CPU, and extensions there are none: what is asked for of them is ignored.
    """
    if selector not in ("", "0"):
        raise HalError(Code.NOT_FOUND, "this machine is one cpu device")
    unknown = options.keys() - {"threads", "extensions", "features"}
    if unknown:
        raise HalError(
            Code.INVALID_ARGUMENT, f"the cpu driver has no option `{min(unknown)}`", help="its one option is `threads`"
        )
    threads = options.get("threads")
    if threads is not None and not (isinstance(threads, int) and 0 < threads <= _MOST_THREADS):
        raise HalError(Code.INVALID_ARGUMENT, f"option `threads` is a number from 1 to {_MOST_THREADS}, not `{threads}`")
    return CpuBackend(threads=threads)


def _shape(grid: Sequence[int]) -> Grid | None:
    """A grid of ints in three dimensions, none of them zero or too big for the ABI; None for any other."""
    if type(grid) is not tuple and type(grid) is not list:
        return None
    dimensions = len(grid)
    if dimensions == 1:
        x, y, z = grid[0], 1, 1
    elif dimensions == 2:
        x, y = grid
        z = 1
    elif dimensions == 3:
        x, y, z = grid
    else:
        return None
    if type(x) is not int or type(y) is not int or type(z) is not int:
        return None
    return (x, y, z) if 0 < x <= LARGEST and 0 < y <= LARGEST and 0 < z <= LARGEST_Z else None


def _entry(library: Library, image: bytes | memoryview, kernel: Kernel) -> tuple[Kernel, Entry]:
    symbol = kernel.entry_point or kernel.name
    address = library.address(f"{symbol}__range")
    if address is None:
        there = range_entries(image)
        raise HalError(
            Code.NOT_FOUND,
            f"the image exports no kernel `{symbol}`",
            notes=("it exports " + (", ".join(f"`{name}`" for name in there) or "no kernels"),),
            help=did_you_mean(symbol, there) or f"define it with `TARGETENV_KERNEL({symbol})`",
        )
    size = library.words(f"{symbol}__workgroup_size", 3)
    if size is not None and kernel.workgroup_size is not None and size != kernel.workgroup_size:
        raise HalError(
            Code.INVALID_ARGUMENT,
            f"a workgroup of `{symbol}` covers {_by(size)} in the image, and is said to cover {_by(kernel.workgroup_size)}",
        )
    size = size or kernel.workgroup_size or (1, 1, 1)
    declared = library.words(f"{symbol}__local_memory", 1) or (0,)
    local_memory = max(declared[0], kernel.local_memory or 0)
    x, y, z = size
    _check_size(symbol, (x, y, z), local_memory)
    known = replace(kernel, workgroup_size=(x, y, z), local_memory=local_memory)
    return known, Entry(kernel.name, address, (x, y, z), local_memory)


def _described(exports: dict[str, Export], kernel: Kernel) -> Kernel:
    """The kernel with what the library says about it; INVALID_ARGUMENT where the caller says something else."""
    symbol = kernel.entry_point or kernel.name
    export = exports.get(symbol)
    if export is None:
        raise HalError(
            Code.NOT_FOUND,
            f"the image exports no kernel `{symbol}`",
            notes=("it exports " + ", ".join(f"`{name}`" for name in sorted(exports)),),
            help=did_you_mean(symbol, exports),
        )
    for what, said, there in (
        ("bindings", kernel.bindings, export.bindings),
        ("bytes of constants", kernel.constants, export.constants),
    ):
        if said is not None and there is not None and said != there:
            raise HalError(Code.INVALID_ARGUMENT, f"`{symbol}` takes {there} {what} in the image, and is said to take {said}")
    size = export.size or kernel.workgroup_size or (1, 1, 1)
    local_memory = max(export.local_memory, kernel.local_memory or 0)
    _check_size(symbol, size, local_memory)
    return replace(
        kernel,
        workgroup_size=size,
        local_memory=local_memory,
        bindings=kernel.bindings if export.bindings is None else export.bindings,
        constants=kernel.constants if export.constants is None else export.constants,
    )


def _check_size(symbol: str, size: Grid, local_memory: int) -> None:
    x, y, z = size
    if not (0 < x <= LARGEST and 0 < y <= LARGEST and 0 < z <= LARGEST_Z):
        raise HalError(Code.INVALID_ARGUMENT, f"a workgroup of `{symbol}` cannot cover {_by(size)}")
    if local_memory > _MOST_LOCAL_MEMORY:
        raise HalError(Code.RESOURCE_EXHAUSTED, f"`{symbol}` wants {local_memory} bytes of local memory for each thread")


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))
