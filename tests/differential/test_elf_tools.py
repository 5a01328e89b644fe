"""Our reader of ELF against readelf and nm, on objects that gcc makes here and now."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.match.unknowns import X86_LEVEL
from targetenv.model.requirement import NeedsIsa

pytestmark = pytest.mark.differential

SOURCE = """
#include <targetenv/kernel.h>
TARGETENV_WORKGROUP_SIZE(scale, 256, 1, 1)
TARGETENV_KERNEL(scale) { ((float *)targetenv_binding(dispatch, 0))[0] *= 2.0f; return 0; }
TARGETENV_KERNEL(fill) { ((float *)targetenv_binding(dispatch, 0))[0] = 2.0f; return 0; }
TARGETENV_VISIBLE_ int helper(void) { return 1; }
"""
INCLUDE = Path(__file__).parents[2] / "runtime" / "targetenv_runtime" / "include"
LEVELS = ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def built(folder: Path, *options: str) -> Path:
    source, out = folder / "kernel.c", folder / "kernel.so"
    source.write_text(SOURCE, encoding="utf-8")
    command = [tool("gcc"), "-O2", "-shared", "-fPIC", "-I", str(INCLUDE), *options, str(source), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "-mneeded" in done.stderr:
        pytest.skip("this gcc has no -mneeded")
    assert done.returncode == 0, done.stderr
    return out


def said_by_readelf(path: Path) -> str | None:
    """The highest level of the `x86 ISA needed` line, as we spell it."""
    notes = subprocess.run([tool("readelf"), "-nW", str(path)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"x86 ISA needed: ([\w\-, ]+)", notes)
    return None if found is None else found[1].strip().split(", ")[-1].removesuffix("-baseline")


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "linking", [(), ("-s",), ("-Wl,--hash-style=sysv",), ("-Wl,--hash-style=gnu",), ("-Wl,-z,noseparate-code",)]
)
def test_the_level_is_what_readelf_prints(level: str, linking: tuple[str, ...], tmp_path: Path) -> None:
    path = built(tmp_path, f"-march={level}", "-mneeded", *linking)
    assert said_by_readelf(path) == level
    assert NeedsIsa(level) in inspect(path.read_bytes(), name="k.so").artifacts[0].requires


def test_no_note_is_no_level_for_both(tmp_path: Path) -> None:
    path = built(tmp_path, "-march=x86-64-v3")
    assert said_by_readelf(path) is None
    assert X86_LEVEL.requirement in inspect(path.read_bytes(), name="k.so").artifacts[0].requires


@pytest.mark.parametrize("style", ["sysv", "gnu", "both"])
def test_exported_functions_are_what_nm_lists(style: str, tmp_path: Path) -> None:
    path = built(tmp_path, f"-Wl,--hash-style={style}")
    listed = subprocess.run([tool("nm"), "-D", "--defined-only", str(path)], capture_output=True, text=True, check=True).stdout
    functions = {line.split()[2] for line in listed.splitlines() if line.split()[1] in "TW"}
    found = inspect(path.read_bytes(), name="k.so")
    (artifact,) = found.artifacts
    kernels = {kernel.name for kernel in artifact.kernels}
    assert kernels == {"scale", "fill"}
    plain = {value for key, value in found.details if key == "function"}
    assert kernels | {f"{name}__range" for name in kernels} | plain == functions


def test_libraries_are_what_readelf_lists(tmp_path: Path) -> None:
    path = built(tmp_path, "-Wl,--no-as-needed", "-lm")
    dynamic = subprocess.run([tool("readelf"), "-dW", str(path)], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"Shared library: \[([^\]]+)\]", dynamic)
    assert [value for key, value in inspect(path.read_bytes(), name="k.so").details if key == "needs library"] == needed


def test_needed_symbol_versions_are_what_readelf_prints(tmp_path: Path) -> None:
    source, made = tmp_path / "v.c", tmp_path / "v.so"
    source.write_text(
        '#include <math.h>\n#include <stdio.h>\ndouble f(double x) { return printf("%f", x) + pow(exp(x), x); }\n'
    )
    subprocess.run([tool("gcc"), "-shared", "-fPIC", source, "-lm", "-o", made], check=True)
    printed = subprocess.run([tool("readelf"), "-VW", made], capture_output=True, text=True, check=True).stdout
    wanted: dict[str, set[str]] = {}
    for file, name in re.findall(r"File: (\S+)|  Name: (\S+)  Flags", printed):
        if file:
            wanted[library := file] = set()
        else:
            wanted[library].add(name)
    said = [value for key, value in inspect(made.read_bytes(), name="v.so").details if key == "of symbol versions"]
    assert wanted
    assert {library: set(names.split(", ")) for library, names in (row.split(": ") for row in said)} == wanted


@pytest.mark.parametrize("level", LEVELS[1:])
def test_a_level_that_the_linker_was_told_is_required(level: str, tmp_path: Path) -> None:
    path = built(tmp_path, f"-Wl,-z,{level}")
    assert said_by_readelf(path) == level
    assert NeedsIsa(level) in inspect(path.read_bytes(), name="k.so").artifacts[0].requires


@pytest.mark.parametrize(
    ("protection", "marks"), [("standard", "BTI, PAC"), ("bti", "BTI"), ("pac-ret", "PAC"), ("none", None)]
)
def test_branch_protection_of_aarch64_objects_is_what_they_were_built_with(
    protection: str, marks: str | None, tmp_path: Path
) -> None:
    source, made = tmp_path / "a.c", tmp_path / "a.so"
    source.write_text("int g(int); int f(int x) { return g(x) + 1; }\n")
    clang = [tool("clang-19"), "--target=aarch64-linux-gnu", "-fuse-ld=lld-19", "-shared", "-fPIC", "-nostdlib"]
    subprocess.run([*clang, f"-mbranch-protection={protection}", source, "-o", made], check=True)
    details = dict(inspect(made.read_bytes(), name="a.so").details)
    assert (details["machine"], details.get("branch protection")) == ("aarch64", marks)
