"""Loaded executables and the kernels in them."""

from __future__ import annotations

from functools import partial

from targetenv.diagnostics.suggest import did_you_mean
from targetenv_runtime.buffer import Buffer, BufferRef, Slot
from targetenv_runtime.commands import direct, dispatch, single
from targetenv_runtime.queue import now
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from targetenv.model.artifact import Kernel
    from targetenv_runtime.backend import Grid, Loaded
    from targetenv_runtime.commands import Bindable
    from targetenv_runtime.ownership import Ownership

_LARGEST = 2**32 - 1


class Function:
    """One kernel of a loaded executable, which stays loaded as long as one of its functions is held.

    `bindings` is how many buffers it takes, `constants` how many bytes of constants, `least` how many bytes each binding has at
    least; None where nobody said, so that nothing is checked. `entry` is the driver's.
    """

    __slots__ = ("_loaded", "bindings", "constants", "entry", "kernel", "least", "name", "owner", "workgroup_size")

    def __init__(self, owner: Ownership, loaded: Loaded, kernel: Kernel, entry: object) -> None:
        self.owner = owner
        self._loaded = loaded
        self.kernel = kernel
        self.entry = entry
        self.name = kernel.name
        self.bindings = kernel.bindings
        self.constants = kernel.constants
        self.least = kernel.least
        self.workgroup_size = kernel.workgroup_size

    def __repr__(self) -> str:
        return f"<Function `{self.name}` on {self.owner.uri}>"

    def check(self, grid: Sequence[int], constants: bytes, bindings: int) -> Grid:
        """The grid in three dimensions, after everything that can be known before a dispatch was checked."""
        if bindings != self.bindings and self.bindings is not None:
            raise HalError(Code.INVALID_ARGUMENT, f"`{self.name}` takes {_count(self.bindings, 'binding')}, not {bindings}")
        if len(constants) != self.constants and self.constants is not None:
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"`{self.name}` takes {_count(self.constants, 'byte')} of constants, not {len(constants)}",
            )
        if not 1 <= len(grid) <= 3:
            raise HalError(Code.INVALID_ARGUMENT, f"a grid has one to three dimensions, not {len(grid)}")
        x, y, z = (*grid, 1, 1)[:3]
        if x < 0 or y < 0 or z < 0 or x > _LARGEST or y > _LARGEST or z > _LARGEST:
            raise HalError(Code.OUT_OF_RANGE, f"a grid of ({x}, {y}, {z}) workgroups; each dimension is 0 to {_LARGEST}")
        return x, y, z

    def run(self, grid: Sequence[int] | Bindable, bindings: Sequence[Bindable] = (), constants: bytes = b"") -> None:
        """Dispatch the kernel now and return when it is done; raises what went wrong with it.

        Nothing orders it against work that was submitted to queues: wait for what it needs first.
        """
        owner = self.owner
        if owner.run(self, grid, bindings, constants):
            return
        owner.require_open()
        if isinstance(grid, Slot):
            direct(grid)
        now(owner, single(dispatch(owner, self, grid, [direct(binding) for binding in bindings], constants)))

    def bind(self, grid: Sequence[int], bindings: Sequence[Bindable] = (), constants: bytes = b"") -> Bound:
        """The same dispatch, checked once, to be run many times."""
        return Bound(self, grid, bindings, constants)


class Bound:
    """One dispatch with all its arguments: `bound.run()` runs it to its end and raises what went wrong.

    It holds the memory that it uses, also when the buffers are closed, and so does `run` for who keeps nothing else. Runs are
    not ordered against submitted work.
    """

    __slots__ = ("run",)

    run: Callable[[], object]

    def __init__(self, function: Function, grid: Sequence[int], bindings: Sequence[Bindable], constants: bytes) -> None:
        owner = function.owner
        owner.require_open()
        refs = [direct(binding) for binding in bindings]
        if isinstance(grid, (Buffer, BufferRef, Slot)):
            raise HalError(
                Code.INVALID_ARGUMENT, "a bound dispatch has its grid in numbers", help="record it in a command buffer"
            )
        command = dispatch(owner, function, grid, refs, constants)
        for ref in refs:
            ref.buffer.require_live()
        outside = owner.reclaim.enter()
        try:
            quick = None if 0 in command.grid else owner.backend.bind(function, command.grid, refs, command.constants)
        finally:
            owner.reclaim.leave(outside=outside)
        self.run = quick or partial(now, owner, single(command, owner))
        vars(self.run)["held"] = (function, tuple(ref.buffer.allocation for ref in refs))


class Executable:
    """A loaded image. `executable["name"]` is one of its kernels, `executable[0]` its first."""

    __slots__ = ("_by_name", "format", "functions", "owner")

    def __init__(self, owner: Ownership, image_format: str, loaded: Loaded) -> None:
        self.owner = owner
        self.format = image_format
        pairs = zip(loaded.kernels, loaded.entries, strict=True)
        self.functions = tuple(Function(owner, loaded, kernel, entry) for kernel, entry in pairs)
        self._by_name = {function.name: function for function in self.functions}

    def __repr__(self) -> str:
        return f"<Executable of {_count(len(self.functions), 'kernel')} in {self.format} on {self.owner.uri}>"

    def __len__(self) -> int:
        return len(self.functions)

    def __iter__(self) -> Iterator[Function]:
        return iter(self.functions)

    def __getitem__(self, name: str | int) -> Function:
        """The kernel of this name, or at this place; OUT_OF_RANGE where there is none."""
        if isinstance(name, str):
            return self.lookup(name)
        if not 0 <= name < len(self.functions):
            raise HalError(
                Code.OUT_OF_RANGE, f"the executable has {_count(len(self.functions), 'kernel')}, and none is number {name}"
            )
        return self.functions[name]

    def lookup(self, name: str) -> Function:
        """The kernel of this name; NOT_FOUND with what there is."""
        function = self._by_name.get(name)
        if function is None:
            there = ", ".join(f"`{known}`" for known in sorted(self._by_name)) or "no kernel"
            raise HalError(
                Code.NOT_FOUND,
                f"the executable has no kernel `{name}`",
                notes=(f"it has {there}",),
                help=did_you_mean(name, self._by_name),
                device=self.owner.uri,
            )
        return function


def load(owner: Ownership, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Executable:
    """Load an image on an open device; `Device.load` is the public way."""
    owner.require_open()
    backend = owner.backend
    if not backend.takes(image_format):
        known = ", ".join(f"`{name}`" for name in sorted(backend.formats)) or "nothing"
        raise HalError(
            Code.INVALID_ARGUMENT,
            f"{owner.uri} does not load `{image_format}`",
            notes=(f"it loads {known}",),
            help=did_you_mean(image_format, backend.formats),
        )
    names = [kernel.name for kernel in kernels]
    if len(set(names)) != len(names):
        raise HalError(Code.INVALID_ARGUMENT, "two kernels of one executable have the same name")
    outside = owner.reclaim.enter()
    try:
        owner.require_open()
        loaded = backend.load(image, image_format, kernels)
        owner.reclaim.track(loaded, backend.unload, loaded.handle)
    finally:
        owner.reclaim.leave(outside=outside)
    return Executable(owner, image_format, loaded)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
