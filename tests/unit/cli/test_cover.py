"""`targetenv cover` and `--devices`: populations in folders, lines and tables, and what happens when they are odd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from targetenv.match.environment import offers_of
from targetenv.model.device import Device
from targetenv.model.record import replace
from targetenv.syntax import parse
from targetenv.wire.snapshot import read_snapshot, write_snapshot
from tests.unit.cli.conftest import Typed

CORPORA = Path(__file__).parents[2] / "corpora"
LAVAPIPE = CORPORA / "lavapipe-22.3.6" / "lavapipe.device.json"
MODULE = CORPORA / "artifacts" / "matmul_f16.spv"
PLAIN = CORPORA / "artifacts" / "saxpy_spv10.spv"
TARGETS = {
    "old": "vulkan1.0",
    "middle": "vulkan1.1 + {shaderFloat16, shaderInt8, subgroupSize = 32}",
    "new": "vulkan1.3 + {shaderFloat16, shaderInt8, storageBuffer16BitAccess, subgroupSize = 64}",
}


def gpu(name: str, text: str) -> Device:
    offers = replace(offers_of(parse(text).env), formats=frozenset({"spirv"}))
    return Device(f"vulkan://{name}", f"the {name} one", "vulkan", offers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four devices: three invented ones and lavapipe."""
    place = tmp_path / "devices"
    place.mkdir()
    for name, text in TARGETS.items():
        (place / f"{name}.device.json").write_bytes(write_snapshot([gpu(name, text)]))
    (place / "pipe.device.json").write_bytes(LAVAPIPE.read_bytes())
    return place


def test_the_picked_targets_cover_everybody_and_it_is_proved(te: Typed, folder: Path) -> None:
    said = te("cover", "--devices", folder, "--k", 2)
    assert said.status == 0
    assert "covered: 4 of 4 (100.0%)" in said.out
    assert "proved optimal" in said.out
    assert "left out: nobody" in said.out


def test_every_picked_target_runs_on_exactly_the_devices_that_are_named(te: Typed, folder: Path) -> None:
    said = te("cover", "--devices", folder, "--k", 3, "--format", "json").json
    assert said["schema"] == 1
    assert said["proved"]
    assert said["bound"]["covered"] == said["covered"] == said["total"] == 4
    assert len(said["picks"]) == 3
    for pick in said["picks"]:
        again = te("cover", "--devices", folder, "--candidates", pick["target"], "--format", "json").json
        assert again["picks"][0]["runs_on"] == pick["runs_on"]


def test_those_left_out_have_their_reasons_said_once(te: Typed, folder: Path) -> None:
    (folder / "twin.device.json").write_bytes(write_snapshot([gpu("twin", TARGETS["old"])]))
    said = te("cover", "--devices", folder, "--candidates", TARGETS["middle"], "--candidates", TARGETS["new"], "--k", 1)
    assert said.status == 1
    assert "left out: 4 devices" in said.out
    assert "that only a candidate covers which was not picked" in said.out
    assert said.out.count("feature VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16") == 1
    assert "the old one [old]" not in said.out  # its URI tells it apart
    assert "vulkan://old" in said.out
    assert "vulkan://twin" in said.out


def test_candidates_may_be_code_for_other_devices(te: Typed, folder: Path) -> None:
    said = te("cover", "--devices", folder, "--candidates", "cubin:sm_90", "--candidates", "vulkan1.1", "--k", 2)
    assert said.status == 1
    assert "1. vulkan1.1" in said.out
    assert "\n2. " not in said.out
    wrong = te("cover", "--devices", folder, "--candidates", "cubin:gfx942")
    assert (wrong.status, "TE5200" in wrong.err) == (2, True)


def test_a_profile_in_a_file_is_a_candidate(te: Typed, folder: Path) -> None:
    profiles = [f"{CORPORA / 'device-files' / 'profiles.json'}#VP_EXAMPLE_{name}" for name in ("base", "more")]
    candidates = [part for profile in profiles for part in ("--candidates", profile)]
    said = te("cover", "--devices", folder, *candidates, "--k", 2, "--format", "json").json
    assert said["candidates"] == 2


def test_weights_decide_what_is_picked(te: Typed, folder: Path, tmp_path: Path) -> None:
    weights = tmp_path / "share.tsv"
    candidates = ("--candidates", "vulkan1.3 + {subgroupSize = 64}", "--candidates", "vulkan1.1 + {subgroupSize = 32}")
    weights.write_text("the middle one\t10\n# a comment\n*\t0.5\n")
    said = te("cover", "--devices", folder, *candidates, "--k", 1, "--weights", weights, "--format", "json").json
    assert said["picks"][0]["target"] == candidates[3]
    assert (said["covered"], said["total"]) == (10, 11.5)
    weights.write_text("vulkan://new\t10\n")
    assert (
        te("cover", "--devices", folder, *candidates, "--k", 1, "--weights", weights, "--format", "json").json["covered"] == 10
    )


@pytest.mark.parametrize(
    "text", ["the middel one\t1\n", "the old one\tmany\n", "the old one 3\n", "the old one\t-1\n", "a\tnan\n"]
)
def test_weights_that_fit_nothing_are_refused(te: Typed, folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "share.tsv").write_text(text)
    said = te("cover", "--devices", folder, "--weights", tmp_path / "share.tsv")
    assert (said.status, "TE4333" in said.err) == (2, True)


def test_a_package_says_whom_it_covers_and_what_one_more_demand_loses(te: Typed, folder: Path) -> None:
    said = te("cover", MODULE, "--devices", folder, "--requiring", "subgroupSize >= 64", "--format", "json").json
    names = [device["name"] for device in said["devices"]]
    (kernel,) = said["kernels"]
    covered = {names[number] for number in said["covered_by_all"]}
    assert "the old one" not in covered
    assert {names[number] for number in kernel["left_out"]} == set(names) - covered
    assert kernel["reasons"]
    (demand,) = said["requiring"]
    assert set(demand["devices"]) <= set(said["covered_by_all"])
    text = te("cover", PLAIN, "--devices", folder, "--k", 1)
    assert text.status == 0
    assert "requiring one more would lose" in text.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("--k", "0"),
        ("--k", "-3"),
        ("--k", "two"),
        ("--seconds", "0"),
        ("--seconds", "nan"),
        ("--requiring", "shaderFloat16"),
        ("--kernel", "main"),
        (str(PLAIN), "--candidates", "vulkan1.1"),
        ("--candidates", "vulkan9.9"),
    ],
)
def test_what_cannot_be_asked_is_refused(te: Typed, folder: Path, arguments: tuple[str, ...]) -> None:
    said = te("cover", "--devices", folder, *arguments)
    assert said.status == 2
    assert said.err.startswith("error[TE")


def test_more_targets_than_there_are_candidates_are_all_of_them(te: Typed, folder: Path) -> None:
    said = te("cover", "--devices", folder, "--candidates", "vulkan1.0", "--k", 100, "--format", "json").json
    assert [pick["target"] for pick in said["picks"]] == ["vulkan1.0"]


def test_a_folder_without_devices_is_an_error(te: Typed, tmp_path: Path) -> None:
    said = te("cover", "--devices", tmp_path)
    assert (said.status, "TE4305" in said.err) == (2, True)
    said = te("cover", "--devices", tmp_path / "nowhere")
    assert (said.status, "TE4301" in said.err) == (2, True)


def test_one_bad_file_does_not_spoil_the_others_unless_strict(te: Typed, folder: Path) -> None:
    (folder / "bad.json").write_text("{")
    said = te("cover", "--devices", folder, "--k", 1)
    assert said.status == 0
    assert "warning[TE4309]" in said.err
    strict = te("cover", "--devices", folder, "--strict")
    assert (strict.status, "error[TE4309]" in strict.err) == (2, True)


def lines_of(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.device.json"))
    return [json.dumps(json.loads(file.read_text(encoding="utf-8"))) for file in files]


def test_lines_are_read_as_files_are(te: Typed, folder: Path, tmp_path: Path) -> None:
    lines = lines_of(folder)
    listing = tmp_path / "fleet.jsonl"
    listing.write_text("\n".join([*lines[:2], "", "{oops", *lines[2:]]) + "\n")
    said = te("cover", "--devices", listing, "--k", 2, "--format", "json")
    assert "warning[TE4331]: line 4 is passed over" in said.err
    assert said.json["picks"] == te("cover", "--devices", folder, "--k", 2, "--format", "json").json["picks"]
    strict = te("cover", "--devices", listing, "--strict")
    assert (strict.status, "error[TE4331]" in strict.err) == (2, True)


def test_a_table_is_read_as_files_are(te: Typed, folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `fleet`)")
    from targetenv.wire.device_table import read_table, write_table

    devices = [read_snapshot(str(file))[0][0] for file in sorted(folder.glob("*.device.json"))]
    table = tmp_path / "fleet.parquet"
    assert write_table(str(table), devices) == 4
    assert list(read_table(str(table))) == devices
    said = te("cover", "--devices", table, "--k", 2, "--format", "json").json
    assert said["picks"] == te("cover", "--devices", folder, "--k", 2, "--format", "json").json["picks"]


def test_a_table_of_something_else_is_refused(te: Typed, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra `fleet`)")
    import pyarrow.parquet as parquet

    table = tmp_path / "fleet.parquet"
    table.write_bytes(b"PAR1 but no more")
    assert "TE4332" in te("cover", "--devices", table).err
    for columns in ({"name": ["a"]}, {"name": ["a"], "api": ["vulkan"], "features": [3]}):
        parquet.write_table(pyarrow.table(columns), table)
        said = te("cover", "--devices", table)
        assert (said.status, "TE4332" in said.err) == (2, True)
    rows = {"name": ["a", "b"], "api": ["vulkan", "vulkan"], "version": ["1.1", "eleven"], "formats": [["spirv"], ["spirv"]]}
    parquet.write_table(pyarrow.table(rows), table)
    said = te("cover", "--devices", table, "--k", 1, "--candidates", "vulkan1.1")
    assert said.status == 0
    assert "warning[TE4331]: row 2 is passed over" in said.err


def test_without_pyarrow_tables_are_refused_and_the_rest_works(
    te: Typed, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    said = te("cover", "--devices", tmp_path / "fleet.parquet")
    assert (said.status, "TE4334" in said.err) == (3, True)
    assert te("cover", "--devices", folder, "--k", 1).status == 0
