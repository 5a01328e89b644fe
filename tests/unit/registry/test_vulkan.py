"""Extensions, features and limits by name; the traps are those in which a plausible reading of vk.xml is wrong."""

from __future__ import annotations

import pytest

from targetenv.model.requirement import Relation
from targetenv.model.version import Version
from targetenv.registry import depends, vulkan, vulkan_abi


def test_promotion_is_followed_through_extensions() -> None:
    chained = [
        name
        for name in vulkan.extension_names()
        if (vulkan.extension(name) or pytest.fail(name)).promoted_to.startswith("VK_KHR_")
    ]
    assert vulkan.core_since("VK_EXT_line_rasterization") == Version(1, 4)
    assert "VK_EXT_line_rasterization" in chained


def test_every_promotion_ends_in_a_version_or_an_extension_that_is_there() -> None:
    for name in vulkan.extension_names():
        target = vulkan.extension(name).promoted_to  # type: ignore[union-attr]
        assert not target or vulkan.is_version(target) or target in vulkan.extension_names(), (name, target)


def test_every_depends_parses_and_names_what_is_there() -> None:
    for name in vulkan.extension_names():
        for atom in depends.names(vulkan.extension(name).depends):  # type: ignore[union-attr]
            struct, _, member = atom.partition("::")
            if member:
                vulkan.feature(struct, member)
            else:
                assert vulkan.is_version(atom) or atom in vulkan.extension_names(), (name, atom)


def test_a_deprecated_extension_without_successor_differs_from_one_in_good_standing() -> None:
    assert vulkan.extension("VK_NV_glsl_shader").deprecated_by == ""  # type: ignore[union-attr]
    assert vulkan.extension("VK_KHR_16bit_storage").deprecated_by is None  # type: ignore[union-attr]
    assert vulkan.extension("VK_AMD_negative_viewport_height").obsoleted_by == "VK_KHR_maintenance1"  # type: ignore[union-attr]


def test_disabled_extensions_are_unknown() -> None:
    assert vulkan.extension("VK_KHR_extension_350") is None
    assert vulkan.extension("VK_NV_external_sci_sync") is None  # Vulkan SC only


@pytest.mark.parametrize(
    ("struct", "member", "canonical"),
    [
        (
            "VkPhysicalDeviceVulkan11Features",
            "storageBuffer16BitAccess",
            "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess",
        ),
        ("VkPhysicalDeviceFloat16Int8FeaturesKHR", "shaderInt8", "VkPhysicalDeviceShaderFloat16Int8Features::shaderInt8"),
        ("VkPhysicalDeviceFeatures", "shaderInt64", "VkPhysicalDeviceFeatures::shaderInt64"),
        ("VkPhysicalDeviceVulkan12Features", "descriptorIndexing", "VkPhysicalDeviceVulkan12Features::descriptorIndexing"),
    ],
)
def test_a_feature_has_one_canonical_name(struct: str, member: str, canonical: str) -> None:
    assert vulkan.feature(struct, member) == canonical


def test_canonical_names_are_fixed_points() -> None:
    for name in vulkan.feature_names():
        assert vulkan.feature(*name.split("::")) == name
    for name in vulkan.property_names():
        assert vulkan.property_name(*name.split("::")) == name


def test_one_member_name_in_unrelated_structs_stays_two_features() -> None:
    assert len(vulkan.find_feature("meshShader")) == 2
    assert vulkan.find_feature("shaderFloat16") == ("VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16",)
    assert vulkan.find_feature("shaderFloat") == ()


def test_six_features_are_implied_by_an_extension() -> None:
    found = {name: vulkan.feature_extension_alias(name) for name in vulkan.feature_names()}
    assert len([name for name in found.values() if name]) == 6
    assert found["VkPhysicalDeviceVulkan12Features::samplerFilterMinmax"] == "VK_EXT_sampler_filter_minmax"


def test_every_limit_has_a_type_and_every_type_a_rule() -> None:
    types = {vulkan.limit_type(name) for name in vulkan.property_names()}
    assert None not in types
    for name in vulkan.property_names():
        incomparable = vulkan.limit_type(name) in ("noauto", "struct")
        assert (vulkan.relation(name) is None) == incomparable, name


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("VkPhysicalDeviceLimits::maxComputeWorkGroupSize", Relation.AT_LEAST),
        ("VkPhysicalDeviceLimits::minStorageBufferOffsetAlignment", Relation.AT_MOST),
        ("VkPhysicalDeviceLimits::timestampComputeAndGraphics", Relation.AT_LEAST),
        ("VkPhysicalDeviceLimits::subPixelPrecisionBits", Relation.AT_LEAST),
        ("VkPhysicalDeviceLimits::pointSizeRange", Relation.WITHIN),
        ("VkPhysicalDeviceLimits::pointSizeGranularity", Relation.MULTIPLE_OF),
        ("VkPhysicalDeviceSubgroupProperties::supportedOperations", Relation.ALL_BITS),
        ("VkPhysicalDeviceProperties::deviceType", None),
        ("VkQueueFamilyProperties::queueFlags", Relation.ALL_BITS),
    ],
)
def test_the_relation_follows_the_limittype(name: str, relation: Relation | None) -> None:
    assert vulkan.relation(name) is relation


@pytest.mark.parametrize(
    ("member", "relation"),
    [("minMemoryMapAlignment", Relation.AT_LEAST), ("maxPushDataSize", Relation.AT_MOST)],
)
def test_the_relation_is_not_guessed_from_the_prefix(member: str, relation: Relation) -> None:
    (name,) = vulkan.find_property(member)
    assert vulkan.relation(name) is relation


def test_a_struct_is_provided_by_versions_first_and_internal_blocks_never_show() -> None:
    assert vulkan.provided_by("VkPhysicalDeviceVulkan12Features") == ("VK_VERSION_1_2",)
    assert vulkan.provided_by("vkGetPhysicalDeviceFeatures2KHR")[0] == "VK_VERSION_1_1"
    assert vulkan.provided_by("VkNothing") == ()


def test_an_unknown_feature_or_property_is_a_key_error() -> None:
    for look_up in (vulkan.feature, vulkan.property_name):
        with pytest.raises(KeyError):
            look_up("VkPhysicalDeviceFeatures", "shaderInt65")
    assert vulkan.limit_type("VkPhysicalDeviceLimits::nothing") is None
    assert vulkan.relation("nothing") is None
    assert vulkan.feature_extension_alias("nothing") is None


def test_enum_names_prefer_the_canonical_spelling() -> None:
    assert vulkan.enum_name("VkDriverId", 13) == "VK_DRIVER_ID_MESA_LLVMPIPE"
    assert vulkan.enum_name("VkComponentTypeKHR", 0) == "VK_COMPONENT_TYPE_FLOAT16_KHR"
    assert vulkan.enum_name("VkDriverId", 99999) is None
    assert vulkan.bit_value("VK_SUBGROUP_FEATURE_PARTITIONED_BIT_NV") == 256


def test_members_of_a_struct_have_the_names_that_one_look_up_each_gives() -> None:
    for struct in vulkan_abi.feature_structs():
        members = [field.name for field in vulkan_abi.layout(struct).fields if field.name not in ("sType", "pNext")]
        assert list(vulkan.feature_members(struct)) == [vulkan.feature(struct, member) for member in members]
    for struct in vulkan_abi.property_structs():
        names = vulkan.property_members(struct)
        assert names == {member: vulkan.property_name(struct, member) for member in names}
    assert vulkan.property_members("VkExtent2D") == {}


def test_all_providers_are_those_of_each_struct() -> None:
    providers = vulkan.providers()
    assert all(providers[struct] == vulkan.provided_by(struct) for struct in vulkan_abi.feature_structs())
