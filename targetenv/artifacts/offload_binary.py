"""LLVM's offload binaries: images for accelerators, each with a kind, a producer and a map of strings (`triple`, `arch`).

Clang makes one for each image (version 1) or one for many (version 2, and 3, whose body may be compressed), and puts them one
behind another into a section of the host's object. Layout: LLVM, Object/OffloadBinary.h. Nobody checks the strings when one is
made, and LLVM 19's own reader follows offsets out of the file.
"""

from __future__ import annotations

from targetenv.artifacts.containers import adjusted, container, executable, member
from targetenv.artifacts.decompress import decompress_zlib, decompress_zstd, is_zstd
from targetenv.artifacts.inspection import Inspection, Member, damaged, odd
from targetenv.artifacts.window import Window
from targetenv.match.unknowns import COMPRESSED
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsFeature, NeedsIsa

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.containers import Budget
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.artifact import Artifact

MAGIC = bytes.fromhex("10ff10ad")
_CODE = "TE4050"
_NEWEST = 3
_ENTRY, _ALIGNMENT = 40, 8
_HEADERS = {1: 32, 2: 32, 3: 40}
_MOST_ENTRIES, _MOST_STRINGS = 1 << 16, 64
_LONGEST = 4096
_METADATA_ONLY = 1
#: image kinds: what a member is called behind its architecture, and the format that the kind stands for
_KINDS = {
    0: ("image", None),
    1: ("o", None),
    2: ("bc", "llvm-bitcode"),
    3: ("cubin", "cubin"),
    4: ("fatbin", "fatbin"),
    5: ("ptx", "ptx"),
    6: ("spv", "spirv"),
}
_PRODUCERS = {0: "none", 1: "openmp", 2: "cuda", 3: "hip", 4: "hip", 8: "sycl"}  # they became bits after LLVM 19
#: first part of a triple -> the formats of code for it
_ARCHITECTURES = {
    "nvptx": ("cubin", "ptx"),
    "nvptx64": ("cubin", "ptx"),
    "amdgcn": ("hsaco", "amdgpu-object"),
    "x86_64": ("elf-x86_64",),
    "aarch64": ("elf-aarch64",),
    "spirv": ("spirv",),
    "spirv32": ("spirv",),
    "spirv64": ("spirv",),
}


@record
class Entry:
    """One image as the binary describes it."""

    kind: int
    producer: int
    flags: int
    strings: tuple[tuple[str, str], ...]
    image: memoryview
    place: int

    def string(self, key: str) -> str:
        """The value of a key, empty where it is not there."""
        return next((value for name, value in self.strings if name == key), "")


def binary_size(data: memoryview, at: int, name: str) -> int:
    """How many bytes the offload binary at `at` takes; FormatError TE4050 where none begins there or it does not fit."""
    window = Window(data, name, _CODE)
    magic, version, size = window.unpack("<4sIQ", at, "the offload binary's header")
    if magic != MAGIC or version not in _HEADERS:
        head = bytes(data[at : at + 8]).hex(" ")
        raise damaged(_CODE, name, f"at byte {at} is no offload binary of version 1 to {_NEWEST}, but `{head}`")
    if size < _HEADERS[version]:
        raise damaged(_CODE, name, f"the offload binary at byte {at} says that it has {size} bytes")
    window.part(at, size, "the offload binary")
    return int(size)


def inspect_offload(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The images of every binary in the file, each read by what is in it; FormatError TE4050 where one is damaged.

    TE4051 warns where the strings claim what the image is not.
    """
    view = memoryview(data)
    members: list[Member] = []
    warnings: list[Diagnostic] = []
    details: list[tuple[str, str]] = []
    at = 0
    while at < len(view):
        size = binary_size(view, at, name)
        version = int.from_bytes(view[at + 4 : at + 8], "little")
        binary = view[at : at + size]
        plain = _plain(binary, version, name, budget)
        if plain is None:
            budget.take(1, name)
            members.append(_unread(binary, len(members), name, budget))
        for entry in _entries(plain, version, name) if plain is not None else ():
            called = f"{len(members) + 1}.{entry.string('arch') or 'any'}.{_KINDS.get(entry.kind, ('image',))[0]}"
            details.append((called, _said(entry, version)))
            if entry.flags & _METADATA_ONLY and not len(entry.image):
                continue
            stated = _KINDS.get(entry.kind, ("", None))[1]
            label = entry.string("arch") or entry.string("triple") or None
            place = at + entry.place if plain is binary else None
            found = member(entry.image, name=called, within=name, budget=budget, stated=stated, label=label, offset=place)
            warnings += _disagreements(entry, found, f"{name}!{called}")
            members.append(adjusted(found, lambda artifact, entry=entry: _claimed(artifact, entry)))  # type: ignore[misc]
        at += -(-size // _ALIGNMENT) * _ALIGNMENT
    return container("offload-binary", members, details=details, diagnostics=warnings)


def _plain(binary: memoryview, version: int, name: str, budget: Budget) -> memoryview | None:
    """The binary with its body decompressed, which offsets count from; None where nothing here reads the compression."""
    if version < 3:
        return binary
    entries, _, inflated = Window(binary, name, _CODE).unpack("<QQQ", 16, "the offload binary's header")
    if not inflated:
        return binary
    if not _HEADERS[3] <= entries <= min(len(binary), inflated):
        raise damaged(_CODE, name, f"the body of the compressed offload binary is said to begin at byte {entries}")
    budget.inflate(inflated, name)
    body = binary[entries:]
    decompress = decompress_zstd if is_zstd(body) else decompress_zlib
    made = decompress(body, inflated - entries, name=name, code=_CODE)
    return None if made is None else memoryview(bytes(binary[:entries]) + made)


def _entries(binary: memoryview, version: int, name: str) -> Iterator[Entry]:
    window = Window(binary, name, _CODE)
    start, second = window.unpack("<QQ", 16, "the offload binary's header")
    count = 1 if version == 1 else second
    if count > _MOST_ENTRIES:
        raise damaged(_CODE, name, f"{count} images are more than the {_MOST_ENTRIES} that are read of an offload binary")
    taken = 0
    for row in window.rows("<HHIQQQQ", start, count, "the images' headers"):
        kind, producer, flags, strings, how_many, offset, size = row
        taken += size
        if taken > len(window):
            raise damaged(_CODE, name, "the images of the offload binary lie over one another")
        image = window.part(offset, size, "an image of the offload binary")
        yield Entry(kind, producer, flags, _strings(window, version, strings, how_many), image, offset)


def _strings(window: Window, version: int, at: int, count: int) -> tuple[tuple[str, str], ...]:
    """Key and value; a value ends with NUL in version 1, and has a size since."""
    if count > _MOST_STRINGS:
        raise damaged(_CODE, window.name, f"{count} strings are more than the {_MOST_STRINGS} that an image may have")
    found = {}
    for row in window.rows("<QQ" if version == 1 else "<QQQ", at, count, "the strings' places"):
        key = window.string(row[0], len(window), "a string's name")
        if version == 1:
            found[key] = window.string(row[1], len(window), "a string")
        else:
            found[key] = bytes(window.part(row[1], row[2], "a string")[:_LONGEST]).decode("utf-8", "replace")
    return tuple(found.items())


def _said(entry: Entry, version: int) -> str:
    facts = [f"version {version}", f"kind {_KINDS.get(entry.kind, (str(entry.kind),))[0]}"]
    facts.append(f"producer {_PRODUCERS.get(entry.producer, str(entry.producer))}")
    facts += [f"{key} {value}" for key, value in entry.strings]
    return ", ".join(facts)


def _claimed(artifact: Artifact, entry: Entry) -> Artifact:
    return replace(artifact, target=entry.string("arch") or entry.string("triple") or artifact.target)


def _unread(binary: memoryview, place: int, name: str, budget: Budget) -> Member:
    called = f"{place + 1}.compressed"
    advice = "install `zstandard` (the extra `targetenv[zstd]`)"
    warning = odd(
        "TE4045", f"{name}!{called}", "these images are compressed with zstd and too large to be read in Python", help=advice
    )
    found = executable(
        binary,
        name=f"{name}!{called}",
        digest=budget.digest(binary),
        executable_format="offload-binary",
        requires=(COMPRESSED.requirement,),
        diagnostics=(warning,),
    )
    return Member(called, found, binary)


def _disagreements(entry: Entry, found: Member, name: str) -> Iterator[Diagnostic]:
    """TE4051 where the kind, the triple or the architecture claims something else than the image is."""
    stated = _KINDS.get(entry.kind, ("", None))[1]
    actual = found.inspection.format
    if stated is not None and stated != actual and found.inspection.artifacts and actual != "llvm-bitcode":
        yield _lie(name, f"kind {stated}", actual)
    triple, arch = entry.string("triple"), entry.string("arch")
    formats = _ARCHITECTURES.get(triple.partition("-")[0])
    for artifact in found.inspection.artifacts:
        if formats is not None and artifact.format not in (*formats, "llvm-bitcode"):
            yield _lie(name, f"triple `{triple}`", artifact.format)
        isas = {need.isa.replace("compute_", "sm_") for need in artifact.requires if isinstance(need, NeedsIsa)}
        pinned = {need.name for need in artifact.requires if isinstance(need, NeedsFeature) and need.name[-1] in "+-"}
        processor, *features = arch.split(":")
        if isas and processor.startswith(("sm_", "gfx")) and not isas & {processor, _unsuffixed(processor, artifact)}:
            yield _lie(name, f"architecture `{arch}`", f"for `{', '.join(sorted(isas))}`")
        elif isas and processor.startswith("gfx") and set(features) != pinned:
            yield _lie(name, f"architecture `{arch}`", f"for `{':'.join((processor, *sorted(pinned)))}`")


def _unsuffixed(processor: str, artifact: Artifact) -> str:
    """A cubin does not store the suffix `f`, so it does not contradict it."""
    return processor.rstrip("f") if processor.startswith("sm_") and artifact.format == "cubin" else processor


def _lie(name: str, claim: str, fact: str) -> Diagnostic:
    advice = "make the offload binary again, with the strings of the image that is in it"
    return odd("TE4051", name, f"the offload binary says {claim}, and the image is {fact}", help=advice)
