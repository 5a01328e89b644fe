"""Objects, executables and shared objects for a CPU, which may carry code for accelerators in sections of their own.

What the CPU part needs is `elf_objects`' to say; here the sections are opened that nvcc, clang and hipcc fill. Sections are the
only way to device code without running the program: what registers it is code.
"""

from __future__ import annotations

import re

from targetenv.artifacts.compressed_bundle import bundle_size
from targetenv.artifacts.containers import container, member
from targetenv.artifacts.elf_objects import inspect_elf
from targetenv.artifacts.elf_sections import Sections
from targetenv.artifacts.fatbin import fatbin_size
from targetenv.artifacts.inspection import Inspection, Member
from targetenv.artifacts.offload_binary import binary_size
from targetenv.artifacts.offload_bundle import entry_member, unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv.artifacts.containers import Budget

#: section -> what says how long each thing is that stands in it, one behind another
_SECTIONS: dict[str, Callable[[memoryview, int, str], int]] = {
    ".nv_fatbin": fatbin_size,
    "__nv_fatbin": fatbin_size,
    "__nv_relfatbin": fatbin_size,
    ".llvm.offloading": binary_size,
    ".llvm.offloading.relocatable": binary_size,
    ".hip_fatbin": bundle_size,
}
_BUNDLE = "__CLANG_OFFLOAD_BUNDLE__"  # and an entry ID: sections that the bundler adds to an object of the host
_NOT_ZERO = re.compile(rb"[^\0]")
_WRAPPERS, _WRAPPER, _WRAPPER_SIZE, _MOST_WRAPPERS = ".nvFatBinSegment", bytes.fromhex("b1436246"), 24, 1 << 16
_CODE = "TE4202"
_ALIGNMENT = 8


def inspect_host(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The CPU code, and the code for accelerators in it; FormatError TE42xx where the file is damaged, others as for that."""
    view = memoryview(data)
    own = inspect_elf(data, name=name, digest=budget.digest(data))
    sections = Sections(data, name, _CODE)
    images = tuple(_images(sections, name, budget))
    if not images:
        return own
    details = [*own.details, *_registered(sections)]
    if not own.artifacts:  # an object or a program: the code for the host is not what it is looked at for
        return container(own.format, images, details=details)
    return container(own.format, (Member("host", own, view), *images), details=details)


def _registered(sections: Sections) -> list[tuple[str, str]]:
    """How many fatbins the program hands to the CUDA runtime when it starts: each has a wrapper that points to it."""
    section = sections.named(_WRAPPERS)
    data = section.data if section is not None else memoryview(b"")
    count = sum(
        bytes(data[at : at + 4]) == _WRAPPER for at in range(0, min(len(data), _MOST_WRAPPERS * _WRAPPER_SIZE), _WRAPPER_SIZE)
    )
    return [("registers", f"{count} fatbin{'s' * (count != 1)} ({_WRAPPERS})")] if count else []


def _images(sections: Sections, name: str, budget: Budget) -> Iterator[Member]:
    """What the sections hold, called after them and numbered within each; entries of a bundle are called after their IDs."""
    bundled = [
        (row.name.removeprefix(_BUNDLE), row.offset, row.data)
        for row in sections.rows
        if row.name.startswith(_BUNDLE) and not row.name.startswith(f"{_BUNDLE}host-")
    ]
    for entry_id, at, part in unique(bundled):
        yield entry_member(entry_id, part, at, name=name, budget=budget)
    for section in sections.rows:
        if section.name not in _SECTIONS or not len(section.data):
            continue
        size_of = _SECTIONS[section.name]
        at, place = 0, 0
        while (at := _next(section.data, at)) < len(section.data):
            size = size_of(section.data, at, f"{name}!{section.name}")
            place += 1
            called = f"{section.name}#{place}"
            yield member(section.data[at : at + size], name=called, within=name, budget=budget, offset=section.offset + at)
            at += size


def _next(data: memoryview, at: int) -> int:
    """Where the next image begins: linkers pad between those of different objects with zeros."""
    found = _NOT_ZERO.search(data, at)
    return len(data) if found is None else found.start() // _ALIGNMENT * _ALIGNMENT
