"""Hostile containers: whatever is done to one, inspecting it gives an answer or a FormatError with a TE4 code, and soon."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from tests.fuzz.test_binary_readers import change, survives
from tests.unit.artifacts import aie_builder as aie
from tests.unit.artifacts import iree_builder as iree
from tests.unit.artifacts import nvidia_builder as nv

MUTATIONS = 10_000
IREE = {
    "flat": iree.module(iree.vulkan()),
    "zip": iree.zipped(iree.module(iree.vulkan()), "add_dispatch_0_vulkan_spirv_fb.fb"),
    "old": iree.module(iree.vulkan_2024(), old=True),
    "nested": iree.module(iree.module(message=""), iree.gpu(b"CDA1", b"\0ptx")),
    "header": iree.with_header(iree.vulkan()),
    "metal": iree.metal("kernel void add() {}"),
    "amdgpu": iree.amdgpu(b"\0image"),
}
AIE = {
    "xclbin": aie.xclbin(),
    "pdi": aie.pdi(),
    "boot": aie.pdi(boot=True),
    "cdo": aie.cdo(aie.write(1, 2), aie.write(0, 3)),
    "transaction": aie.RUN,
    "elf": aie.aie_elf(),
    "pdir": aie.pdir(),
    "xrtr": aie.xrtr(aie.xclbin(("dispatch_0",))),
}
HABANA = {"tpc": aie.tpc()}
METAL = {"metallib": aie.metallib(("add", 2, (3, 1)), ("shade", 1, (2, 4))), "source": aie.SOURCE.encode()}
CUBIN = {"cubin": nv.cubin(90, kernels=("k", "l"), clusters=True), "relocatable": nv.cubin(80, kind=1)}
PTX = {
    "ptx": nv.SOURCE.encode(),
    "linked": b".version 8.0 .target sm_80 .shared .b8 x[4]; .func f { ld x; } .entry k() { call f; }",
}
FATBIN = {
    "plain": nv.fatbin(nv.entry(nv.cubin(80), 80), nv.entry(nv.SOURCE.encode(), 90, kind=nv.PTX, flags=nv.A, version=(8, 0))),
    "lz4": nv.fatbin(nv.entry(nv.lz4(nv.SOURCE.encode()), 90, kind=nv.PTX, flags=nv.A | nv.LZ4, size=len(nv.SOURCE))),
    "zstd": nv.fatbin(nv.entry(nv.zstd(nv.cubin(80)), 80, flags=nv.ZSTD, size=len(nv.cubin(80)))),
}
IMAGES = [(nv.SOURCE.encode(), {"triple": "nvptx64-nvidia-cuda", "arch": "sm_90a"}), (nv.cubin(90), {"arch": "sm_90"})]
OFFLOAD = {
    "one": nv.offload(IMAGES[0], kind=5) * 2,
    "many": nv.offload(*IMAGES, version=2),
    "zlib": nv.offload(*IMAGES, version=3, pack_body=zlib.compress(nv.offload_body(*IMAGES))),
    "zstd": nv.offload(*IMAGES, version=3, pack_body=nv.zstd(nv.offload_body(*IMAGES))),
}
HOST = {
    "nvcc": nv.host((".nv_fatbin", FATBIN["lz4"] * 2)),
    "clang": nv.host((".text", b"code"), (".llvm.offloading", OFFLOAD["one"])),
}
FAMILIES = {"iree": IREE, "aie": AIE, "habana": HABANA, "metal": METAL, "cubin": CUBIN, "ptx": PTX, "fatbin": FATBIN,
            "offload": OFFLOAD, "host": HOST}  # fmt: skip


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, rows in FAMILIES.items() for name in rows])
def test_a_container_cut_at_any_byte_is_read_or_refused(family: str, name: str) -> None:
    data = FAMILIES[family][name]
    assert survives(data)
    for end in range(len(data)):
        survives(data[:end])


@pytest.mark.parametrize(("family", "name"), [(family, name) for family, rows in FAMILIES.items() for name in rows])
def test_a_container_changed_at_random_is_read_or_refused(family: str, name: str) -> None:
    original = FAMILIES[family][name]
    random = Random(f"{family} {name}")
    accepted = 0
    for _ in range(MUTATIONS // len(FAMILIES[family])):
        data = bytearray(original)
        for _ in range(random.choice((1, 1, 2, 4, 16))):
            change(data, random)
        accepted += survives(bytes(data))
    assert accepted, "every change was noticed at once, so nothing deep was tried"


@pytest.mark.parametrize(
    "text",
    [
        ".shared .b8 x" + "[" * 200_000,
        ".shared .b8 x" + "[99999999999]" * 20_000 + ";",
        ".func " + ".a " * 100_000,
        ".func .a" + " " * 200_000 + "{",
        ".entry k(" + ".param .b8 x," * 30_000 + ") { }",
        "{" * 200_000,
        ".shared .b8 s; " + "".join(f".func f{at} {{ f{at + 1} s; }} .entry k{at}() {{ f{at}; }} " for at in range(3000)),
        ".shared .b8 s; .func f { f s; } .entry k() { f; }",
        '"' * 100_001,
        "/*" * 100_000,
        ".extern .func (" * 20_000,
    ],
    ids=range(11),
)
def test_ptx_that_was_made_to_hurt_is_read_or_refused_soon(text: str) -> None:
    survives(b".version 8.0 .target sm_80 " + text.encode())


def test_a_lying_count_costs_nothing() -> None:
    many = nv.cubin(90, kernels=tuple(f"k{at}" for at in range(200)))
    survives(many)
    bomb = nv.lz4(b"a" * 20)[:-19] + b"\xff" * 5000
    survives(nv.fatbin(nv.entry(b"\x1fa\x01\x00" + b"\xff" * 4000 + b"\x00", 80, flags=nv.LZ4, size=255 * 4000 + 20)))
    survives(nv.fatbin(nv.entry(bomb, 80, flags=nv.LZ4, size=1 << 29)))
    survives(nv.fatbin(nv.entry(nv.zstd(bytes(1 << 27)), 80, flags=nv.ZSTD, size=1 << 27)))
    survives(nv.host((".nv_fatbin", bytes(1 << 24) + nv.fatbin())))


def test_fatbins_within_fatbins_end() -> None:
    data = nv.cubin(80)
    for _ in range(12):
        data = nv.fatbin(nv.entry(data, 80))
    assert not survives(data)
