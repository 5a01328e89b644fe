"""A small sample of every format that is read: what is cut, changed and described in tests. Each is read without an error."""

from __future__ import annotations

import zlib
from pathlib import Path

from tests.unit.artifacts import aie_builder as aie
from tests.unit.artifacts import iree_builder as iree
from tests.unit.artifacts import nvidia_builder as nvidia
from tests.unit.artifacts.hsaco_builder import YAML, code_object, isa_note, kernel, metadata, note
from tests.unit.artifacts.test_offload_bundle import BUNDLE, TEXT, compressed

CORPUS = Path(__file__).parents[1] / "corpora" / "artifacts"
HSACO = code_object(0xE3F, metadata(kernel(), kernel("fill"), target="gfx90a:sramecc+:xnack-"))
PTX = nvidia.SOURCE.encode()
STRINGS = {"triple": "nvptx64-nvidia-cuda", "arch": "sm_80"}
IMAGES = [(PTX, STRINGS), (nvidia.cubin(80), STRINGS)]
FAMILIES: dict[str, dict[str, bytes]] = {
    "spirv": {path.stem: path.read_bytes() for path in sorted(CORPUS.glob("*.spv"))},
    "elf": {path.stem: path.read_bytes() for path in sorted(CORPUS.glob("*.so"))},
    "nvidia": {
        "ptx": PTX,
        "ptx, linked": b".version 8.0 .target sm_80 .shared .b8 x[4]; .func f { ld x; } .entry k() { call f; }",
        "cubin": nvidia.cubin(90, a=True, kernels=("k", "l"), clusters=True),
        "cubin, relocatable": nvidia.cubin(80, kind=1),
        "fatbin": nvidia.fatbin(nvidia.entry(nvidia.cubin(80), 80), nvidia.entry(PTX, 90, kind=nvidia.PTX, flags=nvidia.A)),
        "fatbin, LZ4": nvidia.fatbin(nvidia.entry(nvidia.lz4(PTX), 90, kind=nvidia.PTX, flags=nvidia.LZ4, size=len(PTX))),
        "fatbin, zstd": nvidia.fatbin(nvidia.entry(nvidia.zstd(PTX), 90, kind=nvidia.PTX, flags=nvidia.ZSTD, size=len(PTX))),
    },
    "amd": {
        "hsaco": HSACO,
        "hsaco, V2": code_object(0, isa_note(9, 0, 1), note(b"AMD", 10, YAML.encode()), version=2),
        "bundle": BUNDLE,
        "bundle, text": TEXT.encode(),
        "bundle, compressed": compressed(BUNDLE),
    },
    "offload": {
        "offload, version 1": nvidia.offload((nvidia.cubin(80), STRINGS)),
        "offload, version 2": nvidia.offload((nvidia.cubin(80), STRINGS), (HSACO, {"arch": "gfx90a"}), version=2),
        "offload, zlib": nvidia.offload(*IMAGES, version=3, pack_body=zlib.compress(nvidia.offload_body(*IMAGES))),
        "offload, zstd": nvidia.offload(*IMAGES, version=3, pack_body=nvidia.zstd(nvidia.offload_body(*IMAGES))),
        "static library": nvidia.library(
            ("a.o", nvidia.host((".nv_fatbin", nvidia.fatbin(nvidia.entry(PTX, 90, kind=nvidia.PTX)))))
        ),
        "fat object": nvidia.host(("__CLANG_OFFLOAD_BUNDLE__hip-amdgcn-amd-amdhsa--gfx942", HSACO)),
        "host object": nvidia.host((".nv_fatbin", nvidia.fatbin(nvidia.entry(nvidia.cubin(80), 80))), (".hip_fatbin", BUNDLE)),
    },
    "iree": {
        "flat": iree.module(iree.vulkan()),
        "zip": iree.zipped(iree.module(iree.vulkan()), "add_dispatch_0_vulkan_spirv_fb.fb"),
        "old": iree.module(iree.vulkan_2024(), old=True),
        "nested": iree.module(iree.module(message=""), iree.gpu(b"CDA1", b"\0ptx")),
        "header": iree.with_header(iree.vulkan()),
        "metal": iree.metal("kernel void add() {}"),
        "amdgpu": iree.amdgpu(HSACO),
    },
    "aie": {
        "xclbin": aie.xclbin(),
        "pdi": aie.pdi(),
        "boot": aie.pdi(boot=True),
        "cdo": aie.cdo(aie.write(1, 2), aie.write(0, 3)),
        "transaction": aie.RUN,
        "aie elf": aie.aie_elf(),
        "pdir": aie.pdir(),
        "xrtr": aie.xrtr(aie.xclbin(("dispatch_0",))),
    },
    "habana": {"tpc": aie.tpc()},
    "metal": {"metallib": aie.metallib(("add", 2, (3, 1)), ("shade", 1, (2, 4))), "source": aie.SOURCE.encode()},
}
SAMPLES: dict[str, bytes] = {f"{family}: {name}": data for family, rows in FAMILIES.items() for name, data in rows.items()}
