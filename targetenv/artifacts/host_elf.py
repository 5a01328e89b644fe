"""Objects, executables and shared objects for a CPU, which may carry code for accelerators in sections of their own.

What the CPU part needs is `elf_objects`' to say; here the sections are opened that nvcc, clang and hipcc fill. Sections are the
only way to device code without running the program: what registers it is code.
"""

from __future__ import annotations

from targetenv.artifacts.containers import container, member
from targetenv.artifacts.cuda import FATBIN_MAGIC
from targetenv.artifacts.elf_objects import inspect_elf
from targetenv.artifacts.elf_sections import Sections
from targetenv.artifacts.fatbin import fatbin_size
from targetenv.artifacts.inspection import Inspection, Member
from targetenv.artifacts.offload_binary import MAGIC as OFFLOAD_MAGIC
from targetenv.artifacts.offload_binary import binary_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv.artifacts.containers import Budget

#: section -> first bytes of what is in it, one behind another, and what says how long each is
_SECTIONS: dict[str, tuple[bytes, Callable[[memoryview, int, str], int]]] = {
    ".nv_fatbin": (FATBIN_MAGIC, fatbin_size),
    "__nv_relfatbin": (FATBIN_MAGIC, fatbin_size),
    ".llvm.offloading": (OFFLOAD_MAGIC, binary_size),
    ".llvm.offloading.relocatable": (OFFLOAD_MAGIC, binary_size),
}
_CODE = "TE4202"
_ALIGNMENT = 8


def inspect_host(data: bytes | memoryview, *, name: str, digest: str, budget: Budget) -> Inspection:
    """The CPU code, and the code for accelerators in it; FormatError TE42xx where the file is damaged, others as for that."""
    own = inspect_elf(data, name=name, digest=digest)
    view = memoryview(data)
    images = tuple(_images(view, name, budget))
    if not images:
        return own
    if not own.artifacts:  # an object or a program: the code for the host is not what it is looked at for
        return container(own.format, images, details=own.details)
    return container(own.format, (Member("host", own, view), *images), details=own.details)


def _images(data: memoryview, name: str, budget: Budget) -> Iterator[Member]:
    """What the sections hold, called after them and numbered within each."""
    for section in Sections(data, name, _CODE).rows:
        if section.name not in _SECTIONS or not len(section.data):
            continue
        magic, size_of = _SECTIONS[section.name]
        at, place = 0, 0
        while (at := _next(section.data, magic, at)) < len(section.data):
            size = size_of(section.data, at, f"{name}!{section.name}")
            place += 1
            called = f"{section.name}.{place}"
            yield member(section.data[at : at + size], name=called, within=name, budget=budget)
            at += size


def _next(data: memoryview, magic: bytes, at: int) -> int:
    """Where the next image begins: linkers pad between those of different objects with zeros."""
    at = -(-at // _ALIGNMENT) * _ALIGNMENT
    while at < len(data) and bytes(data[at : at + len(magic)]) != magic and not any(data[at : at + _ALIGNMENT]):
        at += _ALIGNMENT
    return at
