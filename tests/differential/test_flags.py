"""`flags:TOOL`: every tool that is installed takes what we print and does what it says."""

from __future__ import annotations

import re
import shlex
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from targetenv.registry import amdgpu
from targetenv.syntax import parse, render
from tests.differential.oracles import iree

pytestmark = pytest.mark.differential
SHADER = "#version 450\nlayout(local_size_x = 8) in;\nvoid main() {}\n"
MODULE = """
func.func @add(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %c = arith.addf %a, %b : tensor<4xf32>
  return %c : tensor<4xf32>
}
"""
VK = (
    "#vk.target_env<v1.1, r(120), [VK_KHR_16bit_storage], AMD:DiscreteGPU, #vk.caps<maxComputeSharedMemorySize = 16384, "
    "maxComputeWorkGroupInvocations = 1024, maxComputeWorkGroupSize = dense<[128, 8, 4]> : vector<3xi32>, "
    "subgroupFeatures = 63 : i32, subgroupSize = 32>>"
)


def program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


def flags(text: str, tool: str) -> list[str]:
    return shlex.split(render(parse(text), f"flags:{tool}").text)


def run(*command: str | Path, source: str = "") -> str:
    done = subprocess.run([str(part) for part in command], input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}: {done.stderr}"
    return done.stdout


def spirv_version(module: Path) -> str:
    (word,) = struct.unpack_from("<I", module.read_bytes(), 4)
    return f"{word >> 16 & 0xFF}.{word >> 8 & 0xFF}"


@pytest.mark.parametrize(
    ("text", "version"),
    [("vulkan1.0", "1.0"), ("vulkan1.1", "1.3"), ("vulkan1.1+spirv1.4", "1.4"), ("vulkan1.2", "1.5"), ("vulkan1.3", "1.6")],
)
def test_shader_compilers_write_that_version_and_the_validator_takes_it(text: str, version: str, tmp_path: Path) -> None:
    shader = tmp_path / "shader.comp"
    shader.write_text(SHADER)
    module = tmp_path / "module.spv"
    run(program("glslc"), *flags(text, "glslc"), shader, "-o", module)
    assert spirv_version(module) == version
    run(program("spirv-val"), *flags(text, "spirv-val"), module)
    run(program("glslangValidator", "glslang"), *flags(text, "glslang"), shader, "-o", module)
    assert spirv_version(module) == version
    run(program("spirv-val"), *flags(text, "spirv-val"), module)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_c_compilers_define_the_features_and_no_others(compiler: str) -> None:
    command = program("gcc") if compiler == "gcc" else program("clang", "clang-19", "clang-20")
    macros = run(command, *flags("x86-64-v3,+avx512f,-lzcnt", compiler), "-dM", "-E", "-x", "c", "/dev/null")
    assert "__AVX512F__" in macros
    assert "__AVX2__" in macros
    assert "__LZCNT__" not in macros


def test_clang_compiles_for_arm_by_version_and_by_name(tmp_path: Path) -> None:
    clang = program("clang", "clang-19", "clang-20")
    for text in ("armv8.2-a+sve2", "neoverse-n1", "armv9-a"):
        macros = run(clang, *flags(text, "clang"), "-dM", "-E", "-x", "c", "/dev/null")
        assert ("__ARM_FEATURE_SVE2 1" in macros) == (text != "neoverse-n1")
        run(clang, *flags(text, "clang"), "-c", "-x", "c", "/dev/null", "-o", tmp_path / "object.o")


def test_clang_and_llc_pin_the_features_of_an_amd_target(tmp_path: Path) -> None:
    out = tmp_path / "object.o"
    found = []
    clang = program("clang", "clang-19", "clang-20")
    run(clang, *flags("gfx90a:sramecc+:xnack-", "clang"), "-nogpulib", "-c", "-x", "c", "/dev/null", "-o", out)
    found.append(struct.unpack_from("<I", out.read_bytes(), 48)[0])
    run(program("llc", "llc-19", "llc-20"), *flags("gfx90a:sramecc+:xnack-", "llc"), "-filetype=obj", "-o", out)
    found.append(struct.unpack_from("<I", out.read_bytes(), 48)[0])
    row = amdgpu.processor("gfx90a")
    assert row is not None
    # AMDGPUUsage.rst, e_flags of code object V4 and later: xnack in bits 8-9 (2 is off), sramecc in bits 10-11 (3 is on)
    assert [(flags_ & 0xFF, flags_ >> 8 & 3, flags_ >> 10 & 3) for flags_ in found] == [(row.mach, 2, 3)] * 2


@pytest.mark.parametrize("text", ["sm_80", "sm_90a"])
def test_compilers_for_nvidia_name_the_architecture(text: str, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.cu"
    kernel.write_text('extern "C" __global__ void k() {}\n')
    if shutil.which("nvcc"):
        out = tmp_path / "kernel.ptx"
        run("nvcc", *flags(text.replace("sm", "compute"), "nvcc"), "-ptx", kernel, "-o", out)
        assert f".target {text}\n" in out.read_text()
        run("nvcc", *flags(text, "nvcc"), "-cubin", kernel, "-o", tmp_path / "kernel.cubin")
    clang = program("clang", "clang-19", "clang-20")
    assert f".target {text}\n" in run(clang, *flags(text, "clang"), "-S", "-x", "c", "/dev/null", "-o", "-")
    assert f".target {text}\n" in run(program("llc", "llc-19", "llc-20"), *flags(text, "llc"))


@pytest.mark.parametrize("text", ["x86-64-v3,+avx512f", "armv8.2-a+sve2", "haswell,-fma"])
def test_llc_takes_cpus_without_a_word(text: str) -> None:
    command = [program("llc", "llc-19", "llc-20"), *flags(text, "llc")]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_cmake_hands_the_flags_to_the_compiler(tmp_path: Path) -> None:
    cmake = program("cmake")
    (tmp_path / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.18)\nproject(p C)\nadd_library(k STATIC k.c)\n")
    (tmp_path / "k.c").write_text("#ifndef __AVX2__\n#error no AVX2\n#endif\nint k(void) { return 0; }\n")
    run(cmake, "-S", tmp_path, "-B", tmp_path / "out", *flags("x86-64-v3", "cmake"))
    run(cmake, "--build", tmp_path / "out")


@pytest.mark.parametrize("release", ["20231218", "20240410"])
def test_old_iree_compilers_take_the_environment(release: str) -> None:
    done = iree(f"iree@{release}").compile(MODULE, "--compile-to=flow", *flags(VK, f"iree-compile@{release}"))
    assert done.returncode == 0, done.stderr
    assert render(parse(VK), "spirv", compat=f"iree@{release}").text in done.stdout


@pytest.mark.parametrize(
    ("text", "release", "says"),
    [
        ("x86-64-v3", "20240410", 'cpu = "x86-64-v3"'),
        ("x86-64-v3", "3.13", 'cpu = "x86-64-v3"'),
        ("sm_80", "20231218", 'target_arch = "sm_80"'),
        ("sm_80", "3.13", 'arch = "sm_80"'),
        ("gfx90a:sramecc+:xnack-", "3.13", 'arch = "gfx90a", features = "+sramecc,-xnack"'),
    ],
)
def test_iree_compilers_take_the_processor(text: str, release: str, says: str) -> None:
    done = iree(f"iree@{release}").compile(MODULE, "--compile-to=executable-sources", *flags(text, f"iree-compile@{release}"))
    assert done.returncode == 0, done.stderr
    assert re.search(re.escape(says), done.stdout)
