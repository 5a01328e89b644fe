"""Commands of the core as a VkCommandBuffer, with the descriptor sets and the staged bytes that it refers to."""

from __future__ import annotations

import ctypes
from struct import pack

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.commands import Copy, Dispatch, Fill, Update
from targetenv_runtime.drivers.vulkan.block import block
from targetenv_runtime.drivers.vulkan.descriptors import Descriptors, Pool
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Command
    from targetenv_runtime.drivers.vulkan.descriptors import Key, Span
    from targetenv_runtime.drivers.vulkan.device import LogicalDevice
    from targetenv_runtime.drivers.vulkan.memory import Heap, Storage
    from targetenv_runtime.drivers.vulkan.pipeline import Pipeline
    from targetenv_runtime.ffi.library import Native as Function

    # A dispatch with everything resolved: pipeline, what tells its descriptor set from others, buffers, constants, grid, and
    # where the grid is if it is in memory.
    Planned: TypeAlias = tuple[Pipeline, Key, list[Span], bytes, tuple[int, int, int], Span | None]
    # A native call that submits one command buffer, its arguments, where the epoch goes, and the memory of all that.
    Prepared: TypeAlias = tuple[Function, tuple[Any, ...], ctypes.c_uint64, object]
    Transfer: TypeAlias = Callable[[ctypes.c_void_p, Storage | None], object]  # records itself; takes what was staged

_INLINE = 65536  # bytes that vkCmdUpdateBuffer takes at most


class Native:
    """A command buffer with what belongs to it alone. `epoch` is the last submission of it, 0 before the first.

    A `shared` one may be pending several times at once.
    """

    __slots__ = ("epoch", "handle", "pool", "prepared", "shared", "staging")

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self.handle = handle
        self.pool = Pool()
        self.staging: Storage | None = None
        self.shared = False
        self.epoch = 0
        self.prepared: Prepared | None = None


class Recorder:
    """Records for the queues of one family. Of one queue's command buffers it records one at a time."""

    def __init__(self, device: LogicalDevice, heap: Heap) -> None:
        self.device = device
        self.heap = heap
        call = device.call
        self._begin, self._end = call("vkBeginCommandBuffer"), call("vkEndCommandBuffer")
        self._fill, self._copy, self._update = call("vkCmdFillBuffer"), call("vkCmdCopyBuffer"), call("vkCmdUpdateBuffer")
        self._bind_pipeline, self._bind_sets = call("vkCmdBindPipeline"), call("vkCmdBindDescriptorSets")
        self._push, self._dispatch = call("vkCmdPushConstants"), call("vkCmdDispatch")
        self._indirect = call("vkCmdDispatchIndirect")
        self._level, self._finish = _barriers(device)
        self._descriptors = Descriptors(device)
        self._compute = abi.constant("VK_SHADER_STAGE_COMPUTE_BIT")
        self._range = device.plan.limit("maxStorageBufferRange")
        self._grid = device.plan.triple("maxComputeWorkGroupCount")
        usage = "VK_COMMAND_BUFFER_USAGE_{}_BIT"
        self._once = block("VkCommandBufferBeginInfo", flags=abi.constant(usage.format("ONE_TIME_SUBMIT")))
        self._again = block("VkCommandBufferBeginInfo")
        self._many = block("VkCommandBufferBeginInfo", flags=abi.constant(usage.format("SIMULTANEOUS_USE")))

    def record(
        self,
        native: Native,
        levels: Sequence[Sequence[Command]],
        table: Sequence[BufferRef],
        *,
        once: bool = False,
        shared: bool = False,
    ) -> None:
        """Record levels of commands, each level after the one before it, with the slots filled from the table."""
        self.reset(native)
        staged = _Staged()
        plan = [[self._plan(command, table, staged) for command in level] for level in levels]
        groups = {entry[1]: (entry[0].set_key, entry[2]) for level in plan for entry in level if entry[0] and entry[2]}
        sets = self._descriptors.make(native.pool, groups) if groups else {}
        if staged.data:
            native.staging = self.heap.allocate(len(staged.data), "host")
            native.staging.write(0, bytes(staged.data))
        begin = self._once if once else self._many if shared else self._again
        result = self._begin(native.handle, begin.buffer)
        if result:
            self.device.check("vkBeginCommandBuffer", result)
        self._emit(native, plan, sets)
        result = self._end(native.handle)
        if result:
            self.device.check("vkEndCommandBuffer", result)
        native.shared = shared

    def reset(self, native: Native) -> None:
        """Give back what the last recording staged; the descriptor pool is kept for the next one."""
        if native.staging is not None:
            self.heap.release(native.staging)
            native.staging = None

    def discard(self, native: Native) -> None:
        """Give back everything but the command buffer itself, which goes with its pool."""
        self.reset(native)
        self._descriptors.discard(native.pool)

    # --- what a command becomes

    def _plan(self, command: Command, table: Sequence[BufferRef], staged: _Staged) -> Planned | tuple[None, list[Transfer]]:
        """A dispatch with everything resolved, or what takes the place of a transfer."""
        if isinstance(command, Dispatch):
            return self._plan_dispatch(command, table)
        return None, self._plan_transfer(command, table, staged)

    def _plan_transfer(self, command: Fill | Update | Copy, table: Sequence[BufferRef], staged: _Staged) -> list[Transfer]:
        storage, offset, length = span = _span(command.target.resolve(table))
        if not length:
            return []
        if isinstance(command, Copy):
            return [self._copied(_span(command.source.resolve(table)), span)]
        if isinstance(command, Fill):
            return self._filled(span, command.pattern * (4 // len(command.pattern)), staged)
        if length <= _INLINE and not (offset | length) & 3:
            return [self._inlined(storage, offset, command.data)]
        return [self._from_staged(staged.add(command.data), span)]

    def _plan_dispatch(self, command: Dispatch, table: Sequence[BufferRef]) -> Planned:
        pipeline: Pipeline = command.function.entry  # type: ignore[assignment]  # entries are ours
        x, y, z = grid = command.grid
        most_x, most_y, most_z = self._grid
        if x > most_x or y > most_y or z > most_z:
            raise HalError(
                Code.OUT_OF_RANGE,
                f"a grid of {x}x{y}x{z} workgroups for `{command.function.name}`; the device takes at most {self._grid}",
            )
        count = None if command.count is None else _span(command.count.resolve(table))
        if pipeline.addressed:
            addresses = [ref.resolve(table).address for ref in command.bindings]
            constants = pack(f"<{len(addresses)}Q", *addresses) + command.constants
            return pipeline, (pipeline.set_key,), [], constants, grid, count
        spans: list[Span] = []
        key: list[int] = [pipeline.set_key]
        for ref in command.bindings:
            bound = ref.resolve(table)
            storage: Storage = bound.buffer.allocation.handle  # type: ignore[assignment]  # allocations are ours
            offset, length = bound.offset, bound.length
            if length > self._range:
                raise HalError(
                    Code.OUT_OF_RANGE,
                    f"a binding of `{command.function.name}` has {length} bytes; the device binds at most {self._range}",
                )
            spans.append((storage, offset, length))
            key += id(storage), offset, length
        return pipeline, tuple(key), spans, command.constants, grid, count

    def _filled(self, span: Span, pattern: bytes, staged: _Staged) -> list[Transfer]:
        """vkCmdFillBuffer for the words in the middle, and a copy for what sticks out at either end."""
        storage, offset, length = span
        head = min(-offset & 3, length)
        words = length - head & ~3
        tail = length - head - words
        out: list[Transfer] = []
        if head:
            out.append(self._from_staged(staged.add(pattern[:head]), (storage, offset, head)))
        if words:
            # The pattern goes on where the head stopped.
            word = int.from_bytes((pattern * 2)[head : head + 4], "little")
            arguments = (storage.buffer, ctypes.c_uint64(offset + head), ctypes.c_uint64(words), word)
            out.append(lambda commands, _: self._fill(commands, *arguments))
        if tail:
            rest = (pattern * 2)[head : head + tail]
            out.append(self._from_staged(staged.add(rest), (storage, offset + head + words, tail)))
        return out

    def _inlined(self, storage: Storage, offset: int, data: bytes) -> Transfer:
        arguments = (storage.buffer, ctypes.c_uint64(offset), ctypes.c_uint64(len(data)), data)
        return lambda commands, _: self._update(commands, *arguments)

    def _copied(self, source: Span, target: Span) -> Transfer:
        region = block("VkBufferCopy", srcOffset=source[1], dstOffset=target[1], size=source[2])
        return lambda commands, _: self._copy(commands, source[0].buffer, target[0].buffer, 1, region.buffer)

    def _from_staged(self, at: int, target: Span) -> Transfer:
        region = block("VkBufferCopy", srcOffset=at, dstOffset=target[1], size=target[2])

        def transfer(commands: ctypes.c_void_p, staging: Storage | None) -> None:
            assert staging is not None, "something was staged"
            self._copy(commands, staging.buffer, target[0].buffer, 1, region.buffer)

        return transfer

    def _emit(
        self,
        native: Native,
        plan: Sequence[Sequence[Planned | tuple[None, list[Transfer]]]],
        sets: dict[Key, ctypes.c_uint64],
    ) -> None:
        """Record it all, binding nothing that is bound already."""
        commands, dispatch = native.handle, self._dispatch
        pipeline: Pipeline | None = None
        layout: ctypes.c_uint64 | None = None
        key: object = None
        constants: bytes | None = None
        for index, level in enumerate(plan):
            if index:
                self._level(commands)
            for entry in level:
                if entry[0] is None:
                    for transfer in entry[1]:
                        transfer(commands, native.staging)
                    continue
                used, group, spans, pushed, grid, count = entry
                if used is not pipeline:
                    self._bind_pipeline(commands, 1, used.handle)  # VK_PIPELINE_BIND_POINT_COMPUTE
                    pipeline = used
                    if used.layout is not layout:
                        layout, key, constants = used.layout, None, None
                if group != key and spans:
                    self._bind_sets(commands, 1, layout, 0, 1, ctypes.byref(sets[group]), 0, None)
                    key = group
                if pushed != constants and pushed:
                    data = pushed + bytes(-len(pushed) & 3)
                    self._push(commands, layout, self._compute, 0, len(data), data)
                    constants = pushed
                if count is None:
                    dispatch(commands, *grid)
                else:
                    self._indirect(commands, count[0].buffer, ctypes.c_uint64(count[1]))
        self._finish(commands)


class _Staged:
    """Bytes that commands copy from."""

    __slots__ = ("data",)

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, data: bytes) -> int:
        """Where the bytes will be."""
        at = len(self.data)
        self.data += data
        return at


def _span(ref: BufferRef) -> Span:
    return ref.buffer.allocation.handle, ref.offset, ref.length  # type: ignore[return-value]  # allocations are ours


def _barriers(device: LogicalDevice) -> tuple[Callable[[ctypes.c_void_p], object], Callable[[ctypes.c_void_p], object]]:
    """What orders one level after another, and what lets the host read the results of the last one."""
    two = device.has("VkPhysicalDeviceSynchronization2Features::synchronization2")
    infix = "_2" if two else ""
    compute, transfer, host = (
        abi.constant(f"VK_PIPELINE_STAGE{infix}_{stage}_BIT") for stage in ("COMPUTE_SHADER", "TRANSFER", "HOST")
    )
    write, read = (abi.constant(f"VK_ACCESS{infix}_MEMORY_{access}_BIT") for access in ("WRITE", "READ"))
    host_read = abi.constant(f"VK_ACCESS{infix}_HOST_READ_BIT")
    work = compute | transfer
    readers = work | abi.constant(f"VK_PIPELINE_STAGE{infix}_DRAW_INDIRECT_BIT")  # where grids in memory are read
    if two:
        barrier2 = device.call("vkCmdPipelineBarrier2")
        infos = []
        for stages, access in ((readers, read | write), (host, host_read)):
            memory = block(
                "VkMemoryBarrier2", srcStageMask=work, srcAccessMask=write, dstStageMask=stages, dstAccessMask=access
            )
            infos.append(block("VkDependencyInfo", memoryBarrierCount=1, pMemoryBarriers=memory))
        level, finish = infos
        return lambda commands: barrier2(commands, level.buffer), lambda commands: barrier2(commands, finish.buffer)
    barrier = device.call("vkCmdPipelineBarrier")
    between = block("VkMemoryBarrier", srcAccessMask=write, dstAccessMask=read | write)
    after = block("VkMemoryBarrier", srcAccessMask=write, dstAccessMask=host_read)
    return (
        lambda commands: barrier(commands, work, readers, 0, 1, between.buffer, 0, None, 0, None),
        lambda commands: barrier(commands, work, host, 0, 1, after.buffer, 0, None, 0, None),
    )
