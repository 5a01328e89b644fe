"""Versions of Vulkan and SPIR-V as toolchains name them."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.model.version import Version
from targetenv.syntax import parse, render, targets


@pytest.mark.parametrize("name", ["vulkan1.0", "vulkan1.4", "spirv1.3", "vulkan1.1+spirv1.4", "vulkan1.2+spirv1.3"])
def test_a_name_prints_as_it_was_written(name: str) -> None:
    assert parse(name).canonical == name


def test_spirv_1_4_on_vulkan_1_1_is_the_extension() -> None:
    offers = parse("vulkan1.1+spirv1.4").env.offers
    assert offers.extensions == {"VK_KHR_spirv_1_4"}
    assert offers.version == Version(1, 1)


def test_a_pair_that_says_nothing_more_is_the_version() -> None:
    assert parse("vulkan1.1+spirv1.3").canonical == "vulkan1.1"


def test_what_a_version_does_not_guarantee_is_not_known() -> None:
    assert not parse("vulkan1.1").env.offers.complete


def test_an_environment_is_reduced_to_its_versions() -> None:
    printed = render(parse("#vk.target_env<v1.1, r(120), [VK_KHR_spirv_1_4], {shaderInt64}>"), "vulkan")
    assert printed.text == "vulkan1.1+spirv1.4"
    assert printed.losses == ("revision 120", "feature `VkPhysicalDeviceFeatures::shaderInt64`")


@pytest.mark.parametrize(
    ("name", "code"),
    [("vulkan1.5", "TE1213"), ("Vulkan1.1", "TE1213"), ("vulkan2", "TE1213"), ("vulkan1.0+spirv1.4", "TE2032")],
)
def test_what_does_not_exist_has_a_code(name: str, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(name)
    assert caught.value.code == code


def test_targets_are_listed_by_a_part_of_their_name() -> None:
    assert "vulkan1.1+spirv1.4" in [row.name for row in targets("SPIRV1.4")]
    assert all(row.expansion for row in targets())
