"""What differs between two sets of offers, and who is the stronger."""

from __future__ import annotations

from hypothesis import given

from targetenv.match.difference import differences, relation
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.version import Version
from targetenv.syntax import parse
from tests.property.strategies import capabilities

LIMIT = "VkPhysicalDeviceLimits::"


def offers(text: str) -> Capabilities:
    return parse(text).env.offers


def test_a_higher_level_is_stronger_feature_by_feature() -> None:
    found = differences(offers("x86-64-v3"), offers("x86-64-v2"))
    assert relation(found) == "stronger"
    assert {each.name for each in found if each.kind == "feature"} >= {"avx2", "fma", "bmi2"}
    assert relation(differences(offers("x86-64-v2"), offers("x86-64-v3"))) == "weaker"


def test_a_limit_is_stronger_by_its_own_relation() -> None:
    one, two = (
        Capabilities(
            "vulkan",
            Version(1, 0),
            properties=(Property(f"{LIMIT}maxPushConstantsSize", more), Property(f"{LIMIT}minMemoryMapAlignment", less)),
        )
        for more, less in ((256, 64), (128, 4096))
    )
    stronger = {each.name: each.stronger for each in differences(one, two)}
    # Both are `max` in vk.xml: the second in spite of its name.
    assert stronger == {"maxPushConstantsSize": "a", "minMemoryMapAlignment": "b"}


def test_the_spirv_that_follows_is_compared_too_with_what_enables_it() -> None:
    found = differences(offers("vulkan1.2"), offers("vulkan1.1"))
    rows = {(each.kind, each.name): each.because for each in found}
    assert ("version", "spirv") in rows
    assert rows["SPIR-V extension", "SPV_KHR_float_controls"] == "via Vulkan 1.2"


def test_identities_are_different_and_neither_is_stronger() -> None:
    one, two = (Capabilities("cuda", isa=isa) for isa in ("sm_80", "sm_90"))
    assert [each.stronger for each in differences(one, two)] == ["neither"]
    assert relation(differences(one, two)) == "incomparable"


@given(capabilities)
def test_nothing_differs_from_itself(one: Capabilities) -> None:
    assert differences(one, one) == ()


@given(capabilities, capabilities)
def test_the_other_way_round_it_is_the_mirror_image(one: Capabilities, two: Capabilities) -> None:
    mirror = {"a": "b", "b": "a", "neither": "neither"}
    assert [(each.kind, each.name, each.b, each.a, mirror[each.stronger]) for each in differences(one, two)] == [
        (each.kind, each.name, each.a, each.b, each.stronger) for each in differences(two, one)
    ]
