"""The memory of native calls that is made once and patched: submitting, and waiting for an epoch."""

from __future__ import annotations

import ctypes

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, integers, pointers, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from targetenv_runtime.drivers.vulkan.queue import DeviceQueue
    from targetenv_runtime.drivers.vulkan.recording import Prepared
    from targetenv_runtime.ffi.library import Native as Function

_COMMANDS = 3  # command buffers of one submission, at most


class Submission:
    """The memory of one vkQueueSubmit2, written once and patched: which command buffer, which waits, which epoch.

    Where the device has no synchronization2, the same for vkQueueSubmit.
    """

    __slots__ = ("_commands", "_counts", "_function", "_info", "_kept", "_queue", "_signal", "_stages", "_wait", "capacity")

    def __init__(self, queue: DeviceQueue, *, capacity: int = 8) -> None:
        self._queue = queue
        self.capacity = capacity
        device = queue.device
        if queue.two:
            signal = block("VkSemaphoreSubmitInfo", semaphore=queue.semaphore.value, stageMask=_all_commands(two=True))
            commands = room("VkCommandBufferSubmitInfo", _COMMANDS)
            waits = room("VkSemaphoreSubmitInfo", capacity)
            info = block(
                "VkSubmitInfo2",
                pWaitSemaphoreInfos=waits,
                pCommandBufferInfos=commands,
                signalSemaphoreInfoCount=1,
                pSignalSemaphoreInfos=signal,
            )
            self._function: Function = device.call("vkQueueSubmit2")
            self._counts = [_at(info, "waitSemaphoreInfoCount"), _at(info, "commandBufferInfoCount")]
            self._commands = _column(commands, "commandBuffer", _COMMANDS)
            self._signal = _at(signal, "value", ctypes.c_uint64)
            self._wait = list(zip(_column(waits, "semaphore", capacity), _column(waits, "value", capacity), strict=True))
            for stages in _column(waits, "stageMask", capacity):
                stages.value = _all_commands(two=True)
            self._kept: object = (info, waits, commands, signal)
        else:
            handles, values, stages1 = (
                pointers([0] * capacity),
                pointers([0] * capacity),
                integers([_all_commands()] * capacity),
            )
            signalled, command = pointers([0]), pointers([0] * _COMMANDS)
            timeline = block(
                "VkTimelineSemaphoreSubmitInfo",
                pWaitSemaphoreValues=values,
                signalSemaphoreValueCount=1,
                pSignalSemaphoreValues=signalled,
            )
            info = block(
                "VkSubmitInfo",
                pNext=timeline,
                pWaitSemaphores=handles,
                pWaitDstStageMask=stages1,
                pCommandBuffers=command,
                signalSemaphoreCount=1,
                pSignalSemaphores=pointers([queue.semaphore.value]),
            )
            self._function = device.call("vkQueueSubmit")
            self._counts = [
                _at(info, "waitSemaphoreCount"),
                _at(info, "commandBufferCount"),
                _at(timeline, "waitSemaphoreValueCount"),
            ]
            self._commands = [ctypes.c_uint64.from_buffer(command, row * 8) for row in range(_COMMANDS)]
            self._signal = ctypes.c_uint64.from_buffer(signalled)
            self._wait = [
                (ctypes.c_uint64.from_buffer(handles, row * 8), ctypes.c_uint64.from_buffer(values, row * 8))
                for row in range(capacity)
            ]
            self._kept = (info, timeline)
        self._info = info.buffer

    def fire(self, commands: Sequence[ctypes.c_void_p], waits: Sequence[tuple[DeviceQueue, int]], epoch: int) -> None:
        """Submit; under the queue's lock."""
        for (handle, value), (producer, awaited) in zip(self._wait, waits, strict=False):
            handle.value = producer.semaphore.value
            value.value = awaited
        for count in self._counts:
            count.value = len(waits)
        self._counts[1].value = len(commands)
        for place, command in zip(self._commands, commands, strict=False):
            place.value = command.value
        self._signal.value = epoch
        queue = self._queue
        result = self._function(queue.handle, 1, self._info, None)
        if result:
            queue.device.check("vkQueueSubmit", result)

    def prepared(self, commands: ctypes.c_void_p) -> Prepared:
        """The call that submits always the same command buffer, and where its epoch is written before."""
        for count in self._counts:
            count.value = 0
        self._counts[1].value = 1
        self._commands[0].value = commands.value
        arguments = self._queue.handle, ctypes.c_uint32(1), self._info, None
        return self._function, arguments, self._signal, self._kept


class WaitInfo:
    """The memory of one vkWaitSemaphores on a queue's timeline; `value` is the epoch to wait for."""

    __slots__ = ("block", "value", "values")

    def __init__(self, queue: DeviceQueue) -> None:
        self.values = pointers([0])
        self.value = ctypes.c_uint64.from_buffer(self.values)
        semaphores = pointers([queue.semaphore.value])
        self.block = block("VkSemaphoreWaitInfo", semaphoreCount=1, pSemaphores=semaphores, pValues=self.values)


def _at(where: Any, field: str, kind: type[ctypes.c_uint32 | ctypes.c_uint64] = ctypes.c_uint32) -> Any:
    """A member of a block as an object whose `value` is the member."""
    return kind.from_buffer(where.buffer, where.offset(field))


def _column(where: Any, field: str, rows: int) -> list[Any]:
    """A 64-bit member of each row of a block."""
    stride, offset = abi.header(where.struct)[0], where.offset(field)
    return [ctypes.c_uint64.from_buffer(where.buffer, row * stride + offset) for row in range(rows)]


def _all_commands(*, two: bool = False) -> int:
    return abi.constant(f"VK_PIPELINE_STAGE{'_2' if two else ''}_ALL_COMMANDS_BIT")
