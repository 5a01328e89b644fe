"""Hostile containers: whatever is done to one, inspecting it gives an answer or a FormatError with a TE4 code, and soon."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.test_binary_readers import change, survives
from tests.unit.artifacts import aie_builder as aie
from tests.unit.artifacts import iree_builder as iree

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
FAMILIES = {"iree": IREE, "aie": AIE, "habana": HABANA, "metal": METAL}


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
