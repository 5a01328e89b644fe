"""A Vulkan loader made of Python functions, for devices that are not here: it answers from a description."""

from __future__ import annotations

import ctypes
from struct import pack
from typing import Any

from targetenv_runtime.drivers.vulkan.block import Block, packer
from targetenv_runtime.ffi.library import Library

from targetenv.registry import vulkan_abi as abi

P = ctypes.c_void_p
# command -> the method that answers, what it returns, what it takes
_COMMANDS: dict[str, tuple[Any, ...]] = {
    "vkEnumerateInstanceVersion": ("_version", ctypes.c_int, P),
    "vkEnumerateInstanceExtensionProperties": ("_instance_extensions", ctypes.c_int, P, P, P),
    "vkCreateInstance": ("_create", ctypes.c_int, P, P, P),
    "vkDestroyInstance": ("_destroy", None, P, P),
    "vkEnumeratePhysicalDevices": ("_enumerate", ctypes.c_int, P, P, P),
    "vkEnumerateDeviceExtensionProperties": ("_device_extensions", ctypes.c_int, P, P, P, P),
    "vkGetPhysicalDeviceProperties": ("_properties", None, P, P),
    "vkGetPhysicalDeviceFeatures": ("_features", None, P, P),
    "vkGetPhysicalDeviceProperties2": ("_properties2", None, P, P),
    "vkGetPhysicalDeviceProperties2KHR": ("_properties2", None, P, P),
    "vkGetPhysicalDeviceFeatures2": ("_features2", None, P, P),
    "vkGetPhysicalDeviceFeatures2KHR": ("_features2", None, P, P),
    "vkGetPhysicalDeviceQueueFamilyProperties": ("_queues", None, P, P, P),
    "vkGetPhysicalDeviceMemoryProperties": ("_memory", None, P, P),
    "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR": ("_matrices", ctypes.c_int, P, P, P),
}
_STRUCTS = {abi.header(name)[1]: name for name in (*abi.feature_structs(), *abi.property_structs())}


class FakeDevice:
    """What one device says: members of structs by name, lists by the name of their pointer, rows of matrices."""

    def __init__(
        self,
        *,
        version: tuple[int, int] = (1, 3),
        name: str = "fake",
        extensions: tuple[str, ...] = (),
        values: dict[str, dict[str, object]] | None = None,
        matrices: tuple[dict[str, int], ...] = (),
        queues: tuple[tuple[int, int], ...] = ((7, 1),),
    ) -> None:
        self.version = version
        self.name = name
        self.extensions = extensions
        self.values = values or {}
        self.matrices = matrices
        self.queues = queues
        self.asked: list[list[str]] = []


class FakeLoader(Library):
    """A `Library` whose `open` gives a loader that knows these devices."""

    def __init__(
        self,
        *devices: FakeDevice,
        version: tuple[int, int] | None = (1, 3),
        extensions: tuple[str, ...] = ("VK_KHR_get_physical_device_properties2",),
        create: int = 0,
        enumerate_result: int = 0,
    ) -> None:
        super().__init__("Vulkan loader", ("fake",))
        self.devices = devices
        self.version = version
        self.extensions = extensions
        self.create_result = create
        self.enumerate_result = enumerate_result
        self.instance: dict[str, object] = {}
        self.destroyed = 0
        self._native = {name: ctypes.CFUNCTYPE(*types)(getattr(self, method)) for name, (method, *types) in _COMMANDS.items()}
        self.vkGetInstanceProcAddr = ctypes.CFUNCTYPE(P, P, ctypes.c_char_p)(self._resolve)

    def open(self) -> Any:
        return self

    def _resolve(self, _: int | None, name: bytes) -> int | None:
        spelling = name.decode()
        two, khr = "2" in spelling, spelling.endswith("2KHR")
        if spelling == "vkEnumerateInstanceVersion" and self.version is None:
            return None
        if two and (("VK_KHR_get_physical_device_properties2" not in self.extensions) if khr else self.version is None):
            return None
        native = self._native.get(spelling)
        return ctypes.cast(native, P).value if native is not None else None

    # --- the loader

    def _version(self, version: int) -> int:
        assert self.version is not None
        _put(version, pack("I", self.version[0] << 22 | self.version[1] << 12))
        return 0

    def _instance_extensions(self, _: int, count: int, rows: int) -> int:
        return _rows(count, rows, [packer("VkExtensionProperties").pack(name.encode(), 1) for name in self.extensions])

    def _create(self, info: int, _: int, instance: int) -> int:
        told = _block("VkInstanceCreateInfo", info)
        names = (ctypes.c_char_p * told.get("enabledExtensionCount")).from_address(told.get("ppEnabledExtensionNames") or info)
        application = _block("VkApplicationInfo", told.get("pApplicationInfo"))
        self.instance = {
            "flags": told.get("flags"),
            "extensions": [bytes(name or b"").decode() for name in names],
            "version": application.get("apiVersion") >> 12,
        }
        _put(instance, pack("P", 0xABC))
        return self.create_result

    def _destroy(self, _: int, __: int) -> None:
        self.destroyed += 1

    def _enumerate(self, _: int, count: int, handles: int) -> int:
        if self.enumerate_result:
            return self.enumerate_result
        return _rows(count, handles, [pack("P", 0x1000 + index) for index in range(len(self.devices))])

    # --- a device

    def _device(self, handle: int) -> FakeDevice:
        return self.devices[handle - 0x1000]

    def _device_extensions(self, physical: int, _: int, count: int, rows: int) -> int:
        names = self._device(physical).extensions
        return _rows(count, rows, [packer("VkExtensionProperties").pack(name.encode(), 1) for name in names])

    def _properties(self, physical: int, answer: int) -> None:
        device = self._device(physical)
        major, minor = device.version
        plain = {"apiVersion": major << 22 | minor << 12, "deviceName": device.name}
        _fill("VkPhysicalDeviceProperties", answer, plain | device.values.get("VkPhysicalDeviceProperties", {}))
        limits = abi.layout("VkPhysicalDeviceProperties").field("limits").offset
        _fill("VkPhysicalDeviceLimits", answer + limits, device.values.get("VkPhysicalDeviceLimits", {}))

    def _features(self, physical: int, answer: int) -> None:
        _fill("VkPhysicalDeviceFeatures", answer, self._device(physical).values.get("VkPhysicalDeviceFeatures", {}))

    def _properties2(self, physical: int, answer: int) -> None:
        self._properties(physical, answer + 16)
        self._chain(self._device(physical), answer)

    def _features2(self, physical: int, answer: int) -> None:
        self._features(physical, answer + 16)
        self._chain(self._device(physical), answer)

    def _chain(self, device: FakeDevice, root: int) -> None:
        seen: list[str] = []
        at = ctypes.c_uint64.from_address(root + 8).value
        while at:
            struct = _STRUCTS[ctypes.c_int32.from_address(at).value]
            seen.append(struct)
            _fill(struct, at, device.values.get(struct, {}))
            at = ctypes.c_uint64.from_address(at + 8).value
        device.asked.append(seen)

    def _queues(self, physical: int, count: int, rows: int) -> None:
        size = abi.layout("VkQueueFamilyProperties").size
        _rows(count, rows, [pack("II", bits, many).ljust(size, b"\0") for bits, many in self._device(physical).queues])

    def _memory(self, _: int, answer: int) -> None:
        form = abi.layout("VkPhysicalDeviceMemoryProperties")
        _put(answer, pack("I", 1))
        _put(answer + form.field("memoryTypes").offset, pack("II", 15, 0))
        _put(answer + form.field("memoryHeapCount").offset, pack("I", 1))
        _put(answer + form.field("memoryHeaps").offset, pack("QI", 1 << 33, 1))

    def _matrices(self, physical: int, count: int, rows: int) -> int:
        form = abi.layout("VkCooperativeMatrixPropertiesKHR")
        made = []
        for row in self._device(physical).matrices:
            memory = ctypes.create_string_buffer(form.size)
            _fill(form.name, ctypes.addressof(memory), row)
            made.append(memory.raw)
        return _rows(count, rows, made, keep=16)


def _block(struct: str, address: int) -> Block:
    return Block(struct, (ctypes.c_char * abi.layout(struct).size).from_address(address))


def _put(address: int, data: bytes) -> None:
    ctypes.memmove(address, data, len(data))


def _rows(count: int, rows: int, made: list[bytes], *, keep: int = 0) -> int:
    """Vulkan's enumeration; `keep` bytes of each row (its header) are the caller's."""
    many = ctypes.c_uint32.from_address(count)
    if not rows:
        many.value = len(made)
        return 0
    given = min(many.value, len(made))
    for index, row in enumerate(made[:given]):
        _put(rows + index * len(row) + keep, row[keep:])
    many.value = given
    return abi.constant("VK_INCOMPLETE") if given < len(made) else 0


def _fill(struct: str, at: int, values: dict[str, Any]) -> None:
    form = abi.layout(struct)
    for name, value in values.items():
        field = form.field(name)
        if isinstance(value, list):  # where to put a list, or the count before it
            before = form.fields[form.fields.index(field) - 1]
            capacity = ctypes.c_uint32.from_address(at + before.offset)
            target = ctypes.c_uint64.from_address(at + field.offset).value
            if target:
                capacity.value = min(capacity.value, len(value))
                _put(target, pack(f"{capacity.value}i", *value[: capacity.value]))
            else:
                capacity.value = len(value)
        elif isinstance(value, str):
            _put(at + field.offset, value.encode()[: field.size - 1] + b"\0")
        elif isinstance(value, bytes):
            _put(at + field.offset, value)
        elif isinstance(value, tuple):
            _put(at + field.offset, pack(f"{len(value)}{field.code or 'I'}", *value))
        else:
            _put(at + field.offset, pack(field.code, value))
