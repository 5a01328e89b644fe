"""Offload binaries and host objects that LLVM's own tools make, and what they say of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts.inspection import Inspection
from tests.unit.artifacts import nvidia_builder as nv

pytestmark = pytest.mark.differential
PRODUCERS = ("cuda", "openmp", "hip", "openmp")
SOURCE = """
int twice(int n, float *x) {
#pragma omp target teams distribute parallel for map(tofrom : x[0 : n])
  for (int i = 0; i < n; i++) x[i] *= 2;
  return 0;
}
"""


def tool(name: str) -> str:
    """LLVM 19's, or whichever is on PATH."""
    found = shutil.which(f"{name}-19") or shutil.which(name)
    return found or pytest.skip(f"{name} is not installed (Debian: llvm-19, clang-19)")


def run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Four images under four producers, as clang-offload-packager packs them."""
    images = []
    rows = ((nv.cubin(90), "k.cubin", "sm_90"), (nv.SOURCE.encode(), "k.ptx", "sm_90a"), (nv.fatbin(), "k.fatbin", "sm_80"))
    for (data, name, arch), producer in zip((*rows, (b"BC\xc0\xde....", "k.bc", "sm_80")), PRODUCERS, strict=True):
        (tmp_path / name).write_bytes(data)
        images.append(f"--image=file={tmp_path / name},triple=nvptx64-nvidia-cuda,arch={arch},kind={producer},extra={name}")
    out = tmp_path / "packed"
    run(tool("clang-offload-packager"), "-o", out, *images)
    return out


def assert_as_objdump_says(file: Path) -> Inspection:
    """Architecture, triple and producer of every image are those that llvm-objdump prints, in its order."""
    found = inspect(file.read_bytes(), name="x")
    said = re.findall(r"arch +(\S+)\ntriple +(\S+)\nproducer +(\S+)", run(tool("llvm-objdump"), "--offloading", file))
    binaries = found.members if found.format != "offload-binary" else ()
    lines = [
        line for row in (*(member.inspection for member in binaries), found) for _, line in row.details if "producer" in line
    ]
    ours = []
    for line in lines:
        strings = dict(part.split(" ", 1) for part in line.split(", "))
        ours.append((strings["arch"], strings["triple"], strings["producer"]))
    assert ours == said
    assert ours
    return found


def test_packed_images_are_those_that_llvm_lists(packed: Path) -> None:
    found = assert_as_objdump_says(packed)
    assert [row.inspection.format for row in found.members] == ["cubin", "ptx", "fatbin", "llvm-bitcode"]


def test_a_section_of_a_host_object_is_read_as_llvm_reads_it(packed: Path, tmp_path: Path) -> None:
    source, obj = tmp_path / "a.c", tmp_path / "a.o"
    source.write_text("int a;")
    run(tool("clang"), "-c", source, "-o", obj)
    run(tool("llvm-objcopy"), f"--add-section=.llvm.offloading={packed}",
        "--set-section-type=.llvm.offloading=0x6fff4c0b", obj)  # fmt: skip
    found = assert_as_objdump_says(obj)
    assert [row.name for row in found.members] == [f".llvm.offloading#{place}" for place in range(1, 5)]


def test_the_image_that_llvm_extracts_is_the_one_that_is_read(packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "extracted"
    run(tool("clang-offload-packager"), packed, f"--image=file={out},arch=sm_90,triple=nvptx64-nvidia-cuda,kind=cuda")
    (first, *_) = inspect(packed.read_bytes(), name="x").members
    assert bytes(first.payload) == out.read_bytes()


@pytest.mark.parametrize("arch", ["gfx90a:xnack+", "gfx1100"])
def test_what_clang_builds_for_amd_gpus_is_found_in_its_objects(tmp_path: Path, arch: str) -> None:
    obj = offloaded(tmp_path, arch)
    found = assert_as_objdump_says(obj)
    assert found.artifacts[0].target == arch


def test_what_clang_builds_for_nvidia_gpus_is_found_in_its_objects(tmp_path: Path) -> None:
    if not shutil.which("ptxas"):
        pytest.skip("ptxas is not on PATH")
    found = assert_as_objdump_says(offloaded(tmp_path, "sm_80"))
    (artifact,) = found.artifacts
    assert (artifact.format, artifact.target, found.diagnostics) == ("cubin", "sm_80", ())
    assert any("twice" in kernel.name for kernel in artifact.kernels)


def offloaded(tmp_path: Path, arch: str) -> Path:
    """The object that clang makes of the OpenMP source for one accelerator."""
    source, obj = tmp_path / "o.c", tmp_path / "o.o"
    source.write_text(SOURCE)
    command = [tool("clang"), "-fopenmp", f"--offload-arch={arch}", "-nogpulib", "-nogpuinc", "-c", source, "-o", obj]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"clang does not build for {arch} here: {done.stderr.strip().splitlines()[0]}")
    return obj


def test_a_static_library_of_llvms_is_opened(packed: Path, tmp_path: Path) -> None:
    source, obj, library = tmp_path / "a.c", tmp_path / "an_object_with_a_name_that_is_long.o", tmp_path / "lib.a"
    source.write_text("int a;")
    run(tool("clang"), "-c", source, "-o", obj)
    run(tool("llvm-objcopy"), f"--add-section=.llvm.offloading={packed}", obj)
    for kind in ("gnu", "bsd"):
        library.unlink(missing_ok=True)
        run(tool("llvm-ar"), f"--format={kind}", "rcs", library, obj)
        (member,) = inspect(library.read_bytes(), name="x").members
        assert member.name == obj.name
        assert len(member.inspection.members) == 4
