"""The verb diff."""

from __future__ import annotations

import json

import pytest

from targetenv.cli import app


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = app.run(["diff", *arguments])
    return status, capsys.readouterr().out


def test_equal_targets_give_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    status, out = ran(capsys, "gfx942", "gfx942")
    assert (status, out.splitlines()[-1]) == (0, "nothing differs")


def test_what_iree_left_out_comes_with_what_enables_it(capsys: pytest.CaptureFixture[str]) -> None:
    caps = "storageBuffer16BitAccess, subgroupFeatures = 1: i32, subgroupSize = 4: i32"
    env = f"#vk.target_env<v1.1, r(0), [VK_KHR_16bit_storage], {{{caps}}}>"
    status, out = ran(capsys, env, "--compat", "iree@20231218", "--format", "json")
    answer = json.loads(out)
    assert (status, answer["schema"], answer["relation"]) == (1, 1, "stronger")
    rows = {(row["kind"], row["name"]): row for row in answer["differences"]}
    assert rows["capability", "Matrix"]["because"] == "via Vulkan 1.0"
    assert ("capability", "StorageBuffer16BitAccess") not in rows


def test_one_side_alone_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["diff", "gfx942"]) == 2
    assert "TE5200" in capsys.readouterr().err
