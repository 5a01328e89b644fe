"""NVIDIA's and LLVM's containers, written from their layouts: ELF files with sections, cubins, fatbins, offload binaries."""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack

import zstandard

PROGBITS, SYMTAB, STRTAB, NOBITS, INFO, COMPAT = 1, 2, 3, 8, 0x70000000, 0x70000086
ENTRY_POINT = 0x10
PTX, ELF = 1, 2
LZ4, ZSTD, A, F = 1 << 13, 1 << 15, 1 << 20, 1 << 21


@dataclass(frozen=True)
class Part:
    """One section; a size without data is that of one that takes no bytes of the file."""

    name: str
    data: bytes = b""
    kind: int = PROGBITS
    info: int = 0
    link: int = 0
    size: int | None = None


def elf(
    parts: list[Part], *, machine: int = 62, kind: int = 2, os_abi: int = 0, abi: int = 0, version: int = 1, flags: int = 0
) -> bytes:
    """A 64-bit little-endian ELF file with a null section, these and their names."""
    names = b"\0" + b"".join(part.name.encode() + b"\0" for part in parts) + b".shstrtab\0"
    rows = [*parts, Part(".shstrtab", names, STRTAB)]
    body, headers = b"", [bytes(64)]
    for part in rows:
        body += bytes(-len(body) % 8)
        at = names.index(b"\0" + part.name.encode() + b"\0") + 1
        size = len(part.data) if part.size is None else part.size
        headers.append(pack("<IIQQQQIIQQ", at, part.kind, 0, 0, 64 + len(body), size, part.link, part.info, 8, 0))
        body += part.data
    body += bytes(-len(body) % 8)
    identity = b"\x7fELF\x02\x01\x01" + bytes([os_abi, abi]) + bytes(7)
    head = pack(
        "<HHIQQQIHHHHHH", kind, machine, version, 0, 0, 64 + len(body), flags, 64, 56, 0, 64, len(headers), len(headers) - 1
    )
    return identity + head + body + b"".join(headers)


def attribute(number: int, *words: int) -> bytes:
    """An attribute of `.nv.info` with a sized value of 32-bit words."""
    return pack("<BBH", 4, number, 4 * len(words)) + pack(f"<{len(words)}I", *words)


def half(number: int, value: int) -> bytes:
    """One with a half word."""
    return pack("<BBH", 3, number, value)


def cubin(
    number: int = 90,
    *,
    a: bool = False,
    kernels: tuple[str, ...] = ("k",),
    threads: tuple[int, int, int] | None = (64, 2, 1),
    shared: int = 512,
    registers: int = 40,
    clusters: bool = False,
    kind: int = 2,
) -> bytes:
    """As CUDA 13 writes it."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in kernels)
    symbols, common = bytes(24), b""
    parts: list[Part] = []
    for place, name in enumerate(kernels):
        at = strings.index(b"\0" + name.encode() + b"\0") + 1
        symbols += pack("<IBBHQQ", at, 0x12, ENTRY_POINT, 5 + 4 * place, 0, 128)
        common += attribute(0x2F, place + 1, registers) + attribute(0x11, place + 1, 16)
        info = attribute(0x17, 0, 0x00080001, 4 << 18) + attribute(0x17, 0, 0, 8 << 18) + half(0x19, 12)
        info += attribute(0x10, *threads) if threads else b""
        info += attribute(0x3D, 2, 1, 1) if clusters else b""
        reserved = 1024 if number >= 90 and kind == 2 else 0
        parts += [
            Part(f".text.{name}", bytes(128), info=place + 1),
            Part(f".nv.info.{name}", info, INFO, info=5 + 4 * place),
            Part(f".nv.shared.{name}", kind=NOBITS, size=shared + reserved),
            Part(f".nv.constant0.{name}", bytes(540)),
        ]
    parts = [
        Part(".strtab", strings, STRTAB),
        Part(".symtab", symbols, SYMTAB, link=1),
        Part(".nv.info", common, INFO),
        Part(".nv.compat", bytes.fromhex("0209") + bytes([a, 0]) + bytes.fromhex("02020100"), COMPAT),
        *parts,
    ]
    return elf(parts, machine=190, kind=kind, os_abi=0x41, abi=8, flags=0x06000000 | number << 8 | 2)


def header_only(os_abi: int, abi: int, version: int, flags: int, compat: bytes | None) -> bytes:
    """A cubin of which only what names its architecture is there."""
    parts = [Part(".nv.compat", compat, COMPAT)] if compat is not None else []
    return elf(parts, machine=190, os_abi=os_abi, abi=abi, version=version, flags=flags)


SOURCE = """// made by hand
.version 8.0
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 .ptr .global .align 16 p, .param .f32 a, .param .align 8 .b8 s[24]) .reqntid 64, 2
{
    .shared .align 16 .b8 tile[2][128];
    .reg .b32 %r<2>;
    mov.b64 {%r0, %r1}, 0;
    ret;
}
"""


def entry(
    image: bytes,
    number: int,
    *,
    kind: int = ELF,
    flags: int = 0,
    version: tuple[int, int] = (1, 8),
    size: int = 0,
    options: str = "",
) -> bytes:
    """One image with its header; `size` is that of the contents where they are compressed."""
    text = options.encode() + bytes(-len(options) % 8)
    header = 64 + (8 + len(text) if options else 0)
    padded = image + bytes(-len(image) % 8)
    compressed = len(image) if flags & (LZ4 | ZSTD) else 0
    row = pack("<HHIQIIHHIIIQQQ", kind, 0x101, header, len(padded), compressed, 64 if options else 0, version[1], version[0],
               number, 0, 0, flags | 0x11, 0, size)  # fmt: skip
    return row + (pack("<II", 72, len(options)) + text if options else b"") + padded


def fatbin(*entries: bytes) -> bytes:
    """A fatbin of these."""
    body = b"".join(entries)
    return pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def zstd(data: bytes) -> bytes:
    """A zstd frame."""
    return zstandard.ZstdCompressor().compress(data)


def lz4(data: bytes) -> bytes:
    """An LZ4 block of literals alone."""
    count = len(data)
    head = bytes([min(count, 15) << 4])
    if count >= 15:
        rest = count - 15
        head += b"\xff" * (rest // 255) + bytes([rest % 255])
    return head + data


def offload(
    *images: tuple[bytes, dict[str, str]], version: int = 1, kind: int = 3, flags: int = 0, pack_body: bytes | None = None
) -> bytes:
    """An offload binary of these images and their strings; with `pack_body` the body is replaced by those bytes (version 3)."""
    header = 40 if version == 3 else 32
    step = 16 if version == 1 else 24
    places = header + 40 * len(images)
    texts = places + step * sum(len(strings) for _, strings in images)
    table, rows, entries = b"", b"", b""
    words = [text for _, strings in images for pair in strings.items() for text in pair]
    at = texts + sum(len(word.encode()) + 1 for word in words)
    at += -at % 8
    body = b""
    for image, strings in images:
        entries += pack("<HHIQQQQ", kind, 2, flags, places + len(rows), len(strings), at + len(body), len(image))
        body += image
        for key, value in strings.items():
            where = [texts + len(table), texts + len(table) + len(key.encode()) + 1]
            table += key.encode() + b"\0" + value.encode() + b"\0"
            rows += pack("<QQ", *where) + (pack("<Q", len(value.encode())) if version > 1 else b"")
    rest = entries + rows + table
    rest += bytes(at - header - len(rest)) + body
    rest += bytes(-(header + len(rest)) % 8)
    plain = header + len(rest)
    if pack_body is not None:
        rest = pack_body
    size = header + len(rest)
    head = pack("<IIQQQ", 0xAD10FF10, version, size, header, 40 if version == 1 else len(images))
    return head + (pack("<Q", plain if pack_body is not None else 0) if version == 3 else b"") + rest


def offload_body(*images: tuple[bytes, dict[str, str]]) -> bytes:
    """What stands behind the header of version 3."""
    return offload(*images, version=3)[40:]


def library(*files: tuple[str, bytes], bsd: bool = False) -> bytes:
    """A static library; names of more than 15 characters go into a table, or in front of the contents."""
    table = "".join(f"{name}/\n" for name, _ in files if len(name) > 15)
    out = b"!<arch>\n" + _file("/", b"\0\0\0\0") + (_file("//", table.encode()) if table and not bsd else b"")
    for name, data in files:
        if len(name) <= 15:
            out += _file(f"{name}/", data)
        elif bsd:
            out += _file(f"#1/{len(name)}", name.encode() + data)
        else:
            out += _file(f"/{table.index(name)}", data)
    return out


def _file(name: str, data: bytes) -> bytes:
    return f"{name:<16}{0:<12}{0:<6}{0:<6}{'644':<8}{len(data):<10}`\n".encode() + data + b"\n" * (len(data) % 2)


def host(*sections: tuple[str, bytes]) -> bytes:
    """An object for x86-64 with these sections."""
    return elf([Part(name, data) for name, data in sections], kind=1)
