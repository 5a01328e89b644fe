"""Which executable format some bytes are in, by their first bytes."""

from __future__ import annotations

from struct import unpack_from

from targetenv.artifacts import (
    aie_executable,
    aie_transaction,
    cdo,
    compressed_bundle,
    cuda,
    metal,
    offload_bundle,
    opencl_c,
    pdi,
    xclbin,
)
from targetenv.artifacts.aie_elf import is_aie_elf
from targetenv.artifacts.elf import MACHINES
from targetenv.artifacts.elf import MAGIC as ELF_MAGIC
from targetenv.artifacts.iree_executable import identifier
from targetenv.artifacts.iree_module import is_module
from targetenv.artifacts.tpc import is_tpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SPIRV_MAGICS = (b"\x03\x02\x23\x07", b"\x07\x23\x02\x03")
_AMD_GPU = 224
_STATIC_LIBRARY = b"!<arch>\n"
_OFFLOAD_BINARY = bytes.fromhex("10ff10ad")
_PACKAGE_MEMBER = b"targetenv.json"


def identify(data: bytes | memoryview) -> str | None:
    """The format's name, None when no reader knows it. Nothing but the beginning is looked at, so the rest may be damaged.

    >>> identify(bytes.fromhex("03022307 00000100")), identify(b"hello"), identify(b"")
    ('spirv', None, None)
    """
    head = bytes(data[:64])
    if head[:4] in _SPIRV_MAGICS:
        return "spirv"
    if head[:4] == ELF_MAGIC:
        if is_aie_elf(data):
            return "aie-elf"
        if is_tpc(data):
            return "tpc"
        machine = unpack_from("<H", head, 18)[0] if len(head) >= 20 else None
        if machine == _AMD_GPU:
            return "hsaco"
        if machine == cuda.CUBIN_MACHINE:
            return "cubin"
        return f"elf-{MACHINES[machine]}" if machine in MACHINES else "elf"
    if head[:4] == b"PK\x03\x04" and head[30:44] == _PACKAGE_MEMBER:
        return "tenv"
    if is_module(data):
        return "vmfb"
    if identifier(data) is not None:
        return "iree-executable"
    return next((name for name, belongs in _OTHERS if belongs(data)), None)


_OTHERS: tuple[tuple[str, Callable[[bytes | memoryview], bool]], ...] = (
    ("static-library", lambda data: bytes(data[:8]) == _STATIC_LIBRARY),
    ("offload-binary", lambda data: bytes(data[:4]) == _OFFLOAD_BINARY),
    ("fatbin", lambda data: bytes(data[:4]) == cuda.FATBIN_MAGIC),
    ("xclbin", lambda data: bytes(data[:8]) == xclbin.MAGIC),
    ("pdi", pdi.is_pdi),
    ("cdo", cdo.is_cdo),
    ("pdir", lambda data: aie_executable.identifier(data) == "PDIR"),
    ("xrtr", lambda data: aie_executable.identifier(data) == "XRTR"),
    ("metallib", lambda data: bytes(data[:4]) == metal.MAGIC),
    ("compressed-offload-bundle", compressed_bundle.is_compressed),
    ("offload-bundle", offload_bundle.is_bundle),
    ("aie-transaction", aie_transaction.is_transaction),
    ("msl", metal.is_source),
    ("opencl-c", opencl_c.is_source),
    ("ptx", cuda.is_ptx),
)
