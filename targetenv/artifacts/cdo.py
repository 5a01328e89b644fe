"""CDO: the list of register writes that configures an array of AI engines.

Layout: a header of five words (4, `CDO`, version 2.0, words that follow, complement of the sum of the first four), then
commands: word 0 holds the number in bits 7:0, the module in 15:8, the length in words in 23:16 (255: in the next word).
Sources: XRT load_pdi.h and cdo_cmd.h; the files that bootgen writes.
"""

from __future__ import annotations

from struct import unpack

from targetenv.artifacts.aie import GENERATION, Extent
from targetenv.artifacts.containers import executable
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts.inspection import Inspection

MAGIC = b"CDO\0"
_HEADER = 20
_MODULE = 1
_LONG = 255
#: Command of module 1 -> its name, where its address is: None, words (low) or (high, low)
_COMMANDS: dict[int, tuple[str, tuple[int, ...]]] = {
    1: ("mask poll", (1,)),
    2: ("mask write", (1,)),
    3: ("write", (1,)),
    5: ("block write", (1, 2)),
    6: ("mask poll 64", (1, 2)),
    7: ("mask write 64", (1, 2)),
    8: ("write 64", (1, 2)),
    17: ("no operation", ()),
}


@record
class Cdo:
    """What a CDO does: how often each command comes, by name, and which tiles it writes to."""

    commands: tuple[tuple[str, int], ...]
    extent: Extent


def is_cdo(data: bytes | memoryview) -> bool:
    """Whether this begins as a CDO does."""
    return bytes(data[4:8]) == MAGIC and bytes(data[:4]) == b"\x04\0\0\0"


def read_cdo(data: bytes | memoryview, name: str) -> Cdo:
    """The commands; FormatError TE4804 where they do not fit the sizes that are stated."""
    window = Window(data, name, "TE4804")
    head = window.unpack("<5I", 0, "the CDO's header")
    if head[0] != 4 or head[1] != int.from_bytes(MAGIC, "little") or head[2] != 0x200:
        raise damaged("TE4804", name, f"this is no CDO of version 2.0: its header says {head[2]:#x}")
    if head[4] != ~sum(head[:4]) & 0xFFFFFFFF:
        raise damaged("TE4804", name, "the checksum of the CDO's header is wrong")
    raw = window.part(_HEADER, 4 * head[3], "the CDO's commands")
    words = unpack(f"<{head[3]}I", raw)
    counted: dict[str, int] = {}
    addresses: set[int] = set()
    at = 0
    while at < len(words):
        start, length = at + 1, words[at] >> 16 & 0xFF
        if length == _LONG:
            length = words[start] if start < len(words) else len(words)
            start += 1
        if start + length > len(words):
            raise damaged("TE4804", name, f"the command at word {at} has {length} words, more than are left")
        number, module = words[at] & 0xFF, words[at] >> 8 & 0xFF
        what, place = _COMMANDS.get(number, ("", ())) if module == _MODULE else ("", ())
        what = what or f"command {module}.{number}"
        counted[what] = counted.get(what, 0) + 1
        if place:
            if length < len(place):
                raise damaged("TE4804", name, f"the command `{what}` at word {at} is too short")
            addresses.add(words[start + len(place) - 1])  # the high half is the array's base
        at = start + length
    return Cdo(tuple(counted.items()), Extent.of(addresses))


def inspect_cdo(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What the array must have; a CDO alone is loaded by nothing, so it is mostly found inside of PDIs."""
    found = read_cdo(data, name)
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="cdo",
        requires=(*found.extent.requirements(), GENERATION),
        details=details_of(found),
    )


def details_of(found: Cdo) -> list[tuple[str, str]]:
    """The facts for people."""
    details = [("commands", ", ".join(f"{count} {what}" for what, count in found.commands) or "none")]
    if found.extent.columns:
        details.append(("reaches", f"{found.extent.columns} columns, {found.extent.rows} rows"))
    return details
