"""Constraints of a build config: in the package beside what the bytes require, and refused before anything is compiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.cli.build import demands
from targetenv.diagnostics.diagnostic import ParseError
from targetenv.model.requirement import AnyOf, NeedsExtension, NeedsFeature, NeedsSubgroupSize, Not
from targetenv.wire.build_config import VariantConfig


def variant(*require: str) -> VariantConfig:
    return VariantConfig("v", "v.comp", "glslc", require=require)


def test_constraints_become_requirements() -> None:
    int64, int16 = (NeedsFeature(f"VkPhysicalDeviceFeatures::shaderInt{width}") for width in (64, 16))
    assert demands(variant("shaderInt64 or shaderInt16", "not (VK_KHR_cooperative_matrix)", "subgroupSize == 8")) == (
        AnyOf((int64, int16)),
        Not(NeedsExtension("VK_KHR_cooperative_matrix")),
        NeedsSubgroupSize(8),
    )


def test_a_wrong_constraint_names_its_variant() -> None:
    with pytest.raises(ParseError) as caught:
        demands(variant("shaderInt46"))
    assert caught.value.code == "TE1301"
    assert caught.value.diagnostics[0].source is not None
    assert caught.value.diagnostics[0].source.name == "target of variant `v`"


def test_nothing_is_compiled_when_a_constraint_is_wrong(tmp_path: Path) -> None:
    from argparse import Namespace

    from targetenv.cli import build

    (tmp_path / "v.comp").write_text("this is no shader")
    (tmp_path / "targetenv.toml").write_text(
        '[package]\nname = "p"\nversion = "1"\n[[kernel]]\nname = "k"\ngrid = [1]\n[[kernel.variant]]\nname = "v"\n'
        'source = "v.comp"\ntoolchain = "glslc"\ntarget = { base = "vulkan1.1", require = ["shaderInt46"] }\n'
    )
    with pytest.raises(ParseError):
        build.run(Namespace(config=str(tmp_path / "targetenv.toml")))
    assert {path.name for path in tmp_path.iterdir()} == {"v.comp", "targetenv.toml"}
