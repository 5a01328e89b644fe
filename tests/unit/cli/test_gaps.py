"""`resolve --gaps`."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Typed

ARTIFACTS = Path(__file__).parents[2] / "corpora" / "artifacts"
V3 = str(ARTIFACTS / "kernel_x86-64-v3.so")


def test_known_devices_are_listed_by_how_they_run_a_kernel(te: Typed) -> None:
    said = te("resolve", V3, "--gaps", "--kernel", "scale")
    assert said.status == 0
    assert said.out.splitlines() == [
        "scale",
        f"  x86-64  native  x86-64-v3, x86-64-v4 and every later one: {V3}",
        "          none    x86-64, x86-64-v2",
        "  no variant of a format for NVIDIA, AMD, AArch64, AMD NPU, Gaudi, Vulkan, OpenCL",
    ]


def test_the_same_as_json(te: Typed) -> None:
    (row,) = te("resolve", V3, "--gaps", "--kernel", "scale", "--format", "json").json["gaps"]
    assert [(reach["how"], reach["devices"]) for reach in row["reaches"]] == [
        ("native", ["x86-64-v3", "x86-64-v4"]),
        ("none", ["x86-64", "x86-64-v2"]),
    ]


def test_devices_that_are_named_have_no_gaps(te: Typed) -> None:
    refused = te("resolve", V3, "--gaps", "--device", "cpu://0")
    assert refused.status == 2
    assert "TE5200" in refused.err
