"""Static libraries (`ar` archives), of which the objects matter that carry code for accelerators.

Both ways of writing long names are read: a table of names (System V, GNU), and names in front of the contents (BSD). Source:
ar(5) of FreeBSD, LLVM's Object/Archive.cpp.
"""

from __future__ import annotations

from targetenv.artifacts.containers import container, member
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.containers import Budget
    from targetenv.artifacts.inspection import Inspection, Member

MAGIC = b"!<arch>\n"
_CODE = "TE4052"
_HEADER, _END = 60, b"`\n"
_NAMES = "//"
_TABLES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64")
_IN_FRONT = "#1/"
_LONGEST_NAME = 1 << 12


def inspect_library(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The objects with code for accelerators or of a kind that something loads; FormatError TE4052 where it is damaged."""
    members: list[Member] = []
    seen: dict[str, int] = {}
    for called, contents in _files(memoryview(data), name):
        seen[called] = seen.get(called, 0) + 1
        unique = called if seen[called] == 1 else f"{called} #{seen[called]}"
        found = member(contents, name=unique, within=name, budget=budget)
        if found.inspection.artifacts:
            members.append(found)
    count = sum(seen.values())
    details = [("files", str(count)), ("with executables", str(len(members)))]
    return container("static-library", members, details=details)


def _files(data: memoryview, name: str) -> Iterator[tuple[str, memoryview]]:
    """Name and contents of every file but the tables of symbols and names."""
    window = Window(data, name, _CODE)
    names = memoryview(b"")
    at = len(MAGIC)
    while at < len(window):
        header = bytes(window.part(at, _HEADER, "a file's header"))
        if header[58:] != _END:
            raise damaged(_CODE, name, f"no file of the library begins at byte {at}")
        size = _number(header[48:58], "the size", at, name)
        contents = window.part(at + _HEADER, size, "a file of the library")
        called = header[:16].decode("latin-1").rstrip()
        at += _HEADER + size + size % 2
        if called == _NAMES:
            names = contents
        elif called.startswith(_IN_FRONT):
            length = _number(called[len(_IN_FRONT) :].encode(), "the name's size", at, name)
            called = (
                bytes(Window(contents, name, _CODE).part(0, length, "a file's name")[:_LONGEST_NAME])
                .rstrip(b"\0")
                .decode("latin-1")
            )
            contents = contents[length:]
        elif called[:1] == "/" and called[1:].isdecimal():
            called = _long_name(names, int(called[1:]), name)
        if called not in (_NAMES, *_TABLES):
            yield called.removesuffix("/"), contents


def _long_name(names: memoryview, at: int, name: str) -> str:
    """The name at that place of the table, where each ends with `/` and a line break."""
    found = bytes(names[at : at + _LONGEST_NAME]).partition(b"\n")[0] if at < len(names) else b""
    if not found:
        raise damaged(_CODE, name, f"a file of the library has its name at byte {at} of a table of {len(names)} bytes")
    return found.rstrip(b"\0").decode("latin-1")


def _number(text: bytes, what: str, at: int, name: str) -> int:
    digits = text.decode("latin-1").strip()
    if not (digits.isascii() and digits.isdecimal()):
        raise damaged(_CODE, name, f"{what} before byte {at} of the library is `{digits}`, which is no number")
    return int(digits)
