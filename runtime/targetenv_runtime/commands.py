"""What a device is told to do: four kinds of commands, recorded once into a graph, executed as often as wanted."""

from __future__ import annotations

from targetenv_runtime.buffer import Buffer, BufferRef, Slot
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from targetenv_runtime.backend import Grid
    from targetenv_runtime.buffer import Ref
    from targetenv_runtime.executable import Function
    from targetenv_runtime.ownership import Ownership

    Command: TypeAlias = "Fill | Update | Copy | Dispatch"
    Bindable: TypeAlias = "Buffer | Ref"


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
    """Run `grid` workgroups of a kernel; no dimension is zero. `constants` are raw bytes."""

    __slots__ = ("bindings", "constants", "function", "grid")

    def __init__(self, function: Function, grid: Grid, bindings: tuple[Ref, ...], constants: bytes) -> None:
        self.function = function
        self.grid = grid
        self.bindings = bindings
        self.constants = constants

    @property
    def refs(self) -> tuple[Ref, ...]:
        return self.bindings


class Recording:
    """Commands, frozen, as a backend takes them.

    `levels` are groups of independent commands, each group after the one before it. `buffers` are the distinct buffers that are
    named directly; `extents` has, for each slot, the bytes that its binding must have at least. `replay` belongs to the backend
    (see `Backend.submit`); it is of use only when the recording is `reusable`.
    """

    __slots__ = ("__weakref__", "buffers", "dispatched_slots", "extents", "levels", "replay", "reusable")

    def __init__(
        self,
        levels: tuple[tuple[Command, ...], ...],
        buffers: tuple[Buffer, ...],
        *,
        extents: tuple[int, ...] = (),
        dispatched_slots: tuple[int, ...] = (),
        reusable: bool = False,
    ) -> None:
        self.levels = levels
        self.buffers = buffers
        self.extents = extents
        self.dispatched_slots = dispatched_slots
        self.reusable = reusable
        self.replay: dict[object, object] = {}


class CommandBuffer:
    """A graph of commands while it is recorded, and a `Recording` once it is ended.

    Each call that records a command answers with its index. Nothing orders two commands unless a `barrier` stands between them,
    or the later one names the earlier in `after`. Buffers can be left open as `Slot(n)` and given at execution, for n below
    `slots`. Arguments are checked here, at the call; a one-shot command buffer can be executed only once.
    """

    def __init__(self, owner: Ownership, *, slots: int = 0, one_shot: bool = False) -> None:
        self.owner = owner
        self.slots = slots
        self.one_shot = one_shot
        self.submitted = False
        self._commands: list[Command] = []
        self._level: list[int] = []
        self._floor = 0
        self._top = 0
        self._edges = 0
        self._recording: Recording | None = None

    def __len__(self) -> int:
        return len(self._commands)

    @property
    def recording(self) -> Recording:
        """What was recorded; FAILED_PRECONDITION before `end`."""
        if self._recording is None:
            raise HalError(Code.FAILED_PRECONDITION, "the command buffer is still being recorded", help="call `end` first")
        return self._recording

    # --- recording

    def fill(self, target: Bindable, pattern: bytes, *, after: Sequence[int] = ()) -> int:
        """Record a `Fill`."""
        return self._add(fill(self.owner, target.ref, pattern), after)

    def update(self, target: Bindable, data: bytes | bytearray | memoryview, *, after: Sequence[int] = ()) -> int:
        """Record an `Update`; a slot without a length takes as many bytes as `data` has."""
        return self._add(update(self.owner, target.ref, data), after)

    def copy(self, source: Bindable, target: Bindable, *, after: Sequence[int] = ()) -> int:
        """Record a `Copy`; a slot without a length takes the length of the other side."""
        return self._add(copy(self.owner, source.ref, target.ref), after)

    def dispatch(
        self,
        function: Function,
        grid: Sequence[int],
        bindings: Sequence[Bindable] = (),
        constants: bytes = b"",
        *,
        after: Sequence[int] = (),
    ) -> int:
        """Record a `Dispatch` of up to three grid dimensions. Any zero among them makes it a command that does nothing."""
        return self._add(dispatch(self.owner, function, grid, bindings, constants), after)

    def barrier(self) -> None:
        """Everything recorded before happens before everything recorded after. With nothing before it, it is nothing."""
        self._require_recording()
        if self._commands:
            self._floor = self._top + 1

    def end(self) -> CommandBuffer:
        """Freeze what was recorded, and answer with the command buffer itself."""
        self._require_recording()
        levels: list[list[Command]] = [[] for _ in range(max(self._level, default=-1) + 1)]
        for command, level in zip(self._commands, self._level, strict=True):
            if not idle(command):
                levels[level].append(command)
        buffers = dict.fromkeys(ref.buffer for command in self._commands for ref in command.refs if isinstance(ref, BufferRef))
        extents, dispatched = _slots(self._commands, self.slots)
        recording = Recording(
            tuple(tuple(level) for level in levels if level),
            tuple(buffers),
            extents=extents,
            dispatched_slots=dispatched,
            reusable=not self.one_shot,
        )
        if not self.one_shot:
            self.owner.reclaim.track(recording, self.owner.backend.release, recording.replay)
        self._recording = recording
        return self

    def stats(self) -> dict[str, int]:
        """Counts of `commands`, explicit `edges`, levels (`depth`) and the widest level (`width`)."""
        counts: dict[int, int] = {}
        for level in self._level:
            counts[level] = counts.get(level, 0) + 1
        return {
            "commands": len(self._commands),
            "edges": self._edges,
            "depth": len(counts),
            "width": max(counts.values(), default=0),
        }

    def _require_recording(self) -> None:
        if self._recording is not None:
            raise HalError(Code.FAILED_PRECONDITION, "the command buffer was ended and cannot be recorded again")

    def _add(self, command: Command, after: Sequence[int]) -> int:
        self._require_recording()
        index = len(self._commands)
        level = self._floor
        for earlier in after:
            if not 0 <= earlier < index:
                raise HalError(Code.OUT_OF_RANGE, f"`after` names command {earlier}; so far there are {index}")
            level = max(level, self._level[earlier] + 1)
        for ref in command.refs:
            if isinstance(ref, Slot) and not 0 <= ref.slot < self.slots:
                raise HalError(Code.OUT_OF_RANGE, f"slot {ref.slot} of a command buffer with {self.slots} slots")
        self._commands.append(command)
        self._level.append(level)
        self._top = max(self._top, level)
        self._edges += len(after)
        return index


# --- one checked command each; queues use these for commands outside any command buffer


def fill(owner: Ownership, target: Ref, pattern: bytes) -> Fill:
    """A checked `Fill`."""
    if len(pattern) not in (1, 2, 4):
        raise HalError(Code.INVALID_ARGUMENT, f"a fill pattern has 1, 2 or 4 bytes, not {len(pattern)}")
    _check(owner, target)
    return Fill(target, bytes(pattern))


def update(owner: Ownership, target: Ref, data: bytes | bytearray | memoryview) -> Update:
    """A checked `Update`, with its own copy of the data."""
    captured = bytes(data)
    if isinstance(target, Slot) and target.length is None:
        target = Slot(target.slot, target.offset, len(captured))
    _check(owner, target)
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
    _check(owner, source)
    _check(owner, target)
    if source.length != target.length:
        raise HalError(Code.INVALID_ARGUMENT, f"a copy of {source.length} bytes has a target of {target.length}")
    if isinstance(source, BufferRef) and isinstance(target, BufferRef) and source.buffer is target.buffer:
        overlap = min(source.offset, target.offset) + source.length - max(source.offset, target.offset)
        if overlap > 0:
            raise HalError(Code.INVALID_ARGUMENT, f"source and target of a copy overlap by {overlap} bytes")
    return Copy(source, target)


def dispatch(
    owner: Ownership, function: Function, grid: Sequence[int], bindings: Sequence[Bindable], constants: bytes
) -> Dispatch:
    """A checked `Dispatch`; its grid has three dimensions."""
    if function.owner is not owner:
        raise HalError(Code.INVALID_ARGUMENT, f"`{function.name}` was loaded on {function.owner.uri}, not on {owner.uri}")
    counts = function.check(grid, constants, len(bindings))
    refs = tuple(binding.ref for binding in bindings)
    alignment = owner.backend.binding_alignment
    for index, ref in enumerate(refs):
        _check(owner, ref)
        if ref.offset % alignment:
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"binding {index} of `{function.name}` begins at byte {ref.offset}, which is no multiple of {alignment}",
                device=owner.uri,
            )
        if ref.length == 0 and 0 not in counts:
            raise HalError(Code.INVALID_ARGUMENT, f"binding {index} of `{function.name}` is empty")
    return Dispatch(function, counts, refs, bytes(constants))


def single(command: Command, owner: Ownership | None = None) -> Recording:
    """A recording of one command without slots; reusable where its owner is given. A dispatch of nothing is an empty one."""
    buffers = tuple(dict.fromkeys(ref.buffer for ref in command.refs if isinstance(ref, BufferRef)))
    recording = Recording(() if idle(command) else ((command,),), buffers, reusable=owner is not None)
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
        return 0 in command.grid
    return command.refs[0].length == 0


def bind(recording: Recording, owner: Ownership, bindings: Sequence[Bindable]) -> list[BufferRef]:
    """A binding table for a recording, checked; OUT_OF_RANGE when its length is wrong or a range in it too short."""
    extents = recording.extents
    if len(bindings) != len(extents):
        raise HalError(Code.OUT_OF_RANGE, f"a command buffer with {len(extents)} slots is given {len(bindings)} bindings")
    table: list[BufferRef] = []
    for binding, extent in zip(bindings, extents, strict=True):
        ref = direct(binding)
        if ref.buffer is not binding or ref.buffer.owner is not owner:  # a whole buffer of this device needs no more
            _check(owner, ref)
        if ref.length < extent:
            raise HalError(Code.OUT_OF_RANGE, f"slot {len(table)} needs {extent} bytes and is given {ref.length}")
        table.append(ref)
    alignment = owner.backend.binding_alignment
    for slot in recording.dispatched_slots:
        if table[slot].offset % alignment:
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"slot {slot} is given a range at byte {table[slot].offset}, which is no multiple of {alignment}",
                device=owner.uri,
            )
    return table


def _check(owner: Ownership, ref: Ref) -> None:
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


def _slots(commands: Iterable[Command], count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each slot the bytes that its binding must have, and the slots that kernels see."""
    extents = [0] * count
    dispatched: set[int] = set()
    for command in commands:
        for ref in command.refs:
            if isinstance(ref, Slot):
                least = 1 if ref.length is None else ref.length
                extents[ref.slot] = max(extents[ref.slot], ref.offset + least)
                if isinstance(command, Dispatch):
                    dispatched.add(ref.slot)
    return tuple(extents), tuple(sorted(dispatched))
