"""AMD GPUs that HIP sees. The ISA comes from the kernel's topology, as HIP's own structure changes between releases.

Source of the ISA: `gfx_target_version` = 10000 * major + 100 * minor + stepping (kfd_topology.c); minor and stepping are spelt
in hexadecimal, so 90010 is gfx90a.
"""

from __future__ import annotations

import os
from ctypes import byref, c_char, c_char_p, c_int, c_size_t

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.device import Device, Unavailable
from targetenv.model.version import Version
from targetenv_runtime.drivers import absence
from targetenv_runtime.ffi.library import Library, LibraryMissing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

LIBRARY = Library("HIP runtime", ("libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"))
TOPOLOGY = "/sys/class/kfd/kfd/topology/nodes"
_INSTALL = "install AMD's ROCm runtime"
_NO_DEVICE = 100


def probe(
    library: Library = LIBRARY, *, topology: str = TOPOLOGY, node: str = "/dev/kfd"
) -> tuple[list[Device], list[Unavailable]]:
    """The GPUs in HIP's order, or the reason why there are none."""
    try:
        hip = library.open()
    except LibraryMissing as missing:
        return [], [absence.no_library("hip", missing, _INSTALL)]
    if not os.path.exists(node):  # noqa: PTH110  pathlib is not loaded on this path
        return [], [absence.no_node("hip", f"the device node `{node}` is missing", "load the kernel module amdgpu")]
    if not os.access(node, os.R_OK | os.W_OK):
        return [], [absence.no_right("hip", node, "render")]
    count = c_int()
    number = hip.hipGetDeviceCount(byref(count))
    if number == _NO_DEVICE or (number == 0 and count.value == 0):
        return [], [absence.no_device("hip", "the HIP runtime finds no GPU")]
    if number != 0:
        return [], [absence.failed("hip", "hipGetDeviceCount", number, _name(hip, number))]
    isas = isas_by_location(topology)
    return [_device(hip, ordinal, isas) for ordinal in range(count.value)], []


def _device(hip: CDLL, ordinal: int, isas: dict[str, str]) -> Device:
    name, bus, memory = (c_char * 256)(), (c_char * 64)(), c_size_t()
    hip.hipDeviceGetName(name, c_int(len(name)), c_int(ordinal))
    hip.hipDeviceGetPCIBusId(bus, c_int(len(bus)), c_int(ordinal))
    hip.hipDeviceTotalMem(byref(memory), c_int(ordinal))
    pci = bus.value.decode().lower()
    version = _version(hip)
    offers = Capabilities(
        api="hip",
        version=version,
        isa=isas.get(pci),
        formats=frozenset({"hsaco"}),
        properties=(Property("totalGlobalMem", memory.value),),
        complete=False,
    )
    return Device(
        uri=f"hip://{ordinal}",
        name=name.value.decode(errors="replace"),
        driver="hip",
        offers=offers,
        identity=(("pci", pci),),
        provenance=(("hip runtime", str(version)),) if version else (),
        memory=(f"{memory.value >> 20} MiB on the device",),
    )


def _version(hip: CDLL) -> Version | None:
    """The release of ROCm that this runtime is of; HIP counts 10000000 * major + 100000 * minor + build (hip_version.h)."""
    number = c_int()
    if not hasattr(hip, "hipRuntimeGetVersion") or hip.hipRuntimeGetVersion(byref(number)) != 0 or number.value <= 0:
        return None
    return Version(number.value // 10_000_000, number.value // 100_000 % 100)


def isas_by_location(topology: str) -> dict[str, str]:
    """The ISA of each GPU in the kernel's topology, by PCI address; nodes that may not be read are left out."""
    found: dict[str, str] = {}
    try:
        nodes = sorted(os.listdir(topology))  # noqa: PTH208
    except OSError:
        return found
    for node in nodes:
        try:
            with open(f"{topology}/{node}/properties", encoding="ascii") as file:  # noqa: PTH123
                rows = dict(line.split(maxsplit=1) for line in file if " " in line.strip())
        except OSError:
            continue
        target, location = int(rows.get("gfx_target_version", "0")), int(rows.get("location_id", "0"))
        if target:
            pci = f"{int(rows.get('domain', '0')):04x}:{location >> 8:02x}:{location >> 3 & 31:02x}.{location & 7}"
            found[pci] = f"gfx{target // 10000}{target // 100 % 100:x}{target % 100:x}"
    return found


def _name(hip: CDLL, number: int) -> str:
    hip.hipGetErrorName.restype = c_char_p
    return (hip.hipGetErrorName(c_int(number)) or b"unknown hipError_t").decode()
