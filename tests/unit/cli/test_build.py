"""`build` makes a package whose requirements come from the bytes, reports what it leaves out, and leaves nothing half done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from targetenv.model.requirement import NeedsIsa, NeedsSubgroupSize
from targetenv.wire.package import open_package

ROOT = Path(__file__).resolve().parents[3]


def _edit(project: Path, old: str, new: str) -> None:
    path = project / "targetenv.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_package_is_built_with_requirements_from_its_bytes(package: Path) -> None:
    with open_package(str(package)) as opened:
        v2, vulkan = opened.package.variants
    assert NeedsIsa("x86-64-v2") in v2.requires
    assert (v2.entry_point, vulkan.entry_point) == ("scale", "main")
    assert v2.tile == vulkan.tile == vulkan.workgroup_size == (64, 1, 1)


def test_building_twice_gives_the_same_bytes(package: Path, te: Any) -> None:
    before = package.read_bytes()
    assert te("build", "-o", "again.tenv").status == 0
    assert Path("again.tenv").read_bytes() == before


def test_the_json_lists_every_variant(project: Path, te: Any) -> None:
    said = te("build", "--format", "json", "--tool", "glslc=/nosuch/glslc")
    assert said.status == 0
    rows = {row["variant"]: row for row in said.json["variants"]}
    assert (rows["v2"]["built"], rows["vulkan"]["built"]) == (True, False)
    assert said.json["diagnostics"][0]["code"] == "TE4602"


def test_a_missing_tool_leaves_its_variant_out(project: Path, te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("targetenv.cli.build._installed", lambda name: None if name == "glslc" else (name,))
    said = te("build")
    assert said.status == 0
    assert "warning[TE4601]" in said.err
    assert "glslc is not installed" in said.err
    strict = te("build", "--strict", "-o", "strict.tenv")
    assert (strict.status, Path("strict.tenv").exists()) == (3, False)
    assert "error[TE4601]" in strict.err


def test_a_source_that_does_not_compile_is_quoted(project: Path, te: Any) -> None:
    (project / "scale.comp").write_text("#version 450\nvoid main() { nosuch(); }\n")
    said = te("build")
    assert said.status == 0
    assert "warning[TE4602]: variant `scale/vulkan` is left out: glslc failed" in said.err
    assert "scale.comp:2: error: 'nosuch'" in said.err
    assert te("build", "--strict").status == 2


def test_nothing_is_written_when_a_kernel_has_no_variant_left(project: Path, te: Any) -> None:
    (project / "scale.comp").write_text("")
    (project / "scale.c").write_text("#error no\n")
    said = te("build")
    assert said.status == 2
    assert said.err.startswith("error[TE4606]")
    assert sorted(path.name for path in project.iterdir()) == ["scale.c", "scale.comp", "targetenv.toml"]


def test_an_unwritable_output_is_found_before_anything_is_built(project: Path, te: Any) -> None:
    _edit(project, 'toolchain = "glslc"', 'toolchain = "glslc"\noptions = ["--nosuch"]')
    said = te("build", "-o", "/nosuch/demo.tenv")
    assert said.status == 3
    assert said.err.startswith("error[TE4306]")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('target = "x86-64-v2"', 'target = "vulkan1.1"', "TE4508"),
        ('target = "x86-64-v2"', 'target = "native"', "TE4508"),
        ('target = "x86-64-v2"', 'target = "#vk.target_env<"', "TE4508"),
        ('target = "x86-64-v2"', 'entry_point = "scael"', "TE4605"),
        ('constants = [{name = "a", dtype = "f32"}, ', "constants = [", "TE4605"),
        ('name = "x", dtype', 'name = "y", dtype', "TE4506"),
    ],
)
def test_declarations_that_cannot_be_are_refused(old: str, new: str, code: str, project: Path, te: Any) -> None:
    _edit(project, old, new)
    said = te("build")
    assert said.status == 2
    assert said.err.startswith(f"error[{code}]")
    assert not (project / "demo.tenv").exists()


def test_a_declared_target_that_the_bytes_contradict_is_a_warning(project: Path, te: Any) -> None:
    _edit(project, 'target = "vulkan1.0"', 'target = "spirv1.0"\noptions = ["--target-env=vulkan1.1", "--target-spv=spv1.3"]')
    said = te("build")
    assert said.status == 0
    assert "warning[TE4604]" in said.err


@pytest.mark.parametrize("target", ["x86-64", "haswell"])
def test_a_declared_instruction_set_fills_in_what_an_object_does_not_say(target: str, project: Path, te: Any) -> None:
    _edit(project, "x86-64-v2", target)
    assert te("build").status == 0
    with open_package("demo.tenv") as opened:
        assert NeedsIsa(target) in opened.package.variants[0].requires
    assert te("inspect", "demo.tenv").err == ""


def test_a_declared_subgroup_size_is_required(project: Path, te: Any) -> None:
    _edit(project, 'target = "vulkan1.0"', 'target = "vulkan1.0"\nsubgroup_size = 32')
    assert te("build").status == 0
    with open_package("demo.tenv") as opened:
        assert NeedsSubgroupSize(32) in opened.package.variants[1].requires


def test_a_dry_run_prints_commands_and_writes_nothing(project: Path, te: Any) -> None:
    said = te("build", "--dry-run")
    assert said.status == 0
    assert said.out.startswith("cc -shared -fPIC")
    assert not (project / "demo.tenv").exists()


@pytest.mark.parametrize("system", ["ninja", "make"])
def test_an_emitted_build_file_makes_the_same_package(system: str, package: Path, te: Any) -> None:
    import shutil

    tool = shutil.which(system) or shutil.which(system, path=str(Path(sys.executable).parent))
    if tool is None:
        pytest.skip(f"{system} is not installed")
    said = te("build", "--emit", system, "-o", "other.tenv")
    assert said.status == 0
    Path("file").write_text(said.out)
    environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'runtime'}", "PATH": "/usr/bin:/bin"}
    result = subprocess.run([tool, "-f", "file"], capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert Path("other.tenv").read_bytes() == package.read_bytes()


@pytest.mark.parametrize("pair", ["cc", "cc=", "gxx=/usr/bin/g++"])
def test_a_tool_that_is_none_is_refused(pair: str, project: Path, te: Any) -> None:
    said = te("build", "--tool", pair)
    assert (said.status, said.err[:13]) == (2, "error[TE5200]")
