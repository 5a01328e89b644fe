"""Every NVIDIA GPU that libcuda sees: compute capability, memory, identity, and the attributes that kernels depend on.

Attribute numbers are those of CUdevice_attribute in cuda.h, which never change.
"""

from __future__ import annotations

from ctypes import byref, c_char, c_char_p, c_int, c_size_t

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device, Unavailable
from targetenv.model.version import Version
from targetenv_runtime.drivers import absence
from targetenv_runtime.ffi.library import Library, LibraryMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

LIBRARY = Library("CUDA driver", ("libcuda.so.1", "libcuda.so"))
_INSTALL = "install the NVIDIA driver; in a container, start it with the NVIDIA runtime"
_NO_DEVICE = 100
_MAJOR, _MINOR, _WARP = 75, 76, 10

ATTRIBUTES = {
    "CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK": 1,
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X": 2,
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y": 3,
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z": 4,
    "CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X": 5,
    "CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y": 6,
    "CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z": 7,
    "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK": 8,
    "CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY": 9,
    "CU_DEVICE_ATTRIBUTE_WARP_SIZE": _WARP,
    "CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK": 12,
    "CU_DEVICE_ATTRIBUTE_CLOCK_RATE": 13,
    "CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT": 16,
    "CU_DEVICE_ATTRIBUTE_INTEGRATED": 18,
    "CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH": 37,
    "CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE": 38,
    "CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR": 39,
    "CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING": 41,
    "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR": _MAJOR,
    "CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR": _MINOR,
    "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR": 81,
    "CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY": 83,
    "CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH": 95,
    "CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN": 97,
    "CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR": 106,
    "CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED": 115,
    "CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH": 120,
}


class _Failed(Exception):
    """A call answered something else than CUDA_SUCCESS."""

    def __init__(self, call: str, number: int, name: str) -> None:
        super().__init__(call, number, name)
        self.number = number
        self.unavailable = absence.failed("cuda", call, number, name)


def probe(library: Library = LIBRARY) -> tuple[list[Device], list[Unavailable]]:
    """The GPUs in CUDA's order, or the reason why there are none."""
    try:
        cuda = library.open()
    except LibraryMissing as missing:
        return [], [absence.no_library("cuda", missing, _INSTALL)]
    try:
        _call(cuda, "cuInit", c_int(0))
        count, version = c_int(), c_int()
        _call(cuda, "cuDriverGetVersion", byref(version))
        _call(cuda, "cuDeviceGetCount", byref(count))
        devices = [_device(cuda, ordinal, version.value) for ordinal in range(count.value)]
    except _Failed as failure:
        if failure.number == _NO_DEVICE:
            return [], [absence.no_device("cuda", "the CUDA driver finds no GPU: CUDA_ERROR_NO_DEVICE (100)", _INSTALL)]
        return [], [failure.unavailable]
    return devices, [] if devices else [absence.no_device("cuda", "the CUDA driver counts no GPU", _INSTALL)]


def _device(cuda: CDLL, ordinal: int, version: int) -> Device:
    handle, memory, name, bus, uuid = c_int(), c_size_t(), (c_char * 256)(), (c_char * 32)(), (c_char * 16)()
    _call(cuda, "cuDeviceGet", byref(handle), c_int(ordinal))
    _call(cuda, "cuDeviceGetName", name, c_int(len(name)), handle)
    _call(cuda, "cuDeviceTotalMem_v2", byref(memory), handle)
    _call(cuda, "cuDeviceGetPCIBusId", bus, c_int(len(bus)), handle)
    _call(cuda, "cuDeviceGetUuid_v2" if hasattr(cuda, "cuDeviceGetUuid_v2") else "cuDeviceGetUuid", uuid, handle)
    values = {
        attribute: value for attribute, number in ATTRIBUTES.items() if (value := _attribute(cuda, number, handle)) is not None
    }
    major = values["CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR"]
    minor = values["CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR"]
    properties = [Property(attribute, value) for attribute, value in values.items()]
    properties.append(Property("totalGlobalMem", memory.value))
    offers = Capabilities(
        api="cuda",
        version=Version(version // 1000, version % 1000 // 10),
        isa=f"sm_{major}{minor}",
        formats=frozenset({"ptx", "cubin"}),
        properties=tuple(sorted(properties, key=lambda row: row.name)),
        subgroup_sizes=frozenset({values["CU_DEVICE_ATTRIBUTE_WARP_SIZE"]}),
        complete=False,
    )
    return Device(
        uri=f"cuda://{ordinal}",
        name=name.value.decode(errors="replace"),
        driver="cuda",
        offers=offers,
        identity=(("pci", bus.value.decode().lower()), ("uuid", f"GPU-{_uuid(uuid.raw)}")),
        provenance=(("cuda driver api", f"{version // 1000}.{version % 1000 // 10}"),),
        memory=(f"{memory.value >> 20} MiB on the device",),
    )


def _attribute(cuda: CDLL, number: int, handle: c_int) -> int | None:
    """The value, or None where this driver is older than the attribute."""
    value = c_int()
    return value.value if cuda.cuDeviceGetAttribute(byref(value), c_int(number), handle) == 0 else None


def _uuid(raw: bytes) -> str:
    text = raw.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _call(cuda: CDLL, name: str, *arguments: object) -> None:
    number = getattr(cuda, name)(*arguments)
    if number != 0:
        text = c_char_p()
        known = cuda.cuGetErrorName(c_int(number), byref(text)) == 0 and text.value
        raise _Failed(name, number, known.decode() if known else "unknown CUresult")
