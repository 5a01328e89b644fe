"""The verbs meet and join."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Typed

SNAPSHOT = Path(__file__).parents[2] / "corpora" / "lavapipe-22.3.6" / "lavapipe.device.json"
ENV = "#vk.target_env<v1.1, r(120), [VK_KHR_16bit_storage], {subgroupFeatures = 7: i32, subgroupSize = 8: i32}>"


def test_the_meet_of_a_device_and_a_target_is_a_target(te: Typed) -> None:
    said = te("meet", SNAPSHOT, ENV)
    assert said.status == 0
    assert said.out.startswith("#vk.target_env<v1.1, r(120), [VK_KHR_16bit_storage], ")
    assert "subgroupFeatures = 7 : i32, subgroupSize = 8" in said.out
    assert te("match", said.out.strip(), SNAPSHOT).status == 0
    assert te("parse", said.out.strip()).out == said.out


def test_the_meet_is_written_as_a_snapshot_that_other_verbs_read(te: Typed, tmp_path: Path) -> None:
    path = tmp_path / "both.device.json"
    assert te("meet", SNAPSHOT, "vulkan1.2", "-o", path).status == 0
    assert json.loads(path.read_text())["device"]["provenance"] == {"meet of": f"{SNAPSHOT}, vulkan1.2"}
    assert te("match", path, SNAPSHOT).status == 0
    assert te("diff", path, SNAPSHOT, "--format", "json").json["relation"] in ("weaker", "incomparable")


def test_a_file_of_several_devices_stands_for_all_of_them(te: Typed, tmp_path: Path) -> None:
    one = json.loads(SNAPSHOT.read_text())["device"]
    other = one | {"uri": "vulkan://1", "offers": one["offers"] | {"subgroup_sizes": [32]}}
    (tmp_path / "two.device.json").write_text(json.dumps({"schema": 1, "devices": [one, other], "unavailable": []}))
    said = te("meet", tmp_path / "two.device.json", "--format", "json")
    assert len(said.json["of"]) == 2
    assert said.json["offers"]["subgroup_sizes"] == []
    assert te("join", tmp_path / "two.device.json", "--format", "json").json["offers"]["subgroup_sizes"] == [8, 32]


def test_a_level_and_a_processor_meet_in_their_own_dialect(te: Typed) -> None:
    assert te("meet", "x86-64-v3", "haswell,-fma").out == "x86-64-v2,+avx,+avx2,+bmi,+bmi2,+f16c,+lzcnt,+movbe,+xsave\n"
    assert te("join", "x86-64-v2", "x86-64-v4").out == "x86-64-v4\n"


@pytest.mark.parametrize(
    ("arguments", "code", "status"),
    [
        (("meet", "sm_80", "x86-64-v3"), "TE3005", 2),
        (("meet", "gfx942", "gfx90a"), "TE3006", 1),
        (("join", "gfx940", "gfx942"), "TE3006", 1),
        (("meet", "nosuch.device.json"), "TE4301", 2),
        (("meet", SNAPSHOT, "--to", "nosuch"), "TE1215", 2),
        (("meet",), "TE5200", 2),
    ],
)
def test_what_has_no_answer_says_why(te: Typed, arguments: tuple[str, ...], code: str, status: int) -> None:
    said = te(*arguments)
    assert (said.status, code in said.err, said.out) == (status, True, "")
