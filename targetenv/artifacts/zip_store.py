"""The members of a ZIP archive that stores them without compression, ZIP64 included. Nothing is ever decompressed.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16 and 4.5.3.
"""

from __future__ import annotations

from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.record import record

LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END_64, _LOCATOR_64 = b"PK\x06\x06", b"PK\x06\x07"
_LONGEST_END = 22 + 0xFFFF
_MOST_MEMBERS = 1 << 16
_ABSENT_16, _ABSENT_32 = 0xFFFF, 0xFFFFFFFF
_EXTRA_64 = 1


@record
class StoredMember:
    """One member: its name, and where its bytes are in the archive."""

    name: str
    offset: int
    size: int


def first_content(data: bytes | memoryview) -> int:
    """Where the first member's bytes begin when this is a ZIP archive, else 0; only the first header is looked at."""
    head = bytes(data[:30])
    if len(head) < 30 or head[:4] != LOCAL:
        return 0
    return 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")


def members(window: Window) -> tuple[StoredMember, ...]:
    """Every member in the archive's order; FormatError with the window's code where the archive is damaged or compressed."""
    count, size, at = _directory(window)
    if count > _MOST_MEMBERS or count * 46 > size:
        raise damaged(window.code, window.name, f"the archive says that it has {count} members, in {size} bytes of directory")
    end = at + size
    window.part(at, size, "the archive's directory")
    found = []
    for _ in range(count):
        if bytes(window.part(at, 4, "a directory entry")) != _CENTRAL:
            raise damaged(window.code, window.name, f"the archive's directory has no entry at byte {at}")
        flags, method = window.unpack("<HH", at + 8, "a directory entry")
        stored, full, name_size, extra_size, comment_size = window.unpack("<IIHHH", at + 20, "a directory entry")
        (header,) = window.unpack("<I", at + 42, "a directory entry")
        name = str(window.part(at + 46, name_size, "a member's name"), "utf-8", "replace")
        extra = window.part(at + 46 + name_size, extra_size, "a member's extra field")
        full, stored, header = _wide(extra, window, full, stored, header)
        if method != 0 or flags & 1 or stored != full:
            message = f"member `{name}` is compressed or encrypted, which members of an IREE module never are"
            raise damaged(window.code, window.name, message)
        found.append(StoredMember(name, _content(window, header, full), full))
        at += 46 + name_size + extra_size + comment_size
        if at > end:
            raise damaged(window.code, window.name, "the archive's directory is longer than it says")
    return tuple(found)


def _content(window: Window, header: int, size: int) -> int:
    if bytes(window.part(header, 4, "a member's header")) != LOCAL:
        raise damaged(window.code, window.name, f"the archive has no member at byte {header}")
    name_size, extra_size = window.unpack("<HH", header + 26, "a member's header")
    offset = int(header + 30 + name_size + extra_size)
    window.part(offset, size, "a member")
    return offset


def _directory(window: Window) -> tuple[int, int, int]:
    """Entries, bytes and place of the central directory."""
    tail = max(0, len(window) - _LONGEST_END)
    at = bytes(window.data[tail:]).rfind(_END)
    if at < 0:
        raise damaged(window.code, window.name, "the archive has no directory: the file was cut off or changed")
    at += tail
    count, size, start, _ = window.unpack("<HIIH", at + 10, "the end of the archive")
    if count == _ABSENT_16 or _ABSENT_32 in (size, start):
        if bytes(window.part(at - 20, 4, "the end of the archive")) != _LOCATOR_64:
            raise damaged(window.code, window.name, "the archive has no 64-bit directory where it must have one")
        (end,) = window.unpack("<Q", at - 12, "the end of the archive")
        if bytes(window.part(end, 4, "the 64-bit end of the archive")) != _END_64:
            raise damaged(window.code, window.name, "the archive has no 64-bit directory where it must have one")
        count, size, start = window.unpack("<QQQ", end + 32, "the 64-bit end of the archive")
    return count, size, start


def _wide(extra: memoryview, window: Window, *numbers: int) -> tuple[int, ...]:
    """The numbers, those that do not fit in 32 bits taken from the 64-bit extra field, in the field's order."""
    if _ABSENT_32 not in numbers:
        return numbers
    fields = Window(extra, window.name, window.code)
    at = 0
    while at < len(fields):
        kind, size = fields.unpack("<HH", at, "an extra field")
        if kind == _EXTRA_64:
            wide = Window(fields.part(at + 4, size, "an extra field"), window.name, window.code)
            found, place = [], 0
            for number in numbers:
                if number == _ABSENT_32:
                    (number,) = wide.unpack("<Q", place, "a 64-bit size")
                    place += 8
                found.append(number)
            return tuple(found)
        at += 4 + size
    return numbers
