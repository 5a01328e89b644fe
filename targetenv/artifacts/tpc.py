"""Kernels for the tensor processor cores of Habana's Gaudi: 32-bit ELF files with a section that says for which generation.

The machine number is that of i386, so the sections decide. Layout of `.tpc_metadata`: tpc_llvm TPCMetadataSection.cpp. Fields
moved in version 10; before that the generation's place is not certain.
"""

from __future__ import annotations

import re

from targetenv.artifacts.containers import executable
from targetenv.artifacts.elf32 import is_elf32, read_elf32
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.artifact import Kernel
from targetenv.model.requirement import NeedsIsa, NeedsUnknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

_METADATA = (".tpc_metadata", ".TPC_METADATA")
_GENERATIONS = {1: "goya", 2: "gaudi", 3: "greco", 4: "gaudi2", 5: "gaudib", 6: "doron1"}
_FIRST_VERSION = 10
_KERNEL = re.compile(rb"KERNELINFOBEGIN\s*KernelName:\[([^\]]{1,256})\]\s*#KERNELINFOEND")
_NAMES_AT_MOST = 4096
_MACHINE_I386 = b"\x03\0"


def is_tpc(data: bytes | memoryview) -> bool:
    """Whether this may be a TPC kernel: i386 by its header, with the section that only these have."""
    if not is_elf32(data) or bytes(data[18:20]) != _MACHINE_I386:
        return False
    text = bytes(data)
    return any(f"{name}\0".encode() in text for name in _METADATA)


def inspect_tpc(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """For which generation it is and which kernels are in it; FormatError TE4807, TE4808 where it is damaged."""
    elf = read_elf32(data, name)
    metadata = elf.section(*_METADATA)
    if metadata is None:
        raise damaged("TE4808", name, "this ELF file has no `.tpc_metadata` section")
    window = Window(metadata.data, name, "TE4808")
    version, special, prints, locks, mmio, march = window.unpack("<I4BH", 0, "the TPC metadata")
    (parameters,) = window.unpack("<B", 12, "the TPC metadata")
    generation = _GENERATIONS.get(march) if version >= _FIRST_VERSION else None
    need: Requirement
    if generation is not None:
        need = NeedsIsa(generation)
    elif version < _FIRST_VERSION:
        need = NeedsUnknown(f"which generation this kernel is for: version {version} of its metadata does not say reliably")
    else:
        need = NeedsUnknown(f"which generation number {march} in this kernel's metadata is")
    flags = [what for what, used in zip(_FLAGS, (special, prints, locks, mmio), strict=True) if used]
    info = elf.section(".KernelInfo")
    names = _KERNEL.findall(bytes(info.data[: _NAMES_AT_MOST * 64])) if info is not None else []
    kernels = tuple(Kernel(raw.decode("latin-1")) for raw in names[:_NAMES_AT_MOST])
    details = [("metadata", f"version {version}"), ("scalar parameters", str(parameters))]
    details += [("uses", ", ".join(flags))] if flags else []
    return executable(
        memoryview(data), name=name, digest=digest, executable_format="tpc", requires=(need,), kernels=kernels, details=details
    )


_FLAGS = ("special functions", "printf", "locks", "memory-mapped registers")
