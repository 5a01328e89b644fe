"""Every OpenCL device of every platform, with its extensions and the limits that kernels depend on.

Numbers and types are those of CL/cl.h and CL/cl_ext.h.
"""

from __future__ import annotations

from ctypes import byref, c_size_t, c_uint, c_uint64, c_void_p, create_string_buffer, sizeof

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device, Unavailable
from targetenv.model.version import Version
from targetenv_runtime.drivers import absence
from targetenv_runtime.drivers.opencl.status import name_of
from targetenv_runtime.ffi.library import Library, LibraryMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

    from targetenv.model.capabilities import PropertyValue

LIBRARY = Library("OpenCL ICD loader", ("libOpenCL.so.1", "libOpenCL.so"))
_INSTALL_LOADER = "install the OpenCL loader (Debian and Ubuntu: `ocl-icd-libopencl1`)"
_INSTALL_DRIVER = "install the OpenCL driver of your device, or PoCL for the CPU (Debian and Ubuntu: `pocl-opencl-icd`)"

_NO_DEVICE, _NO_PLATFORM = -1, -1001
_ALL_TYPES = 0xFFFFFFFF

_PLATFORM_NAME, _PLATFORM_VERSION = 0x0902, 0x0901
_NAME, _VENDOR, _DRIVER_VERSION, _VERSION, _EXTENSIONS = 0x102B, 0x102C, 0x102D, 0x102F, 0x1030
_IL_VERSION, _SUB_GROUP_SIZES, _UUID = 0x105B, 0x4108, 0x106A

LIMITS = {
    "CL_DEVICE_TYPE": 0x1000,
    "CL_DEVICE_VENDOR_ID": 0x1001,
    "CL_DEVICE_MAX_COMPUTE_UNITS": 0x1002,
    "CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS": 0x1003,
    "CL_DEVICE_MAX_WORK_GROUP_SIZE": 0x1004,
    "CL_DEVICE_MAX_CLOCK_FREQUENCY": 0x100C,
    "CL_DEVICE_ADDRESS_BITS": 0x100D,
    "CL_DEVICE_MAX_MEM_ALLOC_SIZE": 0x1010,
    "CL_DEVICE_MAX_PARAMETER_SIZE": 0x1017,
    "CL_DEVICE_MEM_BASE_ADDR_ALIGN": 0x1019,
    "CL_DEVICE_GLOBAL_MEM_SIZE": 0x101F,
    "CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE": 0x1020,
    "CL_DEVICE_LOCAL_MEM_SIZE": 0x1023,
    "CL_DEVICE_IMAGE_SUPPORT": 0x1016,
    "CL_DEVICE_MAX_SAMPLERS": 0x1018,
    "CL_DEVICE_MAX_CONSTANT_ARGS": 0x1021,
    "CL_DEVICE_DOUBLE_FP_CONFIG": 0x1032,
    "CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS": 0x104C,
    "CL_DEVICE_MAX_NUM_SUB_GROUPS": 0x105C,
    "CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT": 0x1068,
    "CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT": 0x1069,
    "CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES": 0x1070,
    "CL_DEVICE_PIPE_SUPPORT": 0x1071,
}
TEXTS = {"CL_DEVICE_PROFILE": 0x102E, "CL_DEVICE_IL_VERSION": _IL_VERSION}
_WORK_ITEM_SIZES = 0x1005

_COMPILER_AVAILABLE, _HOST_UNIFIED_MEMORY = 0x1028, 0x1035
_TYPES = ((2, "cpu"), (4, "discrete-gpu"), (8, "accelerator"))  # bits of CL_DEVICE_TYPE, in the words that Vulkan has


class Failed(Exception):
    """A call answered something else than CL_SUCCESS."""

    def __init__(self, call: str, number: int) -> None:
        super().__init__(call, number)
        self.number = number
        self.unavailable = absence.failed("opencl", call, number, name_of(number))

    @classmethod
    def of(cls, unavailable: Unavailable) -> Failed:
        """A failure that has its own words."""
        made = cls("", 0)
        made.unavailable = unavailable
        return made


def probe(library: Library = LIBRARY) -> tuple[list[Device], list[Unavailable]]:
    """The devices in the loader's order, counted across platforms, or the reason why there are none."""
    try:
        opencl = library.open()
    except LibraryMissing as missing:
        return [], [without_loader(missing)]
    found: list[Device] = []
    try:
        for number, (platform, handle) in enumerate(devices(opencl)):
            found.append(read(opencl, platform, handle, number))
    except Failed as failed:
        return found, [failed.unavailable]
    return found, [] if found else [without_device()]


def devices(opencl: CDLL) -> list[tuple[c_void_p, c_void_p]]:
    """Every platform's devices, with the platform, in the loader's order; Failed when a call fails."""
    try:
        platforms = _list(opencl, "clGetPlatformIDs")
    except Failed as failed:
        if failed.number == _NO_PLATFORM:
            raise Failed.of(absence.no_device("opencl", "no OpenCL platform is installed", _INSTALL_DRIVER)) from None
        raise
    return [(platform, handle) for platform in platforms for handle in _of(opencl, platform)]


def without_loader(missing: LibraryMissing) -> Unavailable:
    """There is no OpenCL at all."""
    return absence.no_library("opencl", missing, _INSTALL_LOADER)


def without_device() -> Unavailable:
    """There is a loader, and nothing behind it."""
    return absence.no_device("opencl", "the OpenCL platforms find no device", _INSTALL_DRIVER)


def _list(opencl: CDLL, call: str, *leading: object) -> list[c_void_p]:
    """Handles by the two-call protocol: first how many, then which."""
    count = c_uint()
    _check(call, getattr(opencl, call)(*leading, c_uint(0), None, byref(count)))
    handles = (c_void_p * count.value)()
    _check(call, getattr(opencl, call)(*leading, c_uint(count.value), handles, None))
    return [c_void_p(handle) for handle in handles]


def _of(opencl: CDLL, platform: c_void_p) -> list[c_void_p]:
    try:
        return _list(opencl, "clGetDeviceIDs", platform, c_uint64(_ALL_TYPES))
    except Failed as failure:
        if failure.number == _NO_DEVICE:
            return []
        raise


def read(opencl: CDLL, platform: c_void_p, handle: c_void_p, ordinal: int) -> Device:
    """One device with everything that it offers."""

    def text(number: int) -> str:
        return (_info(opencl, "clGetDeviceInfo", handle, number) or b"").rstrip(b"\0").decode(errors="replace").strip()

    def whole(number: int) -> int | None:
        answer = _info(opencl, "clGetDeviceInfo", handle, number)
        return None if answer is None else int.from_bytes(answer, "little")

    name = text(_NAME)
    extensions = frozenset(text(_EXTENSIONS).split())
    formats = {"opencl-c"} if whole(_COMPILER_AVAILABLE) else set()
    if "SPIR-V" in text(_IL_VERSION):
        formats.add("spirv")
    sizes = _info(opencl, "clGetDeviceInfo", handle, _SUB_GROUP_SIZES) or b""
    limits = {limit: value for limit, number in LIMITS.items() if (value := whole(number)) is not None}
    properties: dict[str, PropertyValue] = {key: said for key, number in TEXTS.items() if (said := text(number))}
    properties.update(limits)
    extent = _info(opencl, "clGetDeviceInfo", handle, _WORK_ITEM_SIZES) or b""
    if extent:
        properties["CL_DEVICE_MAX_WORK_ITEM_SIZES"] = _words(extent)
    offers = Capabilities(
        api="opencl",
        version=_version(text(_VERSION)),
        formats=frozenset(formats),
        extensions=extensions,
        properties=tuple(Property(key, value) for key, value in sorted(properties.items())),
        subgroup_sizes=frozenset(_words(sizes)),
        complete=False,
    )
    kind = limits.get("CL_DEVICE_TYPE", 0)
    shares = bool(whole(_HOST_UNIFIED_MEMORY))
    described = next((name for bit, name in _TYPES if kind & bit), "other")
    described = "integrated-gpu" if described == "discrete-gpu" and shares else described
    identity = [("deviceType", described), ("platform", _platform(opencl, platform, _PLATFORM_NAME)), ("vendor", text(_VENDOR))]
    if "cl_khr_device_uuid" in extensions and (uuid := _info(opencl, "clGetDeviceInfo", handle, _UUID)):
        identity.append(("uuid", uuid.hex()))
    provenance = (("driver", text(_DRIVER_VERSION)), ("platform", _platform(opencl, platform, _PLATFORM_VERSION)))
    memory = limits.get("CL_DEVICE_GLOBAL_MEM_SIZE", 0)
    return Device(
        f"opencl://{ordinal}",
        name,
        "opencl",
        offers,
        identity=tuple(sorted(identity)),
        provenance=provenance,
        memory=(f"{memory >> 20} MiB of global memory",),
    )


def _words(answer: bytes) -> tuple[int, ...]:
    """An array of size_t."""
    width = sizeof(c_size_t)
    return tuple(int.from_bytes(answer[at : at + width], "little") for at in range(0, len(answer), width))


def _platform(opencl: CDLL, platform: c_void_p, number: int) -> str:
    return (_info(opencl, "clGetPlatformInfo", platform, number) or b"").rstrip(b"\0").decode(errors="replace")


def _info(opencl: CDLL, call: str, handle: c_void_p, number: int) -> bytes | None:
    """One answer as bytes, None where the device does not know the question."""
    size = c_size_t()
    if getattr(opencl, call)(handle, c_uint(number), c_size_t(0), None, byref(size)) != 0:
        return None
    answer = create_string_buffer(size.value)
    if getattr(opencl, call)(handle, c_uint(number), size, answer, None) != 0:
        return None
    return answer.raw


def _version(text: str) -> Version | None:
    """`OpenCL 3.0 PoCL ...` is 3.0 (the specification fixes the first two words)."""
    words = text.split()
    parts = words[1].split(".") if len(words) > 1 else []
    return Version(int(parts[0]), int(parts[1])) if len(parts) == 2 and all(part.isdecimal() for part in parts) else None


def _check(call: str, number: int) -> None:
    if number != 0:
        raise Failed(call, number)
