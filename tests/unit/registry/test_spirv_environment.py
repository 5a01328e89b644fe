"""Vulkan to SPIR-V. The traps are readings of vk.xml that are plausible and wrong; each was met on a real device or profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from targetenv.model import document
from targetenv.model.capabilities import Capabilities, Property, SpirvEnvironment
from targetenv.model.record import replace
from targetenv.model.version import Version
from targetenv.registry import spirv, spirv_environment, vulkan
from targetenv.registry.spirv_environment import guaranteed_features, spirv_version, support

LAVAPIPE = Path(__file__).resolve().parents[2] / "corpora" / "lavapipe-22.3.6"
NONE: frozenset[str] = frozenset()


def _device(
    version: str, *, extensions: tuple[str, ...] = (), features: tuple[str, ...] = (), complete: bool = True
) -> Capabilities:
    return Capabilities(
        "vulkan",
        Version.parse(version),
        extensions=frozenset(extensions),
        features=frozenset(vulkan.feature(*name.split("::")) for name in features),
        complete=complete,
    )


@pytest.fixture(scope="module")
def lavapipe() -> Capabilities:
    return document.to_device(json.loads((LAVAPIPE / "lavapipe.device.json").read_text())["device"]).offers


def test_every_capability_is_decided_as_the_validation_layer_decided(lavapipe: Capabilities) -> None:
    layer = json.loads((LAVAPIPE / "capabilities.json").read_text())
    assert len(layer) == 138
    found = support(lavapipe)
    assert {name: "accept" if found.holds(name) else "reject" for name in layer} == layer


def test_lavapipe_takes_75_capabilities_and_26_extensions(lavapipe: Capabilities) -> None:
    environment = support(lavapipe).environment
    assert (len(environment.capabilities), len(environment.extensions), str(environment.version)) == (75, 26, "1.6")


def test_trap_1_a_version_enables_from_that_version_on() -> None:
    assert support(_device("1.0")).holds("SPV_KHR_variable_pointers") is False
    assert support(_device("1.1")).holds("SPV_KHR_variable_pointers") is True
    assert support(_device("1.4")).holds("SPV_KHR_variable_pointers") is True


def test_trap_2_promotion_does_not_enable_what_an_extension_does() -> None:
    assert support(_device("1.1")).holds("DrawParameters") is False
    assert support(_device("1.1", extensions=("VK_KHR_shader_draw_parameters",))).holds("DrawParameters") is True
    assert support(_device("1.1", features=("VkPhysicalDeviceVulkan11Features::shaderDrawParameters",))).holds("DrawParameters")


def test_trap_3_promotion_counts_where_requires_says_in_which_place_a_struct_lives() -> None:
    feature = "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess"
    assert support(_device("1.1", features=(feature,))).holds("StorageBuffer16BitAccess") is True
    assert support(_device("1.0", features=(feature,))).holds("StorageBuffer16BitAccess") is False
    assert support(_device("1.0", features=(feature,), extensions=("VK_KHR_16bit_storage",))).holds("StorageBuffer16BitAccess")


@pytest.mark.parametrize(("minor", "capabilities"), [*enumerate([10, 12, 13, 23, 43])])
def test_trap_4_conditional_requirements_count_explicit_extensions_only(minor: int, capabilities: int) -> None:
    features = guaranteed_features(Version(1, minor), NONE)
    assert len(support(Capabilities("vulkan", Version(1, minor), features=features)).environment.capabilities) == capabilities


def test_trap_4_a_condition_that_is_explicitly_met_does_count() -> None:
    """Descriptor indexing is promoted to 1.2 and stays optional there, with all that depends on it."""
    feature = "VkPhysicalDeviceDescriptorIndexingFeatures::runtimeDescriptorArray"
    assert feature not in guaranteed_features(Version(1, 2), NONE)
    assert feature in guaranteed_features(Version(1, 2), frozenset({"VK_EXT_descriptor_indexing"}))


def test_one_feature_may_demand_another() -> None:
    wide, narrow = (
        f"VkPhysicalDevice8BitStorageFeatures::{name}8BitAccess" for name in ("uniformAndStorageBuffer", "storageBuffer")
    )
    assert narrow in guaranteed_features(Version(1, 2), NONE, frozenset({wide}))


def test_trap_5_features_are_compared_under_canonical_names() -> None:
    conditions = support(_device("1.0")).why("Float16")
    assert any("VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16" in condition.text for condition in conditions)
    for spelling in (
        "VkPhysicalDeviceShaderFloat16Int8Features",
        "VkPhysicalDeviceVulkan12Features",
        "VkPhysicalDeviceFloat16Int8FeaturesKHR",
    ):
        offers = _device("1.0", features=(f"{spelling}::shaderFloat16",), extensions=("VK_KHR_shader_float16_int8",))
        assert support(offers).holds("Float16") is True, spelling


def test_trap_5_a_feature_may_be_implied_by_an_extension() -> None:
    without, implied = _device("1.2"), _device("1.2", extensions=("VK_EXT_shader_viewport_index_layer",))
    assert support(without).holds("ShaderLayer") is False
    assert support(implied).holds("ShaderLayer") is True


def test_trap_6_what_a_declared_capability_implies_is_not_asked_for() -> None:
    offers = _device("1.0", features=("VkPhysicalDeviceFeatures::multiViewport",))
    assert "Geometry" in spirv.implied("MultiViewport")
    assert support(offers).holds("MultiViewport") is True
    assert support(offers).holds("Geometry") is False


@pytest.mark.parametrize(
    ("version", "extensions", "highest"),
    [
        ("1.0", (), "1.0"),
        ("1.0", ("VK_KHR_spirv_1_4",), "1.0"),
        ("1.1.120", (), "1.3"),
        ("1.1", ("VK_KHR_spirv_1_4",), "1.4"),
        ("1.2", ("VK_KHR_spirv_1_4",), "1.5"),
        ("1.3", (), "1.6"),
        ("1.4.366", (), "1.6"),
    ],
)
def test_trap_7_the_highest_spirv_follows_the_version_and_one_extension(
    version: str, extensions: tuple[str, ...], highest: str
) -> None:
    assert str(spirv_version(Version.parse(version), frozenset(extensions))) == highest


def test_trap_8_some_capabilities_are_necessary_but_do_not_suffice() -> None:
    inexact = {name for name in spirv.capability_names() if not spirv_environment.is_exact(name)}
    assert {
        "Int64Atomics",
        "AtomicFloat32AddEXT",
        "DenormPreserve",
        "RoundingModeRTE",
        "PhysicalStorageBufferAddresses",
    } <= inexact
    assert not {"Float16", "Int64", "StorageBuffer16BitAccess", "GroupNonUniformArithmetic"} & inexact


def test_trap_9_the_registry_is_new_enough_to_be_right_about_old_versions() -> None:
    assert Version.parse(vulkan.HEADER_VERSION) >= Version(1, 4, 360)
    assert support(_device("1.3")).holds("SPV_KHR_subgroup_uniform_control_flow") is False  # 1.3.239 said that 1.3 brings it


def test_subgroup_operations_are_bits_of_a_property() -> None:
    basic_and_vote = (Property("VkPhysicalDeviceSubgroupProperties::supportedOperations", 3),)
    found = support(replace(_device("1.1"), properties=basic_and_vote))
    assert (found.holds("GroupNonUniformVote"), found.holds("GroupNonUniformArithmetic")) == (True, False)


def test_float_controls_are_boolean_properties() -> None:
    preserve = (Property("VkPhysicalDeviceFloatControlsProperties::shaderDenormPreserveFloat16", 1),)
    assert support(replace(_device("1.2"), properties=preserve)).holds("DenormPreserve") is True
    assert support(_device("1.2")).holds("DenormPreserve") is False


def test_an_alias_spelling_is_the_same_capability() -> None:
    offers = _device("1.1", features=("VkPhysicalDeviceVulkan11Features::storageBuffer16BitAccess",))
    assert support(offers).holds("StorageUniformBufferBlock16") is True


def test_stated_spirv_is_the_answer() -> None:
    stated = SpirvEnvironment(Version(1, 2), frozenset({"Kernel"}), frozenset({"SPV_INTEL_subgroups"}))
    found = support(Capabilities("opencl", spirv=stated))
    assert found.environment is stated
    assert (found.holds("Kernel"), found.holds("Shader"), found.holds("SPV_INTEL_subgroups")) == (True, False, True)
    assert [condition.holds for condition in found.why("Shader")] == [False]


def test_another_api_that_states_nothing_takes_no_spirv() -> None:
    assert support(Capabilities("cuda", Version(12, 4))).environment == SpirvEnvironment(Version(0))


def test_what_an_incomplete_source_does_not_say_is_unknown() -> None:
    offers = _device("1.1", complete=False)
    assert support(offers).holds("Int64") is None
    assert support(replace(offers, denied=frozenset({"VkPhysicalDeviceFeatures::shaderInt64"}))).holds("Int64") is False
    assert support(offers).holds("GroupNonUniformArithmetic") is None
    assert support(offers).holds("Shader") is True


def test_an_incomplete_source_still_has_what_its_version_demands() -> None:
    feature = "VkPhysicalDeviceVulkanMemoryModelFeatures::vulkanMemoryModel"
    offers = _device("1.3", complete=False)
    assert support(offers).holds("VulkanMemoryModel") is True
    assert support(replace(offers, denied=frozenset({feature}))).holds("VulkanMemoryModel") is False


def test_an_unknown_version_leaves_things_unknown() -> None:
    found = support(Capabilities("vulkan"))
    assert found.holds("SPV_KHR_variable_pointers") is None
    assert found.environment.version == Version(1, 0)


def test_why_lists_every_condition_with_its_source() -> None:
    found = support(_device("1.2")).why("Int64Atomics")
    assert len(found) >= 3
    assert {condition.holds for condition in found} == {False}
    assert all(condition.source == f"vk.xml {vulkan.HEADER_VERSION}, spirvcapability Int64Atomics" for condition in found)


def test_why_is_empty_for_what_vulkan_never_takes() -> None:
    assert support(_device("1.4")).why("Kernel") == ()


def test_unknown_and_environment_never_overlap(lavapipe: Capabilities) -> None:
    found = support(replace(lavapipe, complete=False))
    assert not found.unknown & (found.environment.capabilities | found.environment.extensions)


def test_offering_more_never_takes_a_capability_away(lavapipe: Capabilities) -> None:
    more = replace(
        lavapipe, features=frozenset(vulkan.feature_names()), extensions=vulkan.extension_names(), version=Version(1, 4)
    )
    less, all_ = support(lavapipe).environment, support(more).environment
    assert less.capabilities <= all_.capabilities
    assert less.extensions <= all_.extensions


def test_a_row_that_demands_any_one_of_several_features_guarantees_none() -> None:
    extensions = frozenset({"VK_KHR_shader_float16_int8"})
    assert guaranteed_features(Version(1, 1), extensions) == guaranteed_features(Version(1, 1), NONE)
