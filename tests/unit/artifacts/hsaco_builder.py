"""Code objects of AMD, made here field by field: the layouts of AMDGPUUsage.rst, V2 to V6."""

from __future__ import annotations

import struct
from typing import Any

import msgpack

ABI = {2: 0, 3: 1, 4: 2, 5: 3, 6: 4}
ARGUMENTS = [
    {".name": "a", ".offset": 0, ".size": 4, ".value_kind": "by_value"},
    {".name": "x", ".offset": 8, ".size": 8, ".value_kind": "global_buffer", ".address_space": "global"},
    {".offset": 16, ".size": 4, ".value_kind": "dynamic_shared_pointer"},
    {".offset": 24, ".size": 4, ".value_kind": "hidden_block_count_x"},
]
YAML = """---
Version:         [ 1, 0 ]
Kernels:
  - Name:            saxpy
    SymbolName:      'saxpy@kd'
    Language:        OpenCL C
    LanguageVersion: [ 2, 0 ]
    Attrs:
      ReqdWorkGroupSize: [ 64, 2, 1 ]
    Args:
      - Name:            a
        Size:            4
        Align:           4
        ValueKind:       ByValue
        ValueType:       F32
      - Name:            x
        Size:            8
        Align:           8
        ValueKind:       GlobalBuffer
        AddrSpaceQual:   Global
      - Size:            8
        Align:           8
        ValueKind:       HiddenGlobalOffsetX
    CodeProps:
      KernargSegmentSize: 24
      GroupSegmentFixedSize: 1024
      PrivateSegmentFixedSize: 16
      KernargSegmentAlign: 8
      WavefrontSize:   64
      NumSGPRs:        6
      NumVGPRs:        3
      MaxFlatWorkGroupSize: 128
...
"""


def note(owner: bytes, kind: int, content: bytes) -> bytes:
    owner += b"\0"
    head = struct.pack("<III", len(owner), len(content), kind)
    return head + owner + bytes(-len(owner) % 4) + content + bytes(-len(content) % 4)


def isa_note(major: int, minor: int, stepping: int) -> bytes:
    return note(b"AMD", 3, struct.pack("<HHIII", 4, 7, major, minor, stepping) + b"AMD\0AMDGPU\0")


def kernel(name: str = "saxpy", **more: Any) -> dict[str, Any]:
    plain = {
        ".name": name,
        ".symbol": f"{name}.kd",
        ".args": ARGUMENTS,
        ".group_segment_fixed_size": 1024,
        ".private_segment_fixed_size": 0,
        ".kernarg_segment_size": 32,
        ".wavefront_size": 64,
        ".vgpr_count": 5,
        ".sgpr_count": 8,
        ".agpr_count": 2,
        ".max_flat_workgroup_size": 256,
        ".reqd_workgroup_size": [64, 2, 1],
    }
    return plain | {f".{key}": value for key, value in more.items()}


def metadata(*kernels: dict[str, Any], target: str | None = None) -> bytes:
    root: dict[str, Any] = {"amdhsa.version": [1, 2], "amdhsa.kernels": list(kernels)}
    if target is not None:
        root["amdhsa.target"] = f"amdgcn-amd-amdhsa--{target}"
    return note(b"AMDGPU", 32, msgpack.packb(root))


def code_object(flags: int, *notes: bytes, version: int = 5, os_abi: int = 64, kind: int = 3, abi: int | None = None) -> bytes:
    """An ELF file with one note segment and nothing else; `kind` 1 is a relocatable object."""
    segment = b"".join(notes)
    identity = b"\x7fELF\x02\x01\x01" + bytes([os_abi, ABI[version] if abi is None else abi]) + bytes(7)
    head = identity + struct.pack("<HHIQQQIHHHHHH", kind, 224, 1, 0, 64, 0, flags, 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 4, 4, 120, 120, 120, len(segment), len(segment), 4) + segment
