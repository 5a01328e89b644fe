"""`explain` tells rules: one by its id, all, and those behind an answer."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from targetenv.cli import app
from targetenv.match.rules import every_rule

ARTIFACTS = Path(__file__).parents[2] / "corpora" / "artifacts"
LAVAPIPE = Path(__file__).parents[2] / "corpora" / "lavapipe-22.3.6" / "lavapipe.device.json"


def out(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert app.run(list(arguments)) == status
    return capsys.readouterr().out


@pytest.mark.parametrize("identifier", [row.id for row in every_rule()])
def test_every_rule_has_a_page_with_its_source(identifier: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = out(capsys, "explain", identifier)
    assert text.startswith(f"{identifier}: ")
    assert "\n  source: " in text
    assert all(len(line) <= 140 for line in text.splitlines()[1:])


def test_a_disagreement_says_whom_we_follow(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(out(capsys, "explain", "amd.generic").split())
    for fact in ("gfx908", "gfx1170", "hip_kpack", "IREE", "LLVM is followed, because"):
        assert fact in text


def test_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = out(capsys, "explain", "--rules").splitlines()
    assert [line.split()[0] for line in lines] == [row.id for row in every_rule()]
    rows = json.loads(out(capsys, "explain", "--rules", "--format", "json"))["rules"]
    assert {row["id"] for row in rows} == {row.id for row in every_rule()}
    assert all(row["source"] for row in rows)


@pytest.mark.parametrize("text", ["cuda.nothing", "nothing.at.all"])
def test_what_is_no_rule_is_said(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["explain", text]) == 2
    assert "TE3016" in capsys.readouterr().err


def test_an_answer_of_resolve_is_told_by_its_rules(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    files = [str(ARTIFACTS / name) for name in ("saxpy_spv10.spv", "saxpy_spv16.spv")]
    answer = out(capsys, "resolve", *files, "--device", str(LAVAPIPE), "--format", "json")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    text = out(capsys, "explain", "-")
    for rule in {row["rule"] for verdict in json.loads(answer)["verdicts"] for row in verdict["findings"]}:
        assert f"\n  {rule}: " in text
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    rows = json.loads(out(capsys, "explain", "-", "--format", "json"))["rules"]
    assert all(row["source"] for row in rows)


def test_an_answer_of_match_is_told_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("match", "hsaco:gfx11-generic", "gfx1100", "--as-of", "rocm=6.2", "--format", "json")
    answer = out(capsys, *asked, status=1)
    assert json.loads(answer)["as_of"] == {"rocm": "6.2"}
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    text = out(capsys, "explain", "-")
    assert text.startswith("as of rocm 6.2\n")
    assert "rocm 6.2 does not load gfx11-generic yet  [TE3106, amd.generic]" in text


@pytest.mark.parametrize(
    "text",
    ["", "x", "{}", "[]", '{"schema": 1}', '{"schema": 2, "findings": []}', '{"schema": 1, "findings": [1]}', "[" * 100000],
)
def test_what_is_no_answer_is_refused(text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert app.run(["explain", "-"]) == 2
    assert "TE3017" in capsys.readouterr().err


def test_as_of_is_refused_where_it_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["match", "sm_90", "sm_90", "--as-of", "drivr=570"]) == 2
    assert "TE3012" in capsys.readouterr().err
    assert app.run(["resolve", str(ARTIFACTS / "saxpy_spv10.spv"), "--device", str(LAVAPIPE), "--as-of", "cuda=1"]) == 2
    assert "TE3013" in capsys.readouterr().err


def test_resolve_decides_as_of_an_older_stack(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(ARTIFACTS / name) for name in ("saxpy_spv10.spv", "saxpy_spv16.spv")]
    text = out(capsys, "resolve", *files, "--device", str(LAVAPIPE), "--as-of", "vulkan=1.1")
    assert text.startswith("as of vulkan 1.1\n")
    assert "✗" in text
    assert "SPIR-V >= 1.6" in text


def test_resolve_names_devices_policies_and_the_steps_of_the_choice_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(ARTIFACTS / name) for name in ("saxpy_spv10.spv", "saxpy_spv16.spv")]
    asked = ("resolve", *files, "--device", str(LAVAPIPE), "--prefer", "smaller", "--format", "json")
    answer = json.loads(out(capsys, *asked))
    assert answer["policy"] == {"prefer": ["smaller"], "pin": {}, "never_jit": False}
    (device,) = answer["devices"]
    (chosen,) = answer["chosen"]
    assert chosen["device_name"] == device["name"] == "llvmpipe (LLVM 15.0.6, 256 bits)"
    assert (chosen["device_number"], chosen["rule"], chosen["ambiguous"]) == (0, "rank.specificity", False)
    assert {row["device_number"] for row in answer["verdicts"]} == {0}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--prefer", "nothing"), "TE3021"),
        (("--pin", "saxpy=nothing"), "TE3022"),
        (("--pin", "saxpy"), "TE3023"),
    ],
)
def test_policies_that_name_nothing_are_refused(
    arguments: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(["resolve", str(ARTIFACTS / "saxpy_spv10.spv"), "--device", str(LAVAPIPE), *arguments]) == 2
    assert code in capsys.readouterr().err


def test_gaps_are_of_no_stack_and_no_policy(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("--as-of", "vulkan=1.1"), ("--never-jit",)):
        assert app.run(["resolve", str(ARTIFACTS / "saxpy_spv10.spv"), "--gaps", *arguments]) == 2
        assert "do not go together" in capsys.readouterr().err


def test_a_component_that_decides_nothing_here_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["match", "sm_90", "sm_90", "--as-of", "rocm=6.2,driver=570"]) == 0
    said = capsys.readouterr()
    assert said.err == "note: `rocm` of --as-of decides nothing here: no device is of rocm or hip\n"
    asked = ["resolve", str(ARTIFACTS / "saxpy_spv10.spv"), "--device", str(LAVAPIPE), "--as-of", "cuda=12.8"]
    assert app.run(asked) == 0
    assert "note: `cuda` of --as-of decides nothing here: no device is of cuda" in capsys.readouterr().err
