"""CPU shared objects: level, kernels, and every kind of damage."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from targetenv.artifacts import identify, inspect
from targetenv.artifacts.elf import Elf
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.match.unknowns import AARCH64_FEATURES, X86_LEVEL
from targetenv.model.requirement import NeedsFormat, NeedsIsa, NeedsUnknown

CORPUS = Path(__file__).parents[2] / "corpora" / "artifacts"
OBJECT = (CORPUS / "kernel_x86-64-v3.so").read_bytes()
LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")
PROGRAM_HEADERS = 64


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    new = struct.pack(layout, *values)
    return data[:at] + new + data[at + len(new) :]


def segment(kind: int) -> int:
    """Where the program header of this kind is."""
    count = struct.unpack_from("<H", OBJECT, 56)[0]
    places = [PROGRAM_HEADERS + 56 * place for place in range(count)]
    return next(at for at in places if struct.unpack_from("<I", OBJECT, at)[0] == kind)


def dynamic(tag: int) -> int:
    """Where the dynamic entry with this tag is."""
    offset, size = struct.unpack_from("<Q", OBJECT, segment(2) + 8)[0], struct.unpack_from("<Q", OBJECT, segment(2) + 32)[0]
    return next(at for at in range(offset, offset + size, 16) if struct.unpack_from("<Q", OBJECT, at)[0] == tag)


def note() -> int:
    """Where the first GNU property (type, size, value) is."""
    return int(struct.unpack_from("<Q", OBJECT, segment(0x6474E553) + 8)[0]) + 16


@pytest.mark.parametrize("level", LEVELS)
def test_the_gnu_property_note_says_the_level(level: str) -> None:
    found = inspect((CORPUS / f"kernel_{level}.so").read_bytes(), name="k.so")
    assert found.format == "elf-x86_64"
    assert found.artifacts[0].requires == (NeedsFormat("elf-x86_64"), NeedsIsa(level))


def test_without_a_note_the_level_is_not_known() -> None:
    (artifact,) = inspect((CORPUS / "kernel_silent.so").read_bytes(), name="k.so").artifacts
    assert artifact.requires == (NeedsFormat("elf-x86_64"), X86_LEVEL.requirement)


@pytest.mark.parametrize("kind", [0x6474E553, 4])
def test_the_note_is_found_in_either_kind_of_segment(kind: int) -> None:
    """Linkers before 2.31 made no PT_GNU_PROPERTY: then the note is in a PT_NOTE, aligned to 8 bytes."""
    other = {0x6474E553: 4, 4: 0x6474E553}[kind]
    assert NeedsIsa("x86-64-v3") in inspect(patched(OBJECT, segment(other), "<I", 0), name="k.so").artifacts[0].requires


def test_a_property_after_others_is_found() -> None:
    start = note() - 16
    name_and_header = struct.pack("<III4s", 4, 48, 5, b"GNU\0")
    properties = struct.pack("<IIIIIIII", 0xC0000002, 4, 3, 0, 0xC0008002, 4, 7, 0) + struct.pack("<IIII", 0xC0010001, 4, 1, 0)
    data = OBJECT + bytes(-len(OBJECT) % 8)
    moved = data + name_and_header + properties
    at = segment(0x6474E553)
    moved = patched(patched(moved, at + 8, "<Q", len(data)), at + 32, "<QQ", len(moved) - len(data), len(moved) - len(data))
    assert start > 0
    assert NeedsIsa("x86-64-v3") in inspect(moved, name="k.so").artifacts[0].requires


def test_a_position_independent_executable_is_no_variant() -> None:
    """Its dynamic table says so in DT_FLAGS_1."""
    unused = dynamic(0)
    data = patched(OBJECT, unused, "<QQQQ", 0x6FFFFFFB, 0x08000000, 0, 0)
    (warning,) = inspect(data, name="program").diagnostics
    assert warning.code == "TE4206"
    assert "this executable" in warning.message


def test_branch_protection_of_an_aarch64_object_is_shown() -> None:
    data = patched(patched(OBJECT, 18, "<H", 183), note(), "<III", 0xC0000000, 4, 3)
    assert ("branch protection", "BTI, PAC") in inspect(data, name="k.so").details


def test_used_instructions_count_where_nothing_is_stated_as_needed() -> None:
    used = patched(OBJECT, note(), "<I", 0xC0010002)
    assert NeedsIsa("x86-64-v3") in inspect(used, name="k.so").artifacts[0].requires


def test_level_bits_without_a_name_are_not_known() -> None:
    (artifact,) = inspect(patched(OBJECT, note() + 8, "<I", 0x10), name="k.so").artifacts
    assert isinstance(artifact.requires[1], NeedsUnknown)


def test_kernels_are_functions_with_a_range_entry() -> None:
    (artifact,) = inspect(OBJECT, name="k.so").artifacts
    fill, scale = artifact.kernels
    assert (fill.name, fill.workgroup_size, fill.local_memory) == ("fill", None, None)
    assert (scale.name, scale.workgroup_size, scale.local_memory) == ("scale", (4096, 2, 1), 128)
    functions = [value for key, value in inspect(OBJECT, name="k.so").details if key == "function"]
    assert functions == ["version"]


def test_an_aarch64_object_does_not_say_its_extensions() -> None:
    found = inspect(patched(OBJECT, 18, "<H", 183), name="k.so")
    assert found.artifacts[0].requires == (NeedsFormat("elf-aarch64"), AARCH64_FEATURES.requirement)


@pytest.mark.parametrize("kind", [1, 2, 4])
def test_other_types_of_elf_are_no_variant(kind: int) -> None:
    found = inspect(patched(OBJECT, 16, "<H", kind), name="k.o")
    assert found.artifacts == ()
    assert [diagnostic.code for diagnostic in found.diagnostics] == ["TE4206"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (OBJECT[:40], "TE4201"),
        (patched(OBJECT, 20, "<I", 2), "TE4201"),
        (patched(OBJECT, 52, "<H", 52), "TE4201"),
        (patched(OBJECT, 54, "<H", 32), "TE4201"),
        (patched(OBJECT, 4, "<B", 1), "TE4203"),
        (patched(OBJECT, 5, "<B", 2), "TE4203"),
        (patched(OBJECT, 18, "<H", 40), "TE4203"),
        (patched(OBJECT, 32, "<Q", 1 << 63), "TE4202"),
        (patched(OBJECT, 56, "<H", 0xFFFF), "TE4205"),
        (patched(OBJECT, segment(2) + 8, "<Q", 1 << 40), "TE4202"),
        (patched(OBJECT, segment(2) + 32, "<Q", 1 << 40), "TE4205"),
        (patched(OBJECT, dynamic(5) + 8, "<Q", 1 << 40), "TE4202"),
        (patched(OBJECT, dynamic(6) + 8, "<Q", 1 << 40), "TE4202"),
        (patched(OBJECT, dynamic(10) + 8, "<Q", 0), "TE4202"),
        (patched(OBJECT, segment(0x6474E553) + 32, "<Q", 1 << 40), "TE4202"),
        (patched(OBJECT, note() + 4, "<I", 0xFFFFFFFF), "TE4204"),
        (patched(OBJECT, note() - 12, "<I", 0xFFFFFFFF), "TE4204"),
    ],
)  # fmt: skip
def test_damage_has_its_code(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        inspect(data, name="damaged.so")
    assert refused.value.code == code


def test_a_hash_table_that_claims_countless_symbols_is_refused() -> None:
    buckets = Elf(OBJECT, "k")._offset(Elf(OBJECT, "k")._last(0x6FFFFEF5), "")
    for data in (patched(OBJECT, buckets, "<I", 0xFFFFFFFF), patched(OBJECT, buckets + 8, "<I", 0xFFFFFFFF)):
        with pytest.raises(FormatError) as refused:
            inspect(data, name="damaged.so")
        assert refused.value.code == "TE4202"


def test_formats_are_told_by_their_first_bytes() -> None:
    assert identify(OBJECT) == "elf-x86_64"
    assert identify(patched(OBJECT, 18, "<H", 183)) == "elf-aarch64"
    assert identify(patched(OBJECT, 18, "<H", 40)) == "elf"
    assert identify(b"\x7fELF") == "elf"
    assert identify((CORPUS / "saxpy_spv10.spv").read_bytes()) == "spirv"
    assert identify(b"PK\x03\x04" + bytes(26) + b"targetenv.json") == "tenv"
    assert identify(b"PK\x03\x04" + bytes(60)) is None
    assert identify(b"#!/bin/sh\n") is None


def test_a_package_is_not_opened_here() -> None:
    with pytest.raises(FormatError) as refused:
        inspect(b"PK\x03\x04" + bytes(26) + b"targetenv.json", name="x.tenv")
    assert refused.value.code == "TE4002"


def test_thousands_of_needed_libraries_are_read_in_one_go() -> None:
    """Looking the string table up for each of them would be quadratic."""
    strings = struct.unpack_from("<Q", OBJECT, dynamic(5) + 8)[0], struct.unpack_from("<Q", OBJECT, dynamic(10) + 8)[0]
    entries = struct.pack("<QQQQ", 5, strings[0], 10, strings[1]) + struct.pack("<QQ", 1, 1) * 16000 + bytes(16)
    data = OBJECT + bytes(-len(OBJECT) % 8)
    table = patched(data + entries, segment(2) + 8, "<Q", len(data))
    table = patched(table, segment(2) + 32, "<QQ", len(entries), len(entries))
    assert len(Elf(table, "k.so").needed) == 16000


@pytest.mark.parametrize(("step", "following"), [(0, 0), (0, 16), (16, 0xFFFFFFF0)], ids=["stays", "steps", "leaves"])
def test_a_chain_of_symbol_versions_that_does_not_end_is_refused(step: int, following: int) -> None:
    strings = struct.unpack_from("<Q", OBJECT, dynamic(5) + 8)[0]
    size = struct.unpack_from("<Q", OBJECT, dynamic(10) + 8)[0]
    at = Elf(OBJECT, "k")._offset(strings, "")
    data = patched(OBJECT, at, "<HHIIIIHHII", 1, 0xFFFF, 0, 16, following, 0, 0, 0, 0, step)
    entries = (
        struct.pack("<QQQQ", 5, strings, 10, size) + struct.pack("<QQQQ", 0x6FFFFFFE, strings, 0x6FFFFFFF, 1 << 40) + bytes(16)
    )
    data += bytes(-len(data) % 8)
    table = patched(data + entries, segment(2) + 8, "<Q", len(data))
    table = patched(table, segment(2) + 32, "<QQ", len(entries), len(entries))
    with pytest.raises(FormatError) as refused:
        Elf(table, "k.so").needed_versions()
    assert refused.value.code in ("TE4205", "TE4202")
