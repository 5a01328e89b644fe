"""The label audit: what is said about code and is not so is called out, with the place and what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from targetenv.artifacts.audit import claims_of_label, claims_of_name
from targetenv.cli.claims import offers_of_claim
from targetenv.model.record import replace
from targetenv.wire.package import open_package, pack_package
from tests.unit.artifacts import iree_builder as iree
from tests.unit.artifacts import nvidia_builder as nvidia
from tests.unit.artifacts.hsaco_builder import code_object, kernel, metadata
from tests.unit.artifacts.test_offload_bundle import bundle

CORPUS = Path(__file__).parents[2] / "corpora" / "artifacts"
V4 = (CORPUS / "kernel_x86-64-v4.so").read_bytes()
AARCH64 = V4[:18] + (183).to_bytes(2, "little") + V4[20:]
GFX90A, GFX942 = (code_object(flags | 0x500, metadata(kernel())) for flags in (0x3F, 0x4C))
XNACK = code_object(0x3F | 0x700, metadata(kernel()))
HIP, HOST = "hipv4-amdgcn-amd-amdhsa--", "host-x86_64-unknown-linux-gnu-"
ENVIRONMENT = "#spirv.target_env<#spirv.vce<%s>, #spirv.resource_limits<>>"
MATMUL = (CORPUS / "matmul_f16.spv").read_bytes()


def vmfb(environment: str) -> bytes:
    target = f'#hal.executable.target<"vulkan-spirv", "vulkan-spirv-fb", {{spirv.target_env = {ENVIRONMENT % environment}}}>'
    device = f'#hal.device.target<"vulkan", [{target}]> : !hal.device'
    return iree.module(iree.vulkan(MATMUL), message=f"HAL device `d` not found or unavailable: {device}")


CATCHES: dict[str, tuple[str, bytes, str, str, list[str]]] = {
    "a gfx90a object bundled as gfx942": (
        "b.hipfb", bundle((HOST, b""), (f"{HIP}gfx942", GFX90A)), "TE4071", "`gfx90a`", [f"{HIP}gfx942"],
    ),
    "an object for xnack on bundled for any": (
        "b.hipfb", bundle((f"{HIP}gfx90a", XNACK)), "TE4072", "xnack+", [f"{HIP}gfx90a"],
    ),
    "a label that names nothing": ("b.hipfb", bundle((f"{HIP}gfxBOGUS", GFX90A)), "TE4074", "gfxBOGUS", [f"{HIP}gfxBOGUS"]),
    "an arm64 object in the place of the host's": ("b.hipfb", bundle((HOST, AARCH64)), "TE4073", "AArch64", [HOST]),
    "an sm_80 cubin named sm_90": ("saxpy.sm_90.cubin", nvidia.cubin(80), "TE4071", "`sm_80`", []),
    "a v4 binary named as v2": ("saxpy-x86-64-v2.so", V4, "TE4072", "x86-64-v4", []),
    "a v4 binary in the directory of a v2 image": ("linux/amd64/v2/saxpy.so", V4, "TE4072", "x86-64-v4", []),
    "an arm64 binary in the directory of an amd64 image": ("linux/amd64/saxpy.so", AARCH64, "TE4073", "AArch64", []),
    "gfx90a code in an executable of IREE for gfx942": ("add.hal", iree.amdgpu(GFX90A), "TE4071", "`gfx90a`", ["module 0"]),
    "SPIR-V that needs more than its module was compiled for": (
        "mm.vmfb", vmfb("v1.3, [Shader], []"), "TE4072", "StorageBuffer16BitAccess", ["data 2", "module 0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CATCHES)
def test_a_label_that_lies_is_called_out(name: str, tmp_path: Path, te: Any) -> None:
    file, data, code, truth, path = CATCHES[name]
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    said = te("inspect", place, "--format", "json")
    assert said.status == 0
    (row,) = [row for row in said.json["audit"] if row["diagnostic"] is not None]
    assert row["diagnostic"]["code"] == code
    assert truth in row["diagnostic"]["message"]
    assert row["diagnostic"]["help"]
    assert row["path"] == path
    assert row["diagnostic"] in said.json["diagnostics"]
    assert row["outcome"] == ("unknown" if code == "TE4074" else "contradicted")
    if path:
        assert data[row["offset"] :][:4] in (b"\x7fELF", b"\x03\x02\x23\x07")
    assert f"[{code}]" in te("inspect", place).err


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("b.hipfb", bundle((HOST, V4), (f"{HIP}gfx90a:xnack+", XNACK), (f"{HIP}gfx942", GFX942))),
        ("b.hipfb", bundle((f"{HIP}gfx90a:sramecc+:xnack+", XNACK), (f"{HIP}gfx90a:xnack-", GFX90A))),
        ("b.hipfb", bundle(("hip-spirv64-amd-amdhsa--amdgcnspirv", iree.SPIRV))),
        ("k.sm_80.cubin", nvidia.cubin(80)),
        ("k_sm_86.cubin", nvidia.cubin(80)),
        ("k-x86_64_v4.so", V4),
        ("glibc-hwcaps/x86-64-v4/k.so", V4),
        ("k-arm64.so", AARCH64),
        ("transmission_9000.so", V4),
        ("_simd.cpython-311-x86_64-linux-gnu.so", V4),
    ],
)
def test_labels_that_hold_are_not_called_out(file: str, data: bytes, tmp_path: Path, te: Any) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    said = te("inspect", place, "--format", "json")
    assert {row["outcome"] for row in said.json["audit"]} <= {"confirmed", "unknown"}
    assert not [row for row in said.json["diagnostics"] if row["code"].startswith("TE407")]


def test_what_the_caller_claims_is_held_against_the_file(tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.so").write_bytes(V4)
    rows = te("inspect", tmp_path / "k.so", "--claim", "linux/amd64/v3", "--claim", "x86-64-v4", "--format", "json").json[
        "audit"
    ]
    assert [(row["by"], row["outcome"]) for row in rows] == [("caller", "contradicted"), ("caller", "confirmed")]
    assert rows[0]["findings"][0]["code"] == "TE3106"


def test_what_a_manifest_claims_is_held_against_the_payload(package: Path, te: Any) -> None:
    with open_package(str(package)) as opened:
        contents = opened.package
        payloads = {row.member: bytes(opened.payload(row)) for row in contents.variants}
    lying = replace(contents, variants=tuple(replace(row, target=("linux/amd64",)) for row in contents.variants))
    package.write_bytes(pack_package(lying, payloads))
    said = te("inspect", package.name, "--format", "json")
    assert {row["by"] for row in said.json["audit"]} == {"variant's target"}
    assert [row["diagnostic"]["code"] for row in said.json["audit"] if row["diagnostic"]]
    assert not [row for row in said.json["diagnostics"] if row["code"] == "TE4604"]


def test_a_silent_object_confirms_nothing(tmp_path: Path, te: Any) -> None:
    (tmp_path / "k-x86-64-v2.so").write_bytes((CORPUS / "kernel_silent.so").read_bytes())
    (row,) = te("inspect", tmp_path / "k-x86-64-v2.so", "--format", "json").json["audit"]
    assert row["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("a/saxpy.sm_90a.cubin", ["sm_90a"]),
        ("k-gfx9-4-generic.hsaco", ["gfx9-4-generic"]),
        ("k_gfx90a:xnack+.hsaco", ["gfx90a:xnack+"]),
        ("lib-amd64v3.so", ["x86-64-v3"]),
        ("linux/arm64/v8/lib.so", ["linux/arm64"]),
        ("glibc-hwcaps/x86-64-v3/lib.so", ["x86-64-v3"]),
        ("amd64/lib.so", []),
        ("plasm_90.cubin", []),
        ("lib.so", []),
    ],
)
def test_names_claim_what_they_say(name: str, targets: list[str]) -> None:
    assert [claim.target for claim in claims_of_name(name)] == targets


@pytest.mark.parametrize(
    ("label", "targets"),
    [
        ("hipv4-amdgcn-amd-amdhsa--gfx90a:sramecc+:xnack-", ["gfx90a:sramecc+:xnack-"]),
        ("openmp-nvptx64-nvidia-cuda--sm_80", ["sm_80"]),
        ("host-x86_64-unknown-linux-gnu-", ["x86_64-unknown-linux-gnu"]),
        (f"{HIP}gfx942 #2", ["gfx942"]),
        ("sm_90", ["sm_90"]),
        ("hip-spirv64-amd-amdhsa--amdgcnspirv", []),
    ],
)
def test_labels_claim_what_they_say(label: str, targets: list[str]) -> None:
    assert [claim.target for claim in claims_of_label(label)] == targets
    assert all(offers_of_claim(target) is not None for target in targets)


def test_the_report_for_people_says_it_too(tmp_path: Path, te: Any) -> None:
    (tmp_path / "b.hipfb").write_bytes(CATCHES["a gfx90a object bundled as gfx942"][1])
    said = te("inspect", tmp_path / "b.hipfb")
    assert "warning[TE4071]: its entry ID says" in said.err
    assert json.loads(te("inspect", tmp_path / "b.hipfb", "--format", "json").out)["audit"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (nvidia.fatbin(nvidia.entry(nvidia.cubin(80), 90)), "TE4044"),
        (nvidia.offload((nvidia.cubin(80), {"arch": "sm_90"})), "TE4051"),
    ],
)
def test_what_a_reader_says_of_a_label_is_said_once_and_listed(data: bytes, code: str, tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.bin").write_bytes(data)
    said = te("inspect", tmp_path / "k.bin", "--format", "json").json
    assert [row["code"] for row in said["diagnostics"] if row["code"] in ("TE4044", "TE4051", "TE4071")] == [code]
    (row,) = said["audit"]
    assert row["outcome"] == "contradicted"
    assert data[row["offset"] :].startswith(nvidia.cubin(80))


def test_code_in_a_host_object_is_held_against_its_labels(tmp_path: Path, te: Any) -> None:
    hip = bundle((HOST, b""), (f"{HIP}gfx942", GFX90A))
    (tmp_path / "a.out").write_bytes(nvidia.host((".hip_fatbin", hip + bytes(-len(hip) % 4096) + hip)))
    said = te("inspect", tmp_path / "a.out", "--format", "json").json
    assert [row["path"][0] for row in said["audit"]] == [".hip_fatbin#1", ".hip_fatbin#2"]
    assert [row["diagnostic"]["code"] for row in said["audit"]] == ["TE4071", "TE4071"]
    data = (tmp_path / "a.out").read_bytes()
    assert all(data[row["offset"] :].startswith(GFX90A) for row in said["audit"])


def test_a_v4_binary_without_a_note_is_caught_by_its_instructions(tmp_path: Path, te: Any) -> None:
    pytest.importorskip("capstone")
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is not installed")
    source, made = tmp_path / "a.c", tmp_path / "k-x86-64-v2.so"
    source.write_text("void add(int *a, const int *b, int n) { for (int i = 0; i < n; i++) a[i] += b[i]; }")
    flags = ("-O3", "-march=x86-64-v4", "-mprefer-vector-width=512", "-shared", "-fPIC", "-nostdlib")
    subprocess.run([gcc, *flags, source, "-o", made], check=True)
    assert te("inspect", made, "--format", "json").json["audit"][0]["outcome"] == "unknown"
    (row,) = te("inspect", made, "--scan", "--format", "json").json["audit"]
    assert (row["outcome"], row["diagnostic"]["code"]) == ("contradicted", "TE4072")
    assert "avx512f" in row["diagnostic"]["message"]


@pytest.mark.parametrize("name", ["a gfx90a object bundled as gfx942", "a v4 binary named as v2"])
def test_packing_under_a_label_that_lies_says_so(name: str, tmp_path: Path, te: Any) -> None:
    file, data, code, _, _ = CATCHES[name]
    (tmp_path / file).write_bytes(data)
    said = te("pack", "-o", tmp_path / "p.tenv", tmp_path / file)
    assert said.status == 0
    assert said.err.count(f"warning[{code}]") == 1
