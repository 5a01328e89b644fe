"""The wheel works on its own, and holds what it should and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import Environment, build
from tests.packaging.test_tree import ROOT


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_module_is_shipped_but_the_code_generator(wheel: Path) -> None:
    sources = {
        str(path.relative_to(base))
        for base, package in ((ROOT, "targetenv"), (ROOT / "runtime", "targetenv_runtime"))
        for path in (base / package).rglob("*.py")
    }
    shipped = {name for name in names_in(wheel) if name.endswith(".py")}
    assert shipped == {name for name in sources if not name.startswith("targetenv/_codegen")}


def test_the_code_generator_its_templates_and_the_tests_stay_at_home(wheel: Path) -> None:
    assert not [name for name in names_in(wheel) if "_codegen" in name or name.startswith(("tests/", "docs/"))]


@pytest.mark.parametrize(
    ("here", "pattern", "there"),
    [("grammars", "*.lark", "targetenv/grammars"), ("docs/errors", "TE*.md", "targetenv/diagnostics/pages")],
    ids=["grammars", "error pages"],
)
def test_data_files_are_shipped(wheel: Path, here: str, pattern: str, there: str) -> None:
    expected = {f"{there}/{path.name}" for path in (ROOT / here).glob(pattern)}
    assert expected
    assert expected <= names_in(wheel)


def test_the_kernel_header_is_shipped(wheel: Path) -> None:
    assert "targetenv_runtime/include/targetenv/kernel.h" in names_in(wheel)


def test_the_licence_is_shipped(wheel: Path) -> None:
    assert [name for name in names_in(wheel) if name.endswith("licenses/LICENSE")]


def test_a_wheel_from_the_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", str(sdist), "-C", str(tmp_path)], check=True)
    (unpacked,) = tmp_path.iterdir()
    again = build(unpacked, "wheel", tmp_path / "dist")
    assert names_in(again) == names_in(wheel)


def test_the_sdist_can_be_tested(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"Makefile", "tests/gate.py", "tests/conftest.py", "docs/index.md", "LICENSE", "README.md"} <= names


def test_both_packages_are_imported_from_the_wheel(installed: Environment) -> None:
    where = installed.python("import targetenv, targetenv_runtime; print(targetenv.__file__, targetenv_runtime.__file__)")
    assert all(Path(path).is_relative_to(installed.site) for path in where.split())


def test_the_command_and_the_module_answer_alike(installed: Environment) -> None:
    script = installed.run("targetenv", "parse", "#vk.target_env<v1.1, r(120), [], {}>")
    module = installed.run("python", "-m", "targetenv", "parse", "#vk.target_env<v1.1, r(120), [], {}>")
    assert (script.returncode, script.stderr) == (0, "")
    assert (script.returncode, script.stdout) == (module.returncode, module.stdout)


def test_error_pages_are_found(installed: Environment) -> None:
    explained = installed.run("targetenv", "explain", "TE1001")
    assert explained.returncode == 0, explained.stderr
    assert "TE1001" in explained.stdout


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler to build a CPU kernel with")
def test_a_package_is_built_and_run_by_the_installed_command(installed: Environment, tmp_path: Path) -> None:
    example = ROOT / "docs" / "examples" / "saxpy" / "targetenv.toml"
    built = installed.run("targetenv", "build", str(example), "-o", str(tmp_path / "saxpy.tenv"))
    assert built.returncode == 0, built.stderr
    inputs = ("--input", "a=2", "--input", "x=4xf32=1,2,3,4", "--input", "y=4xf32=1")
    ran = installed.run("targetenv", "run", str(tmp_path / "saxpy.tenv"), "saxpy", "--device", "cpu://0", *inputs)
    assert ran.returncode == 0, ran.stderr


def test_an_editable_install_sees_edits(editable: Environment, source: Path) -> None:
    module = source / "targetenv" / "model" / "span.py"
    before = module.read_text(encoding="utf-8")
    try:
        module.write_text(before + "\nEDITED = True\n", encoding="utf-8")
        assert editable.python("from targetenv.model import span; print(span.EDITED)") == "True"
    finally:
        module.write_text(before, encoding="utf-8")


def test_an_editable_install_reads_grammars_and_pages_from_the_checkout(editable: Environment, source: Path) -> None:
    page = source / "docs" / "errors" / "TE1001.md"
    before = page.read_text(encoding="utf-8")
    try:
        page.write_text(before + "\nEDITED\n", encoding="utf-8")
        assert "EDITED" in editable.run("targetenv", "explain", "TE1001").stdout
    finally:
        page.write_text(before, encoding="utf-8")
