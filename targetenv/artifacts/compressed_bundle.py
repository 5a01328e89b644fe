"""Offload bundles that clang or hipcc compressed: a header (`CCOB`, versions 1 to 3) and a bundle behind it.

Compressed with zlib or zstd; `decompress` says what reads the latter. Source: clang/lib/Driver/OffloadBundler.cpp,
CompressedOffloadBundle.
"""

from __future__ import annotations

from hashlib import md5

from targetenv.artifacts.containers import Budget, container, executable, member
from targetenv.artifacts.decompress import decompress_zstd
from targetenv.artifacts.inspection import Inspection, damaged, odd
from targetenv.artifacts.offload_bundle import read_table
from targetenv.artifacts.window import Window
from targetenv.model.record import record, replace
from targetenv.model.requirement import NeedsUnknown

MAGIC = b"CCOB"
FORMAT = "compressed-offload-bundle"
# Version -> layout behind magic, version and method; sizes of the whole and of what it inflates to, and the hash of the latter.
_LAYOUTS = {1: "<IQ", 2: "<IIQ", 3: "<QQQ"}
_SIZES = {1: 12, 2: 16, 3: 24}
_ZLIB, _ZSTD = 0, 1
_METHODS = {_ZLIB: "zlib", _ZSTD: "zstd"}
_MOST_TIMES = 1032  # what deflate can make of a byte; code is never denser
_SLACK = 1 << 16


@record
class Header:
    """What the header says; `end` is where the file's next part begins."""

    version: int
    method: int
    start: int
    end: int
    inflated: int
    digest: int


def is_compressed(data: bytes | memoryview) -> bool:
    """Whether this begins as a compressed bundle."""
    return bytes(data[:4]) == MAGIC


def read_header(data: memoryview, name: str) -> Header:
    """The header; FormatError TE4066 where it is of no version that is known or promises what cannot be."""
    window = Window(data, name, "TE4066")
    version, method = window.unpack("<HH", 4, "the compressed bundle's header")
    layout = _LAYOUTS.get(version)
    if layout is None or method not in _METHODS:
        raise damaged(
            "TE4066", name, f"this compressed bundle is of version {version} with method {method}, which is not known"
        )
    *whole, inflated, digest = window.unpack(layout, 8, "the compressed bundle's header")
    start = 8 + _SIZES[version]
    end = whole[0] if whole else len(window)
    window.part(0, end, "the compressed bundle")
    if end < start:
        raise damaged("TE4066", name, f"this compressed bundle says it has {end} bytes, its header alone has {start}")
    if inflated > _MOST_TIMES * (end - start) + _SLACK:
        raise damaged(
            "TE4066", name, f"{end - start} bytes of this compressed bundle are to become {inflated}: no code is so dense"
        )
    return Header(version, method, start, end, inflated, digest)


def inspect_compressed(data: bytes | memoryview, *, name: str, budget: Budget) -> Inspection:
    """The bundle inside; a warning (TE4065) and nothing known where zstd cannot be read here. FormatError TE4066, TE4003."""
    header = read_header(memoryview(data), name)
    details = [("compressed", f"version {header.version}, {_METHODS[header.method]}, {header.end} of {header.inflated} bytes")]
    budget.inflate(header.inflated, name)
    bundle = _inflated(memoryview(data), header, name)
    if bundle is None:
        advice = "install `zstandard` (`pip install targetenv[zstd]`), or decompress it with `clang-offload-bundler`"
        warning = odd("TE4065", name, "this bundle is compressed with zstd and too large to be read in Python", help=advice)
        unknown = NeedsUnknown("what the code in this compressed bundle needs: its contents are not read")
        return executable(
            memoryview(data),
            name=name,
            digest=budget.digest(data),
            executable_format=FORMAT,
            requires=(unknown,),
            details=details,
            diagnostics=(warning,),
        )
    if len(bundle) != header.inflated:
        raise damaged("TE4066", name, f"this compressed bundle becomes {len(bundle)} bytes, its header says {header.inflated}")
    warnings = []
    if int.from_bytes(md5(bundle, usedforsecurity=False).digest()[:8], "little") != header.digest:
        advice = "fetch or build the file again; loaders do not look at the checksum"
        warnings.append(odd("TE4067", name, "the checksum of this compressed bundle does not fit its contents", help=advice))
    inside = member(memoryview(bundle), name="bundle", within=name, budget=budget, stated="offload-bundle")
    members = [replace(row, offset=None) for row in inside.inspection.members]  # they have no place in this file
    return container(FORMAT, members or (inside,), details=details, diagnostics=warnings)


def bundle_size(data: memoryview, at: int, name: str) -> int:
    """How many bytes the bundle at `at` takes, compressed or not; FormatError TE4064, TE4066 where it does not fit."""
    rest = data[at:]
    return read_header(rest, name).end if is_compressed(rest) else read_table(rest, name)[1]


def _inflated(data: memoryview, header: Header, name: str) -> bytes | None:
    """At most one byte more than the header says; None for zstd where nothing here reads it."""
    contents, most = data[header.start : header.end], header.inflated + 1
    if header.method == _ZLIB:
        import zlib

        try:
            return zlib.decompressobj().decompress(contents, most)
        except zlib.error as error:
            raise damaged("TE4066", name, "the contents of this compressed bundle are no zlib data") from error
    return decompress_zstd(contents, header.inflated, name=name, code="TE4066")
