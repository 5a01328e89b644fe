"""Commands of the core as a VkCommandBuffer, with the descriptor sets and the staged bytes that it refers to."""

from __future__ import annotations

import ctypes

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.commands import Copy, Dispatch, Fill, Update
from targetenv_runtime.drivers.vulkan.block import block, packer, pointers
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Command
    from targetenv_runtime.drivers.vulkan.device import LogicalDevice
    from targetenv_runtime.drivers.vulkan.memory import Heap, Storage
    from targetenv_runtime.drivers.vulkan.pipeline import Pipeline
    from targetenv_runtime.ffi.library import Native as Function

    Span: TypeAlias = tuple[Storage, int, int]  # a buffer, an offset and a length
    # A native call that submits one command buffer, its arguments, where the epoch goes, and the memory of all that.
    Prepared: TypeAlias = tuple[Function, tuple[Any, ...], ctypes.c_uint64, object]
    Transfer: TypeAlias = Callable[[ctypes.c_void_p, Storage | None], object]  # records itself; takes what was staged

_INLINE = 65536  # bytes that vkCmdUpdateBuffer takes at most


class Native:
    """A command buffer with what belongs to it alone. `epoch` is the last submission of it, 0 before the first.

    A `shared` one may be pending several times at once.
    """

    __slots__ = ("epoch", "handle", "pool", "prepared", "room", "shared", "staging")

    def __init__(self, handle: ctypes.c_void_p) -> None:
        self.handle = handle
        self.pool: ctypes.c_uint64 | None = None
        self.room = (0, 0)  # descriptor sets and descriptors that fit into the pool
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
        self._level, self._finish = _barriers(device)
        self._destroy_pool = device.destroyer("vkDestroyDescriptorPool")
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
        dispatches = [entry for level in plan for entry in level if isinstance(entry, _Dispatch)]
        sets = self._sets(native, dispatches)
        if staged.data:
            native.staging = self.heap.allocate(len(staged.data), "host")
            native.staging.write(0, bytes(staged.data))
        commands = native.handle
        begin = self._once if once else self._many if shared else self._again
        self.device.check("vkBeginCommandBuffer", self._begin(commands, begin.buffer))
        bound: _Bound = _Bound()
        for index, level in enumerate(plan):
            if index:
                self._level(commands)
            for entry in level:
                if isinstance(entry, _Dispatch):
                    self._emit(commands, entry, sets, bound)
                else:
                    for transfer in entry:
                        transfer(commands, native.staging)
        self._finish(commands)
        self.device.check("vkEndCommandBuffer", self._end(commands))
        native.shared = shared

    def reset(self, native: Native) -> None:
        """Give back what the last recording staged; the descriptor pool is kept for the next one."""
        if native.staging is not None:
            self.heap.release(native.staging)
            native.staging = None

    def discard(self, native: Native) -> None:
        """Give back everything but the command buffer itself, which goes with its pool."""
        self.reset(native)
        if native.pool is not None:
            self._destroy_pool(native.pool)
            native.pool = None

    # --- what a command becomes

    def _plan(self, command: Command, table: Sequence[BufferRef], staged: _Staged) -> _Dispatch | list[Transfer]:
        if isinstance(command, Dispatch):
            return self._plan_dispatch(command, table)
        storage, offset, length = span = _span(command.target.resolve(table))
        if not length:
            return []
        if isinstance(command, Copy):
            return [self._copied(_span(command.source.resolve(table)), span)]
        if isinstance(command, Fill):
            return self._filled(span, command.pattern * (4 // len(command.pattern)), staged)
        assert isinstance(command, Update), "there are four kinds of commands"
        if length <= _INLINE and not (offset | length) & 3:
            return [self._inlined(storage, offset, command.data)]
        return [self._from_staged(staged.add(command.data), span)]

    def _plan_dispatch(self, command: Dispatch, table: Sequence[BufferRef]) -> _Dispatch:
        pipeline = command.function.entry
        if any(have > most for have, most in zip(command.grid, self._grid, strict=True)):
            x, y, z = command.grid
            raise HalError(
                Code.OUT_OF_RANGE,
                f"a grid of {x}x{y}x{z} workgroups for `{command.function.name}`; the device takes at most {self._grid}",
            )
        spans = tuple(_span(ref.resolve(table)) for ref in command.bindings)
        for index, (_, _, length) in enumerate(spans):
            if length > self._range:
                raise HalError(
                    Code.OUT_OF_RANGE,
                    f"binding {index} of `{command.function.name}` has {length} bytes; the device binds at most {self._range}",
                )
        return _Dispatch(pipeline, command.grid, spans, command.constants)  # type: ignore[arg-type]  # entries are ours

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

    def _emit(self, commands: ctypes.c_void_p, entry: _Dispatch, sets: dict[object, ctypes.c_uint64], bound: _Bound) -> None:
        pipeline = entry.pipeline
        if bound.pipeline is not pipeline:
            self._bind_pipeline(commands, 1, pipeline.handle)  # VK_PIPELINE_BIND_POINT_COMPUTE
            bound.pipeline = pipeline
        if pipeline.bindings and bound.sets != (entry.key, pipeline.layout.value):
            self._bind_sets(commands, 1, pipeline.layout, 0, 1, ctypes.byref(sets[entry.key]), 0, None)
            bound.sets = entry.key, pipeline.layout.value
        if entry.constants and bound.constants != (entry.constants, pipeline.layout.value):
            data = entry.constants + bytes(-len(entry.constants) & 3)
            self._push(commands, pipeline.layout, self._compute, 0, len(data), data)
            bound.constants = entry.constants, pipeline.layout.value
        self._dispatch(commands, *entry.grid)

    # --- descriptors

    def _sets(self, native: Native, dispatches: Sequence[_Dispatch]) -> dict[object, ctypes.c_uint64]:
        """A descriptor set for each distinct set of bindings, allocated and written with one call each."""
        distinct = {entry.key: entry for entry in dispatches if entry.spans}
        if not distinct:
            return {}
        count = len(distinct)
        self._reserve(native, count, sum(len(entry.spans) for entry in distinct.values()))
        assert native.pool is not None, "just made"
        layouts = pointers([entry.pipeline.set_layout.value for entry in distinct.values()])
        info = block(
            "VkDescriptorSetAllocateInfo", descriptorPool=native.pool.value, descriptorSetCount=count, pSetLayouts=layouts
        )
        handles = (ctypes.c_uint64 * count)()
        call = self.device.call
        allocate = call("vkAllocateDescriptorSets")
        self.device.check("vkAllocateDescriptorSets", allocate(self.device.handle, info.buffer, handles))
        ranges, writes = packer("VkDescriptorBufferInfo"), packer("VkWriteDescriptorSet")
        buffers = bytearray()
        for entry in distinct.values():
            for storage, offset, length in entry.spans:
                buffers += ranges.pack(storage.buffer.value, offset, length)
        held = (ctypes.c_char * len(buffers)).from_buffer(buffers)
        at = ctypes.addressof(held)
        _, s_type = abi.header("VkWriteDescriptorSet")
        kind = abi.constant("VK_DESCRIPTOR_TYPE_STORAGE_BUFFER")
        rows = bytearray()
        for handle, entry in zip(handles, distinct.values(), strict=True):
            # A count above one goes on with the next binding.
            rows += writes.pack(s_type, 0, handle, 0, 0, len(entry.spans), kind, 0, at, 0)
            at += ranges.size * len(entry.spans)
        written = (ctypes.c_char * len(rows)).from_buffer(rows)
        call("vkUpdateDescriptorSets")(self.device.handle, count, written, 0, None)
        return {key: ctypes.c_uint64(handle) for key, handle in zip(distinct, handles, strict=True)}

    def _reserve(self, native: Native, sets: int, descriptors: int) -> None:
        """An empty descriptor pool with room for so many."""
        if native.pool is not None:
            if sets <= native.room[0] and descriptors <= native.room[1]:
                reset = self.device.call("vkResetDescriptorPool")
                self.device.check("vkResetDescriptorPool", reset(self.device.handle, native.pool, 0))
                return
            self._destroy_pool(native.pool)
            native.pool = None
        size = block(
            "VkDescriptorPoolSize", type=abi.constant("VK_DESCRIPTOR_TYPE_STORAGE_BUFFER"), descriptorCount=descriptors
        )
        info = block("VkDescriptorPoolCreateInfo", maxSets=sets, poolSizeCount=1, pPoolSizes=size)
        native.pool = self.device.create("vkCreateDescriptorPool", info.buffer)
        native.room = sets, descriptors


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


class _Dispatch:
    """A dispatch with everything resolved; equal `key`s share a descriptor set."""

    __slots__ = ("constants", "grid", "key", "pipeline", "spans")

    def __init__(self, pipeline: Pipeline, grid: tuple[int, int, int], spans: tuple[Span, ...], constants: bytes) -> None:
        self.pipeline = pipeline
        self.grid = grid
        self.spans = spans
        self.constants = constants
        self.key = (pipeline.set_layout.value, *((id(storage), offset, length) for storage, offset, length in spans))


class _Bound:
    """What a command buffer has bound so far."""

    __slots__ = ("constants", "pipeline", "sets")

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.sets: object = None
        self.constants: object = None


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
    if two:
        barrier2 = device.call("vkCmdPipelineBarrier2")
        infos = []
        for stages, access in ((work, read | write), (host, host_read)):
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
        lambda commands: barrier(commands, work, work, 0, 1, between.buffer, 0, None, 0, None),
        lambda commands: barrier(commands, work, host, 0, 1, after.buffer, 0, None, 0, None),
    )
