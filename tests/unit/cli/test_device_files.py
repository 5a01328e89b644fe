"""Every verb that takes a device takes every file that describes one, on either side where there are two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from targetenv.cli.app import run

CORPUS = Path(__file__).parents[2] / "corpora"
FILES = CORPUS / "device-files"
RECORDED = CORPUS / "devices"
ONE_DEVICE = ["vulkaninfo_2022.json", "devsim_2019.json", "vulkaninfo_2016.txt", "report_3.2.json", "report_4.0.json"]
MODULE = str(CORPUS / "artifacts" / "saxpy_spv16.spv")


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = run([*arguments, "--format", "json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", ONE_DEVICE)
def test_parse_turns_any_device_file_into_an_environment(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = _json(capsys, "parse", f"@{FILES / name}", "--to", "spirv")
    assert (status, answer["ok"]) == (0, True)
    assert answer["output"].startswith("#spirv.target_env<#spirv.vce<v1.")


@pytest.mark.parametrize("era", ["vk@A", "vk@B", "vk@C", "spirv"])
def test_parse_prints_a_device_in_every_era_of_its_dialect(era: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = _json(capsys, "parse", f"@{FILES / 'report_3.2.json'}", "--to", era)
    assert (status, answer["ok"]) == (0, True)
    again, parsed = _json(capsys, "parse", answer["output"])
    assert (again, parsed["ok"]) == (0, True)


@pytest.mark.parametrize("form", ["json", "profile", "capsviewer"])
@pytest.mark.parametrize("name", ONE_DEVICE)
def test_parse_writes_a_device_in_every_form_and_reads_it_back(
    name: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, first = _json(capsys, "parse", f"@{FILES / name}", "--to", "spirv")
    status, made = _json(capsys, "parse", f"@{FILES / name}", "--to", form)
    assert status == 0
    written = tmp_path / "made.json"
    written.write_text(made["output"])
    _, second = _json(capsys, "parse", f"@{written}", "--to", "spirv")
    assert second["output"] == first["output"]


@pytest.mark.parametrize("name", ONE_DEVICE)
def test_match_takes_a_device_file_on_either_side(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(FILES / name)
    status, answer = _json(capsys, "match", file, file)
    assert (status, answer["outcome"]) == (0, "satisfied"), "a device runs what relies on all that it offers"
    status, answer = _json(capsys, "match", MODULE, file)
    assert status in (0, 1)
    status, answer = _json(capsys, "match", file, "vulkan:rdna3")
    assert status == 1


def test_match_takes_a_profile_on_either_side(capsys: pytest.CaptureFixture[str]) -> None:
    base, more = (f"{FILES / 'profiles.json'}#VP_EXAMPLE_{name}" for name in ("base", "more"))
    status, answer = _json(capsys, "match", base, more)
    assert (status, answer["outcome"]) == (0, "satisfied"), "who fits the larger profile fits the one that it inherits from"
    status, answer = _json(capsys, "match", more, base)
    assert (status, answer["outcome"]) == (1, "unsatisfied")
    assert any(finding["code"] == "TE3111" for finding in answer["findings"]), "one of the alternatives is demanded"


def test_a_file_of_several_profiles_asks_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["match", "vulkan1.1", str(FILES / "profiles.json")]) == 2
    assert "TE4307" in capsys.readouterr().err
    assert run(["parse", f"@{FILES / 'profiles.json'}#VP_NOBODY"]) == 2
    assert "TE4308" in capsys.readouterr().err


def test_warnings_about_a_file_go_beside_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["match", "vulkan1.0", str(FILES / "report_4.0.json")]) == 0
    captured = capsys.readouterr()
    assert "warning[TE4313]" in captured.err
    assert "satisfied" in captured.out
    _, answer = _json(capsys, "parse", f"@{FILES / 'report_4.0.json'}")
    assert [row["code"] for row in answer["diagnostics"]] == ["TE4313"]


def test_diff_compares_files_of_different_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = _json(capsys, "diff", str(FILES / "report_3.2.json"), str(FILES / "vulkaninfo_2022.json"))
    assert status == 1
    assert answer["relation"] == "incomparable"


def test_resolve_takes_a_folder_of_device_files(capsys: pytest.CaptureFixture[str]) -> None:
    status, answer = _json(capsys, "resolve", MODULE, "--device", str(RECORDED))
    assert status == 0
    chosen = {row["device"] for row in answer["chosen"] if row["variant"]}
    assert "gpuinfo-38870" in chosen
    assert "gpuinfo-36736" not in chosen, "an Adreno 540 takes no SPIR-V 1.6"
    assert len(answer["chosen"]) == 40


def test_probe_writes_a_profile_that_stands_for_the_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = str(tmp_path / "p.json")
    if run(["probe", "--driver", "vulkan", "--to", "profile", "-o", profile]) != 0:
        pytest.skip("no Vulkan device")
    capsys.readouterr()
    status, answer = _json(capsys, "match", profile, "vulkan://0")
    assert (status, answer["outcome"]) == (0, "satisfied")
    status, answer = _json(capsys, "match", "vulkan://0", profile)
    assert (status, answer["outcome"]) == (0, "satisfied")


KINDS = {
    "profile": f"{FILES / 'profiles.json'}#VP_EXAMPLE_base",
    "report": str(FILES / "report_4.0.json"),
    "name": "vulkan:rdna3",
    "attribute": "#vk.target_env<v1.1, r(120), [VK_KHR_16bit_storage], AMD:DiscreteGPU, #vk.caps<maxComputeSharedMemorySize"
    " = 16384, maxComputeWorkGroupInvocations = 64, maxComputeWorkGroupSize = dense<64> : vector<3xi32>, subgroupFeatures"
    " = 7 : i32, subgroupSize = 64>>",
    "snapshot": str(RECORDED / "38813-amd-radeon-rx-7900-xtx-radv-navi31.device.json.gz"),
}


@pytest.mark.parametrize("offers", KINDS)
@pytest.mark.parametrize("requires", KINDS)
def test_everything_that_describes_a_device_stands_on_either_side(
    requires: str, offers: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, answer = _json(capsys, "match", KINDS[requires], KINDS[offers])
    assert (status == 0) == (answer["outcome"] == "satisfied")
    assert answer["findings"]
    if requires == offers:
        assert answer["outcome"] == "satisfied"
