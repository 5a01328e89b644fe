"""Recording commands into a graph, once, to be executed as often as wanted."""

from __future__ import annotations

from targetenv_runtime.buffer import BufferRef, Slot
from targetenv_runtime.commands import (
    GRID_ALIGNMENT,
    Dispatch,
    Recording,
    check,
    copy,
    direct,
    dispatch,
    fill,
    idle,
    update,
)
from targetenv_runtime.hazards import Hazards, accesses, told
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from targetenv_runtime.commands import Bindable, Command
    from targetenv_runtime.executable import Function
    from targetenv_runtime.hazards import Access
    from targetenv_runtime.ownership import Ownership


class CommandBuffer:
    """A graph of commands while it is recorded, and a `Recording` once it is ended.

    Each call that records a command answers with its index. Nothing orders two commands unless a `barrier` stands between them,
    or the later one names the earlier in `after`; with `auto_barriers` a command also comes after every earlier one that it
    conflicts with (the same bytes, and one of them writes). Buffers can be left open as `Slot(n)` and given at execution, for n
    below `slots`. Arguments are checked here, at the call; a one-shot command buffer can be executed only once.

    On a device opened with `checks=True` a command that conflicts with an earlier one, and has no path from it, is
    FAILED_PRECONDITION. So it is with `auto_barriers`, at execution, when slots turn out to be the same memory.
    """

    def __init__(self, owner: Ownership, *, slots: int = 0, one_shot: bool = False, auto_barriers: bool = False) -> None:
        self.owner = owner
        self.slots = slots
        self.one_shot = one_shot
        self.submitted = False
        self._commands: list[Command] = []
        self._level: list[int] = []
        self._floor = 0
        self._top = 0
        self._edges = 0
        self._counted = False
        self._recording: Recording | None = None
        self._order = _Order(automatic=auto_barriers) if auto_barriers or owner.checks is not None else None

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
        grid: Sequence[int] | Bindable,
        bindings: Sequence[Bindable] = (),
        constants: bytes = b"",
        *,
        after: Sequence[int] = (),
    ) -> int:
        """Record a `Dispatch` of up to three grid dimensions. Any zero among them makes it a command that does nothing.

        The grid may be memory: three words, read when the command is executed, after everything that comes before it.
        """
        command = dispatch(self.owner, function, grid, bindings, constants)
        if command.count is not None:
            self._counted = True
        return self._add(command, after)

    def barrier(self) -> None:
        """Everything recorded before happens before everything recorded after. With nothing before it, it is nothing."""
        self._require_recording()
        if self._commands:
            self._floor = self._top + 1
            if self._order is not None:
                self._order.barrier(len(self._commands))

    def end(self) -> CommandBuffer:
        """Freeze what was recorded, and answer with the command buffer itself."""
        self._require_recording()
        levels: list[list[Command]] = [[] for _ in range(max(self._level, default=-1) + 1)]
        for command, level in zip(self._commands, self._level, strict=True):
            if not idle(command):
                levels[level].append(command)
        buffers = dict.fromkeys(ref.buffer for command in self._commands for ref in command.refs if isinstance(ref, BufferRef))
        extents, aligned = _slots(self._commands, self.slots, self.owner.backend.binding_alignment)
        recording = Recording(
            tuple(tuple(level) for level in levels if level),
            tuple(buffers),
            extents=extents,
            aligned=aligned,
            counted=self._counted,
            reusable=not self.one_shot,
        )
        if not self.one_shot:
            self.owner.reclaim.track(recording, self.owner.backend.release, recording.replay)
        self._recording = recording
        return self

    def stats(self) -> dict[str, int]:
        """Counts of `commands`, `edges` (explicit and automatic), levels (`depth`) and the widest level (`width`)."""
        counts: dict[int, int] = {}
        for level in self._level:
            counts[level] = counts.get(level, 0) + 1
        return {
            "commands": len(self._commands),
            "edges": self._edges,
            "depth": len(counts),
            "width": max(counts.values(), default=0),
        }

    def bind(self, bindings: Sequence[Bindable]) -> Sequence[BufferRef]:
        """A binding table for the recording, checked."""
        table = bind(self.recording, self.owner, bindings)
        if self._order is not None:
            self._order.check(self._commands, table)
        return table

    def _require_recording(self) -> None:
        if self._recording is not None:
            raise HalError(Code.FAILED_PRECONDITION, "the command buffer was ended and cannot be recorded again")

    def _add(self, command: Command, after: Sequence[int]) -> int:
        self._require_recording()
        index = len(self._commands)
        for earlier in after:
            if not 0 <= earlier < index:
                raise HalError(Code.OUT_OF_RANGE, f"`after` names command {earlier}; so far there are {index}")
        for ref in command.refs:
            if isinstance(ref, Slot) and not 0 <= ref.slot < self.slots:
                raise HalError(Code.OUT_OF_RANGE, f"slot {ref.slot} of a command buffer with {self.slots} slots")
        if self._order is not None:
            after = self._order.add(self._commands, command, after)
        level = self._floor
        for earlier in after:
            level = max(level, self._level[earlier] + 1)
        self._commands.append(command)
        self._level.append(level)
        self._top = max(self._top, level)
        self._edges += len(after)
        return index


class _Order:
    """Which command comes after which, held against the memory that they touch.

    `automatic` adds the edges that are missing; else a missing one is an error.
    """

    __slots__ = ("_ancestors", "_automatic", "_edges", "_floor", "_floors", "_hazards")

    def __init__(self, *, automatic: bool) -> None:
        self._automatic = automatic
        self._hazards = Hazards(cautious=automatic)
        self._floor = 0
        self._floors: list[int] = []  # of each command: the first one behind the last barrier before it
        self._edges: list[Sequence[int]] = []
        self._ancestors: list[int] = []  # of each command: a bit for each one since the floor that comes before it

    def barrier(self, commands: int) -> None:
        self._floor = commands
        self._hazards.barrier()

    def add(self, commands: Sequence[Command], command: Command, after: Sequence[int]) -> Sequence[int]:
        """Put a command in its place; the edges to it."""
        index = len(commands)
        touched = () if idle(command) else tuple(accesses(command))
        before = self._before(after, self._floor)
        missing: list[int] = []
        for earlier in self._hazards.conflicts(touched):
            if not before >> (earlier - self._floor) & 1:
                if not self._automatic:
                    raise _unordered(commands[earlier], earlier, command, index)
                missing.append(earlier)
                before |= self._before((earlier,), self._floor)
        after = (*after, *missing)
        self._hazards.add(index, touched)
        self._edges.append(after)
        self._floors.append(self._floor)
        self._ancestors.append(before)
        return after

    def check(self, commands: Sequence[Command], table: Sequence[BufferRef]) -> None:
        """What `add` found in order must be so with these buffers in the slots as well."""
        hazards = Hazards(cautious=False)
        floor = 0
        for index, command in enumerate(commands):
            if self._floors[index] != floor:
                floor = self._floors[index]
                hazards.barrier()
            if idle(command):
                continue
            touched: list[Access] = list(accesses(command, table))
            for earlier in hazards.conflicts(touched):
                if not self._ancestors[index] >> (earlier - floor) & 1:
                    raise _unordered(commands[earlier], earlier, command, index)
            hazards.add(index, touched)

    def _before(self, after: Iterable[int], floor: int) -> int:
        """The bits of these commands and of all that come before them, as far as they are behind the floor."""
        bits = 0
        for earlier in after:
            if earlier >= floor:
                bits |= self._ancestors[earlier] | 1 << earlier - floor
        return bits


def bind(recording: Recording, owner: Ownership, bindings: Sequence[Bindable]) -> list[BufferRef]:
    """A binding table for a recording, checked; OUT_OF_RANGE when its length is wrong or a range in it too short."""
    extents = recording.extents
    if len(bindings) != len(extents):
        raise HalError(Code.OUT_OF_RANGE, f"a command buffer with {len(extents)} slots is given {len(bindings)} bindings")
    table: list[BufferRef] = []
    for binding, extent in zip(bindings, extents, strict=True):
        ref = direct(binding)
        if ref.buffer is not binding or ref.buffer.owner is not owner:  # a whole buffer of this device needs no more
            check(owner, ref)
        if ref.length < extent:
            raise HalError(Code.OUT_OF_RANGE, f"slot {len(table)} needs {extent} bytes and is given {ref.length}")
        table.append(ref)
    for slot, alignment in recording.aligned:
        if table[slot].offset % alignment:
            raise HalError(
                Code.INVALID_ARGUMENT,
                f"slot {slot} is given a range at byte {table[slot].offset}, which is no multiple of {alignment}",
                device=owner.uri,
            )
    return table


def _unordered(first: Command, earlier: int, second: Command, index: int) -> HalError:
    return HalError(
        Code.FAILED_PRECONDITION,
        f"{told(index, second)} touches the same bytes as {told(earlier, first)}, one of them writes, and nothing orders them",
        help=f"put a `barrier()` between them, or `after=[{earlier}]`",
    )


def _slots(
    commands: Iterable[Command], count: int, binding_alignment: int
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """For each slot the bytes that its binding must have; and what the offsets of some must be multiples of."""
    if not count:
        return (), ()
    extents = [0] * count
    aligned: dict[int, int] = {}
    for command in commands:
        kernel = command if isinstance(command, Dispatch) else None
        least = (kernel and kernel.function.least) or ()
        for index, ref in enumerate(command.refs):
            if not isinstance(ref, Slot):
                continue
            needed = (least[index] if index < len(least) else 1) if ref.length is None else ref.length
            extents[ref.slot] = max(extents[ref.slot], ref.offset + needed)
            if kernel is not None:
                alignment = GRID_ALIGNMENT if ref is kernel.count else binding_alignment
                aligned[ref.slot] = max(aligned.get(ref.slot, 1), alignment)
    return tuple(extents), tuple((slot, alignment) for slot, alignment in sorted(aligned.items()) if alignment > 1)
