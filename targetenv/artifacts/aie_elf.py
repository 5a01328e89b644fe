"""ELF files for AMD's NPUs, as aiebu makes them: control code and what the host patches into it.

32-bit, machine 1, ABI 69. `.ctrltext` holds a transaction, `.pdi*` sections PDIs, and the dynamic symbols are called after the
argument whose address is patched in: "3" is the first buffer. Sources: XRT elf_patcher.h; aiebu's own files.
"""

from __future__ import annotations

import re

from targetenv.artifacts.aie import GENERATION, merged
from targetenv.artifacts.aie_transaction import is_transaction, read_transaction
from targetenv.artifacts.containers import executable
from targetenv.artifacts.elf32 import is_elf32, read_elf32
from targetenv.artifacts.pdi import is_pdi, read_pdi
from targetenv.artifacts.window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

MACHINE, ABI = 1, 69
_FIRST_BUFFER = 3  # arguments 0 to 2 of a kernel are the operation, the instructions and their count
_CODE = re.compile(r"\.ctrltext(?:\.\d+)*")


def is_aie_elf(data: bytes | memoryview) -> bool:
    """Whether this is an ELF file for an NPU, by its first bytes."""
    return is_elf32(data) and bytes(data[7:8]) == bytes([ABI]) and bytes(data[18:20]) == MACHINE.to_bytes(2, "little")


def inspect_aie_elf(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What the array must be; FormatError TE4803 to TE4807 where the file or what is in it is damaged."""
    elf = read_elf32(data, name)
    requires: list[Requirement] = []
    details: list[tuple[str, str]] = []
    for section in elf.sections:
        if _CODE.fullmatch(section.name) and is_transaction(section.data):
            found = read_transaction(section.data, f"{name}!{section.name}")
            requires += found.requires
            details += [(f"{section.name}: {key}", value) for key, value in found.details]
        elif section.name.startswith(".pdi") and is_pdi(section.data):
            requires += [need for need in read_pdi(section.data, f"{name}!{section.name}").requires if need != GENERATION]
            details.append((section.name, f"PDI, {len(section.data)} bytes"))
    strings, symbols = elf.section(".dynstr"), elf.section(".dynsym")
    if strings is not None and symbols is not None:
        window = Window(strings.data, name, "TE4807")
        rows = Window(symbols.data, name, "TE4807").rows("<IIIBBH", 0, len(symbols.data) // 16, "the symbols")
        names = [window.string(at, len(window), "a symbol's name") for at, *_ in rows]
        buffers = [int(text) - _FIRST_BUFFER for text in names if text.isascii() and text.isdigit() and len(text) < 6]
        details += [("patches", f"the address of buffer {place}") for place in buffers if place >= 0]
    needs = merged(requires) or (GENERATION,)
    return executable(memoryview(data), name=name, digest=digest, executable_format="aie-elf", requires=needs, details=details)
