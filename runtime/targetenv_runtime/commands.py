"""What a device is told to do: four kinds of commands, and what they become for a driver."""

from __future__ import annotations

from targetenv_runtime.buffer import Buffer, BufferRef, Slot
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from targetenv_runtime.backend import Grid
    from targetenv_runtime.buffer import Ref
    from targetenv_runtime.executable import Function
    from targetenv_runtime.ownership import Ownership

    Command: TypeAlias = "Fill | Update | Copy | Dispatch"
    Bindable: TypeAlias = "Buffer | Ref"

GRID_BYTES, GRID_ALIGNMENT = 12, 4
"""A grid in memory is three words."""


class Fill:
    """Repeat `pattern` (1, 2 or 4 bytes) over the target; any offset and length, the last repetition may be cut."""

    __slots__ = ("pattern", "target")

    def __init__(self, target: Ref, pattern: bytes) -> None:
        self.target = target
        self.pattern = pattern

    @property
    def refs(self) -> tuple[Ref, ...]:
        return (self.target,)


class Update:
    """Write `data`, captured when it was recorded, over the target, which is as long; any size, any alignment."""

    __slots__ = ("data", "target")

    def __init__(self, target: Ref, data: bytes) -> None:
        self.target = target
        self.data = data

    @property
    def refs(self) -> tuple[Ref, ...]:
        return (self.target,)


class Copy:
    """Copy the source over the target, which is as long and does not overlap it; any size, any alignment."""

    __slots__ = ("source", "target")

    def __init__(self, source: Ref, target: Ref) -> None:
        self.source = source
        self.target = target

    @property
    def refs(self) -> tuple[Ref, ...]:
        return (self.source, self.target)


class Dispatch:
    """Run `grid` workgroups of a kernel; no dimension is zero. `constants` are raw bytes.

    Where `count` is given, the grid is in those 12 bytes of memory, as three words, when the command is executed, any of which
    may be zero; `grid` is then (0, 0, 0).
    """

    __slots__ = ("bindings", "constants", "count", "function", "grid", "refs")

    def __init__(
        self, function: Function, grid: Grid, bindings: tuple[Ref, ...], constants: bytes, count: Ref | None = None
    ) -> None:
        self.function = function
        self.grid = grid
        self.bindings = bindings
        self.constants = constants
        self.count = count
        self.refs: tuple[Ref, ...] = bindings if count is None else (*bindings, count)


class Recording:
    """Commands, frozen, as a backend takes them.

    `levels` are groups of independent commands, each group after the one before it. `buffers` are the distinct buffers that are
    named directly; `extents` has, for each slot, the bytes that its binding must have at least. `aligned` are the slots whose
    binding must begin at a multiple of some bytes. `counted` says whether a grid in it is in memory. `replay` belongs to the
    backend (see `Backend.submit`); it is of use only when the recording is `reusable`.
    """

    __slots__ = ("__weakref__", "aligned", "buffers", "counted", "extents", "levels", "replay", "reusable")

    def __init__(
        self,
        levels: tuple[tuple[Command, ...], ...],
        buffers: tuple[Buffer, ...],
        *,
        extents: tuple[int, ...] = (),
        aligned: tuple[tuple[int, int], ...] = (),
        counted: bool = False,
        reusable: bool = False,
    ) -> None:
        self.levels = levels
        self.buffers = buffers
        self.extents = extents
        self.aligned = aligned
        self.counted = counted
        self.reusable = reusable
        self.replay: dict[object, object] = {}


# --- one checked command each; queues use these for commands outside any command buffer


def fill(owner: Ownership, target: Ref, pattern: bytes) -> Fill:
    """A checked `Fill`."""
    if len(pattern) not in (1, 2, 4):
        raise HalError(Code.INVALID_ARGUMENT, f"a fill pattern has 1, 2 or 4 bytes, not {len(pattern)}")
    check(owner, target)
    return Fill(target, bytes(pattern))


def update(owner: Ownership, target: Ref, data: bytes | bytearray | memoryview) -> Update:
    """A checked `Update`, with its own copy of the data."""
    captured = bytes(data)
    if isinstance(target, Slot) and target.length is None:
        target = Slot(target.slot, target.offset, len(captured))
    check(owner, target)
    if target.length != len(captured):
        raise HalError(Code.INVALID_ARGUMENT, f"an update of {target.length} bytes is given {len(captured)}")
    return Update(target, captured)


def copy(owner: Ownership, source: Ref, target: Ref) -> Copy:
    """A checked `Copy`."""
    if source.length is None:
        source = Slot(source.slot, source.offset, target.length)
    if target.length is None:
        target = Slot(target.slot, target.offset, source.length)
    if source.length is None:
        raise HalError(Code.INVALID_ARGUMENT, "a copy between two open slots needs a length", help="give one slot a length")
    check(owner, source)
    check(owner, target)
    if source.length != target.length:
        raise HalError(Code.INVALID_ARGUMENT, f"a copy of {source.length} bytes has a target of {target.length}")
    if isinstance(source, BufferRef) and isinstance(target, BufferRef) and source.buffer is target.buffer:
        overlap = min(source.offset, target.offset) + source.length - max(source.offset, target.offset)
        if overlap > 0:
            raise HalError(Code.INVALID_ARGUMENT, f"source and target of a copy overlap by {overlap} bytes")
    return Copy(source, target)


def dispatch(
    owner: Ownership,
    function: Function,
    grid: Sequence[int] | Bindable,
    bindings: Sequence[Bindable],
    constants: bytes,
) -> Dispatch:
    """A checked `Dispatch`; its grid has three dimensions."""
    if function.owner is not owner:
        raise HalError(Code.INVALID_ARGUMENT, f"`{function.name}` was loaded on {function.owner.uri}, not on {owner.uri}")
    count = None
    if type(grid) is not tuple and isinstance(grid, (Buffer, BufferRef, Slot)):
        count = _count(owner, grid.ref)
    counts = function.check((0, 0, 0) if count is not None else grid, constants, len(bindings))  # type: ignore[arg-type]
    refs = tuple(binding.ref for binding in bindings)
    alignment = owner.backend.binding_alignment
    for index, ref in enumerate(refs):
        check(owner, ref)
        if ref.offset % alignment:
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"binding {index} of `{function.name}` begins at byte {ref.offset}, which is no multiple of {alignment}",
                device=owner.uri,
            )
        if ref.length == 0 and (count is not None or 0 not in counts):
            raise HalError(Code.INVALID_ARGUMENT, f"binding {index} of `{function.name}` is empty")
    if function.least is not None:
        for index, (ref, least) in enumerate(zip(refs, function.least, strict=False)):
            if ref.length is not None and ref.length < least:
                raise HalError(
                    Code.OUT_OF_RANGE, f"binding {index} of `{function.name}` needs {least} bytes and is given {ref.length}"
                )
    return Dispatch(function, counts, refs, bytes(constants), count)


def _count(owner: Ownership, ref: Ref) -> Ref:
    """The 12 bytes that hold a grid, checked."""
    if isinstance(ref, Slot) and ref.length is None:
        ref = Slot(ref.slot, ref.offset, GRID_BYTES)
    check(owner, ref)
    if ref.length is None or ref.length < GRID_BYTES:
        raise HalError(Code.OUT_OF_RANGE, f"a grid in memory has {GRID_BYTES} bytes, and the range {ref.length}")
    if ref.offset % GRID_ALIGNMENT:
        raise HalError(
            Code.INVALID_ARGUMENT, f"a grid in memory begins at byte {ref.offset}, which is no multiple of {GRID_ALIGNMENT}"
        )
    return Slot(ref.slot, ref.offset, GRID_BYTES) if isinstance(ref, Slot) else BufferRef(ref.buffer, ref.offset, GRID_BYTES)


def single(command: Command, owner: Ownership | None = None) -> Recording:
    """A recording of one command without slots; reusable where its owner is given. A dispatch of nothing is an empty one."""
    buffers = tuple(dict.fromkeys(ref.buffer for ref in command.refs if isinstance(ref, BufferRef)))
    recording = Recording(
        () if idle(command) else ((command,),),
        buffers,
        counted=type(command) is Dispatch and command.count is not None,
        reusable=owner is not None,
    )
    if owner is not None:
        owner.reclaim.track(recording, owner.backend.release, recording.replay)
    return recording


def direct(binding: Bindable) -> BufferRef:
    """The range itself; INVALID_ARGUMENT for a slot, which has a meaning only in command buffers."""
    ref = binding.ref
    if isinstance(ref, Slot):
        raise HalError(Code.INVALID_ARGUMENT, f"slot {ref.slot} has a meaning only in command buffers")
    return ref


def idle(command: Command) -> bool:
    """Whether a command does nothing: no driver gets to see a grid with a zero, or a transfer of no bytes."""
    if isinstance(command, Dispatch):
        return command.count is None and 0 in command.grid
    return command.refs[0].length == 0


def check(owner: Ownership, ref: Ref) -> None:
    """A range must be inside of a buffer of this device."""
    if isinstance(ref, BufferRef):
        buffer = ref.buffer
        if buffer.owner is not owner:
            raise HalError(Code.INVALID_ARGUMENT, f"a buffer of {buffer.owner.uri} was given to {owner.uri}")
        if ref.offset < 0 or ref.length < 0 or ref.offset + ref.length > buffer.size:
            raise HalError(
                Code.OUT_OF_RANGE, f"{ref.length} bytes at {ref.offset} are outside of a buffer of {buffer.size} bytes"
            )
    elif ref.offset < 0 or (ref.length is not None and ref.length < 0):
        raise HalError(Code.OUT_OF_RANGE, f"slot {ref.slot} has a negative offset or length")
