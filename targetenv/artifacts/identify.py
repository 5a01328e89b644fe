"""Which executable format some bytes are in, by their first bytes."""

from __future__ import annotations

from struct import unpack_from

from targetenv.artifacts.elf import MACHINES
from targetenv.artifacts.elf import MAGIC as ELF_MAGIC
from targetenv.artifacts.iree_executable import identifier
from targetenv.artifacts.iree_module import is_module

_SPIRV_MAGICS = (b"\x03\x02\x23\x07", b"\x07\x23\x02\x03")
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
        machine = unpack_from("<H", head, 18)[0] if len(head) >= 20 else None
        return f"elf-{MACHINES[machine]}" if machine in MACHINES else "elf"
    if head[:4] == b"PK\x03\x04" and head[30:44] == _PACKAGE_MEMBER:
        return "tenv"
    if is_module(data):
        return "vmfb"
    if identifier(data) is not None:
        return "iree-executable"
    return None
