"""Our reader of SPIR-V against spirv-dis and spirv-val, on modules that glslc, glslangValidator and spirv-as make now."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.model.requirement import NeedsCapability, NeedsExtension, NeedsVersion
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts import Inspection

pytestmark = pytest.mark.differential

MAIN = "layout(set=0,binding=0) buffer B { float x[]; } b;\nvoid main() { b.x[gl_GlobalInvocationID.x] += 1.0; }"


def shader(*lines: str, type: str = "float", add: str = "1.0") -> str:  # noqa: A002
    """A compute shader that adds something to a buffer of this type."""
    extensions = [f"#extension {line} : require" if line.startswith("GL_") else line for line in lines]
    main = MAIN.replace("float x", f"{type} x").replace("1.0", add)
    return "\n".join(["#version 450", *extensions, main, ""])


INT64, INT8, HALF = (f"GL_EXT_shader_explicit_arithmetic_types_{name}" for name in ("int64", "int8", "float16"))
SUBGROUPS = tuple(f"GL_KHR_shader_subgroup_{name}" for name in ("arithmetic", "ballot", "shuffle", "clustered"))
IN_SUBGROUPS = "subgroupAdd(1.0) + subgroupBroadcastFirst(2.0) + subgroupShuffle(3.0, 1) + subgroupClusteredAdd(1.0, 4)"
IMAGES = (
    "layout(set=0,binding=1,r32f) uniform image2D i;",
    "layout(set=0,binding=2) uniform sampler2D t[3];",
)
PUSH = "layout(push_constant) uniform P { vec3 a; mat3 m; float f; } p;"
ADDRESS = """#version 450
#extension GL_EXT_buffer_reference : require
layout(buffer_reference) buffer R { float f; };
layout(push_constant) uniform P { R r; } p;
void main() { p.r.f = 1.0; }
"""
# name -> (first Vulkan that has it, GLSL)
SHADERS = {
    "plain": ("1.0", shader("layout(local_size_x=64) in;")),
    "three_axes": ("1.0", shader("layout(local_size_x=8,local_size_y=4,local_size_z=2) in;")),
    "specialized": ("1.0", shader("layout(local_size_x_id=0,local_size_y=2) in;")),
    "shared": ("1.0", shader("layout(local_size_x=64) in;", "shared vec4 s[96];", add="s[3].y")),
    "push": ("1.0", shader(PUSH, add="p.f + p.m[2].z + p.a.x")),
    "uniform": ("1.0", shader("layout(set=1,binding=3) uniform U { float f; } u;", add="u.f")),
    "image": ("1.0", shader(*IMAGES, add="imageLoad(i, ivec2(0)).x + texture(t[1], vec2(0)).x")),
    "double": ("1.0", shader(type="double", add="1.0lf")),
    "int64": ("1.0", shader(INT64, type="int64_t", add="1l")),
    "half": ("1.1", shader("GL_EXT_shader_16bit_storage", HALF, type="float16_t", add="float16_t(1)")),
    "byte": ("1.1", shader("GL_EXT_shader_8bit_storage", INT8, type="int8_t", add="int8_t(1)")),
    "subgroup": ("1.1", shader(*SUBGROUPS, add=IN_SUBGROUPS)),
    "atomics": (
        "1.2",
        shader("GL_EXT_shader_atomic_int64", INT64, "shared uint64_t s;", type="uint64_t", add="atomicAdd(s, 1ul)"),
    ),
    "float_atomics": ("1.1", shader("GL_EXT_shader_atomic_float", add="atomicAdd(b.x[7], 1.0)")),
    "vulkan_memory_model": ("1.2", shader("#pragma use_vulkan_memory_model", "layout(local_size_x=4) in;")),
    "address": ("1.2", ADDRESS),
}
ENVIRONMENTS = ("1.0", "1.1", "1.2", "1.3")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@cache
def compiled(name: str, environment: str, compiler: str, folder: Path) -> bytes:
    source = folder / f"{name}.comp"
    source.write_text(SHADERS[name][1], encoding="utf-8")
    out = folder / f"{name}-{environment}-{compiler}.spv"
    if compiler == "glslc":
        command = [tool("glslc"), f"--target-env=vulkan{environment}", "-O", str(source), "-o", str(out)]
    else:
        command = [tool("glslangValidator"), "-V", "--target-env", f"vulkan{environment}", str(source), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out.read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spirv")


def disassembled(data: bytes) -> str:
    done = subprocess.run([tool("spirv-dis"), "--raw-id", "-"], input=data, capture_output=True, check=True)
    return done.stdout.decode()


def assert_same(found: Inspection, text: str) -> None:
    """Everything that spirv-dis shows of a module's interface is what we say of it."""
    (artifact,) = found.artifacts
    capabilities = {spirv.canonical_capability(name) for name in re.findall(r"OpCapability (\w+)", text)}
    assert {need.name for need in artifact.requires if isinstance(need, NeedsCapability)} == capabilities
    extensions = set(re.findall(r'OpExtension "([^"]+)"', text))
    assert {need.name for need in artifact.requires if isinstance(need, NeedsExtension)} == extensions
    (version,) = (need.version for need in artifact.requires if isinstance(need, NeedsVersion))
    assert f"; Version: {version}" in text
    entries = re.findall(r'OpEntryPoint GLCompute %\w+ "(\w+)"', text)
    assert [kernel.name for kernel in artifact.kernels] == entries


@pytest.mark.parametrize("compiler", ["glslc", "glslangValidator"])
@pytest.mark.parametrize(
    ("name", "environment"),
    [(name, one) for name, (first, _) in SHADERS.items() for one in ENVIRONMENTS if one >= first],
)
def test_a_compiled_module_reads_as_spirv_dis_shows_it(name: str, environment: str, compiler: str, folder: Path) -> None:
    data = compiled(name, environment, compiler, folder)
    found = inspect(data, name=name)
    assert_same(found, disassembled(data))
    checked = subprocess.run([tool("spirv-val"), "--target-env", f"vulkan{environment}", "-"], input=data, check=False)
    assert checked.returncode == 0


@pytest.mark.parametrize(
    ("name", "size", "constants", "local_memory", "bindings"),
    [
        ("plain", (64, 1, 1), 0, 0, 1),
        ("three_axes", (8, 4, 2), 0, 0, 1),
        ("specialized", (1, 2, 1), 0, 0, 1),
        ("shared", (64, 1, 1), 0, 96 * 16, 1),
        ("push", (1, 1, 1), 16 + 3 * 16 + 4, 0, 1),
        ("uniform", (1, 1, 1), 0, 0, 1),
    ],
)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_interface_is_what_the_source_says(
    name: str, size: tuple[int, int, int], constants: int, local_memory: int, bindings: int, environment: str, folder: Path
) -> None:
    (kernel,) = inspect(compiled(name, environment, "glslc", folder), name=name).artifacts[0].kernels
    said = (kernel.workgroup_size, kernel.constants, kernel.local_memory, kernel.bindings)
    assert said == (size, constants, local_memory, bindings)


def test_every_capability_that_spirv_as_knows_reads_back(folder: Path) -> None:
    known = unknown = 0
    for name in sorted(spirv.capability_names()):
        source = f"OpCapability {name}\n".encode()
        done = subprocess.run(
            [tool("spirv-as"), "--target-env", "spv1.6", "-o", "-", "-"], input=source, capture_output=True, check=False
        )
        if done.returncode != 0:
            unknown += 1  # newer than the tool
            continue
        known += 1
        requires = inspect(done.stdout, name=name).artifacts[0].requires
        assert [need.name for need in requires if isinstance(need, NeedsCapability)] == [name]
    assert known > 150, (known, unknown)
