"""Cubins and fatbins that NVIDIA's own tools make of our sources, and what those tools say of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts.elf_sections import Sections
from targetenv.artifacts.inspection import Inspection
from targetenv.model.requirement import NeedsIsa
from targetenv.model.version import Version
from targetenv.registry import cuda as registry
from tests.differential import oracles

pytestmark = pytest.mark.differential
CORPUS = Path(__file__).parent.parent / "corpora" / "nvidia"
RECORDED = {(row[0], row[1]): row[2:] for row in map(str.split, (CORPUS / "headers.txt").read_text().splitlines())}
SHARED = """
.version {version}
.target {target}
.address_size 64
.shared .align 16 .b8 all[96];
.shared .align 4 .b8 nobody[512];
.func (.param .b32 r) helper(.param .b32 a) {{
    .reg .b32 %r<4>; .shared .align 4 .b8 own[40];
    ld.param.b32 %r1, [a]; st.shared.b32 [own], %r1; bar.sync 0; ld.shared.b32 %r2, [own+8];
    st.shared.b32 [all+4], %r2; bar.sync 0; ld.shared.b32 %r3, [all+12]; st.param.b32 [r], %r3; ret;
}}
.visible .entry far(.param .u64 p, .param .align 16 .b8 s[48], .param .u8 c, .param .u16 h) {{
    .reg .b32 %r<4>; .reg .b64 %rd<2>; .param .b32 x; .param .b32 y;
    ld.param.u64 %rd1, [p]; ld.global.b32 %r1, [%rd1]; st.param.b32 [x], %r1;
    call (y), helper, (x); ld.param.b32 %r2, [y]; st.global.b32 [%rd1], %r2; ret;
}}
.visible .entry near(.param .u64 p) .maxntid 96 {{
    .reg .b32 %r<4>; .reg .b64 %rd<2>; .shared .align 8 .b8 t[24];
    ld.param.u64 %rd1, [p]; ld.global.b32 %r1, [%rd1]; st.shared.b32 [t], %r1; bar.sync 0;
    ld.shared.b32 %r2, [t+8]; st.global.b32 [%rd1], %r2; ret;
}}
"""


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(params=["path", "cuda@13.5", "cuda@12.9"])
def ptxas(request: pytest.FixtureRequest) -> Path:
    if request.param != "path":
        return oracles.cuda(request.param)["ptxas"]
    found = shutil.which("ptxas")
    return Path(found) if found else pytest.skip("ptxas is not on PATH")


@pytest.fixture
def tools() -> dict[str, Path]:
    return oracles.cuda("cuda@13.5")


def release(ptxas: Path) -> Version:
    found = re.search(r"release (\d+\.\d+)", run(ptxas, "--version"))
    assert found is not None
    return Version.parse(found[1])


def architectures(ptxas: Path) -> list[str]:
    """What `-arch` takes, without the names of virtual ones."""
    _, _, text = run(ptxas, "--help").partition("--gpu-name")
    found = sorted(set(re.findall(r"'(sm_\d+[af]?)'", text.partition("\n--")[0])))
    assert found
    return found


def number_of(name: str) -> int:
    return int(re.sub(r"\D", "", name))


def assembled(ptxas: Path, source: str, arch: str, tmp_path: Path, *options: str) -> tuple[bytes, str]:
    """The cubin of PTX for the plain architecture, and what ptxas says meanwhile."""
    number = number_of(arch)
    version = max(registry.first_ptx(f"sm_{number}") or Version(9, 4), Version(6, 3))
    text, out = tmp_path / "in.ptx", tmp_path / "out.cubin"
    text.write_text(re.sub(r"\.version .*", f".version {version}", re.sub(r"\.target .*", f".target sm_{number}", source)))
    said = run(ptxas, *options, "-arch", arch, text, "-o", out)
    return out.read_bytes(), said


def isa(found: Inspection) -> str:
    """The architecture that the image names; what a container adds to it comes behind."""
    (artifact,) = found.artifacts
    return next(need.isa for need in artifact.requires if isinstance(need, NeedsIsa))


def test_every_cubin_names_the_architecture_that_it_was_made_for(ptxas: Path, tmp_path: Path) -> None:
    source, version = (CORPUS / "scale.ptx").read_text(), release(ptxas)
    for arch in architectures(ptxas):
        data, _ = assembled(ptxas, source, arch, tmp_path)
        found = inspect(data, name=arch)
        assert isa(found) == arch.rstrip("f")
        elf = Sections(data, arch, "TE4041")
        compat = elf.named(".nv.compat")
        row = [
            hex(elf.os_abi),
            str(elf.abi),
            str(elf.version),
            f"{elf.flags:#010x}",
            bytes(compat.data).hex() if compat else "-",
        ]
        assert row == RECORDED.get((str(version), arch), row)


def test_registers_and_shared_memory_are_those_that_ptxas_reports(ptxas: Path, tmp_path: Path) -> None:
    for source in ((CORPUS / "scale.ptx").read_text(), SHARED.format(version="6.3", target="sm_75")):
        for arch in architectures(ptxas):
            if number_of(arch) < 50:
                continue
            data, said = assembled(ptxas, source, arch, tmp_path, "-v")
            text = inspect((tmp_path / "in.ptx").read_bytes(), name="x").artifacts[0]
            reported = {
                name: (int(registers), int(shared or 0))
                for name, registers, shared in re.findall(
                    r"entry function '(\w+)'[\s\S]*?Used (\d+) registers(?:[^\n]*?(\d+) bytes smem)?", said
                )
            }
            found = inspect(data, name=arch)
            lines = {value.partition(" ")[0]: value for key, value in found.details if key == "kernel"}
            for kernel in found.artifacts[0].kernels:
                registers = re.search(r"(\d+) registers", lines[kernel.name])
                assert registers is not None
                assert (int(registers[1]), kernel.local_memory) == reported[kernel.name], (arch, kernel.name)
            assert {row.name: row.local_memory for row in text.kernels} == {name: row[1] for name, row in reported.items()}


def test_parameters_of_text_and_cubin_are_the_same(ptxas: Path, tmp_path: Path) -> None:
    data, _ = assembled(ptxas, SHARED.format(version="6.3", target="sm_75"), "sm_90", tmp_path)
    kernels = {row.name: row.parameters for row in inspect(data, name="x").artifacts[0].kernels}
    for kernel in inspect((tmp_path / "in.ptx").read_bytes(), name="x").artifacts[0].kernels:
        assert [(row.offset, row.size) for row in kernel.parameters or ()] == [
            (row.offset, row.size) for row in kernels[kernel.name] or ()
        ]


def test_ptxas_takes_the_ptx_versions_of_its_release(ptxas: Path, tmp_path: Path) -> None:
    newest = registry.ptx_of(release(ptxas))
    for version in ("6.3", "7.0", "7.8", "8.0", "8.5", "8.6", "8.7", "8.8", "9.0", "9.1", "9.2", "9.3", "9.4", "9.5", "9.9"):
        source = tmp_path / "in.ptx"
        source.write_text(f".version {version}\n.target sm_75\n.address_size 64\n.entry k() {{ ret; }}\n")
        done = subprocess.run([ptxas, "-arch", "sm_75", source, "-o", tmp_path / "o"], capture_output=True)
        assert (done.returncode == 0) is (Version.parse(version) <= newest), version


@pytest.mark.parametrize("mode", ["none", "default", "size", "speed", "balance"])
def test_a_fatbin_lists_as_cuobjdump_lists_it(tools: dict[str, Path], tmp_path: Path, mode: str) -> None:
    images = []
    for arch in ("sm_75", "sm_80", "sm_90a", "sm_100", "sm_100f", "sm_120a", "sm_121f"):
        data, _ = assembled(tools["ptxas"], (CORPUS / "scale.ptx").read_text(), arch, tmp_path)
        path = tmp_path / f"{arch}.cubin"
        path.write_bytes(data)
        images.append(f"--image3=kind=elf,sm={arch.removeprefix('sm_')},file={path}")
    for arch, target in (("75", "sm_75"), ("90a", "sm_90a"), ("100f", "sm_100f")):
        path = tmp_path / f"{arch}.ptx"
        path.write_text(re.sub(r"\.target .*", f".target {target}", (CORPUS / "scale.ptx").read_text().replace("7.8", "9.0")))
        images.append(f"--image3=kind=ptx,sm={arch},file={path}")
    out = tmp_path / "k.fatbin"
    more = ["--compress-all"] if mode not in ("none", "default") else []
    run(tools["fatbinary"], "-64", f"--compress-mode={mode}", *more, *images, f"--create={out}")
    assert_listed(tools["cuobjdump"], out)


def assert_listed(cuobjdump: Path, file: Path) -> Inspection:
    """Our answer for the file is cuobjdump's: architectures in order, compute resources of every kernel of every cubin."""
    found = inspect(file.read_bytes(), name="x")
    for option, form in (("--list-elf", "cubin"), ("--list-ptx", "ptx")):
        listed = re.findall(r"file +\d+: \S*?\.(sm_\w+)\.", run(cuobjdump, "-all", option, file))
        ours = [str(artifact.target) for artifact in found.artifacts if artifact.format == form]
        if form == "cubin":  # cuobjdump goes by the image there, which does not store `f`
            ours = [name.rstrip("f") for name in ours]
        assert sorted(ours) == sorted(listed)
    usage = run(cuobjdump, "-all", "-res-usage", file)
    told: list[tuple[str, int, int, int]] = []
    for name, registers, stack, shared in re.findall(r"Function (\S+):\s+REG:(\d+) STACK:(\d+) SHARED:(\d+)", usage):
        told.append((name, int(registers), int(stack), int(shared)))
    kernels = []
    for _, leaf, payload in found.leaves():
        if leaf.format != "cubin":
            continue
        counted = number_of(isa(leaf)) >= 90 and ("type", "relocatable") not in leaf.details
        sections = {row.name for row in Sections(payload or b"", "x", "TE4041").rows}
        for line in (value for key, value in leaf.details if key == "kernel"):
            name = line.partition(" ")[0]
            registers, stack, shared = (
                int(row[1]) if (row := re.search(rf"(\d+) {what}", line)) else 0
                for what in ("registers", "bytes stack", "bytes shared")
            )
            reserved = 1024 if counted and f".nv.shared.{name}" in sections else 0  # cuobjdump counts the system's share
            kernels.append((name, registers, stack, shared + reserved))
    names = {row[0] for row in kernels}
    assert sorted(kernels) == sorted(row for row in told if row[0] in names)
    return found


KERNELS = """
__constant__ float table[16];
extern "C" __global__ void scale(float a, const float* x, float* y) { y[threadIdx.x] = a * x[threadIdx.x] * table[3]; }
extern "C" __global__ void __launch_bounds__(256, 2) sum(const float* x, float* y) {
  __shared__ float s[256];
  extern __shared__ float more[];
  s[threadIdx.x] = x[threadIdx.x]; more[threadIdx.x] = s[threadIdx.x]; __syncthreads();
  for (int k = 128; k; k >>= 1) { if (threadIdx.x < k) s[threadIdx.x] += s[threadIdx.x + k]; __syncthreads(); }
  if (!threadIdx.x) y[blockIdx.x] = s[0] + more[1];
}
struct Big { double v[9]; int k; };
extern "C" __global__ void big(Big b, float* y) { float l[64]; for (int i = 0; i < 64; i++) l[i] = y[i] * b.v[i % 9];
  for (int i = 0; i < 64; i++) y[l[(i * 7 + b.k) & 63] > 0] = l[(i * b.k) & 63]; }
"""
CALLER = (
    "extern __device__ float there(float); __global__ void here(float* y) { *y = there(*y); } int main() { here<<<1, 1>>>(0); }"
)
CALLED = "__device__ float there(float x) { return 2 * x; }"
TARGETS = [
    "-gencode=arch=compute_80,code=sm_80",
    "-gencode=arch=compute_90a,code=sm_90a",
    "-gencode=arch=compute_80,code=compute_80",
]


@pytest.fixture(scope="module")
def nvcc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = shutil.which("nvcc")
    if not found:
        pytest.skip("nvcc is not on PATH")
    source = tmp_path_factory.mktemp("nvcc") / "a.cu"
    source.write_text("__global__ void k() {}")
    if subprocess.run([found, "-arch=sm_80", "-c", source, "-o", source.with_suffix(".o")], capture_output=True).returncode:
        pytest.skip("nvcc on PATH does not compile for sm_80: it needs a host compiler and its headers")
    return Path(found)


@pytest.mark.parametrize("mode", ["default", "none", "speed"])
def test_what_nvcc_makes_lists_as_cuobjdump_lists_it(nvcc: Path, tools: dict[str, Path], tmp_path: Path, mode: str) -> None:
    source, fatbin, obj = tmp_path / "k.cu", tmp_path / "k.fatbin", tmp_path / "k.o"
    source.write_text(KERNELS)
    compress = [] if mode == "default" or release(nvcc) < Version(12, 8) else [f"--compress-mode={mode}"]
    run(nvcc, "-fatbin", *TARGETS, *compress, source, "-o", fatbin)
    run(nvcc, "-c", *TARGETS, *compress, source, "-o", obj)
    for file in (fatbin, obj):
        assert [row.format for row in assert_listed(tools["cuobjdump"], file).artifacts].count("cubin") == 2


def test_relocatable_objects_and_the_program_linked_of_them_list_as_cuobjdump_lists_them(
    nvcc: Path, tools: dict[str, Path], tmp_path: Path
) -> None:
    objects = []
    for name, text in (("caller", CALLER), ("called", CALLED)):
        source, obj = tmp_path / f"{name}.cu", tmp_path / f"{name}.o"
        source.write_text(text)
        run(nvcc, "-rdc=true", "-c", *TARGETS, source, "-o", obj)
        assert_listed(tools["cuobjdump"], obj)
        objects.append(obj)
    program = tmp_path / "program"
    run(nvcc, *TARGETS, *objects, "-o", program)
    found = assert_listed(tools["cuobjdump"], program)
    assert {row.name.partition("#")[0] for row in found.members} == {".nv_fatbin", "__nv_relfatbin"}
