"""The container of a package: a ZIP of plainly stored, aligned members, as bytes.

`unzip` and `zipfile` read what `pack` makes. `members` reads only that narrow form and refuses everything else, so there is one
way to understand a package: members are contiguous from byte 0, named once, neither compressed nor encrypted, and the central
directory agrees with the local headers. Source of the layout: PKWARE APPNOTE 6.3.10, 4.3.
"""

from __future__ import annotations

import struct
from binascii import crc32

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Source
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

ALIGNMENT = 64  # of every member's first byte: a cache line, and what vector loads and drivers ask for
MAX_MEMBERS = 16_384

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_LOCAL_MAGIC, _CENTRAL_MAGIC, _END_MAGIC = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_PLAIN = 10  # version needed to extract 1.0: stored members, no folders, no encryption
_UNIX_FILE = 0o100644 << 16
_FIRST_OF_1980 = 0x21  # MS-DOS date; the time is zero
_PADDING = struct.Struct("<HHH")  # extra field 0xD935: the ZIP alignment field, an alignment and then zeros
_PADDING_ID = 0xD935
_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.@$/")


@record
class Member:
    """One member: its payload is `data[offset : offset + size]`."""

    name: str
    offset: int
    size: int
    crc: int


def pack(contents: Iterable[tuple[str, bytes]]) -> bytes:
    """A container with these members in this order; the same contents give the same bytes.

    >>> [member.name for member in members(pack([("a.json", b"{}"), ("k/v.so", b"ELF")]), name="x.tenv")]
    ['a.json', 'k/v.so']
    """
    out = bytearray()
    directory = bytearray()
    count = 0
    for name, payload in contents:
        encoded = name.encode("ascii")
        start = len(out)
        unpadded = start + _LOCAL.size + len(encoded) + _PADDING.size
        zeros = -unpadded % ALIGNMENT
        extra = _PADDING.pack(_PADDING_ID, 2 + zeros, ALIGNMENT) + bytes(zeros)
        facts = (_PLAIN, 0, 0, 0, _FIRST_OF_1980, crc32(payload), len(payload), len(payload), len(encoded))
        out += _LOCAL.pack(_LOCAL_MAGIC, *facts, len(extra)) + encoded + extra + payload
        directory += _CENTRAL.pack(_CENTRAL_MAGIC, 3 << 8 | 30, *facts, 0, 0, 0, 0, _UNIX_FILE, start) + encoded
        count += 1
    if len(out) + len(directory) >= 0xFFFFFFFF or count > MAX_MEMBERS:
        raise FormatError(Diagnostic("TE4406", f"a package holds at most 4 GiB and {MAX_MEMBERS} members"))
    return bytes(out + directory + _END.pack(_END_MAGIC, 0, 0, count, count, len(directory), len(out), 0))


def members(data: bytes | memoryview, *, name: str) -> tuple[Member, ...]:
    """The members of the container in `data`, in order; `name` is what diagnostics call the file (TE4401 to TE4406)."""
    view = memoryview(data)
    if view[:4] != _LOCAL_MAGIC:
        what = "is empty" if not view else "does not begin like one"
        raise refusal("TE4401", f"not a package: the file {what}", name, "build one with `targetenv build` or `targetenv pack`")
    if len(view) < _END.size or view[-_END.size : -_END.size + 4] != _END_MAGIC:
        raise refusal("TE4402", "the package ends before its directory does", name, "copy or build it again")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(view, len(view) - _END.size)
    if 0xFFFF in (disk, first_disk, here, count) or 0xFFFFFFFF in (size, start):
        raise refusal("TE4406", "the package claims to be a ZIP64 archive, which no package is", name)
    if disk or first_disk or here != count or comment:
        raise refusal("TE4403", "the package's end record contradicts itself", name)
    if count > MAX_MEMBERS:
        raise refusal("TE4406", f"the package claims {count} members; at most {MAX_MEMBERS} are read", name)
    if start + size != len(view) - _END.size or size < count * _CENTRAL.size:
        raise refusal("TE4403", "the package's directory is not where its end record says", name)
    found: dict[str, Member] = {}
    at, cursor = start, 0
    for _ in range(count):
        member, at, cursor = _member(view, at, start + size, cursor, start, name)
        if member.name in found:
            raise refusal("TE4405", f"the package has two members called `{member.name}`", name)
        found[member.name] = member
    if at != start + size or cursor != start:
        raise refusal("TE4403", "the package holds bytes that belong to no member", name)
    return tuple(found.values())


def refusal(code: str, message: str, name: str, advice: str = "") -> FormatError:
    """The error about the file called `name`; what a hostile file put into `message` is cut and made printable."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in message[:400])
    return FormatError(Diagnostic(code, shown, Source(name, ""), help=advice))


def _member(view: memoryview, at: int, end: int, cursor: int, limit: int, name: str) -> tuple[Member, int, int]:
    """The member whose central record is at `at` and whose local header must be at `cursor`; then both for the next one."""
    if at + _CENTRAL.size > end:
        raise refusal("TE4403", "the package's directory ends inside a record", name)
    magic, _, *facts, comment, disk, _, _, offset = _CENTRAL.unpack_from(view, at)
    needed, flags, method, _, _, crc, packed, size, name_length, extra = facts
    at += _CENTRAL.size
    if magic != _CENTRAL_MAGIC or comment or disk or extra or at + name_length > end:
        raise refusal("TE4403", "the package's directory has a record that no package has", name)
    called = _checked_name(bytes(view[at : at + name_length]), name)
    if flags or method or needed != _PLAIN:
        how = "encrypted" if flags & 1 else "compressed" if method else "stored in a way that no package uses"
        raise refusal("TE4404", f"member `{called}` is {how}", name, "package members are stored as they are: pack it again")
    if 0xFFFFFFFF in (packed, size, offset):
        raise refusal("TE4406", f"member `{called}` claims ZIP64 sizes, which no package has", name)
    if offset != cursor or offset + _LOCAL.size + name_length > limit or packed != size:
        raise refusal("TE4403", f"member `{called}` is not where the directory says", name)
    local_magic, *local, local_extra = _LOCAL.unpack_from(view, offset)
    payload = offset + _LOCAL.size + name_length + local_extra
    same_name = view[offset + _LOCAL.size : offset + _LOCAL.size + name_length] == view[at : at + name_length]
    if local_magic != _LOCAL_MAGIC or local != facts[:-1] or not same_name:
        raise refusal("TE4403", f"member `{called}` and its directory record contradict each other", name)
    if payload + size > limit:
        raise refusal("TE4402", f"member `{called}` ends beyond the end of the package", name, "copy or build it again")
    if payload % ALIGNMENT:
        raise refusal("TE4411", f"member `{called}` is not aligned to {ALIGNMENT} bytes", name, "pack it again with targetenv")
    return Member(called, payload, size, crc), at + name_length, payload + size


def _checked_name(raw: bytes, name: str) -> str:
    parts = raw.split(b"/")
    if not _NAME.issuperset(raw) or any(part in (b"", b".", b"..") for part in parts):
        shown = raw[:80].decode("ascii", "backslashreplace")
        raise refusal("TE4405", f"`{shown}` is not a name that a member of a package may have", name)
    return raw.decode("ascii")
