"""Files for AMD's NPUs, for Gaudi and for Metal, made here field by field."""

from __future__ import annotations

import struct
from typing import Any

from tests.unit.artifacts.flatbuffer_builder import Vector, build, words

BUS_WIDTH = bytes.fromhex("dd000000 44332211 88776655 ccbbaa99")


def _sealed(data: bytes) -> bytes:
    """With the complement of the sum of its words as the last word."""
    return data + struct.pack("<I", ~sum(word for (word,) in struct.iter_unpack("<I", data)) & 0xFFFFFFFF)


def write(column: int, row: int, value: int = 1) -> bytes:
    """A CDO command."""
    return struct.pack("<III", 0x0002_0103, column << 25 | row << 20 | 0x32000, value)


def cdo(*commands: bytes) -> bytes:
    body = b"".join(commands)
    return _sealed(struct.pack("<I4sII", 4, b"CDO\0", 0x200, len(body) // 4)) + body


def pdi(*cdos: bytes, boot: bool = False) -> bytes:
    """One image with a partition for each CDO."""
    cdos = cdos or (cdo(write(1, 2), struct.pack("<I", 0x0000_0111)),)
    table = 0x200 if boot else 0x10
    image_at = table + 128
    partition_at = image_at + 64
    data_at = partition_at + 128 * len(cdos)
    numbers = (4 << 16, 1, image_at // 4, len(cdos), partition_at // 4, 0, 0x14CA8093)
    tables = _sealed(struct.pack("<7I12x4s80x", *numbers, b"IDPP"))
    tables += _sealed(struct.pack("<II8x16sI24x", partition_at // 4, len(cdos), b"aie_image", 0x1C000000))
    data = b""
    for one in cdos:
        size = len(one) // 4
        tables += _sealed(struct.pack("<IIII16xI88x", size, size, size, 0, (data_at + len(data)) // 4))
        data += one
    head = BUS_WIDTH
    if boot:
        head += struct.pack("<I4s", 0xAA995566, b"XNLX")
        head += bytes(0xC4 - len(head)) + struct.pack("<I", table)
        head += bytes(table - len(head))
    return head + tables + data


def transaction(*operations: bytes, generation: int = 3, columns: int = 4) -> bytes:
    body = b"".join(operations)
    return struct.pack("<6B2xII", 0, 1, generation, 6, columns, 1, len(operations), 16 + len(body)) + body


WRITE = struct.pack("<B7xQIxxxxI", 0, 0x0601D21C, 2, 24)[:20] + struct.pack("<I", 24)
BLOCK_WRITE = struct.pack("<B7xII8I", 1, 0x1D000, 48, *range(8))
PATCH = struct.pack("<B3xI16xI4xI4xI4x", 0x81, 48, 0x1D004, 2, 256)
WAIT = struct.pack("<B3xIII", 0x80, 16, 1, 0x00010100)
RUN = transaction(BLOCK_WRITE, PATCH, WRITE, WAIT)


def pdir(pdis: tuple[bytes, ...] = (), runs: bytes = RUN, **changes: Any) -> bytes:
    fields: dict[int, Any] = {
        0: ["matmul_dispatch_0"],
        1: Vector("<i", ((0,),)),
        2: [{0: image} for image in pdis or (pdi(),)],
        3: Vector("<i", ((0,),)),
        4: [{0: [{0: words(runs)}]}],
    }
    return build(fields | {int(key.removeprefix("field")): value for key, value in changes.items()}, b"PDIR")


def xrtr(image: bytes, *, single: bool = False) -> bytes:
    if single:
        return build({0: ["dispatch_0"], 1: image}, b"XRTR")
    return build({0: ["dispatch_0"], 1: Vector("<I", ((0,),)), 2: [{0: image}]}, b"XRTR")


ARGUMENTS = (("opcode", 0, 0), ("instr", 1, 8), ("ninstr", 0, 16), ("bo0", 1, 20), ("bo1", 1, 28))


def metadata(*kernels: str) -> bytes:
    rows = []
    for kernel in kernels:
        rows.append(f'<kernel name="{kernel}" language="c" type="dpu">')
        rows += [
            f'<arg name="{name}" addressQualifier="{qualifier}" id="{place}" offset="{offset:#x}" type="void*"/>'
            for place, (name, qualifier, offset) in enumerate(ARGUMENTS)
        ]
        rows.append('<instance name="IREE"/></kernel>')
    core = f"<core>{''.join(rows)}</core>"
    return f'<?xml version="1.0"?><project><platform><device>{core}</device></platform></project>'.encode()


def partition(groups: tuple[tuple[bytes, bytes, tuple[int, ...]], ...], columns: int = 4) -> bytes:
    """A partition of (UUID, image, kernel ids)."""
    heap = bytearray(184) + b"QoS\0\0\0\0\0"
    starts_at = len(heap)
    heap += struct.pack("<H6x", 1)
    entries = b""
    for uuid, image, ids in groups:
        image_at = len(heap)
        heap += image + bytes(-len(image) % 8)
        ids_at = len(heap)
        heap += struct.pack(f"<{len(ids)}Q", *ids)
        label_at = len(heap)
        heap += b"DPU\0\0\0\0\0"
        group_at = len(heap)
        heap += struct.pack("<IB3xQIIII64x", label_at, 1, 1, len(ids), ids_at, 0, 0)
        entries += struct.pack("<16sIIII64x", uuid, len(image), image_at, 1, group_at)
    struct.pack_into("<IIQ", heap, 4, 184, 2048, 23423)
    struct.pack_into("<H6xII", heap, 32, columns, 1, starts_at)
    struct.pack_into("<II", heap, 120, len(groups), len(heap))
    return bytes(heap) + entries


def xclbin(
    kernels: tuple[str, ...] = ("dispatch_0", "dispatch_1"),
    *,
    ids: tuple[int, ...] | None = None,
    groups: tuple[tuple[bytes, bytes, tuple[int, ...]], ...] | None = None,
    xml: bytes | None = None,
    columns: int = 4,
) -> bytes:
    """Every kernel with a PDI of its own, two buffers, and the memories HOST and SRAM."""
    ids = ids or tuple(range(len(kernels)))
    if groups is None:
        groups = tuple((bytes([place + 1] * 16), pdi(cdo(write(place, 2))), (place,)) for place in range(len(kernels)))
    memories = struct.pack("<i4x", 2)
    memories += struct.pack("<BB6xQQ16s", 2, 1, 0x10000, 0x4000000, b"HOST") + struct.pack(
        "<BB6xQQ16s", 2, 1, 0xC000, 0, b"SRAM"
    )
    instances = struct.pack("<i4x", len(kernels))
    connections = b""
    for place, (kernel, kernel_id) in enumerate(zip(kernels, ids, strict=True)):
        instances += struct.pack("<IIQ64s", 7, 1 | kernel_id << 16, 2**64 - 1, f"{kernel}:IREE".encode())
        connections += b"".join(struct.pack("<iii", number, place, memory) for number, memory in ((1, 1), (3, 0), (4, 0)))
    sections = [
        (6, b"mem", memories),
        (32, b"part", partition(groups, columns)),
        (2, b"", metadata(*kernels) if xml is None else xml),
        (8, b"", instances),
        (7, b"", struct.pack("<i", 3 * len(kernels)) + connections),
    ]
    at = 456 + 40 * len(sections)
    table = data = b""
    for kind, label, content in sections:
        data += bytes(-(at + len(data)) % 8)
        table += struct.pack("<I16s4xQQ", kind, label, at + len(data), len(content))
        data += content
    size = at + len(data)
    head = struct.pack("<8si284sQ", b"xclbin2\0", -1, b"\xff" * 284, 1)
    head += struct.pack("<QQQHBBHH16s64s16s16sI4x", size, 1, 0, 0, 2, 25, 0, 0, b"", b"", bytes(range(16)), b"", len(sections))
    return head + table + data


def elf32(machine: int, abi: int, sections: dict[str, bytes]) -> bytes:
    names = b"\0" + b"".join(name.encode() + b"\0" for name in (*sections, ".shstrtab"))
    contents = {**sections, ".shstrtab": names}
    data, headers = bytearray(52), struct.pack("<10I", *([0] * 10))
    for name, content in contents.items():
        headers += struct.pack(
            "<10I", names.index(b"\0" + name.encode() + b"\0") + 1, 1, 0, 0, len(data), len(content), 0, 0, 1, 0
        )
        data += content + bytes(-len(content) % 4)
    identity = b"\x7fELF\1\1\1" + bytes([abi]) + bytes(8)
    numbers = (2, machine, 1, 0, 0, len(data), 0, 52, 32, 0, 40, len(contents) + 1, len(contents))
    data[:52] = identity + struct.pack("<HHIIIIIHHHHHH", *numbers)
    return bytes(data) + headers


def aie_elf(code: bytes = RUN) -> bytes:
    symbols = struct.pack("<IIIBBH", 0, 0, 0, 0, 0, 0) + struct.pack("<IIIBBH", 1, 0, 4096, 0x11, 0, 2)
    return elf32(1, 69, {".ctrltext": code, ".dynstr": b"\x005\0", ".dynsym": symbols})


def tpc(*, version: int = 12, march: int = 4, name: str = "add_f32") -> bytes:
    content = struct.pack("<I4BHxxB", version, 1, 0, 0, 0, march, 3) + bytes(249)
    info = f"KERNELINFOBEGIN KernelName:[{name}] #KERNELINFOEND".encode()
    return elf32(3, 0, {".text": bytes(16), ".tpc_metadata": content, ".KernelInfo": info})


def metallib(*functions: tuple[str, int, tuple[int, int]], system: int = 0x81) -> bytes:
    groups = b""
    for name, sort, version in functions:
        tags = b"NAME" + struct.pack("<H", len(name) + 1) + name.encode() + b"\0"
        tags += b"TYPE" + struct.pack("<HB", 1, sort) + b"VERS" + struct.pack("<H4H", 8, 2, 6, *version) + b"ENDT"
        groups += struct.pack("<I", len(tags) + 4) + tags
    size = 88 + 4 + len(groups)
    head = struct.pack("<4sHHHBBHHQ", b"MTLB", 0x8001, 1, 2, 0, system, 14, 0, size)
    head += struct.pack("<8Q", 88, len(groups), size, 0, size, 0, size, 0)
    return head + struct.pack("<I", len(functions)) + groups


SOURCE = "#include <metal_stdlib>\nusing namespace metal;\nkernel void add(device float* x [[buffer(0)]]) { x[0] = 1; }\n"
