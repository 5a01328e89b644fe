"""`inspect` shows what is in a file and believes the bytes; `pack` packages executables nobody described."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from targetenv.model.record import replace
from targetenv.wire.package import open_package, pack_package
from tests.unit.artifacts.assembler import COMPUTE, assemble


def test_inspect_shows_a_package_with_every_variant(package: Path, te: Any) -> None:
    said = te("inspect", package.name)
    assert said.status == 0
    assert "scale(a: f32, n: u32 = x.size; x: f32 readwrite) over [x.size]" in said.out
    assert "requires instruction set x86-64-v2" in said.out


def test_inspect_json_has_the_fields_that_scripts_rely_on(package: Path, te: Any) -> None:
    said = te("inspect", package.name, "--format", "json")
    shown = said.json
    assert (shown["schema"], shown["file"], shown["format"]) == (1, "demo.tenv", "tenv")
    first = shown["executables"][0]
    assert (first["format"], first["path"], first["target"]) == ("elf-x86_64", ["scale/v2.so"], "x86-64-v2")
    assert {"needs": "isa", "name": "x86-64-v2"} in first["requires"]
    assert first["kernels"][0]["name"] == "scale"
    assert shown["diagnostics"] == []


def test_a_package_that_hides_a_requirement_is_called_out(package: Path, te: Any) -> None:
    with open_package(str(package)) as opened:
        contents = opened.package
        payloads = {row.member: bytes(opened.payload(row)) for row in contents.variants}
    lying = replace(contents, variants=tuple(replace(row, requires=()) for row in contents.variants))
    package.write_bytes(pack_package(lying, payloads))
    said = te("inspect", package.name)
    assert said.status == 0
    assert said.err.count("warning[TE4412]") == 2


def test_one_bad_file_does_not_hide_the_others(package: Path, te: Any) -> None:
    Path("junk").write_bytes(b"junk")
    said = te("inspect", "junk", package.name, "nosuch", "--format", "json")
    assert said.status == 2
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row["format"] for row in rows] == [None, "tenv", None]
    assert [row["diagnostics"][0]["code"] for row in rows if row["diagnostics"]] == ["TE4001", "TE4301"]


def test_pack_takes_executables_as_they_are(project: Path, te: Any) -> None:
    subprocess.run(["glslc", "-fshader-stage=compute", "scale.comp", "-o", "scale.spv"], check=True)
    said = te("pack", "-o", "p.tenv", "scale.spv", "other=scale.spv")
    assert said.status == 0
    with open_package("p.tenv") as opened:
        main, other = opened.package.kernels
        assert (main.name, other.name) == ("main", "other")
        assert (len(main.constants), len(main.bindings), main.open) == (2, 1, False)
        assert {row.member for row in opened.package.variants} == {"main/scale.spv"}


def test_pack_leaves_the_interface_open_where_executables_do_not_say(package: Path, te: Any) -> None:
    with open_package(str(package)) as opened:
        Path("v2.so").write_bytes(opened.payload(opened.package.variants[0]))
    assert te("pack", "-o", "p.tenv", "v2.so").status == 0
    with open_package("p.tenv") as opened:
        assert opened.package.kernels[0].open
        assert opened.package.artifacts()["scale"][0].kernels[0].bindings is None
    assert "scale(...)" in te("inspect", "p.tenv").out


@pytest.mark.parametrize("content", [b"", b"junk", b"\x7fELF", b"\x03\x02\x23\x07"])
def test_pack_refuses_what_is_no_executable_and_leaves_nothing(content: bytes, tmp_path: Path, te: Any) -> None:
    (tmp_path / "x").write_bytes(content)
    said = te("pack", "-o", tmp_path / "p.tenv", tmp_path / "x")
    assert said.status == 2
    assert said.err.startswith("error[TE4")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_name_in_a_file_does_not_command_the_terminal(tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.spv").write_bytes(assemble(COMPUTE.replace('"main"', '"a\x1b[31m"') + "OpExecutionMode %1 LocalSize 1 1 1"))
    said = te("inspect", str(tmp_path / "k.spv"))
    assert said.status == 0
    assert "\x1b" not in said.out + said.err


def test_inspect_says_what_asks_for_a_requirement(tmp_path: Path, te: Any) -> None:
    (tmp_path / "k.spv").write_bytes(assemble(COMPUTE + "OpExecutionMode %1 LocalSize 8 1 1"))
    assert (
        "requires limit maxComputeWorkGroupInvocations >= 8 (workgroup size of `main`)"
        in te("inspect", str(tmp_path / "k.spv")).out
    )
    rows = te("inspect", str(tmp_path / "k.spv"), "--format", "json").json["executables"][0]["requires"]
    because = {row["name"]: row.get("because") for row in rows if row["needs"] in ("limit", "capability")}
    assert because["VkPhysicalDeviceLimits::maxComputeWorkGroupInvocations"] == "workgroup size of `main`"
    assert because["Shader"] is None


def test_a_directory_is_refused_in_one_sentence(te: Any, tmp_path: Path) -> None:
    refused = te("inspect", str(tmp_path))
    assert refused.status == 2
    assert refused.err == f"error[TE4301]: cannot read the file: is a directory\n --> {tmp_path}\n"
