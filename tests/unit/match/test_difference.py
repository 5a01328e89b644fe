"""What differs between two sets of offers, and who is the stronger."""

from __future__ import annotations

from hypothesis import given

from targetenv.match import gpu
from targetenv.match.difference import differences, relation
from targetenv.match.environment import SUBGROUP_SIZES
from targetenv.match.lattice import meet, normal
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.model.version import Version
from targetenv.registry.vulkan import find_property
from targetenv.registry.vulkan import relation as compared
from targetenv.syntax import parse
from tests.property.lattice_worlds import alike
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
    mirror = {"stronger": "weaker", "weaker": "stronger"}
    assert [(each.kind, each.name, each.b, each.a, mirror.get(each.order, each.order)) for each in differences(one, two)] == [
        (each.kind, each.name, each.a, each.b, each.order) for each in differences(two, one)
    ]


@given(alike(2))
def test_the_stronger_is_the_one_whose_meet_with_the_other_is_the_other(devices: tuple[Capabilities, Capabilities]) -> None:
    one, two = devices
    stands = relation(differences(one, two))
    assert (stands in ("equal", "stronger")) == (comparable(meet(one, two)) == comparable(two))


def comparable(side: Capabilities) -> Capabilities:
    """What is promised to code: no and unknown are one, and identities none of it."""
    denied = side.denied if side.api in gpu.AMD else frozenset()
    rows = (row for row in normal(side).properties if not row.name.endswith(SUBGROUP_SIZES) and compared(row.name) is not None)
    return replace(normal(side), complete=False, unstated=frozenset(), denied=denied, properties=tuple(rows))


def test_every_limittype_has_its_order() -> None:
    rows = {
        "maxPushConstantsSize": ("max", 256, 128, "stronger"),
        "nonCoherentAtomSize": ("min,pot", 64, 256, "stronger"),
        "minStorageBufferOffsetAlignment": ("min,pot", 64, 16, "weaker"),
        "subPixelPrecisionBits": ("bits", 4, 8, "weaker"),
        "sampledImageColorSampleCounts": ("bitmask", 0b111, 0b101, "stronger"),
        "storageImageSampleCounts": ("bitmask", 0b011, 0b101, "incomparable"),
        "maxComputeWorkGroupSize": ("max", (1024, 1, 64), (64, 64, 64), "incomparable"),
        "pointSizeRange": ("range", (1.0, 64.0), (2.0, 32.0), "stronger"),
        "lineWidthRange": ("range", (1.0, 8.0), (0.5, 4.0), "incomparable"),
        "standardSampleLocations": ("max", True, False, "stronger"),
        "denormBehaviorIndependence": ("exact", 0, 1, "incomparable"),
        "deviceName": ("noauto", "a", "b", "identity"),
        "conformanceVersion": ("exact", (1, 3, 0, 0), (1, 2, 0, 0), "incomparable"),
    }
    names = {bare: find_property(bare)[0] for bare in rows}
    one, two = (
        Capabilities(
            "vulkan",
            Version(1, 3),
            properties=tuple(sorted((Property(names[bare], row[at]) for bare, row in rows.items()), key=lambda row: row.name)),  # type: ignore[arg-type]
        )
        for at in (1, 2)
    )
    found = {each.name: (each.limittype, each.order) for each in differences(one, two)}
    assert found == {bare: (row[0], row[3]) for bare, row in rows.items()}
    assert relation(differences(one, two)) == "incomparable"


def test_an_extension_that_the_core_took_in_is_no_difference() -> None:
    listed = Capabilities("vulkan", Version(1, 1), extensions=frozenset({"VK_KHR_maintenance1"}))
    assert differences(listed, Capabilities("vulkan", Version(1, 1))) == ()
    (found,) = differences(replace(listed, version=Version(1, 0)), Capabilities("vulkan", Version(1, 0)))[:1]
    assert (found.name, found.a, found.b, found.order) == ("VK_KHR_maintenance1", "yes", "no", "stronger")
    draws = replace(listed, extensions=frozenset({"VK_KHR_shader_draw_parameters"}))
    found = differences(draws, replace(listed, extensions=frozenset()))[0]
    assert (found.b, found.order) == ("core 1.1, which does not promise all of it", "stronger")


def test_what_is_not_stated_is_told_from_what_is_denied() -> None:
    name = "VkPhysicalDeviceFeatures::shaderInt64"
    whole = Capabilities("vulkan", Version(1, 3), features=frozenset({name}))
    part = replace(whole, features=frozenset(), complete=False)
    denying = replace(part, denied=frozenset({name}))
    told = [next(each.b for each in differences(whole, other) if each.name == name) for other in (part, denying)]
    assert told == ["not stated", "no"]


def test_two_devices_of_one_model_are_equal_but_for_what_tells_them_apart() -> None:
    name = "VkPhysicalDeviceIDProperties::deviceUUID"
    one, two = (Capabilities("vulkan", Version(1, 3), properties=(Property(name, uuid),)) for uuid in ("00", "01"))
    assert relation(differences(one, two)) == "equal"
    assert [each.kind for each in differences(one, two)] == ["property"]
