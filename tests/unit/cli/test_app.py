"""The command line finds its verb, and every way to fail has a code, a status and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from targetenv.cli import app, explain

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}


def _command(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "targetenv", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, **more)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("verb", app.VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        app.run([verb, "--help"])
    assert caught.value.code == 0
    assert f"usage: targetenv {verb}" in capsys.readouterr().out


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {verb}" in shown for verb in app.VERBS)


def test_without_a_verb_the_help_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["explian"], ["--loud"], ["explain", "--colour"], ["explain", "a", "b"]])
def test_what_is_not_understood_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(arguments) == 2
    assert "error[TE5200]" in capsys.readouterr().err


def test_errors_are_json_too_when_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["explain", "TE0", "--format", "json"]) == 2
    shown = json.loads(capsys.readouterr().out)
    assert (shown["ok"], shown["diagnostics"][0]["code"]) == (False, "TE5213")


@pytest.mark.parametrize("text", ["TE4401", "te4401", "4401", "error[TE4401]:"])
def test_a_code_is_found_however_it_is_spelt(text: str) -> None:
    assert explain.find(text) == "TE4401"


def test_a_bug_is_called_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(explain, "read_page", lambda code: {}[code])
    assert app.run(["explain", "TE4401"]) == app.BUG
    shown = capsys.readouterr().err
    assert "error[TE9001]" in shown
    assert "Traceback" not in shown
    assert app.run(["explain", "TE4401", "--traceback"]) == app.BUG
    assert "Traceback" in capsys.readouterr().err


def test_an_interruption_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(code: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(explain, "read_page", interrupt)
    assert app.run(["explain", "TE4401"]) == app.INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "targetenv", "explain"], stdout=writer, stderr=subprocess.PIPE, env=ENVIRONMENT, check=False
    )
    os.close(writer)
    assert (result.returncode, result.stderr) == (app.BROKEN_PIPE, b"")


def test_a_full_standard_output_is_a_diagnostic() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is not there")
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "targetenv", "explain"],
            stdout=full, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True, check=False,
        )  # fmt: skip
    assert result.returncode == 3
    assert result.stderr.startswith("error[TE4306]")
    assert "Traceback" not in result.stderr


def test_every_printed_character_survives_an_ascii_terminal() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "targetenv", "explainé"],
        capture_output=True, env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert b"explain\\xe9" in result.stderr
