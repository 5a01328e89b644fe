"""`parse`, `match`, `probe` and `resolve`: the fields that scripts rely on, batches, and recorded devices."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device
from targetenv.model.version import Version
from targetenv.wire.snapshot import read_snapshot, write_snapshot

ENV = "#vk.target_env<v1.1, r(120), [VK_KHR_cooperative_matrix], {subgroupSize = 64 : i32}>"
BAD = "#vk.target_env<v1.1, r(120), [VK_KHR_cooperative_matri], {}>"
CPU = Device("cpu://0", "a CPU", "cpu", Capabilities("cpu", isa="x86-64-v2", formats=frozenset({"elf-x86_64"})))


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "cpu.device.json"
    path.write_bytes(write_snapshot([CPU]))
    return path


def _stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_parse_prints_the_canonical_text(te: Any) -> None:
    said = te("parse", ENV.replace(" : ", ": "))
    assert (said.status, said.out, said.err) == (0, f"{ENV}\n", "")


def test_parse_json_has_the_fields_that_scripts_rely_on(te: Any) -> None:
    shown = te("parse", ENV, "--to", "vk@A", "--format", "json").json
    assert {key: shown[key] for key in ("schema", "input", "ok", "canonical", "losses", "diagnostics")} == {
        "schema": 1, "input": ENV, "ok": True, "canonical": ENV, "losses": [], "diagnostics": [],
    }  # fmt: skip
    assert shown["output"].startswith("#vk.target_env<")


def test_parse_reads_files_and_the_standard_input(tmp_path: Path, te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "env").write_text(ENV)
    assert te("parse", f"@{tmp_path / 'env'}").out == f"{ENV}\n"
    _stdin(monkeypatch, ENV.encode())
    assert te("parse", "-").out == f"{ENV}\n"


def test_a_text_that_is_wrong_is_pointed_at(te: Any) -> None:
    said = te("parse", BAD, "--format", "json")
    assert said.status == 2
    (problem,) = said.json["diagnostics"]
    assert (said.json["ok"], problem["code"]) == (False, "TE1203")
    assert ENV[slice(*problem["span"])].startswith("VK_KHR_cooperative_matri")
    assert problem["help"].startswith("did you mean `VK_KHR_cooperative_matrix`")


def test_parse_answers_a_batch_line_by_line(te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = json.dumps(ENV.replace("<", "<\n"))
    _stdin(monkeypatch, f'{ENV}\n{BAD}\n{quoted}\n"broken\n\xff\n'.encode("latin-1"))
    said = te("parse", "--lines", "-")
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert said.status == 2
    assert [row["ok"] for row in rows] == [True, False, True, False, False]
    assert rows[2]["canonical"] == ENV


def test_match_json_has_the_fields_that_scripts_rely_on(te: Any) -> None:
    said = te("match", ENV, ENV, "--format", "json")
    shown = said.json
    assert said.status == 0
    assert (shown["schema"], shown["requires"], shown["offers"], shown["outcome"]) == (1, ENV, ENV, "satisfied")
    assert set(shown["findings"][0]) == {"code", "outcome", "requires", "offers", "rule", "source"}


def test_match_says_no_with_the_reason(te: Any) -> None:
    said = te("match", ENV, ENV.replace("[VK_KHR_cooperative_matrix]", "[]"))
    assert said.status == 1
    assert said.out.startswith("unsatisfied: 1 of ")
    assert "✗ extension VK_KHR_cooperative_matrix" in said.out


def test_match_answers_a_batch_of_pairs(te: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _stdin(monkeypatch, f"{ENV}\t{ENV}\n{ENV}\n{BAD}\t{ENV}\n".encode())
    said = te("match", "--lines", "-")
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert said.status == 2
    assert rows[0]["outcome"] == "satisfied"
    assert [row["diagnostics"][0]["code"] for row in rows[1:]] == ["TE5200", "TE1203"]


def test_match_takes_executables_and_recorded_devices(package: Path, snapshot: Path, te: Any) -> None:
    from targetenv.wire.package import open_package

    with open_package(str(package)) as opened:
        Path("v2.so").write_bytes(opened.payload(opened.package.variants[0]))
    assert te("match", "v2.so", snapshot).status == 0


def test_resolve_chooses_for_a_recorded_device(package: Path, snapshot: Path, te: Any) -> None:
    said = te("resolve", package.name, "--device", snapshot, "--format", "json")
    assert said.status == 0
    assert {key: said.json["chosen"][0][key] for key in ("kernel", "device", "variant")} == {
        "kernel": "scale", "device": "cpu://0", "variant": "v2",
    }  # fmt: skip
    verdicts = {row["variant"]: row["outcome"] for row in said.json["verdicts"]}
    assert verdicts == {"v2": "satisfied", "vulkan": "unsatisfied"}
    assert "✓ scale: v2" in te("resolve", package.name, "--device", snapshot).out


def test_resolve_says_no_when_nothing_runs(project: Path, package: Path, te: Any) -> None:
    other = Device("vulkan://0", "old", "vulkan", Capabilities("vulkan", formats=frozenset({"ptx"})))
    (project / "old.device.json").write_bytes(write_snapshot([other]))
    said = te("resolve", package.name, "--device", "old.device.json")
    assert said.status == 1
    assert "TE3001" in said.out


def test_resolve_takes_several_executables_as_variants(package: Path, snapshot: Path, te: Any) -> None:
    said = te("resolve", package.name, package.name, "--device", snapshot, "--kernel", "scale", "--format", "json")
    assert said.status == 0
    assert len(said.json["verdicts"]) == 4
    assert te("resolve", package.name, "--kernel", "scael").err.startswith("error[TE5201]")


def test_a_file_of_several_devices_is_answered_for_those_that_a_dialect_can_say(tmp_path: Path, te: Any) -> None:
    gpu = Device("vulkan://0", "a GPU", "vulkan", Capabilities("vulkan", Version(1, 1), subgroup_sizes=frozenset({32})))
    (tmp_path / "both.device.json").write_bytes(write_snapshot([CPU, gpu]))
    said = te("parse", f"@{tmp_path / 'both.device.json'}", "--to", "spirv")
    assert said.status == 0
    assert said.out.startswith("#spirv.target_env<")
    assert "error[TE1220]" in said.err
    (tmp_path / "cpu.device.json").write_bytes(write_snapshot([CPU]))
    assert te("parse", f"@{tmp_path / 'cpu.device.json'}", "--to", "spirv").status == 2


def test_probe_writes_what_resolve_reads(tmp_path: Path, te: Any) -> None:
    path = tmp_path / "null.device.json"
    said = te("probe", "--driver", "null", "-o", path)
    assert said.status == 0
    devices, _ = read_snapshot(str(path))
    assert [device.uri for device in devices] == ["null://0"]
    shown = te("probe", "--driver", "null", "--format", "json").json
    assert (shown["schema"], shown["unavailable"], set(shown["devices"][0]) >= {"uri", "name", "driver", "offers"}) == (
        1,
        [],
        True,
    )


@pytest.mark.parametrize("arguments", [("probe", "--driver", "vulcan"), ("resolve", "{package}", "--device", "vulcan://0")])
def test_a_misspelt_driver_is_bad_input(arguments: tuple[str, ...], package: Path, te: Any) -> None:
    said = te(*(argument.format(package=package) for argument in arguments))
    assert said.status == 2
    assert said.err.startswith("error[TE5209]")
    assert "did you mean `vulkan`" in said.err


def test_a_device_that_is_not_there_is_the_environments_fault(package: Path, te: Any) -> None:
    said = te("resolve", package.name, "--device", "null://7")
    assert said.status == 3
    assert said.err.startswith("error[TE5211]")
