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


def test_the_whole_text(capsys: pytest.CaptureFixture[str]) -> None:
    caps = "maxComputeSharedMemorySize = {}: i32, maxComputeWorkGroupSize = dense<{}>: vector<3xi32>, subgroupSize = 32: i32"
    one = f"#vk.target_env<v1.2, r(1), [VK_KHR_spirv_1_4], {{{caps.format(65536, '[1024, 1024, 64]')}, shaderFloat16}}>"
    two = f"#vk.target_env<v1.2, r(1), [VK_KHR_cooperative_matrix], {{{caps.format(32768, '[512, 512, 512]')}}}>"
    status, out = ran(capsys, one, two)
    assert status == 1
    assert (
        out
        == f"""\
A  {one}
B  {two}
each offers something that the other does not
  < extension VK_KHR_cooperative_matrix                               A: no  B: yes
  > feature VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16  A: yes  B: no
  > limit maxComputeSharedMemorySize                                  A: 65536  B: 32768
  ~ limit maxComputeWorkGroupSize                                     A: [1024, 1024, 64]  B: [512, 512, 512]
  > capability Float16                                                A: yes  B: no  (via feature VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16)
  < SPIR-V extension SPV_KHR_cooperative_matrix                       A: no  B: yes  (via extension VK_KHR_cooperative_matrix)
"""  # noqa: E501  the lines are the command's
    )
