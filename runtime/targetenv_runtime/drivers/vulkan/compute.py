"""Compute on a Vulkan device, for the runtime's core."""

from __future__ import annotations

from targetenv.registry import vulkan_abi as abi
from targetenv.registry.vulkan_device import identity
from targetenv_runtime.backend import Allocation, Backend, Loaded
from targetenv_runtime.commands import Dispatch, Recording
from targetenv_runtime.drivers.selector import ordinal
from targetenv_runtime.drivers.vulkan import chain, describe
from targetenv_runtime.drivers.vulkan.device import LogicalDevice, Plan
from targetenv_runtime.drivers.vulkan.loader import Instance, Loader
from targetenv_runtime.drivers.vulkan.memory import Heap
from targetenv_runtime.drivers.vulkan.pipeline import Pipelines
from targetenv_runtime.drivers.vulkan.queue import DeviceQueue
from targetenv_runtime.drivers.vulkan.recording import Recorder
from targetenv_runtime.drivers.vulkan.stamps import valid_bits
from targetenv_runtime.drivers.vulkan.survey import read, without_device, without_loader
from targetenv_runtime.ffi.library import LibraryMissing
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable, Collection, Sequence

    from targetenv.match.enabling import EnableList
    from targetenv.model.artifact import Kernel
    from targetenv.model.device import Device, Unavailable
    from targetenv_runtime.backend import Grid, Memory
    from targetenv_runtime.buffer import BufferRef
    from targetenv_runtime.drivers.vulkan.validation import Messages
    from targetenv_runtime.executable import Function
    from targetenv_runtime.ffi.library import Library

_MOST_QUEUES = 4


def open_device(
    library: Library,
    selector: str,
    *,
    extensions: Collection[str] | None,
    features: Collection[str] | None,
    enables: EnableList | Callable[[Device], EnableList] | None,
    validation: bool,
    queues: int | None,
) -> VulkanBackend:
    """See `targetenv_runtime.drivers.vulkan.backend.open`."""
    try:
        loader = Loader(library)
    except LibraryMissing as missing:
        raise _unavailable(without_loader(missing)) from missing
    messages: Messages | None = None
    layers: tuple[str, ...] = ()
    instance_extensions: tuple[str, ...] = ()
    if validation:
        from targetenv_runtime.drivers.vulkan import validation as layer  # for tests

        messages = layer.Messages(loader)
        layers, instance_extensions = (layer.LAYER,), (layer.MESSENGER,)
    try:
        following = messages.chain() if messages is not None else None
        instance = Instance(loader, layers=layers, extensions=instance_extensions, following=following)
    except HalError as error:
        raise _unavailable(without_device(error)) from error
    if messages is not None:
        messages.listen(instance)
    try:
        index, physical = _select(instance, selector)
        told: Device | None = None
        if enables is not None:
            if callable(enables):
                told = read(instance, physical, index)
                enables = enables(told)
            features, extensions = enables.feature_names, enables.extension_names
        plan = Plan(instance, physical, wanted_features=features, wanted_extensions=extensions)
        family, count = _family(instance, physical)
        device = LogicalDevice(instance, physical, plan, family, min(count, queues or _MOST_QUEUES))
    except BaseException:
        if messages is not None:
            messages.stop(instance)
        instance.close()
        raise
    return VulkanBackend(index, device, min(count, queues or _MOST_QUEUES), messages, told)


class VulkanBackend(Backend):
    """One open Vulkan device. Kernels see buffer i as binding i of descriptor set 0, and constants as push constants; or the
    addresses of their buffers as the first push constants, and constants behind them. The module says which.
    """

    name = "vulkan"
    formats = frozenset({"spirv"})
    indirect = True

    def __init__(self, index: int, device: LogicalDevice, queues: int, messages: Messages | None, told: Device | None) -> None:
        self.uri = f"vulkan://{index}"
        self.device = device
        self.queue_count = queues
        self.binding_alignment = max(1, device.plan.limit("minStorageBufferOffsetAlignment"))
        self._index = index
        self._told = told
        self._messages = messages
        self._heap = Heap(device)
        self._pipelines = Pipelines(device)
        two = device.has("VkPhysicalDeviceSynchronization2Features::synchronization2")
        recorder = Recorder(device, self._heap)
        self._queues = tuple(DeviceQueue(device, recorder, index, two=two) for index in range(queues))

    @property
    def validation_messages(self) -> tuple[str, ...]:
        """What the validation layer said so far, each with `error: ` or `warning: ` in front; leaks are told by `close`."""
        return tuple(self._messages.told) if self._messages is not None else ()

    @property
    def enabled(self) -> tuple[frozenset[str], frozenset[str]]:
        """The features, under canonical names, and the extensions that the device was opened with."""
        return self.device.plan.features, frozenset(self.device.plan.extensions)

    def describe(self) -> Device:
        return self._told or read(self.device.instance, self.device.physical, self._index)

    def close(self) -> None:
        for queue in self._queues:
            queue.close()
        self._pipelines.close()
        self._heap.close()
        self.device.close()
        if self._messages is not None:
            self._messages.stop(self.device.instance)
        self.device.instance.close()

    # --- memory

    def alloc(self, size: int, memory: Memory) -> Allocation:
        storage = self._heap.allocate(size, memory)
        return Allocation(storage, size, address=storage.device_address, view=storage.view)

    def free(self, allocation: object) -> None:
        self._heap.release(allocation)  # type: ignore[arg-type]  # handles are ours

    # --- executables

    def load(self, image: bytes | memoryview, image_format: str, kernels: Sequence[Kernel]) -> Loaded:
        del image_format  # there is one
        described, pipelines = self._pipelines.load(image, kernels)
        return Loaded(pipelines, described, pipelines)

    def unload(self, loaded: object) -> None:
        self._pipelines.release(loaded)  # type: ignore[arg-type]  # handles are ours

    # --- work

    def submit(
        self,
        queue: int,
        recording: Recording | None,
        table: Sequence[BufferRef],
        waits: Sequence[tuple[Backend, int, int]],
    ) -> int:
        producers = [(self._queues[producer], epoch) for _, producer, epoch in waits] if waits else ()
        return self._queues[queue].submit(recording, table, producers)

    def release(self, replay: dict[object, object]) -> None:
        for key, natives in replay.items():
            assert isinstance(key, tuple), "made by the queue"
            self._queues[key[0]].release(natives)  # type: ignore[arg-type]  # made by the queue

    def completed(self, queue: int) -> int:
        return self._queues[queue].completed()

    def wait(self, queue: int, epoch: int, timeout: float | None) -> bool:
        return self._queues[queue].wait(epoch, timeout)

    def failure(self, queue: int, epoch: int) -> HalError | None:
        del queue, epoch
        return self.device.lost

    def profile(self, *, on: bool) -> None:
        if self.device.lost is None and valid_bits(self.device):
            for queue in self._queues:
                queue.profile(on=on)

    def times(self, queue: int, epoch: int) -> tuple[int, int] | None:
        return self._queues[queue].times(epoch)

    def forked(self) -> None:
        self.device.lost = HalError(
            Code.UNAVAILABLE, f"{self.uri} was opened before this process was forked", help="open the device in the child"
        )

    def bind(self, function: Function, grid: Grid, bindings: Sequence[BufferRef], constants: bytes) -> Callable[[], object]:
        command = Dispatch(function, grid, tuple(bindings), constants)
        return self._queues[0].bound(Recording(((command,),), ()))


def _select(instance: Instance, selector: str) -> tuple[int, ctypes.c_void_p]:
    found = instance.physical_devices()
    identities: dict[str, int] = {}
    if selector and not selector.isdecimal():
        for index, physical in enumerate(found):
            for name in _names(instance, physical):
                identities.setdefault(name, index)
    index = ordinal(selector.removeprefix("GPU-"), len(found), identities)
    return index, found[index]


def _names(instance: Instance, physical: ctypes.c_void_p) -> list[str]:
    """What a device can be called besides its number."""
    query = instance.query2("vkGetPhysicalDeviceProperties2")
    if query is None:
        return []
    structs = ["VkPhysicalDeviceIDProperties"]
    if "VK_EXT_pci_bus_info" in instance.device_extensions(physical):
        structs.append("VkPhysicalDevicePCIBusInfoPropertiesEXT")
    told = dict(identity(chain.values(chain.ask(query, physical, chain.PROPERTIES, structs))))
    names = [told["deviceUUID"], told["deviceUUID"].replace("-", "")]
    return [*names, told["pci"], f"pci:{told['pci']}"] if "pci" in told else names


def _family(instance: Instance, physical: ctypes.c_void_p) -> tuple[int, int]:
    """The queue family for compute and its number of queues: one without graphics where there is one."""
    compute, graphics = abi.constant("VK_QUEUE_COMPUTE_BIT"), abi.constant("VK_QUEUE_GRAPHICS_BIT")
    families = [
        (bits & graphics, index, count)
        for index, (bits, count) in enumerate(describe.queue_families(instance, physical))
        if bits & compute and count
    ]
    if not families:
        raise HalError(Code.FAILED_PRECONDITION, "the device has no queue that computes")
    _, index, count = min(families)
    return index, count


def _unavailable(why: Unavailable) -> HalError:
    return HalError(Code.UNAVAILABLE, why.reason, help=why.help, driver=why.driver)
