"""A build config is read whole; what is wrong with it has a code and a place in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.wire.build_config import BuildConfig, parse_config, read_config
from targetenv.wire.package import Binding, Constant

GOOD = """\
[package]
name = "demo"
version = "1.0"

[[kernel]]
name = "matmul"
constants = [
  {name = "m", dtype = "u32", value = "a.shape[0]"},
  {name = "scale", dtype = "f32"},
]
bindings = [
  {name = "a", dtype = "f16", access = "read"},
  {name = "c", dtype = "f32", access = "write", shape = ["a.shape[0]", 16]},
]
grid = ["a.shape[1]", "c.shape[0]"]

[[kernel.variant]]
name = "plain"
source = "m.comp"
toolchain = "glslc"
target = ["vulkan1.1", "spirv1.3"]
tile = [16, 16]
subgroup_size = 32
preference = 2
options = ["-O"]

[[kernel.variant]]
name = "v3"
source = "m.comp"
toolchain = "cc"
target = "x86-64-v3"
entry_point = "mm"
"""


def _parse(text: str, tmp_path: Path) -> BuildConfig:
    (tmp_path / "m.comp").write_text("")
    return parse_config(text, name="targetenv.toml", folder=str(tmp_path), toolchains=("glslc", "cc", "prebuilt"))


def test_a_config_is_read_whole(tmp_path: Path) -> None:
    config = _parse(GOOD, tmp_path)
    (matmul,) = config.kernels
    assert (config.name, config.version, matmul.kernel.name) == ("demo", "1.0", "matmul")
    assert matmul.kernel.constants == (Constant("m", "u32", "a.shape[0]"), Constant("scale", "f32"))
    assert matmul.kernel.bindings[1] == Binding("c", "f32", "write", ("a.shape[0]", 16))
    assert matmul.kernel.grid == ("a.shape[1]", "c.shape[0]")
    plain, v3 = matmul.variants
    assert (plain.target, plain.tile, plain.subgroup_size) == (("vulkan1.1", "spirv1.3"), (16, 16, 1), 32)
    assert (plain.preference, plain.options) == (2, ("-O",))
    assert (v3.target, v3.tile, v3.entry_point) == (("x86-64-v3",), None, "mm")


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ('name = "demo"', 'name = "demo', "TE4501", 2),
        ("[package]", "[package", "TE4501", 1),
        ("version =", "verison =", "TE4502", 3),
        ('version = "1.0"', "", "TE4503", 1),
        ('version = "1.0"', "version = 1.0", "TE4504", 3),
        ('dtype = "f32"}', 'dtype = "float"}', "TE4504", 9),
        ('access = "read"', 'access = "raed"', "TE4504", 12),
        ('toolchain = "cc"', 'toolchain = "gcc"', "TE4504", 30),
        ("tile = [16, 16]", "tile = [16, 0]", "TE4504", 22),
        ("tile = [16, 16]", "tile = []", "TE4504", 22),
        ("tile = [16, 16]", 'tile = "16"', "TE4504", 22),
        ("subgroup_size = 32", "subgroup_size = true", "TE4504", 23),
        ("preference = 2", "preference = 99999999999999999999999999", "TE4504", 24),
        ('options = ["-O"]', "options = [1]", "TE4504", 25),
        ('target = "x86-64-v3"', "target = []", "TE4504", 31),
        ('name = "v3"', 'name = "plain"', "TE4505", 28),
        ('name = "v3"', 'name = "a/b"', "TE4504", 28),
        ('name = "scale"', 'name = "m"', "TE4505", 9),
        ('name = "c"', 'name = "m"', "TE4505", 13),
        ('"a.shape[1]"', '"b.shape[1]"', "TE4506", 15),
        ('"a.shape[1]"', '"a.shape[1"', "TE4504", 15),
        ('"a.shape[1]"', "-4", "TE4504", 15),
        ('value = "a.shape[0]"', 'value = "z.size"', "TE4506", 8),
        (', shape = ["a.shape[0]", 16]', "", "TE4503", 13),
        ('["a.shape[0]", 16]', '["c.shape[0]", 16]', "TE4506", 13),
        ('source = "m.comp"', 'source = "n.comp"', "TE4507", 19),
        ('grid = ["a.shape[1]", "c.shape[0]"]', "grid = [1, 2, 3, 4]", "TE4504", 15),
        ('grid = ["a.shape[1]", "c.shape[0]"]', "", "TE4503", 5),
    ],
)
def test_what_is_wrong_has_a_code_and_a_line(old: str, new: str, code: str, place: int, tmp_path: Path) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    with pytest.raises(FormatError) as caught:
        _parse(text, tmp_path)
    first = caught.value.diagnostics[0]
    assert first.code == code
    assert first.span is not None
    assert text.count("\n", 0, first.span.start) + 1 == place, str(caught.value)


def test_a_misspelt_key_has_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        _parse(GOOD.replace("toolchain = ", "tolchain = "), tmp_path)
    assert caught.value.diagnostics[0].help == "did you mean `toolchain`?"


def test_every_misfit_is_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(FormatError) as caught:
        _parse(GOOD.replace('"m.comp"', '"n.comp"').replace('"cc"', '"icc"'), tmp_path)
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["TE4507", "TE4504", "TE4507"]


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a = " + b"[" * 100_000, b"a = " + b"9" * 5000, b"a = 1\na = 2", b"\0"])
def test_junk_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "targetenv.toml"
    path.write_bytes(data)
    with pytest.raises(FormatError) as caught:
        read_config(str(path), toolchains=("cc",))
    assert caught.value.code == "TE4501"
    assert str(caught.value)


TABLE = """[kernel.variant.target]
base = "vulkan1.1"
require = ["shaderInt64 or shaderInt16"]
forbid = ["VK_KHR_cooperative_matrix"]
limits = { maxComputeSharedMemorySize = "32 KiB", maxComputeWorkGroupSize = [128, 8, 4], subgroupSize = 32 }
"""


def test_a_target_as_a_table_becomes_a_target_and_constraints(tmp_path: Path) -> None:
    text = GOOD.replace('target = "x86-64-v3"\n', "").rstrip() + "\n" + TABLE
    variant = _parse(text, tmp_path).kernels[0].variants[1]
    assert variant.target == ("vulkan1.1",)
    assert variant.require == (
        "shaderInt64 or shaderInt16",
        "not (VK_KHR_cooperative_matrix)",
        "maxComputeSharedMemorySize >= 32 KiB",
        "maxComputeWorkGroupSize >= [128, 8, 4]",
        "subgroupSize == 32",
    )


def test_a_misspelt_key_of_a_target_table_is_pointed_at(tmp_path: Path) -> None:
    text = GOOD.replace('target = "x86-64-v3"\n', "").rstrip() + "\n" + TABLE.replace("require", "requir")
    with pytest.raises(FormatError) as caught:
        _parse(text, tmp_path)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span is not None
    assert (diagnostic.code, diagnostic.span.of(text), diagnostic.help) == ("TE4502", "requir", "did you mean `require`?")
