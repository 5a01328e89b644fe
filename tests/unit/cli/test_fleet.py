"""`targetenv resolve --devices`: the same answers as for each device alone, as text, JSON, lines and a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from targetenv.cli import populations
from targetenv.model.device import Device
from tests.unit.cli.conftest import Typed
from tests.unit.cli.test_cover import LAVAPIPE, MODULE, PLAIN, folder, lines_of

__all__ = ["folder"]


def alone(te: Typed, files: tuple[Path, ...], device: Path) -> list[tuple[str, str | None]]:
    said = te("resolve", *files, "--device", device, "--format", "json").json
    return [(row["kernel"], row["variant"]) for row in said["chosen"]]


def test_each_device_runs_what_it_runs_alone(te: Typed, folder: Path) -> None:
    files = (MODULE, PLAIN)
    said = te("resolve", *files, "--devices", folder, "--format", "json").json
    assert said["schema"] == 1
    found: dict[str, list[tuple[str, str | None]]] = {}
    for row in said["chosen"]:
        found.setdefault(row["device"], []).append((row["kernel"], row["variant"]))
    each = [alone(te, files, file) for file in sorted(folder.glob("*.json"))]
    assert [found[device["uri"]] for device in said["devices"]] == each
    assert len(said["kernels"]) == len({row["kernel"] for row in said["chosen"]})


def test_the_text_sums_up_and_says_why_the_rest_runs_nothing(te: Typed, folder: Path) -> None:
    said = te("resolve", MODULE, "--devices", folder)
    assert said.status == 0
    assert said.out.startswith("4 devices in ")
    assert "runs on none of" in said.out
    assert "is nearest, but" in said.out


def test_nothing_that_runs_anywhere_is_a_no(te: Typed, folder: Path) -> None:
    only = folder / "old.device.json"
    assert te("resolve", MODULE, "--devices", only).status == 1


def test_lines_and_tables_hold_the_same_rows(te: Typed, folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra `fleet`)")
    for name in ("out.jsonl", "out.parquet"):
        said = te("resolve", MODULE, PLAIN, "--devices", folder, "-o", tmp_path / name)
        assert (said.status, f"wrote {tmp_path / name}" in said.err) == (0, True)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert parquet.read_table(tmp_path / "out.parquet").to_pylist() == lines
    assert {tuple(row) for row in lines} == {("device", "name", "class", "kernel", "variant", "runs", "unknown")}
    for row in lines:
        assert row["variant"] is None or row["variant"] in row["runs"]


def test_an_unknown_requirement_may_be_allowed(te: Typed, folder: Path, tmp_path: Path) -> None:
    silent = json.loads(LAVAPIPE.read_text(encoding="utf-8"))
    silent["device"]["offers"] |= {"complete": False, "features": [], "denied": [], "extensions": []}
    (tmp_path / "silent.device.json").write_text(json.dumps(silent))
    assert te("resolve", MODULE, "--devices", tmp_path / "silent.device.json").status == 1
    allowed = te(
        "resolve", MODULE, "--devices", tmp_path / "silent.device.json", "--unknown", "allow", "-o", tmp_path / "o.jsonl"
    )
    assert allowed.status == 0
    row = json.loads((tmp_path / "o.jsonl").read_text())
    assert row["unknown"] == [row["variant"]]


def test_an_interrupted_run_leaves_no_output(te: Typed, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: populations.Population) -> Iterator[Device]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(populations.Population, "__iter__", interrupted)
    place = tmp_path / "out"
    place.mkdir()
    assert te("resolve", PLAIN, "--devices", folder, "-o", place / "out.jsonl").status == 130
    assert list(place.iterdir()) == []


def test_an_old_output_stays_when_the_new_one_fails(te: Typed, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("old")
    assert te("resolve", PLAIN, "--devices", tmp_path / "nowhere", "-o", out).status == 2
    assert out.read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["devices", "out.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (("-o", "out.csv"), "TE5200", 2),
        (("-o", "nowhere/out.jsonl"), "TE4306", 3),
        (("--device", "null"), "TE5200", 2),
        (("--gaps",), "TE5200", 2),
        (("--locked",), "TE5200", 2),
        (("--kernel", "nosuch"), "TE5201", 2),
    ],
)
def test_what_cannot_be_done_is_refused(te: Typed, folder: Path, arguments: tuple[str, ...], code: str, status: int) -> None:
    said = te("resolve", PLAIN, "--devices", folder, *arguments)
    assert (said.status, f"[{code}]" in said.err) == (status, True)


def test_outputs_and_strictness_are_about_many_devices(te: Typed, tmp_path: Path) -> None:
    for arguments in (("-o", tmp_path / "out.jsonl"), ("--strict",)):
        said = te("resolve", PLAIN, "--device", LAVAPIPE, *arguments)
        assert (said.status, "TE5200" in said.err) == (2, True)


def test_many_lines_are_few_classes(te: Typed, folder: Path, tmp_path: Path) -> None:
    lines = lines_of(folder)
    (tmp_path / "fleet.jsonl").write_text("\n".join(lines * 700))
    said = te("resolve", PLAIN, "--devices", tmp_path / "fleet.jsonl")
    assert said.out.startswith("2,800 devices in ")
    assert int(said.out.split(" devices in ")[1].split(" ")[0]) <= 4


def test_a_fleet_is_resolved_as_of_an_older_stack(te: Typed, folder: Path) -> None:
    said = te("resolve", PLAIN, "--devices", folder, "--as-of", "vulkan=1.0")
    assert ", as of vulkan 1.0" in said.out


def test_a_policy_holds_for_a_fleet(te: Typed, folder: Path) -> None:
    said = te("resolve", PLAIN, "--devices", folder, "--never-jit")
    assert said.status == 1
    assert "runs, but it is compiled by the driver when it is loaded, which `--never-jit` forbids  [rank.never-jit]" in said.out
    assert te("resolve", PLAIN, "--devices", folder, "--pin", "main=nosuch").status == 2
