"""Bundles made by clang-offload-bundler: the same entries as it lists, the same bytes as it takes out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from targetenv.artifacts import inspect

BUNDLER, CLANG = (shutil.which(f"{tool}-19") for tool in ("clang-offload-bundler", "clang"))
TARGETS = {
    "hipv4-amdgcn-amd-amdhsa--gfx90a:sramecc+:xnack-": "gfx90a:sramecc+:xnack-",
    "hipv4-amdgcn-amd-amdhsa--gfx90a:xnack+": "gfx90a:xnack+",
    "hipv4-amdgcn-amd-amdhsa--gfx942": "gfx942",
    "openmp-amdgcn-amd-amdhsa--gfx1100": "gfx1100",
}
HOST = "host-x86_64-unknown-linux-gnu-"
HOST_TARGET = HOST[:-1]  # with the last dash, LLVM 19 writes the host's ID twice


def run(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout


@pytest.mark.differential
@pytest.mark.skipif(not (BUNDLER and CLANG), reason="clang-19 or clang-offload-bundler-19 is missing")
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("align", [1, 4096])
def test_entries_are_those_that_the_bundler_lists_and_takes_out(compress: bool, align: int, tmp_path: Path) -> None:
    if compress:
        pytest.importorskip("zstandard")
    inputs = []
    for target in TARGETS.values():
        made = tmp_path / f"{target}.o"
        run(CLANG, "--target=amdgcn-amd-amdhsa", f"-mcpu={target}", "-nogpulib", "-c", "-x", "c", "/dev/null", "-o", made)
        inputs.append(made)
    made = tmp_path / "all.hipfb"
    packed = ["-compress"] if compress else []
    sources = [f"-input={path}" for path in ("/dev/null", *inputs)]
    run(
        BUNDLER,
        "-type=o",
        *packed,
        f"-bundle-align={align}",
        f"-targets={','.join((HOST_TARGET, *TARGETS))}",
        *sources,
        f"-output={made}",
    )
    found = inspect(made.read_bytes(), name="all.hipfb")
    assert set(run(BUNDLER, "-type=o", "-list", f"-input={made}").split()) == {HOST, *(member.name for member in found.members)}
    for member in found.members:
        taken = tmp_path / "taken.o"
        run(BUNDLER, "-type=o", "-unbundle", f"-targets={member.name}", f"-input={made}", f"-output={taken}")
        assert taken.read_bytes() == bytes(member.payload)
        assert member.inspection.artifacts[0].target == TARGETS[member.name]


@pytest.mark.differential
@pytest.mark.skipif(not BUNDLER, reason="clang-offload-bundler-19 is missing")
def test_textual_entries_are_those_that_the_bundler_lists(tmp_path: Path) -> None:
    source, made = tmp_path / "a.ll", tmp_path / "all.ll"
    source.write_text("; nothing\n")
    targets = f"{HOST_TARGET},hip-amdgcn-amd-amdhsa--gfx906"
    run(BUNDLER, "-type=ll", f"-targets={targets}", f"-input={source}", f"-input={source}", f"-output={made}")
    found = inspect(made.read_bytes(), name="all.ll")
    listed = run(BUNDLER, "-type=ll", "-list", f"-input={made}").split()
    assert [row.name for row in found.members] == listed == [HOST, "hip-amdgcn-amd-amdhsa--gfx906"]
    assert all("; nothing" in bytes(row.payload).decode() for row in found.members)


HIP = """
struct dim3 { unsigned x, y, z; };
typedef struct hipStream *hipStream_t;
extern "C" int hipLaunchKernel(const void *, dim3, dim3, void **, unsigned long, hipStream_t);
__attribute__((global)) void fill(float *x) { x[0] = 1; }
"""


@pytest.mark.differential
@pytest.mark.skipif(not (BUNDLER and CLANG), reason="clang-19 or clang-offload-bundler-19 is missing")
@pytest.mark.parametrize("compress", [False, True])
def test_the_code_that_clang_puts_into_a_host_object_is_found(compress: bool, tmp_path: Path) -> None:
    if compress:
        pytest.importorskip("zstandard")
    source, made = tmp_path / "fill.hip", tmp_path / "fill.o"
    source.write_text(HIP)
    targets = ("gfx90a:xnack+", "gfx1100", "gfx942")
    flags = ("-nogpulib", "-nogpuinc", "-O2", *(["--offload-compress"] if compress else []))
    run(CLANG, "-x", "hip", *(f"--offload-arch={target}" for target in targets), *flags, "-c", source, "-o", made)
    found = inspect(made.read_bytes(), name="fill.o")
    assert {row.target for row in found.artifacts} == set(targets)
    for row in found.artifacts:
        assert [kernel.name for kernel in row.kernels] == ["_Z4fillPf"]
        visible = [one for one in row.kernels[0].parameters or () if one.kind != "hidden"]
        assert [(one.offset, one.size, one.kind) for one in visible] == [(0, 8, "buffer")]


@pytest.mark.differential
@pytest.mark.skipif(not (BUNDLER and CLANG), reason="clang-19 or clang-offload-bundler-19 is missing")
def test_entries_that_the_bundler_puts_into_an_object_of_the_host_are_found(tmp_path: Path) -> None:
    inputs = []
    for target in ("x86_64-unknown-linux-gnu", "gfx90a", "gfx942:xnack-"):
        path = tmp_path / f"{target}.o"
        device = target.startswith("gfx")
        flags = ("--target=amdgcn-amd-amdhsa", f"-mcpu={target}", "-nogpulib") if device else (f"--target={target}",)
        run(CLANG, *flags, "-c", "-x", "c", "/dev/null", "-o", path)
        inputs.append(path)
    made = tmp_path / "fat.o"
    wanted = [HOST, "hip-amdgcn-amd-amdhsa--gfx90a", "hip-amdgcn-amd-amdhsa--gfx942:xnack-"]
    targets = ",".join((HOST_TARGET, *wanted[1:]))
    run(BUNDLER, "-type=o", f"-targets={targets}", *(f"-input={path}" for path in inputs), f"-output={made}")
    found = inspect(made.read_bytes(), name="fat.o")
    assert run(BUNDLER, "-type=o", "-list", f"-input={made}").split() == wanted
    assert [row.name for row in found.members] == wanted[1:]
    assert [bytes(row.payload) for row in found.members] == [path.read_bytes() for path in inputs[1:]]
    assert [row.target for row in found.artifacts] == ["gfx90a", "gfx942:xnack-"]
