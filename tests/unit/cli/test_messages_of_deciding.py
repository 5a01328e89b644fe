"""The messages on the pages of TE301x and TE302x are what is printed, whole; so is the telling of an answer."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest

from targetenv.cli import app

ROOT = Path(__file__).parents[3]
CORPORA = ROOT / "tests" / "corpora"
PAGES = sorted(path for path in (ROOT / "docs" / "errors").glob("TE30[12]?.md"))
DEVICE = str(CORPORA / "lavapipe-22.3.6" / "lavapipe.device.json")
GOLDEN = Path(__file__).with_name("explained_answer.txt")


@pytest.fixture
def package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """`kernels.tenv` with variants v2 and v3, as the pages have it."""
    variants = [str(CORPORA / "artifacts" / f"kernel_x86-64-{level}.so") for level in ("v2", "v3")]
    for name, file in zip(("v2", "v3"), variants, strict=True):
        (tmp_path / f"{name}.so").write_bytes(Path(file).read_bytes())
    made = tmp_path / "kernels.tenv"
    assert app.run(["pack", "-o", str(made), str(tmp_path / "v2.so"), str(tmp_path / "v3.so")]) == 0
    capsys.readouterr()
    return made


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_message_on_a_page_is_what_is_printed(
    page: Path, package: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    block = re.search(r"```console\n\$ (.*?)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    command, shown = block.groups()
    if command.startswith("echo"):
        monkeypatch.setattr("sys.stdin", io.StringIO("{}\n"))
        command = command.partition("| ")[2]
    arguments = [str(package) if word == "kernels.tenv" else word for word in shlex.split(command)[1:]]
    assert app.run(arguments) == 2
    printed = capsys.readouterr().err
    wanted = [line.rstrip() for line in shown.splitlines() if line.strip() not in ("", "|")]
    assert [line.rstrip() for line in printed.splitlines() if line.strip() not in ("", "|")] == wanted


def test_an_answer_is_told_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, update_goldens: bool
) -> None:
    monkeypatch.chdir(CORPORA / "artifacts")
    asked = ["saxpy_spv10.spv", "saxpy_spv16.spv", "kernel_x86-64-v2.so", "--device", DEVICE]
    app.run(["resolve", *asked, "--format", "json"])
    monkeypatch.setattr("sys.stdin", io.StringIO(capsys.readouterr().out))
    assert app.run(["explain", "-"]) == 0
    text = capsys.readouterr().out
    if update_goldens:
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
