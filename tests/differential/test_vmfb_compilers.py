"""Modules that IREE's own compilers make here and now, in every container and for every target that they have."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts.iree_module import read_module
from targetenv.model.requirement import NeedsFormat, NeedsIsa, NeedsVersion
from targetenv.model.version import Version
from tests.differential.oracles import iree

SOURCE = """
func.func @add(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %0 = arith.addf %a, %b : tensor<?xf32>
  return %0 : tensor<?xf32>
}
"""
#: Flags for 3.13 -> the executable's schema, the format of the code, whether its kernels are in it
TARGETS = {
    "vulkan": (("--iree-hal-target-device=vulkan", "--iree-vulkan-target=rdna3"), "VKE1", "spirv"),
    "cuda": (("--iree-hal-target-device=cuda", "--iree-cuda-target=sm_80"), "CDA1", "ptx"),
    "hip": (("--iree-hal-target-device=hip", "--iree-rocm-target=gfx942"), "HIP1", "hsaco"),
    "amdgpu": (("--iree-hal-target-device=amdgpu", "--iree-rocm-target=gfx942"), "AMD1", "hsaco"),
    "metal": (("--iree-hal-target-device=metal", "--iree-metal-compile-to-metallib=false"), "MTL1", "msl"),
}
CPU = (
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=x86-64-v3",
)

pytestmark = pytest.mark.differential


def compiled(folder: Path, name: str, *flags: str) -> bytes:
    path = folder / "module.vmfb"
    done = iree(name).compile(SOURCE, *flags, "-o", str(path))
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


@pytest.mark.parametrize("flat", [False, True], ids=["zip", "flat"])
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_module_of_3_13_is_read(target: str, flat: bool, tmp_path: Path) -> None:
    flags, schema, executable_format = TARGETS[target]
    data = compiled(tmp_path, "iree@3.13", *flags, f"--iree-vm-emit-polyglot-zip={'false' if flat else 'true'}")
    module = read_module(data, "x")
    assert (module.zipped, module.exports[0], module.version) == (not flat, "add", (17, 0))
    found = inspect(data, name="x")
    (member,) = found.members
    assert dict(member.inspection.details)["schema"] == schema
    (artifact,) = found.artifacts
    assert artifact.format == executable_format
    assert artifact.requires[0] == NeedsFormat(executable_format)
    assert artifact.target is not None
    assert artifact.target.startswith("#hal.executable.target<")
    (kernel,) = artifact.kernels
    assert kernel.name.startswith("add_dispatch_0_elementwise_D_f32")
    assert (kernel.bindings, kernel.constants) == (3, 16), "two sizes of 64 bits, three buffers"
    assert kernel.workgroup_size is not None
    if target == "metal":
        assert NeedsVersion("metal", Version(3)) in artifact.requires


def test_code_for_a_cpu_requires_what_the_compiler_was_told(tmp_path: Path) -> None:
    (artifact,) = inspect(compiled(tmp_path, "iree@3.13", *CPU), name="x").artifacts
    assert artifact.format == "embedded-elf-x86_64"
    assert NeedsIsa("x86-64-v3") in artifact.requires
    (kernel,) = artifact.kernels
    assert (kernel.name, kernel.bindings, kernel.constants) == ("add_dispatch_0_elementwise_D_f32", 3, 16)


@pytest.mark.parametrize("name", ["iree@20231218", "iree@20240410"])
def test_a_module_of_an_old_release_is_read(name: str, tmp_path: Path) -> None:
    data = compiled(tmp_path, name, "--iree-hal-target-backends=vulkan-spirv")
    found = inspect(data, name="x")
    (artifact,) = found.artifacts
    assert (artifact.format, artifact.target) == ("spirv", None)
    assert dict(found.members[0].inspection.details)["schema"] == "SPVE"
    assert artifact.kernels[0].workgroup_size is not None
