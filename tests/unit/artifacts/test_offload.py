"""LLVM's offload binaries, and the sections of host objects that carry device code."""

from __future__ import annotations

import zlib

import pytest
import zstandard

from targetenv.artifacts import identify, inspect
from targetenv.artifacts.containers import Budget
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.requirement import NeedsIsa, NeedsUnknown
from tests.unit.artifacts import nvidia_builder as nv

CUBIN = nv.cubin(90)
STRINGS = {"triple": "nvptx64-nvidia-cuda", "arch": "sm_90"}


def codes(data: bytes) -> list[str]:
    return [row.code for row in inspect(data, name="x").diagnostics]


def refusal(data: bytes) -> str:
    with pytest.raises(FormatError) as refused:
        inspect(data, name="x")
    return refused.value.diagnostics[0].code


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_gives_its_image_and_its_strings(version: int) -> None:
    data = nv.offload((CUBIN, STRINGS | {"feature": "+ptx80"}), version=version)
    assert identify(data) == "offload-binary"
    found = inspect(data, name="x")
    (member,) = found.members
    assert (member.name, bytes(member.payload)) == ("1.sm_90.cubin", CUBIN)
    said = f"version {version}, kind cubin, producer cuda, triple nvptx64-nvidia-cuda, arch sm_90, feature +ptx80"
    assert found.details == (("1.sm_90.cubin", said),)
    assert found.artifacts[0].target == "sm_90"
    assert NeedsIsa("sm_90") in found.artifacts[0].requires
    assert found.diagnostics == ()


@pytest.mark.parametrize("version", [2, 3])
def test_one_binary_may_hold_several_images(version: int) -> None:
    other = nv.cubin(80)
    data = nv.offload((CUBIN, STRINGS), (other, STRINGS | {"arch": "sm_80"}), version=version)
    assert [bytes(row.payload) for row in inspect(data, name="x").members] == [CUBIN, other]


def test_binaries_may_stand_behind_one_another() -> None:
    data = nv.offload((CUBIN, STRINGS)) + nv.offload((CUBIN, STRINGS), (CUBIN, {}), version=2)
    assert [row.name for row in inspect(data, name="x").members] == ["1.sm_90.cubin", "2.sm_90.cubin", "3.any.cubin"]


@pytest.mark.parametrize("compress", [zlib.compress, zstandard.ZstdCompressor().compress], ids=["zlib", "zstd"])
def test_a_compressed_body_is_read_like_a_plain_one(compress: object) -> None:
    body = nv.offload_body((CUBIN, STRINGS), (CUBIN, STRINGS))
    data = nv.offload((CUBIN, STRINGS), (CUBIN, STRINGS), version=3, pack_body=compress(body))  # type: ignore[operator]
    assert [bytes(row.payload) for row in inspect(data, name="x").members] == [CUBIN, CUBIN]


def test_a_compressed_body_that_is_too_large_for_python_is_not_known_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targetenv.artifacts.decompress._zstd", lambda: None)
    monkeypatch.setattr("targetenv.artifacts.decompress._MOST_IN_PYTHON", 100)
    body = zstandard.ZstdCompressor().compress(nv.offload_body((CUBIN, STRINGS)))
    found = inspect(nv.offload((CUBIN, STRINGS), version=3, pack_body=body), name="x")
    assert [row.code for row in found.diagnostics] == ["TE4045"]
    assert any(isinstance(need, NeedsUnknown) for need in found.artifacts[0].requires)


@pytest.mark.parametrize(
    ("image", "kind", "strings"),
    [
        (CUBIN, 3, STRINGS | {"arch": "sm_80"}),
        (CUBIN, 5, STRINGS),
        (CUBIN, 3, {"triple": "amdgcn-amd-amdhsa", "arch": "sm_90"}),
        (nv.cubin(90, a=True), 3, STRINGS),
        (nv.SOURCE.encode(), 5, STRINGS),
    ],
)
def test_strings_that_claim_what_the_image_is_not_are_a_warning(image: bytes, kind: int, strings: dict[str, str]) -> None:
    assert codes(nv.offload((image, strings), kind=kind)) == ["TE4051"]


def test_a_cubin_does_not_contradict_a_family() -> None:
    assert codes(nv.offload((nv.cubin(100), STRINGS | {"arch": "sm_100f"}))) == []


def test_an_entry_of_metadata_alone_has_no_image() -> None:
    found = inspect(nv.offload((b"", STRINGS), version=2, flags=1, kind=0), name="x")
    assert (found.members, len(found.details)) == ((), 1)


@pytest.mark.parametrize(
    ("at", "value", "size"),
    [
        (4, 4, 4),
        (4, 0, 4),
        (8, 31, 8),
        (8, 1 << 63, 8),
        (16, 1 << 62, 8),
        (40, 1 << 40, 8),
        (48, 1 << 32, 8),
        (56, 1 << 50, 8),
        (64, (1 << 64) - 1, 8),
        (72, 1 << 33, 8),
    ],
)
def test_offsets_sizes_and_counts_that_lead_outside_are_refused(at: int, value: int, size: int) -> None:
    data = bytearray(nv.offload((CUBIN, STRINGS)))
    data[at : at + size] = value.to_bytes(size, "little")
    assert refusal(bytes(data)) == "TE4050"


def test_images_over_one_another_and_counts_of_2_to_the_32_are_refused() -> None:
    data = bytearray(nv.offload((CUBIN, {}), (CUBIN, {}), (CUBIN, {}), version=2))
    for row in range(3):
        data[32 + 40 * row + 24 : 32 + 40 * row + 32] = (152).to_bytes(8, "little")
        data[32 + 40 * row + 32 : 32 + 40 * row + 40] = (2 * len(CUBIN)).to_bytes(8, "little")
    assert refusal(bytes(data)) == "TE4050"
    data[24:32] = (1 << 32).to_bytes(8, "little")
    assert refusal(bytes(data)) == "TE4050"


def test_a_compressed_body_cannot_claim_more_than_the_budget() -> None:
    data = bytearray(nv.offload((CUBIN, STRINGS), version=3, pack_body=zlib.compress(bytes(64))))
    data[32:40] = (1 << 40).to_bytes(8, "little")
    with pytest.raises(FormatError) as refused:
        inspect(bytes(data), name="x", budget=Budget(inflated=1 << 20))
    assert refused.value.diagnostics[0].code == "TE4003"
    data[32:40] = (60).to_bytes(8, "little")
    assert refusal(bytes(data)) == "TE4050"


def test_host_objects_are_opened_where_compilers_put_device_code() -> None:
    fat = nv.fatbin(nv.entry(nv.cubin(80), 80), nv.entry(CUBIN, 90))
    data = nv.host(
        (".text", bytes(16)),
        (".nv_fatbin", fat + bytes(24) + fat),
        ("__nv_relfatbin", nv.fatbin(nv.entry(nv.cubin(90, kind=1), 90))),
        (".llvm.offloading", nv.offload((CUBIN, STRINGS)) * 2),
    )
    found = inspect(data, name="x")
    assert found.format == "elf-x86_64"
    assert [row.name for row in found.members] == [
        ".nv_fatbin#1",
        ".nv_fatbin#2",
        "__nv_relfatbin#1",
        ".llvm.offloading#1",
        ".llvm.offloading#2",
    ]
    assert [row.format for row in found.artifacts] == ["cubin"] * 7
    assert found.diagnostics == ()


def test_a_host_object_without_device_code_is_what_it_was() -> None:
    found = inspect(nv.host((".nv_fatbin", b"")), name="x")
    assert (found.members, [row.code for row in found.diagnostics]) == ((), ["TE4206"])


def test_garbage_in_a_section_for_device_code_is_refused() -> None:
    assert refusal(nv.host((".nv_fatbin", bytes(8) + b"garbage!"))) == "TE4042"
    assert refusal(nv.host((".llvm.offloading", b"garbage!" * 8))) == "TE4050"


def test_the_programs_wrappers_are_counted() -> None:
    wrapper = bytes.fromhex("b1436246") + bytes(20)
    fat = nv.fatbin(nv.entry(CUBIN, 90))
    found = inspect(nv.host((".nv_fatbin", fat), (".nvFatBinSegment", wrapper * 2)), name="x")
    assert ("registers", "2 fatbins (.nvFatBinSegment)") in found.details


@pytest.mark.parametrize("bsd", [False, True])
def test_of_a_static_library_the_objects_with_device_code_are_shown(bsd: bool) -> None:
    device = nv.host((".nv_fatbin", nv.fatbin(nv.entry(CUBIN, 90))))
    files = (
        ("a.o", nv.host((".text", b"!"))),
        ("an_object_with_a_long_name.o", device),
        ("k.o", device),
        ("k.o", device),
        ("notes", b"x"),
    )
    data = nv.library(*files, bsd=bsd)
    assert identify(data) == "static-library"
    found = inspect(data, name="x")
    assert [row.name for row in found.members] == ["an_object_with_a_long_name.o", "k.o", "k.o #2"]
    assert found.details == (("files", "5"), ("with executables", "3"))
    assert [row.format for row in found.artifacts] == ["cubin"] * 3
    assert found.diagnostics == ()


@pytest.mark.parametrize(
    ("place", "text"),
    [(8 + 58, b"xx"), (8 + 48, b"99999999  "), (8 + 48, b"-4        "), (8, b"/77             "), (8, b"#1/99           ")],
)
def test_a_damaged_static_library_is_refused(place: int, text: bytes) -> None:
    data = bytearray(nv.library(("a.o", b"1234")))
    data[place : place + len(text)] = text
    assert refusal(bytes(data)) == "TE4052"
