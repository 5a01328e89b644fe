"""Modules and executables of IREE, made here field by field; the schemas' numbers are those of 3.13."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from targetenv.artifacts.iree_module import read_module
from tests.unit.artifacts.flatbuffer_builder import Vector, build, u32, u64, words

CORPUS = Path(__file__).parents[2] / "corpora" / "artifacts"
SPIRV = (CORPUS / "saxpy_spv10.spv").read_bytes()
TARGET = '#hal.executable.target<"vulkan-spirv", "vulkan-spirv-fb", {arch = "rdna3", text = "a > b ]"}>'
DEVICE = f'#hal.device.target<"vulkan", [{TARGET}]> : !hal.device'
GAP = 192  # before each segment, room for a header
MESSAGE = f"HAL device `__device_0` not found or unavailable: {DEVICE}"


def with_header(executable: bytes) -> bytes:
    """The header of 64 bytes that comes first since late 2025."""
    return struct.pack("<4sIQ48x", executable[4:8], 0, len(executable)) + executable


def vulkan(
    code: bytes = SPIRV, *, entry_point: str = "main", module: int = 0, subgroup_size: int = 32, dispatch_abi: int = 0
) -> bytes:
    """`VKE1` with one pipeline: two storage buffers, 12 bytes of push constants."""
    storage = {1: u32(7), 2: u32(1), 3: u32(32)}
    return build(
        {
            0: [{0: u32(module), 1: entry_point, 2: u32(0), 3: u32(subgroup_size), 5: u32(dispatch_abi)}],
            1: [{0: [{0: u32(0)} | storage, {0: u32(1)} | storage]}],
            2: [{0: Vector("<I", ((0,),)), 1: Vector("<III", ((32, 0, 12),))}],
            3: [{0: words(code)}],
        },
        b"VKE1",
    )


def vulkan_2024(code: bytes = SPIRV) -> bytes:
    return build({0: ["main"], 1: Vector("<I", ((64,),)), 2: Vector("<I", ((0,),)), 3: [{0: words(code)}]}, b"SPVE")


def vulkan_2022(code: bytes = SPIRV) -> bytes:
    return build({0: ["main"], 2: words(code)}, b"SPVE")


def gpu(schema: bytes, image: bytes) -> bytes:
    """`CDA1` or `HIP1`: one export with three bindings and two constants."""
    flags = Vector("<Q", ((0,), (0,), (1,)))
    return build({0: [{1: "add", 2: u32(64, 2, 1), 3: u32(1024), 4: u32(2), 5: flags}], 1: [{0: image}]}, schema)


def gpu_2023(schema: bytes, image: bytes) -> bytes:
    sizes = Vector("<III", ((64, 1, 1),))
    return build({0: ["add"], 1: sizes, 2: Vector("<I", ((256,),)), 3: image}, schema)


def amdgpu(image: bytes) -> bytes:
    flags = Vector("<Q", ((0,), (0,), (1,)))
    return build({0: "gfx942", 1: [{0: "add.kd", 1: u32(64, 1, 1), 2: u32(1), 3: flags}], 2: [{0: image}]}, b"AMD1")


def metal(source: str) -> bytes:
    flags = Vector("<Q", ((0,),))
    pipeline = {1: "add", 3: u32(32, 1, 1), 5: u32(4), 6: flags}
    return build({0: [pipeline], 1: [{0: {0: u32(3 << 16), 1: source}}]}, b"MTL1")


def webgpu(source: str) -> bytes:
    return build({0: [{1: "d0", 2: u32(8, 8, 1)}], 1: [{0: source}]}, b"WGS1")


def module(*executables: bytes, message: str = MESSAGE, version: int = 17 << 16, old: bool = False, times: int = 1) -> bytes:
    """A flat `.vmfb` with these executables behind the FlatBuffer, the older schema (before 2023-03) when `old`."""
    shift = 0 if old else 2
    segments: list[dict[int, Any]] = [{2: b"hal.executable.format"}, {2: b"vulkan-spirv-fb"}]
    data = b""
    for executable in executables:
        data += bytes(GAP - len(data) % 64)
        segments += [{3: u64(len(data)), 4: u64(len(executable))}] * times
        data += executable
    fields: dict[int, Any] = {0: "module"}
    fields[4 if old else 5] = [{0: "hal", 1: u32(7)}]
    fields[6 if old else 7] = [{0: "add"}, {0: "__init"}]
    fields[7 + shift] = segments
    fields[9 + shift] = {0: u32(1)}
    fields[11 + shift] = u32(version)
    fields[12 + shift] = b"\x79" + message.encode() + b"\x05"
    buffer = build(fields, b"IREE")
    head = struct.pack("<I", len(buffer)) + buffer
    return head + bytes(-len(head) % 64) + data


def zipped(flat: bytes, *names: str, method: int = 0) -> bytes:
    """The module as an archive: the headers of the segments, which are called `names`, go into the gaps before them."""
    (size,) = struct.unpack_from("<I", flat)
    read = read_module(flat, "flat")
    places = [(row.place, len(row.data)) for row in read.segments if not row.embedded]
    out = bytearray(_local("module.fb", size + 4, 64, method) + flat)
    directory = _central("module.fb", size + 4, 0, method)
    for name, (place, length) in zip(names, places, strict=True):
        header = _local(name, length, 30 + len(name), method)
        start = 64 + place - len(header)
        out[start : start + len(header)] = header
        directory += _central(name, length, start, method)
    count = 1 + len(names)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(out), 0)
    return bytes(out) + directory + end


def _local(name: str, size: int, length: int, method: int) -> bytes:
    extra = length - 30 - len(name)
    filler = struct.pack("<HH", 0xFECA, extra - 4) + bytes(extra - 4) if extra else b""
    head = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45, 0, method, 0, 0, 0, size, size, len(name), extra)
    return head + name.encode() + filler


def _central(name: str, size: int, at: int, method: int) -> bytes:
    wide = struct.pack("<HHQQQ", 1, 24, size, size, at)  # as IREE writes it: everything in the 64-bit field
    lost = 0xFFFFFFFF
    head = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, 45, 0, method, 0, 0, 0, lost, lost, len(name), len(wide), 0, 0, 0, 0, lost
    )
    return head + name.encode() + wide
