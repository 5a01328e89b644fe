"""Clang's offload bundles: one file with code for the host and for every GPU, each under an entry ID such as
`hipv4-amdgcn-amd-amdhsa--gfx90a:xnack+`.

Binary ones begin with a magic text and a table. Textual ones hold sources or assembly between two comment lines. Source:
ClangOffloadBundler.rst. Nobody checks an ID against the code under it when a bundle is made.
"""

from __future__ import annotations

import re

from targetenv.artifacts.containers import Budget, container, member
from targetenv.artifacts.inspection import Inspection, Member, damaged
from targetenv.artifacts.window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"
_TABLE = len(MAGIC) + 8
_LONGEST_ID, _TIMES_OVER = 1024, 4
_TEXT_WITHIN = 4096  # of the beginning, the first comment line of a textual bundle
_LINE = re.compile(rb"^[^\n]{0,16}?" + MAGIC + rb"__(START|END)__ ([^\n]{0,1024})\r?\n?", re.MULTILINE)
_BITCODE = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")


def is_bundle(data: bytes | memoryview) -> bool:
    """Whether this is a binary bundle, or begins like a textual one."""
    return bytes(data[: len(MAGIC)]) == MAGIC or _LINE.search(bytes(data[:_TEXT_WITHIN])) is not None


def inspect_bundle(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """Every entry, under its ID; FormatError TE4064 where the table lies, and what reading an entry raises."""
    if bytes(data[: len(MAGIC)]) != MAGIC:
        return _textual(bytes(data), name, budget)
    entries, _ = read_table(memoryview(data), name)
    members = [
        entry_member(entry_id, part, at, name=name, budget=budget) for entry_id, at, part in unique(entries) if len(part)
    ]
    details = [("entry", f"{entry_id}, {len(part)} bytes") for entry_id, _, part in entries]
    return container("offload-bundle", members, details=details)


def read_table(data: memoryview, name: str) -> tuple[list[tuple[str, int, memoryview]], int]:
    """ID, offset and bytes of every entry, and where the last of them ends; FormatError TE4064."""
    window = Window(data, name, "TE4064")
    (count,) = window.unpack("<Q", len(MAGIC), "the bundle's header")
    if count * 24 > len(window):
        raise damaged("TE4064", name, f"the bundle says {count} entries, more than fit into its {len(window)} bytes")
    found = []
    at, end, total = _TABLE, _TABLE, 0
    for place in range(count):
        what = f"entry {place} of the bundle"
        offset, size, length = window.unpack("<QQQ", at, what)
        if length > _LONGEST_ID:
            raise damaged("TE4064", name, f"{what} has an ID of {length} bytes")
        entry_id = bytes(window.part(at + 24, length, f"the ID of {what}")).decode("utf-8", "replace")
        found.append((entry_id, int(offset), window.part(offset, size, what)))
        at += 24 + length
        end = max(end, at, offset + size)
        total += size
    if total > _TIMES_OVER * len(window):
        raise damaged("TE4064", name, "the entries of the bundle lie over one another")
    return found, end


def unique(entries: list[tuple[str, int, memoryview]]) -> Iterator[tuple[str, int, memoryview]]:
    """The entries, those that repeat an ID numbered."""
    seen: dict[str, int] = {}
    for entry_id, at, part in entries:
        seen[entry_id] = seen.get(entry_id, 0) + 1
        yield (entry_id if seen[entry_id] == 1 else f"{entry_id} #{seen[entry_id]}"), at, part


def entry_member(entry_id: str, part: memoryview, at: int | None, *, name: str, budget: Budget) -> Member:
    """One entry, read by whichever reader knows it; its ID is what the bundle claims about it."""
    stated = "llvm-bitcode" if bytes(part[:4]) in _BITCODE else None
    return member(part, name=entry_id, within=name, budget=budget, stated=stated, label=entry_id, offset=at)


def _textual(data: bytes, name: str, budget: Budget) -> Inspection:
    """Sources or assembly: what they are is not looked at."""
    members: list[Member] = []
    opened: tuple[str, int] | None = None
    for mark in _LINE.finditer(data):
        entry_id = mark[2].decode("utf-8", "replace").strip()
        if mark[1] == b"START" and opened is None:
            opened = entry_id, mark.end()
        elif mark[1] == b"END" and opened is not None and opened[0] == entry_id:
            budget.take(1, name)
            text = memoryview(data)[opened[1] : mark.start()]
            members.append(
                Member(entry_id, Inspection("text", details=(("size", f"{len(text)} bytes"),)), text, offset=opened[1])
            )
            opened = None
        else:
            raise damaged(
                "TE4064", name, f"`{mark[1].decode()} {entry_id}` at byte {mark.start()} of the bundle is out of turn"
            )
    if opened is not None:
        raise damaged("TE4064", name, f"entry `{opened[0]}` of the bundle does not end")
    return container("offload-bundle", members, details=[("entry", f"{row.name}, text") for row in members])
