"""Offload bundles: every entry is found and read, and tables that lie are refused."""

from __future__ import annotations

import struct
import sys
import zlib
from hashlib import md5
from typing import Any

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.artifacts.containers import Budget
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.requirement import NeedsIsa, NeedsUnknown
from tests.unit.artifacts import iree_builder as iree
from tests.unit.artifacts.hsaco_builder import code_object, kernel, metadata

MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"
GFX90A, GFX942 = code_object(0x53F, metadata(kernel())), code_object(0x54C, metadata(kernel()))
HOST = "host-x86_64-unknown-linux-gnu-"
HIP = "hipv4-amdgcn-amd-amdhsa--"


def bundle(*entries: tuple[str, bytes], align: int = 16) -> bytes:
    at = len(MAGIC) + 8 + sum(24 + len(entry_id) for entry_id, _ in entries)
    table, body = b"", b""
    for entry_id, part in entries:
        at += -at % align
        table += struct.pack("<QQQ", at, len(part), len(entry_id)) + entry_id.encode()
        at += len(part)
    out = MAGIC + struct.pack("<Q", len(entries)) + table
    for _, part in entries:
        out += bytes(-len(out) % align) + part
    return out + body


def compressed(inner: bytes, version: int = 2, *, method: int = 0, size: int | None = None, digest: int | None = None) -> bytes:
    packed = zlib.compress(inner) if method == 0 else pytest.importorskip("zstandard").ZstdCompressor().compress(inner)
    inflated = len(inner) if size is None else size
    check = int.from_bytes(md5(inner).digest()[:8], "little") if digest is None else digest
    whole = {1: 20, 2: 24, 3: 32}[version] + len(packed)
    layout, fields = {
        1: ("<IQ", (inflated, check)),
        2: ("<IIQ", (whole, inflated, check)),
        3: ("<QQQ", (whole, inflated, check)),
    }[version]
    return b"CCOB" + struct.pack("<HH", version, method) + struct.pack(layout, *fields) + packed


BUNDLE = bundle((HOST, b""), (f"{HIP}gfx90a", GFX90A), (f"{HIP}gfx942", GFX942))
TEXT = "\n".join(
    f"; {MAGIC.decode()}__{mark}__ {entry}\nint x;" for entry in (HOST, f"{HIP}gfx906") for mark in ("START", "END")
)


def needs(data: bytes) -> dict[tuple[str, ...], list[str]]:
    found = inspect(data, name="b.hipfb")
    return {
        path: [need.isa for row in leaf.artifacts for need in row.requires if isinstance(need, NeedsIsa)]
        for path, leaf, _ in found.leaves()
    }


def test_every_entry_with_code_is_read() -> None:
    assert identify(BUNDLE) == "offload-bundle"
    assert needs(BUNDLE) == {(f"{HIP}gfx90a",): ["gfx90a"], (f"{HIP}gfx942",): ["gfx942"]}


def test_entries_know_their_label_and_their_place() -> None:
    for member in inspect(BUNDLE, name="b.hipfb").members:
        assert member.label == member.name
        assert member.offset is not None
        assert BUNDLE[member.offset : member.offset + len(member.payload)] == bytes(member.payload)


def test_two_entries_of_one_id_keep_apart() -> None:
    assert list(needs(bundle((f"{HIP}gfx90a", GFX90A), (f"{HIP}gfx90a", GFX942)))) == [(f"{HIP}gfx90a",), (f"{HIP}gfx90a #2",)]


def test_textual_bundles_are_listed() -> None:
    found = inspect(TEXT.encode(), name="b.ll")
    assert (found.format, [row.name for row in found.members]) == ("offload-bundle", [HOST, f"{HIP}gfx906"])
    assert bytes(found.members[1].payload).strip() == b"int x;"


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("method", [0, 1])
def test_compressed_bundles_hold_the_same(version: int, method: int) -> None:
    data = compressed(BUNDLE, version, method=method)
    assert identify(data) == "compressed-offload-bundle"
    assert needs(data) == needs(BUNDLE)
    assert inspect(data, name="b.hipfb").diagnostics == ()


def test_without_a_library_zstd_is_read_in_python_and_what_is_too_large_for_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = compressed(BUNDLE, method=1)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    assert needs(data) == needs(BUNDLE)
    monkeypatch.setattr("targetenv.artifacts.decompress._MOST_IN_PYTHON", 100)
    found = inspect(data, name="b.hipfb")
    assert [row.code for row in found.diagnostics] == ["TE4065"]
    assert any(isinstance(need, NeedsUnknown) for need in found.artifacts[0].requires)


def test_a_checksum_that_does_not_fit_is_called_out() -> None:
    assert [row.code for row in inspect(compressed(BUNDLE, digest=1), name="b").diagnostics] == ["TE4067"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (MAGIC + struct.pack("<Q", 1 << 32), "TE4064"),
        (MAGIC + struct.pack("<QQQQ", 1, 0, 0, 1 << 60) + bytes(64), "TE4064"),
        (MAGIC + struct.pack("<QQQQ", 1, 1 << 63, 8, 1) + b"h", "TE4064"),
        (MAGIC + struct.pack("<Q", 40) + struct.pack("<QQQ", 0, 990, 0) * 40, "TE4064"),
        (BUNDLE[:-1], "TE4064"),
        (TEXT.replace("END", "START").encode(), "TE4064"),
        (TEXT[: TEXT.rindex("; ")].encode(), "TE4064"),
        (b"CCOB" + struct.pack("<HHIIQ", 9, 0, 24, 0, 0), "TE4066"),
        (b"CCOB" + struct.pack("<HHIIQ", 2, 7, 24, 0, 0), "TE4066"),
        (b"CCOB" + struct.pack("<HHIIQ", 2, 0, 1 << 31, 0, 0), "TE4066"),
        (b"CCOB" + struct.pack("<HHIIQ", 2, 0, 3, 0, 0), "TE4066"),
        (compressed(BUNDLE, size=len(BUNDLE) + 1), "TE4066"),
        (compressed(BUNDLE, size=len(BUNDLE) - 1), "TE4066"),
        (compressed(BUNDLE, 3, size=1 << 60), "TE4066"),
        (compressed(BUNDLE, method=1)[:-1], "TE4066"),
        (b"CCOB" + struct.pack("<HHIIQ", 2, 0, 64, 99, 0) + bytes(40), "TE4066"),
    ],
)
def test_bundles_that_lie_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        inspect(data, name="b.hipfb")
    assert refused.value.code == code


@pytest.mark.parametrize("method", [0, 1])
def test_a_bomb_is_refused_before_it_goes_off(method: int) -> None:
    bomb = compressed(bytes(64 << 20), method=method)
    with pytest.raises(FormatError) as refused:
        inspect(bomb, name="bomb", budget=Budget(inflated=1 << 20))
    assert refused.value.code in ("TE4003", "TE4066")


def test_bundles_in_bundles_end() -> None:
    data = GFX90A
    for _ in range(12):
        data = bundle((f"{HIP}gfx90a", data))
    with pytest.raises(FormatError) as refused:
        inspect(data, name="deep")
    assert refused.value.code == "TE4003"


@pytest.mark.parametrize("schema", [b"HIP1", b"HIPE"])
def test_the_code_in_an_executable_of_iree_is_read(schema: bytes) -> None:
    code = code_object(0x54C, metadata(kernel("add", reqd_workgroup_size=[64, 2, 1])))
    data = (iree.gpu if schema == b"HIP1" else iree.gpu_2023)(schema, code)
    (artifact,) = inspect(data, name="add.hip").artifacts
    assert (artifact.format, artifact.target) == ("hsaco", "gfx942")
    assert NeedsIsa("gfx942") in artifact.requires
    assert artifact.kernels[0].parameters


def test_an_entry_point_that_is_named_after_its_descriptor_is_the_kernel() -> None:
    code = code_object(0x54C, metadata(kernel("add", reqd_workgroup_size=[64, 1, 1])))
    found = inspect(iree.amdgpu(code), name="add.gfx942")
    assert found.diagnostics == ()
    only: Any = found.artifacts[0].kernels[0]
    assert (only.name, only.entry_point, only.workgroup_size, only.bindings) == ("add.kd", "add.kd", (64, 1, 1), 3)


def test_an_executable_of_iree_may_hold_a_bundle() -> None:
    """Since 2025, with SPIR-V for AMD GPUs in it; the exports say how its kernels are called."""
    data = iree.gpu(b"HIP1", bundle((f"{HIP}gfx942", GFX942), ("hip-spirv64-amd-amdhsa--amdgcnspirv", iree.SPIRV)))
    artifacts = inspect(data, name="add.hip").artifacts
    assert [(row.format, [kernel.name for kernel in row.kernels]) for row in artifacts] == [
        ("hsaco", ["add"]),
        ("spirv", ["add"]),
    ]
