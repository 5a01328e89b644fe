"""When submissions ran: two timestamps around each, while somebody profiles, on the host's clock."""

from __future__ import annotations

import ctypes
from time import monotonic_ns

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, blocks, pointers, room
from targetenv_runtime.drivers.vulkan.loader import shape
from targetenv_runtime.ffi.library import at
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from targetenv_runtime.drivers.vulkan.device import LogicalDevice

    # Submits these command buffers and waits until they are done.
    Finish: TypeAlias = Callable[[list[ctypes.c_void_p]], object]

CALIBRATED = ("VK_KHR_calibrated_timestamps", "VK_EXT_calibrated_timestamps")
_SLOTS = 512  # submissions of one queue that may be in flight and timed


class Clock:
    """A device's ticks as nanoseconds of `time.monotonic_ns`. `bits` of a tick are valid."""

    __slots__ = ("_host", "_mask", "_period", "_tick")

    def __init__(self, tick: int, host: int, *, period: float, bits: int) -> None:
        self._tick = tick
        self._host = host
        self._period = period
        self._mask = (1 << bits) - 1

    def host(self, tick: int) -> int:
        """What the host's clock said then. Ticks may lie on either side of the calibration, and begin again from 0 once.

        >>> Clock(10, 1000, period=2.0, bits=4).host(14), Clock(14, 1000, period=1.0, bits=4).host(2)
        (1008, 1004)
        """
        ticks = (tick - self._tick) & self._mask
        if ticks > self._mask >> 1:
            ticks -= self._mask + 1
        return self._host + round(ticks * self._period)


class Stamps:
    """Command buffers that write the time, for one queue: a pair for each of the last submissions."""

    def __init__(self, device: LogicalDevice, finish: Finish) -> None:
        self.device = device
        self._slots: list[int] = [0] * _SLOTS  # the epoch whose times are there
        info = block(
            "VkQueryPoolCreateInfo",
            queryType=abi.constant("VK_QUERY_TYPE_TIMESTAMP"),
            queryCount=2 * _SLOTS,
        )
        self._queries = device.create("vkCreateQueryPool", info.buffer)
        pool = block("VkCommandPoolCreateInfo", queueFamilyIndex=device.family)
        self._commands = device.create("vkCreateCommandPool", pool.buffer)
        self._pairs: list[tuple[ctypes.c_void_p, ctypes.c_void_p] | None] = [None] * _SLOTS
        try:
            self._clock = self._calibrated() or self._estimated(finish)
        except HalError:
            self.close()
            raise

    def calibrate(self) -> None:
        """Set the clock again, where the device can tell both times at once."""
        self._clock = self._calibrated() or self._clock

    def around(self, epoch: int, done: int) -> tuple[ctypes.c_void_p, ctypes.c_void_p] | None:
        """What to submit before and behind a submission, now that epoch `done` is; None where too many are in flight."""
        slot = epoch % _SLOTS
        if self._slots[slot] > done:
            return None
        self._slots[slot] = epoch
        pair = self._pairs[slot]
        if pair is None:
            pair = self._pairs[slot] = self._recorded(slot)
        return pair

    def read(self, epoch: int) -> tuple[int, int] | None:
        """When a complete submission began and ended."""
        slot = epoch % _SLOTS
        if self._slots[slot] != epoch:
            return None
        begin, end = self._ticks(slot)
        return self._clock.host(begin), self._clock.host(end)

    def close(self) -> None:
        """Destroy everything; nothing of it is in flight."""
        self.device.destroyer("vkDestroyCommandPool")(self._commands)
        self.device.destroyer("vkDestroyQueryPool")(self._queries)

    def _ticks(self, slot: int) -> tuple[int, int]:
        ticks = pointers([0, 0])
        flags = abi.constant("VK_QUERY_RESULT_64_BIT") | abi.constant("VK_QUERY_RESULT_WAIT_BIT")
        size, stride = ctypes.c_uint64(16), ctypes.c_uint64(8)
        read = self.device.call("vkGetQueryPoolResults")
        result = read(self.device.handle, self._queries, 2 * slot, 2, size, ticks, stride, flags)
        self.device.check("vkGetQueryPoolResults", result)
        return ticks[0], ticks[1]

    def _recorded(self, slot: int) -> tuple[ctypes.c_void_p, ctypes.c_void_p]:
        device = self.device
        info = block("VkCommandBufferAllocateInfo", commandPool=self._commands.value, commandBufferCount=2)
        handles = (ctypes.c_void_p * 2)()
        device.check("vkAllocateCommandBuffers", device.call("vkAllocateCommandBuffers")(device.handle, info.buffer, handles))
        before, behind = ctypes.c_void_p(handles[0]), ctypes.c_void_p(handles[1])
        begin, end = device.call("vkBeginCommandBuffer"), device.call("vkEndCommandBuffer")
        reset, stamp = device.call("vkCmdResetQueryPool"), device.call("vkCmdWriteTimestamp")
        again = block("VkCommandBufferBeginInfo")
        device.check("vkBeginCommandBuffer", begin(before, again.buffer))
        reset(before, self._queries, 2 * slot, 2)
        stamp(before, abi.constant("VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT"), self._queries, 2 * slot)
        device.check("vkEndCommandBuffer", end(before))
        device.check("vkBeginCommandBuffer", begin(behind, again.buffer))
        stamp(behind, abi.constant("VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT"), self._queries, 2 * slot + 1)
        device.check("vkEndCommandBuffer", end(behind))
        return before, behind

    # --- the device's clock and ours

    def _clocked(self, tick: int, host: int) -> Clock:
        period = self.device.plan.value("VkPhysicalDeviceLimits::timestampPeriod")
        assert isinstance(period, (int, float)), "the registry says so"
        return Clock(tick, host, period=float(period), bits=valid_bits(self.device))

    def _calibrated(self) -> Clock | None:
        """By asking for both at once, where the device can."""
        device = self.device
        suffix = next((name[3:6] for name in CALIBRATED if name in device.plan.extensions), None)
        if suffix is None:
            return None
        domains = device.instance.command(f"vkGetPhysicalDeviceCalibrateableTimeDomains{suffix}")
        count = ctypes.c_uint32(16)
        offered = (ctypes.c_int32 * 16)()
        device.check("vkGetPhysicalDeviceCalibrateableTimeDomains", domains(device.physical, ctypes.byref(count), offered))
        ours = abi.constant("VK_TIME_DOMAIN_CLOCK_MONOTONIC_KHR")
        if ours not in offered[: count.value]:
            return None
        name = f"vkGetCalibratedTimestamps{suffix}"
        ask = at(device.address(name), shape(name))
        rows = blocks(
            "VkCalibratedTimestampInfoKHR",
            [{"timeDomain": abi.constant("VK_TIME_DOMAIN_DEVICE_KHR")}, {"timeDomain": ours}],
        )
        told, deviation = pointers([0, 0]), ctypes.c_uint64()
        device.check(name, ask(device.handle, 2, rows.buffer, told, ctypes.byref(deviation)))
        return self._clocked(told[0], told[1])

    def _estimated(self, finish: Finish) -> Clock:
        """By a submission: its time is somewhere between the call and the answer."""
        before, behind = self._recorded(0)
        self._pairs[0] = before, behind
        called = monotonic_ns()
        finish([before, behind])
        tick, _ = self._ticks(0)
        return self._clocked(tick, (called + monotonic_ns()) // 2)


def valid_bits(device: LogicalDevice) -> int:
    """How many bits of a timestamp count in this device's family of queues; 0 where there are no timestamps."""
    count = ctypes.c_uint32(device.family + 1)
    found = room("VkQueueFamilyProperties", count.value)
    device.instance.command("vkGetPhysicalDeviceQueueFamilyProperties")(device.physical, ctypes.byref(count), found.buffer)
    bits: int = found.get("timestampValidBits", device.family)
    return bits
