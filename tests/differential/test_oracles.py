"""The oracles answer, and survive questions that crash them."""

from __future__ import annotations

import pytest

from tests.differential.oracles import IREE, iree

SPIRV = "#spirv.target_env<#spirv.vce<v1.4, [Shader], []>, api=Vulkan, #spirv.resource_limits<>>"


@pytest.mark.differential
@pytest.mark.parametrize("name", sorted(IREE))
def test_an_oracle_accepts_prints_and_refuses(name: str) -> None:
    answers = iree(name).parse([SPIRV, "#spirv.target_env<oops", SPIRV])
    assert [ok for ok, _ in answers] == [True, False, True]
    assert answers[0][1] == SPIRV
