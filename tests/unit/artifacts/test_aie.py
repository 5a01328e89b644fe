"""Files for AMD's NPUs: what array they need, which kernels they hold, and what loads although it is wrong."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from targetenv.artifacts import Inspection, identify, inspect
from targetenv.artifacts.aie import GENERATION
from targetenv.artifacts.xclbin import read_xclbin
from targetenv.diagnostics.diagnostic import FormatError
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import NeedsFeature, NeedsFormat, NeedsLimit, Relation
from tests.unit.artifacts import aie_builder as aie

if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement


def only(data: bytes) -> Artifact:
    (artifact,) = inspect(data, name="x").artifacts
    return artifact


def codes(found: Inspection) -> list[str]:
    return [warning.code for warning in found.diagnostics]


def refusal(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        inspect(data, name="x")
    return caught.value.code


def at_least(columns: int, rows: int) -> tuple[Requirement, ...]:
    names = (("aie::columns", columns), ("aie::rows", rows))
    return tuple(NeedsLimit(name, Relation.AT_LEAST, count) for name, count in names)


ARRAY = (NeedsFeature("aie2"), *at_least(4, 6), NeedsLimit("aie::memoryTileRows", Relation.EXACTLY, 1))


@pytest.mark.parametrize("boot", [False, True])
def test_a_pdi_needs_the_tiles_that_its_cdos_write_to(boot: bool) -> None:
    data = aie.pdi(aie.cdo(aie.write(1, 2), aie.write(0, 5)), boot=boot)
    assert identify(data) == "pdi"
    assert only(data).requires == (NeedsFormat("pdi"), *at_least(2, 6), GENERATION)
    assert ("kind", "boot image" if boot else "partial image") in inspect(data, name="x").details


def test_a_cdo_with_a_long_command_and_one_of_64_bits_is_read() -> None:
    long = struct.pack("<IIII", 0x00FF_0105, 4, 0, 2 << 25 | 1 << 20) + bytes(8)
    wide = struct.pack("<IIII", 0x0003_0108, 0x200, 3 << 25, 7)
    data = aie.cdo(long, wide)
    assert identify(data) == "cdo"
    assert only(data).requires == (NeedsFormat("cdo"), *at_least(4, 2), GENERATION)


def test_a_partial_pdi_with_two_partitions_is_called_out() -> None:
    assert codes(inspect(aie.pdi(aie.cdo(), aie.cdo()), name="x")) == ["TE4802"]


def test_a_transaction_needs_the_array_in_its_header() -> None:
    assert identify(aie.RUN) == "aie-transaction"
    assert only(aie.RUN).requires == (NeedsFormat("aie-transaction"), *ARRAY)
    assert NeedsFeature("aie2p") in only(aie.transaction(generation=4, columns=8)).requires


def test_an_elf_file_needs_what_its_control_code_needs() -> None:
    data = aie.aie_elf()
    assert identify(data) == "aie-elf"
    assert only(data).requires == (NeedsFormat("aie-elf"), *ARRAY)
    assert ("patches", "the address of buffer 2") in inspect(data, name="x").details


def test_a_pdir_joins_its_pdis_and_its_runs() -> None:
    artifact = only(aie.pdir())
    assert artifact.kernels == (Kernel("matmul_dispatch_0", bindings=3),)
    assert set(artifact.requires) == {NeedsFormat("pdir"), *ARRAY}


@pytest.mark.parametrize("single", [False, True])
def test_an_xrtr_is_opened(single: bool) -> None:
    found = inspect(aie.xrtr(aie.xclbin(), single=single), name="x")
    assert found.format == "xrtr"
    assert [row.format for row in found.artifacts] == ["xclbin"]


def test_an_xclbin_gives_its_kernels_and_its_partition() -> None:
    artifact = only(aie.xclbin())
    assert artifact.format == "xclbin"
    assert artifact.kernels == (Kernel("dispatch_0", bindings=2), Kernel("dispatch_1", bindings=2))
    assert artifact.requires == (NeedsFormat("xclbin"), *at_least(4, 3), GENERATION)
    assert codes(inspect(aie.xclbin(), name="x")) == []


def test_an_xclbin_is_read_section_by_section() -> None:
    found = read_xclbin(aie.xclbin(), "x")
    assert [(row.tag, row.size) for row in found.memories] == [("HOST", 0x10000), ("SRAM", 0xC000)]
    assert [(row.name, row.kernel_id) for row in found.ips] == [("dispatch_0:IREE", 0), ("dispatch_1:IREE", 1)]
    assert found.connections[:3] == ((1, 0, 1), (3, 0, 0), (4, 0, 0))
    assert found.partition is not None
    assert (found.partition.columns, found.partition.starts) == (4, (1,))
    assert [group.kernel_ids for pdi in found.partition.pdis for group in pdi.groups] == [(0,), (1,)]
    assert [row.name for row in found.kernels["dispatch_0"]] == ["opcode", "instr", "ninstr", "bo0", "bo1"]


PDI = aie.pdi()
ONE, TWO = b"\1" * 16, b"\2" * 16


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (aie.xclbin(ids=(0, 0)), 1),
        (aie.xclbin(groups=((ONE, PDI, (0,)),)), 1),
        (aie.xclbin(groups=((ONE, PDI, (0, 1)), (TWO, PDI, (1,)))), 1),
        (aie.xclbin(groups=((ONE, PDI, (0,)), (ONE, aie.pdi(aie.cdo()), (1,)))), 1),
        (aie.xclbin(groups=((ONE, PDI, (0,)), (TWO, b"random bytes", (1,)))), 1),
        (aie.xclbin() + bytes(8), 1),
        (aie.xclbin(tuple(f"d{place}" for place in range(33))), 1),
    ],
    ids=["one id twice", "kernel without PDI", "kernel in two", "one UUID twice", "no PDI", "length", "too many"],
)
def test_an_xclbin_that_loads_and_is_wrong_is_called_out(data: bytes, count: int) -> None:
    """xclbinutil writes all of these with exit status 0, and XRT loads the first one and runs the wrong kernel."""
    assert codes(inspect(data, name="x")) == ["TE4802"] * count


def put(data: bytes, at: int, layout: str, *values: int) -> bytes:
    new = struct.pack(layout, *values)
    return data[:at] + new + data[at + len(new) :]


XCLBIN = aie.xclbin()
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><project>&b;</project>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (XCLBIN[:-9], "TE4801"),
        (XCLBIN[:400], "TE4801"),
        (put(XCLBIN, 448, "<I", 0xFFFFFFFF), "TE4801"),
        (put(XCLBIN, 456 + 24, "<Q", 0), "TE4801"),
        (put(XCLBIN, 456 + 32, "<Q", 2**63), "TE4801"),
        (aie.xclbin(xml=BOMB), "TE4801"),
        (aie.xclbin(xml=b"<a>" * 100), "TE4801"),
        (aie.xclbin(xml=b"<project"), "TE4801"),
        (put(PDI, 0x10, "<I", 0x30000), "TE4803"),
        (PDI[:-4], "TE4803"),
        (put(PDI, len(PDI) - 16, "<I", 0x00FE0103), "TE4804"),
        (aie.cdo()[:16] + bytes(4), "TE4804"),
        (aie.RUN[:-4], "TE4805"),
        (put(aie.RUN, 8, "<I", 5), "TE4805"),
        (put(aie.RUN, 8, "<I", 3), "TE4805"),
        (put(aie.RUN, 16, "<I", 0x77), "TE4805"),
        (aie.pdir(field0=[]), "TE4806"),
        (aie.pdir(field0=["a", "b"]), "TE4806"),
        (aie.pdir(field2=[]), "TE4806"),
        (aie.pdir()[:60], "TE4806"),
        (aie.aie_elf()[:-4], "TE4807"),
    ],
)
def test_damage_has_its_code(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_an_executable_does_not_multiply_its_pdis() -> None:
    """Ten thousand references to one PDI of a megabyte would be ten gigabytes to read."""
    big = aie.pdi(aie.cdo(*[aie.write(1, 2)] * 80_000))
    data = bytearray(aie.pdir((big,)))
    (root,) = struct.unpack_from("<I", data)
    (back,) = struct.unpack_from("<i", data, root)
    slot = root + struct.unpack_from("<H", data, root - back + 4 + 2 * 2)[0]
    old = slot + struct.unpack_from("<I", data, slot)[0]
    vector, count = len(data), 1000
    table = vector + 4 + 4 * count + old + 4 + struct.unpack_from("<I", data, old + 4)[0]
    offsets = b"".join(struct.pack("<I", table - (vector + 4 + 4 * at)) for at in range(count))
    grown = data + struct.pack("<I", count) + offsets + data
    struct.pack_into("<I", grown, slot, vector - slot)
    assert refusal(bytes(grown)) == "TE4806"


def test_pdis_that_share_an_image_do_not_multiply_it() -> None:
    groups = tuple((bytes([place] * 16), PDI, (place,)) for place in range(64))
    data = bytearray(aie.xclbin(groups=groups))
    start = data.index(b"QoS\0") - 184
    (count, table) = struct.unpack_from("<II", data, start + 120)
    size = struct.unpack_from("<Q", data, 456 + 40 + 32)[0]
    for place in range(count):
        struct.pack_into("<II", data, start + table + 96 * place + 16, size, 0)
    assert refusal(bytes(data)) == "TE4801"
