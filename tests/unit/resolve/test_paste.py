"""What a repair tells people to paste is what `parse --to flags:TOOL` prints for the same device."""

from __future__ import annotations

import pytest

from targetenv.resolve.paste import build_for
from targetenv.syntax import parse, render


@pytest.mark.parametrize(
    ("target", "tool", "kind"),
    [
        ("sm_120", "nvcc", "cubin"),
        ("sm_90a", "nvcc", "cubin"),
        ("compute_80", "nvcc", "ptx"),
        ("x86-64-v2", "gcc", "elf-x86_64"),
        ("znver4", "gcc", "elf-x86_64"),
        ("cortex-a76", "gcc", "elf-aarch64"),
        ("armv8.2-a", "gcc", "elf-aarch64"),
    ],
)
def test_the_arguments_are_those_of_the_dialect(target: str, tool: str, kind: str) -> None:
    offers = parse(target).env.offers
    if kind == "ptx":  # a device is a real architecture, its PTX is for the virtual one of the same number
        offers = parse(target.replace("compute", "sm")).env.offers
    assert build_for(offers, kind) == f"{tool} {render(parse(target).env, f'flags:{tool}').text}"


def test_hip_and_vulkan_name_the_target_as_their_compilers_do() -> None:
    assert build_for(parse("gfx90a:xnack+").env.offers, "hsaco") == "hipcc --offload-arch=gfx90a"
    vulkan = parse("#vk.target_env<v1.1, r(120), [], {}>").env.offers
    assert build_for(vulkan, "spirv") == "glslc --target-env=vulkan1.1"
    assert render(parse("#vk.target_env<v1.1, r(120), [], {}>").env, "flags:glslc").text.startswith("--target-env=vulkan1.1")


def test_a_device_without_a_name_that_compilers_take_has_nothing_to_paste() -> None:
    assert build_for(parse("npu4").env.offers, "xclbin") == ""
