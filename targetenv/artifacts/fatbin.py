"""Fat binaries: PTX and cubins for several NVIDIA architectures behind one another, each with a header of its own.

NVIDIA documents no layout. Where the fields are was found by comparing what nvcc and fatbinary of CUDA 11.8 to 13.5 write with
what cuobjdump says of it; bits that no file had set are not interpreted. `a` and `f` are in the entry's flags, and `f` is only
there: the cubin itself does not store it.
"""

from __future__ import annotations

from targetenv.artifacts.containers import adjusted, container, executable, member
from targetenv.artifacts.cuda import FATBIN_MAGIC
from targetenv.artifacts.decompress import decompress_lz4, decompress_zstd
from targetenv.artifacts.inspection import Inspection, Member, damaged, odd
from targetenv.artifacts.window import Window
from targetenv.match.unknowns import CLOSED_KIND, COMPRESSED
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsIsa, NeedsVersion
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.containers import Budget
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.artifact import Artifact
    from targetenv.model.requirement import Requirement

_CODE = "TE4042"
_VERSION = 1
_HEADER, _LEAST_ENTRY = 16, 64
_PTX, _ELF, _LTO = 1, 2, 8
_KINDS = {_PTX: "ptx", _ELF: "cubin", _LTO: "lto"}
_DEBUG, _LZ4, _ZSTD, _A, _F = 1 << 1, 1 << 13, 1 << 15, 1 << 20, 1 << 21
_MOST_OPTIONS = 1 << 16


@record
class Entry:
    """One entry: what its header says, and its image as it lies in the file."""

    kind: int
    version: Version
    number: int
    flags: int
    size: int
    options: str
    image: memoryview
    place: int

    @property
    def architecture(self) -> str:
        """`sm_90a`"""
        return f"sm_{self.number}{'a' if self.flags & _A else 'f' if self.flags & _F else ''}"

    @property
    def format(self) -> str:
        """`ptx`, `cubin` or `lto`; `kind 5` where none of them."""
        return _KINDS.get(self.kind, f"kind {self.kind}")


def fatbin_size(data: memoryview, at: int, name: str) -> int:
    """How many bytes the fatbin at `at` takes; FormatError TE4042 where none begins there or it goes on behind the end."""
    window = Window(data, name, _CODE)
    magic, version, header, size = window.unpack("<4sHHQ", at, "the fatbin's header")
    if magic != FATBIN_MAGIC or version != _VERSION or header < _HEADER:
        raise damaged(
            _CODE, name, f"at byte {at} is no fatbin of version {_VERSION}, but `{bytes(data[at : at + 8]).hex(' ')}`"
        )
    window.part(at, header + size, "the fatbin")
    return int(header + size)


def inspect_fatbin(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """Its images, each read by what is in it; FormatError TE4042 where it is damaged, TE4044 warns where a header is wrong."""
    view = memoryview(data)
    members: list[Member] = []
    warnings: list[Diagnostic] = []
    places: dict[str, int] = {}
    details: list[tuple[str, str]] = []
    for entry in _entries(view[: fatbin_size(view, 0, name)], name):
        places[entry.format] = places.get(entry.format, 0) + 1
        called = f"{places[entry.format]}.{entry.architecture}.{entry.format.replace(' ', '')}"
        details.append((called, _said(entry)))
        found = _read(entry, called, name, budget)
        warnings += _disagreements(entry, found, f"{name}!{called}")
        members.append(adjusted(found, lambda artifact, entry=entry: _labelled(artifact, entry)))  # type: ignore[misc]
    return container("fatbin", members, diagnostics=warnings, details=details)


def _entries(data: memoryview, name: str) -> Iterator[Entry]:
    window = Window(data, name, _CODE)
    (at,) = window.unpack("<H", 6, "the fatbin's header")
    while at < len(window):
        what = "an entry of the fatbin"
        kind, _, header, padded = window.unpack("<HHIQ", at, what)
        if header < _LEAST_ENTRY:
            raise damaged(
                _CODE, name, f"the entry at byte {at} of the fatbin has a header of {header} bytes, not {_LEAST_ENTRY}"
            )
        window.part(at, header + padded, what)
        compressed, options, minor, major, number, _, _, flags, _, size = window.unpack("<IIHHIIIQQQ", at + 16, what)
        image = window.part(at + header, padded, what)
        if flags & (_LZ4 | _ZSTD):
            image = window.part(at + header, min(compressed, padded), what)
        yield Entry(kind, Version(major, minor), number, flags, size, _options(window, at, options, header), image, at + header)
        at += header + padded


def _options(window: Window, at: int, field: int, header: int) -> str:
    """What ptxas is to be told when it compiles the entry: offset and size at `field`, the text within the header."""
    if not field or field + 8 > header:
        return ""
    offset, size = window.unpack("<II", at + field, "an entry's options")
    if size > _MOST_OPTIONS or offset + size > header:
        return ""
    text = bytes(window.part(at + offset, size, "an entry's options"))
    return text.rstrip(b"\0 ").decode("latin-1") if text.isascii() and b"\0" not in text.rstrip(b"\0") else ""


def _said(entry: Entry) -> str:
    """What the header says beside the architecture."""
    packed = "zstd" if entry.flags & _ZSTD else "LZ4" if entry.flags & _LZ4 else ""
    facts = [f"PTX {entry.version}"] if entry.kind == _PTX else []
    facts.append(f"{packed}, {len(entry.image)} of {entry.size} bytes" if packed else f"{len(entry.image)} bytes")
    facts += ["with debug information"] if entry.flags & _DEBUG else []
    facts += [f"ptxas options `{entry.options}`"] if entry.options else []
    return ", ".join(facts)


def _read(entry: Entry, called: str, within: str, budget: Budget) -> Member:
    image = entry.image
    if entry.kind not in (_PTX, _ELF):
        budget.take(1, within)
        return Member(called, _closed(entry, f"{within}!{called}", budget), image)
    if entry.flags & (_LZ4 | _ZSTD):
        budget.inflate(entry.size, within)
        decompress = decompress_zstd if entry.flags & _ZSTD else decompress_lz4
        plain = decompress(image, entry.size, name=f"{within}!{called}", code=_CODE)
        if plain is None:
            budget.take(1, within)
            return Member(called, _unread(entry, f"{within}!{called}", budget), image)
        image = memoryview(plain)
    place = None if entry.flags & (_LZ4 | _ZSTD) else entry.place
    return member(image, name=called, within=within, budget=budget, stated=entry.format, label=entry.architecture, offset=place)


def _stated(entry: Entry) -> list[Requirement]:
    """What the header says that the image needs."""
    if entry.kind == _PTX:
        return [NeedsVersion("ptx", entry.version), NeedsIsa(entry.architecture.replace("sm_", "compute_"))]
    return [NeedsIsa(entry.architecture)]


def _unread(entry: Entry, name: str, budget: Budget) -> Inspection:
    warning = odd("TE4045", name, "this image is compressed with zstd and too large to be read in Python", help=_INSTALL)
    requires = (*_stated(entry), COMPRESSED.requirement)
    details = [("compressed", f"zstd, {len(entry.image)} bytes of {entry.size}; contents not read")]
    return executable(
        entry.image,
        name=name,
        digest=budget.digest(entry.image),
        executable_format=entry.format,
        requires=requires,
        details=details,
        diagnostics=(warning,),
    )


def _closed(entry: Entry, name: str, budget: Budget) -> Inspection:
    """Code for the link-time optimizer, which is not even compressed in a way that is known, or something newer."""
    return executable(
        entry.image,
        name=name,
        digest=budget.digest(entry.image),
        executable_format=f"nvidia-{entry.format}".replace(" ", "-"),
        requires=(*_stated(entry), CLOSED_KIND.requirement),
    )


def _labelled(artifact: Artifact, entry: Entry) -> Artifact:
    """What the header adds: its claim, and that a cubin was built with the suffix `f`, for one family."""
    requires = artifact.requires
    if entry.kind == _ELF and entry.flags & _F:
        requires = tuple(dict.fromkeys((*requires, NeedsIsa(entry.architecture))))
    return replace(artifact, requires=requires, target=entry.architecture)


def _disagreements(entry: Entry, found: Member, name: str) -> Iterator[Diagnostic]:
    """TE4044 where the header claims another kind or architecture than the image has: a driver goes by the header."""
    for artifact in found.inspection.artifacts:
        if entry.kind in (_PTX, _ELF) and artifact.format != entry.format:
            yield _lie(name, entry.format, artifact.format)
            continue
        inside = {need.isa for need in artifact.requires if isinstance(need, NeedsIsa)}
        claimed = {need.isa for need in _stated(entry) if isinstance(need, NeedsIsa)}
        if entry.kind == _ELF and entry.flags & _F:
            claimed = {f"sm_{entry.number}"}
        if inside and not inside & claimed:
            yield _lie(name, f"for `{entry.architecture}`", f"for `{', '.join(sorted(inside))}`")


def _lie(name: str, claim: str, fact: str) -> Diagnostic:
    advice = "make the fatbin again, with the image under its own kind and architecture"
    return odd("TE4044", name, f"the fatbin says that this image is {claim}, and it is {fact}", help=advice)


_INSTALL = "install `zstandard` (the extra `targetenv[zstd]`)"
