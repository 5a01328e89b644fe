"""A VkQueue with one timeline semaphore that counts its submissions: epoch e is done when the semaphore is at e."""

from __future__ import annotations

import ctypes
from collections import deque
from threading import RLock
from time import monotonic

from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, pointers
from targetenv_runtime.drivers.vulkan.recording import Native
from targetenv_runtime.drivers.vulkan.stamps import Stamps
from targetenv_runtime.drivers.vulkan.submission import Submission, WaitInfo
from targetenv_runtime.status import HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.commands import Recording
    from targetenv_runtime.drivers.vulkan.device import LogicalDevice
    from targetenv_runtime.drivers.vulkan.recording import Recorder

SLICE = 100_000_000  # nanoseconds of one native wait, so that Ctrl-C is heard
_SLICE = ctypes.c_uint64(SLICE)
_SECONDS = SLICE / 1e9
_KEPT = 32  # native command buffers kept for one recording
_IDLE = 64  # used command buffers kept for the next recordings


class DeviceQueue:
    """Submits in any thread, one at a time; waits in any number of threads."""

    def __init__(self, device: LogicalDevice, recorder: Recorder, index: int, *, two: bool) -> None:
        self.device = device
        self.recorder = recorder
        self.index = index
        self._key: tuple[object, ...] = (index,)
        self.two = two
        self.lock = RLock()  # a garbage collection in the middle of a bound dispatch may release a recording
        self.next = 0  # the epoch of the newest submission
        self.done = 0  # an epoch that is known to be complete
        self.handle = ctypes.c_void_p()
        device.call("vkGetDeviceQueue")(device.handle, device.family, index, ctypes.byref(self.handle))
        kind = block("VkSemaphoreTypeCreateInfo", semaphoreType=abi.constant("VK_SEMAPHORE_TYPE_TIMELINE"))
        self.semaphore = device.create("vkCreateSemaphore", block("VkSemaphoreCreateInfo", pNext=kind).buffer)
        flags = abi.constant("VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT")
        info = block("VkCommandPoolCreateInfo", flags=flags, queueFamilyIndex=device.family)
        self.pool = device.create("vkCreateCommandPool", info.buffer)
        self.orphans: deque[Native] = deque()  # what finalizers gave back; they may run in the middle of anything
        self._flying: deque[Native] = deque()
        self._idle: list[Native] = []
        self._every: list[Native] = []
        self._waits: list[WaitInfo] = []
        self._submission = Submission(self)
        self._clock: Stamps | None = None  # from the first profile on
        self.stamps: Stamps | None = None  # while somebody profiles
        self._count = device.call("vkGetSemaphoreCounterValue")
        self._wait = device.call("vkWaitSemaphores")

    def submit(self, recording: Recording | None, table: Sequence[BufferRef], waits: Sequence[tuple[DeviceQueue, int]]) -> int:
        """Start a recording after the epochs of other queues; its own epoch."""
        with self.lock:
            if self.device.lost is not None:
                self.device.require()
            if self._flying or self.orphans:
                self._collect()
            if recording is None or not recording.levels:
                self._fire(None, waits)
            elif recording.reusable:
                native = self._replayed(recording, table)
                if native.epoch and not waits and self.stamps is None:
                    self._fire_again(native)
                else:
                    self._fire(native, waits)
                native.epoch = self.next
            else:
                native = self._recorded(recording, table, once=True)
                try:
                    self._fire(native, waits)
                except HalError:
                    self._recycle(native)
                    raise
                native.epoch = self.next
                self._flying.append(native)
            return self.next

    def completed(self) -> int:
        """The newest complete epoch; of a lost device all are complete."""
        value = ctypes.c_uint64()
        if self.device.lost is not None or self._lost(
            "vkGetSemaphoreCounterValue", self._count(self.device.handle, self.semaphore, ctypes.byref(value))
        ):
            return self.next
        self.done = min(value.value, self.next)  # a lost device may count to the end of time
        return self.done

    def wait(self, epoch: int, timeout: float | None) -> bool:
        """Block until an epoch is complete; whether it is. Interruptible every 0.1 s."""
        if self.device.lost is not None:
            return True
        started = 0.0 if timeout is None else monotonic()
        try:
            info = self._waits.pop()
        except IndexError:
            info = WaitInfo(self)
        try:
            info.value.value = epoch
            left = _SLICE if timeout is None or timeout >= _SECONDS else ctypes.c_uint64(max(0, round(timeout * 1e9)))
            while result := self._wait(self.device.handle, info.block.buffer, left):
                if self._lost("vkWaitSemaphores", result):
                    return True
                if timeout is not None:
                    rest = timeout - (monotonic() - started)
                    if rest <= 0:
                        return False
                    left = ctypes.c_uint64(min(SLICE, round(rest * 1e9)))
            self.done = max(self.done, epoch)
            return True
        finally:
            self._waits.append(info)

    def _lost(self, name: str, result: int) -> bool:
        """Whether a call failed because the device is lost, which ends all waiting; other failures are raised."""
        if result < 0:
            try:
                self.device.check(name, result)
            except HalError:
                if self.device.lost is None:
                    raise
                return True
        return False

    def _fire(self, native: Native | None, waits: Sequence[tuple[DeviceQueue, int]]) -> None:
        submission = self._submission
        if len(waits) > submission.capacity:
            submission = self._submission = Submission(self, capacity=2 * len(waits))
        commands = [] if native is None else [native.handle]
        if commands and self.stamps is not None and (pair := self.stamps.around(self.next + 1, self.completed())) is not None:
            commands = [pair[0], *commands, pair[1]]
        submission.fire(commands, waits, self.next + 1)
        self.next += 1

    def profile(self, *, on: bool) -> None:
        """Take the time of every submission from now on, or no more."""
        with self.lock:
            if on and self._clock is None:
                self._clock = Stamps(self.device, self._finish)
            elif on and self._clock is not None:
                self._clock.calibrate()
            self.stamps = self._clock if on else None

    def times(self, epoch: int) -> tuple[int, int] | None:
        """When a complete submission began and ended, if its time was taken."""
        return None if self._clock is None or self.device.lost is not None else self._clock.read(epoch)

    def _finish(self, commands: list[ctypes.c_void_p]) -> None:
        self._submission.fire(commands, (), self.next + 1)
        self.next += 1
        self.wait(self.next, None)

    def _fire_again(self, native: Native) -> None:
        """The same without waits, patching nothing but the epoch."""
        if native.prepared is None:
            native.prepared = Submission(self, capacity=0).prepared(native.handle)
        function, arguments, signal, _ = native.prepared
        signal.value = epoch = self.next + 1
        result = function(*arguments)
        if result:
            self.device.check("vkQueueSubmit", result)
        self.next = epoch

    def bound(self, recording: Recording) -> Callable[[], object]:
        """A callable that runs a recording without slots to its end: two native calls, in blocks of memory made here."""
        with self.lock:
            self.device.require()
            self._collect()
            native = self._recorded(recording, (), shared=True)
        return _bound(self, native)

    def release(self, natives: Iterable[Native]) -> None:
        """Take back what was kept for a recording; no submission uses it any more."""
        with self.lock:
            for native in natives:
                self._recycle(native)

    def close(self) -> None:
        """Destroy everything; the queue is idle, or the device lost."""
        if self._clock is not None:
            self._clock.close()
        for native in self._every:
            self.recorder.discard(native)
        self.device.destroyer("vkDestroyCommandPool")(self.pool)  # and every command buffer from it
        self.device.destroyer("vkDestroySemaphore")(self.semaphore)

    # --- native command buffers

    def _replayed(self, recording: Recording, table: Sequence[BufferRef]) -> Native:
        """The command buffer of this recording and table; while it flies a second one, which may fly many times at once."""
        kept = recording.replay
        key = (
            self._key if not table else (*self._key, *((ref.buffer.allocation.handle, ref.offset, ref.length) for ref in table))
        )
        natives = kept.get(key)
        if natives is None:
            self._forget(kept)
            natives = kept[key] = []
        assert isinstance(natives, list), "made here"
        for native in natives:
            if native.shared or native.epoch <= self.done or native.epoch <= self.completed():
                return native  # type: ignore[no-any-return]
        native = self._recorded(recording, table, shared=bool(natives))
        natives.append(native)
        return native

    def _forget(self, kept: dict[object, object]) -> None:
        """Make room for one more table: give back what is idle, oldest first."""
        if len(kept) < _KEPT:
            return
        done = self.completed()
        for key, natives in list(kept.items()):
            assert isinstance(key, tuple)
            assert isinstance(natives, list)
            if key[0] == self.index and all(native.epoch <= done for native in natives):
                del kept[key]
                for native in natives:
                    self._recycle(native)
                if len(kept) < _KEPT:
                    return

    def _recorded(
        self, recording: Recording, table: Sequence[BufferRef], *, once: bool = False, shared: bool = False
    ) -> Native:
        native = self._take()
        try:
            self.recorder.record(native, recording.levels, table, once=once, shared=shared)
        except HalError:
            self._recycle(native)
            raise
        return native

    def _take(self) -> Native:
        if self._idle:
            return self._idle.pop()
        info = block(
            "VkCommandBufferAllocateInfo",
            commandPool=self.pool.value,
            level=abi.constant("VK_COMMAND_BUFFER_LEVEL_PRIMARY"),
            commandBufferCount=1,
        )
        handle = ctypes.c_void_p()
        allocate = self.device.call("vkAllocateCommandBuffers")
        self.device.check("vkAllocateCommandBuffers", allocate(self.device.handle, info.buffer, ctypes.byref(handle)))
        native = Native(handle)
        self._every.append(native)
        return native

    def _recycle(self, native: Native) -> None:
        self.recorder.reset(native)
        native.shared, native.epoch = False, 0
        if len(self._idle) < _IDLE:
            self._idle.append(native)
            return
        self.recorder.discard(native)
        self._every.remove(native)
        handles = pointers([native.handle.value or 0])
        self.device.call("vkFreeCommandBuffers")(self.device.handle, self.pool, 1, handles)

    def _collect(self) -> None:
        """Take back what is no longer in flight."""
        while self.orphans:
            self._flying.append(self.orphans.popleft())
        if self._flying:
            done = self.completed()
            for _ in range(len(self._flying)):
                native = self._flying.popleft()
                if native.epoch <= done:
                    self._recycle(native)
                else:
                    self._flying.append(native)


class _Keeper:
    """Gives a bound command buffer back to its queue when nobody can run it any more."""

    __slots__ = ("native", "queue", "submission", "wait")

    def __init__(self, queue: DeviceQueue, native: Native) -> None:
        self.queue = queue
        self.native = native
        self.submission = Submission(queue, capacity=0)
        self.wait = WaitInfo(queue)

    def __del__(self) -> None:
        self.queue.orphans.append(self.native)


def _bound(queue: DeviceQueue, native: Native) -> Callable[[], object]:
    keeper = _Keeper(queue, native)
    submit, arguments, signal, _ = keeper.submission.prepared(native.handle)
    device, lock = queue.device, queue.lock
    wait, handle, info, awaited = queue._wait, device.handle, keeper.wait.block.buffer, keeper.wait.value
    slice_ = _SLICE

    def run() -> None:
        if device.lost is not None:
            device.require()
        with lock:
            epoch = queue.next + 1
            signal.value = epoch
            result = submit(*arguments)
            if result:
                device.check("vkQueueSubmit", result)
            queue.next = keeper.native.epoch = epoch
            awaited.value = epoch  # another run may raise it before this one waits, which only makes this one wait longer
        while result := wait(handle, info, slice_):
            device.check("vkWaitSemaphores", result)

    return run
