"""Metal: compiled libraries (`.metallib`), by their header and function list, and source in the Metal shading language.

Apple documents no layout. The one here is what https://github.com/YuAo/MetalLibraryArchive found in Metal.framework: a header
of 88 bytes with the platform and the least version of the system, then a list of functions, each a group of tagged values.
"""

from __future__ import annotations

import re

from targetenv.artifacts.containers import executable
from targetenv.artifacts.inspection import damaged
from targetenv.artifacts.window import Window
from targetenv.model.artifact import Kernel
from targetenv.model.requirement import NeedsFeature, NeedsUnknown, NeedsVersion
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.inspection import Inspection
    from targetenv.model.requirement import Requirement

MAGIC = b"MTLB"
_HEADER = 88
_SYSTEMS = {
    0x81: "macos",
    0x82: "ios",
    0x83: "tvos",
    0x84: "watchos",
    0x85: "bridgeos",
    0x86: "maccatalyst",
    0x87: "ios-simulator",
    0x88: "tvos-simulator",
    0x89: "watchos-simulator",
}
_TYPES = {0: "executable", 1: "Core Image library", 2: "dynamic library", 3: "symbol companion"}
_FUNCTIONS = {0: "vertex", 1: "fragment", 2: "kernel", 3: "unqualified", 4: "visible", 5: "extern", 6: "intersection"}
_KERNEL = 2
_MOST_FUNCTIONS = 1 << 16
LANGUAGE = NeedsUnknown("which version of the Metal language this source needs: it does not say")
_SOURCE = re.compile(rb"#\s*include\s*<metal_\w+>|using\s+namespace\s+metal\s*;")
_SOURCE_KERNEL = re.compile(rb"\bkernel\s+void\s+([A-Za-z_]\w{0,255})\s*\(")
_LOOKED_AT = 4096


def is_source(data: bytes | memoryview) -> bool:
    """Whether this is Metal source: text that includes Metal's headers near its beginning."""
    head = bytes(data[:_LOOKED_AT])
    return b"\0" not in head and _SOURCE.search(head) is not None


def inspect_metal(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """A compiled library's platform, language version and kernels; FormatError TE4809 where it is damaged."""
    window = Window(data, name, "TE4809")
    platform, major, minor, kind, system = window.unpack("<HHHBB", 4, "the library's header")
    os_major, os_minor, size, at, length = window.unpack("<HHQQQ", 12, "the library's header")
    window.part(0, _HEADER, "the library's header")
    if size != len(window):
        raise damaged("TE4809", name, f"the library says that it has {size} bytes, and has {len(window)}")
    functions = tuple(_functions(window, at, length))
    languages = [version for _, _, version in functions if version is not None]
    requires: list[Requirement] = [NeedsVersion("metal", max(languages))] if languages else [LANGUAGE]
    if system in _SYSTEMS:
        requires += [NeedsFeature(_SYSTEMS[system]), NeedsVersion(_SYSTEMS[system], Version(os_major, os_minor))]
    else:
        requires.append(NeedsUnknown("which system this library is for: its header does not say"))
    details = [
        ("type", _TYPES.get(kind, f"type {kind}")),
        ("platform", "macOS" if platform & 0x8000 else "iOS"),
        ("file version", f"{major}.{minor}"),
        ("for", f"{_SYSTEMS.get(system, f'system {system}')} {os_major}.{os_minor} or later"),
        *(("function", f"{text} ({_FUNCTIONS.get(sort, f'type {sort}')})") for text, sort, _ in functions),
    ]
    kernels = tuple(Kernel(text) for text, sort, _ in functions if sort == _KERNEL)
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="metallib",
        requires=requires,
        kernels=kernels,
        details=details,
    )


def inspect_source(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """The kernels that are defined in the text; it is not preprocessed. The language version is for whoever compiles it."""
    names = dict.fromkeys(found.decode() for found in _SOURCE_KERNEL.findall(bytes(data)))
    kernels = tuple(Kernel(text) for text in names)
    details = [("kernel", text) for text in names]
    return executable(
        memoryview(data),
        name=name,
        digest=digest,
        executable_format="msl",
        requires=(LANGUAGE,),
        kernels=kernels,
        details=details,
    )


def _functions(window: Window, at: int, length: int) -> Iterator[tuple[str, int, Version | None]]:
    """Name, type and language version of every function."""
    window.part(at, 4 + length, "the function list")
    (count,) = window.unpack("<I", at, "the function list")
    if count > _MOST_FUNCTIONS:
        raise damaged("TE4809", window.name, f"{count} functions are more than the {_MOST_FUNCTIONS} that are read")
    functions = Window(window.part(at + 4, length, "the function list"), window.name, "TE4809")
    place = 0
    for _ in range(count):
        found, place = _function(functions, place + 4)  # behind the group's size, which its end tag says again
        yield found


def _function(tags: Window, at: int) -> tuple[tuple[str, int, Version | None], int]:
    """The group of tags that begins at `at`, and where it ends."""
    text, sort, version = "", -1, None
    while (tag := bytes(tags.part(at, 4, "a tag"))) != b"ENDT":
        (size,) = tags.unpack("<H", at + 4, "a tag's size")
        content = Window(tags.part(at + 6, size, "a tag's contents"), tags.name, "TE4809")
        match tag:
            case b"NAME":
                text = content.string(0, len(content), "a function's name")
            case b"TYPE":
                (sort,) = content.unpack("<B", 0, "a function's type")
            case b"VERS":
                _, _, major, minor = content.unpack("<4H", 0, "a function's versions")
                version = Version(major, minor)
        at += 6 + size
    return (text, sort, version), at + 4
