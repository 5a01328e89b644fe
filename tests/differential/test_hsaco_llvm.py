"""AMD's code objects as LLVM makes them: targets and kernels are what its own readers print."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.registry import amdgpu

CLANG, READELF, LLD = (shutil.which(f"{tool}-19") for tool in ("clang", "llvm-readelf", "ld.lld"))
OLD_LLC = next((path for name in ("llc-14", "llc-13") if (path := shutil.which(name))), None)
TRIPLE = "amdgcn-amd-amdhsa"
KERNELS = """
kernel void saxpy(float a, global const float* x, global float* y, uint n, local float* scratch) {
  local float t[256];
  uint i = __builtin_amdgcn_workitem_id_x();
  t[i] = x[i] * a; scratch[i] = a;
  __builtin_amdgcn_s_barrier();
  if (i < n) y[i] = t[255 - i] + scratch[i ^ 1];
}
__attribute__((reqd_work_group_size(64, 2, 1))) kernel void fill(global int* p, int v) { p[0] = v; }
"""
OLD_KERNEL = """
@lds = internal addrspace(3) global [64 x i32] undef, align 4
define amdgpu_kernel void @fill(i32 addrspace(1)* %p, i32 %v, i8 %c, double %f) {
  %q = getelementptr [64 x i32], [64 x i32] addrspace(3)* @lds, i32 0, i32 3
  store volatile i32 %v, i32 addrspace(3)* %q
  store i32 %v, i32 addrspace(1)* %p
  ret void
}
"""
needs_llvm_19 = pytest.mark.skipif(not (CLANG and READELF and LLD), reason="clang-19, llvm-readelf-19 or lld-19 is missing")


def run(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def said_by_header(printed: str) -> str:
    """The target ID in `Flags: 0xE3F, gfx90a, xnack-, sramecc+`; a bare feature is any."""
    words = re.search(r"Flags:\s+0x[0-9A-F]+, (.*)", printed)
    assert words is not None, printed
    processor, *features = words[1].split(", ")
    return ":".join((processor, *sorted(word for word in features if word[-1] in "+-")))


@pytest.mark.differential
@needs_llvm_19
@pytest.mark.parametrize("version", [4, 5, 6])
def test_every_target_that_clang_knows_is_read_as_readelf_reads_it(version: int, tmp_path: Path) -> None:
    made = tmp_path / "object.o"
    known = 0
    for row in amdgpu.processors().values():
        for signs in product(("", "+", "-"), repeat=len(row.features)):
            pinned = [f"{feature}{sign}" for feature, sign in zip(row.features, signs, strict=True) if sign]
            target = ":".join((row.name, *pinned))
            made.unlink(missing_ok=True)
            command = (CLANG, f"--target={TRIPLE}", f"-mcpu={target}", "-nogpulib", f"-mcode-object-version={version}")
            run(*command, "-c", "-x", "c", "/dev/null", "-o", made)
            if not made.exists():
                continue
            known += 1
            inspection = inspect(made.read_bytes(), name=target)
            details = dict(inspection.details)
            assert details["code object"] == f"V{version}"
            assert details["target ID"] == target == said_by_header(run(READELF, "-h", made))
    assert known > 100


@pytest.mark.differential
@needs_llvm_19
@pytest.mark.parametrize(
    ("processor", "version"), [("gfx90a", 4), ("gfx942:sramecc+:xnack-", 5), ("gfx1100", 5), ("gfx9-generic", 6)]
)
def test_kernels_are_what_readelf_prints_of_the_note(processor: str, version: int, tmp_path: Path) -> None:
    source, made = tmp_path / "k.cl", tmp_path / "k.hsaco"
    source.write_text(KERNELS)
    options = ("-x", "cl", "-cl-std=CL2.0", "-Xclang", "-finclude-default-header", "-O2", f"-mcode-object-version={version}")
    run(CLANG, *options, f"--target={TRIPLE}", f"-mcpu={processor}", "-nogpulib", source, "-o", made)
    printed = run(READELF, "-n", made)
    inspection = inspect(made.read_bytes(), name="k.hsaco")
    assert inspection.diagnostics == ()
    (artifact,) = inspection.artifacts
    assert f"amdhsa.target:   '{TRIPLE}--{artifact.target}'" in printed or f"{TRIPLE}--{artifact.target}\n" in printed
    for kernel, text in zip(
        artifact.kernels, printed.split(".agpr_count:")[1:] or printed.split("  - .args:")[1:], strict=True
    ):
        assert re.findall(r" \.name: +(\w+)", text)[-1] == kernel.name
        assert re.findall(r"\.offset: +(\d+)", text) == [str(row.offset) for row in kernel.parameters or ()]
        assert re.findall(r" \.size: +(\d+)", text) == [str(row.size) for row in kernel.parameters or ()]
        kinds = re.findall(r"\.value_kind: +(\w+)", text)
        assert [kind.startswith("hidden") for kind in kinds] == [row.kind == "hidden" for row in kernel.parameters or ()]
        assert kernel.bindings == kinds.count("global_buffer")
        assert re.findall(r"\.group_segment_fixed_size: (\d+)", text) == [str(kernel.local_memory)]
        assert re.findall(r"\.wavefront_size: (\d+)", text) == [str(kernel.subgroup_size)]
        facts = dict(inspection.details)[f"kernel {kernel.name}"]
        assert f"{re.findall(r'[.]vgpr_count: +([0-9]+)', text)[0]} VGPRs" in facts
    assert artifact.kernels[1].workgroup_size == (64, 2, 1)


@pytest.mark.differential
@needs_llvm_19
@pytest.mark.skipif(OLD_LLC is None, reason="llc-14, which still writes code objects V2 and V3, is missing")
@pytest.mark.parametrize("processor", ["gfx700", "gfx801", "gfx803", "gfx810", "gfx900", "gfx902", "gfx904", "gfx906"])
def test_code_objects_of_one_program_agree_through_the_versions(processor: str, tmp_path: Path) -> None:
    """LLVM 14 pins off and on in V2 and V3; a feature that V4 leaves open is on there where the processor has it."""
    source = tmp_path / "k.ll"
    source.write_text(OLD_KERNEL)
    kernels = {}
    for version in (2, 3, 4):
        made, linked = tmp_path / f"{version}.o", tmp_path / f"{version}.hsaco"
        options = (f"-mtriple={TRIPLE}", f"-mcpu={processor}", f"--amdhsa-code-object-version={version}", "-filetype=obj")
        run(OLD_LLC, *options, source, "-o", made)
        run(LLD, "-shared", made, "-o", linked)
        inspection = inspect(linked.read_bytes(), name=f"V{version}")
        assert dict(inspection.details)["code object"] == f"V{version}"
        (artifact,) = inspection.artifacts
        assert str(artifact.target).partition(":")[0] == processor
        if version == 3 and "xnack" in amdgpu.processors()[processor].features:
            assert "xnack+" in str(artifact.target)
        kernels[version] = artifact.kernels
    for old, new in zip(kernels[2], kernels[4], strict=True):
        assert (old.name, old.local_memory, old.subgroup_size) == (new.name, new.local_memory, new.subgroup_size)
        assert (old.bindings, old.constants) == (new.bindings, new.constants)
        visible = [[(one.offset, one.size, one.kind, one.name) for one in kernel.parameters or ()] for kernel in (old, new)]
        assert visible[0] == visible[1]
