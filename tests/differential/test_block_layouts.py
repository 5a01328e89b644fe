"""Layouts of blocks, made up by the hundred, against spirv-val with each of its options."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts.spirv_blocks import RELAXED, SCALAR, STANDARD

pytestmark = pytest.mark.skipif(
    shutil.which("glslc") is None or shutil.which("spirv-val") is None, reason="glslc and spirv-val are not both installed"
)
SHADERS = 9  # 60 for a longer look; each is a compiler and up to four runs of the validator
MEMBERS = ("float", "uint", "vec2", "vec3", "vec4", "double", "dvec2", "dvec3", "mat2", "mat3", "mat4x3", "mat2x3", "dmat3")
PLACES = {
    "std430 buffer": "layout(std430, set=0, binding=0) buffer B",
    "scalar buffer": "layout(scalar, set=0, binding=0) buffer B",
    "std140 uniform": "layout(std140, set=0, binding=0) uniform B",
    "std430 uniform": "layout(std430, set=0, binding=0) uniform B",
    "scalar uniform": "layout(scalar, set=0, binding=0) uniform B",
    "scalar push constants": "layout(scalar, push_constant) uniform B",
}


def struct(random: random.Random, name: str, known: list[str], *, block: bool = False) -> str:
    """A structure of a few members, some of them arrays, and in a block some row-major.

    No arrays of matrices: this spirv-val does not look at their MatrixStride.
    """
    lines = []
    for at in range(random.randint(1, 4)):
        kind = random.choice((*MEMBERS, *known))
        order = random.choice(("", "layout(row_major) ")) if "mat" in kind and block else ""
        array = random.choice(("", "", "[2]", "[3]", "[2][3]")) if "mat" not in kind else ""
        lines.append(f"  {order}{kind} m{at}{array};")
    return f"{name} {{\n" + "\n".join(lines) + "\n}"


def shader(random: random.Random, place: str) -> str:
    """A compute shader with one block, of structures in structures."""
    known: list[str] = []
    declared = []
    for at in range(random.randint(0, 2)):
        declared.append(f"struct {struct(random, f'S{at}', known)};")
        known.append(f"S{at}")
    block = struct(random, PLACES[place], known, block=True)
    extensions = "#extension GL_EXT_scalar_block_layout : require"
    use = "if (b.m0 == b.m0) x[0] = 1;"
    out = "layout(std430, set=0, binding=1) buffer X { uint x[]; };"
    return "\n".join(["#version 460", extensions, *declared, f"{block} b;", out, f"void main() {{ {use} }}", ""])


def accepts(module: Path, environment: str, *options: str) -> bool:
    done = subprocess.run(["spirv-val", "--target-env", environment, *options, module], capture_output=True, text=True)
    # What it says of offsets and strides, and of nothing else.
    assert done.returncode == 0 or "layout rules" in done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("place", PLACES)
def test_blocks_need_the_feature_without_which_spirv_val_refuses_them(place: str, tmp_path: Path) -> None:
    dice = random.Random(place)
    for number in range(SHADERS):
        source, module = tmp_path / f"{number}.comp", tmp_path / f"{number}.spv"
        source.write_text(shader(dice, place))
        subprocess.run(["glslc", "--target-env=vulkan1.1", "-O0", "-o", module, source], check=True, capture_output=True)
        (artifact,) = inspect(module.read_bytes(), name=module.name).artifacts
        (found,) = {SCALAR, STANDARD}.intersection(artifact.requires) or {None}
        expected = (
            None
            if accepts(module, "vulkan1.1")
            else STANDARD
            if accepts(module, "vulkan1.1", "--uniform-buffer-standard-layout")
            else SCALAR
        )
        assert accepts(module, "vulkan1.1", "--scalar-block-layout")
        assert found == expected, source.read_text()


@pytest.mark.parametrize("place", [place for place in PLACES if "scalar" in place])
def test_vulkan_1_0_wants_vectors_at_their_own_alignment_as_spirv_val_says(place: str, tmp_path: Path) -> None:
    dice = random.Random(f"{place}, vectors")
    for number in range(SHADERS // 3):
        source, module = tmp_path / f"{number}.comp", tmp_path / f"{number}.spv"
        source.write_text(shader(dice, place))
        subprocess.run(["glslc", "--target-env=vulkan1.0", "-O0", "-o", module, source], check=True, capture_output=True)
        (artifact,) = inspect(module.read_bytes(), name=module.name).artifacts
        expected = not accepts(module, "vulkan1.0") and accepts(module, "vulkan1.0", "--relax-block-layout")
        assert (RELAXED in artifact.requires) is expected, source.read_text()
