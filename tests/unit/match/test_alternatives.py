"""Why a requirement is not met, atom by atom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.match import check
from targetenv.match.alternatives import alternatives, either, lines, sentence
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsCapability, NeedsExtension, NeedsFeature, NeedsLimit, NeedsVersion, Relation
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry._generated import spirv_enables
from targetenv.registry.rows import keys
from tests.property import worlds
from tests.property.lattice_worlds import vulkan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

OLD = Capabilities("vulkan", Version(1, 1, 120), denied=frozenset({"VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"}))
OUTCOMES = {True: Outcome.SATISFIED, None: Outcome.UNKNOWN, False: Outcome.UNSATISFIED}


def test_each_alternative_says_which_atom_fails_and_what_would_be_enabled() -> None:
    feature, extension = alternatives(NeedsCapability("Float16"), OLD)
    assert [(atom.kind, atom.holds, atom.said) for atom in feature.atoms] == [
        ("feature", False, "the device answers no"),
        ("place", False, "the device has neither"),
    ]
    assert feature.enables == ("VK_KHR_shader_float16_int8", "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16")
    assert [(atom.kind, atom.name) for atom in extension.atoms] == [("extension", "VK_AMD_gpu_shader_half_float")]
    assert extension.enables == ("VK_AMD_gpu_shader_half_float",)


def test_the_feature_alone_is_enabled_where_the_version_has_its_struct() -> None:
    newer = Capabilities("vulkan", Version(1, 2))
    assert alternatives(NeedsCapability("Float16"), newer)[0].enables == (
        "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16",
    )


def test_a_promoted_extension_that_must_be_listed_itself_is_said_to_be_so() -> None:
    found = alternatives(NeedsCapability("DrawParameters"), Capabilities("vulkan", Version(1, 3)))
    assert found[-1].atoms[0].said == "not listed; that Vulkan 1.1 took it in does not count here"


def test_one_feature_under_two_guards_is_one_alternative() -> None:
    found = alternatives(NeedsCapability("DrawParameters"), OLD)
    assert len(found) == 2
    assert found[0].atoms[1].name == "Vulkan 1.2 or Vulkan 1.1"


def test_a_bit_of_a_property_says_what_is_there() -> None:
    bits = (Property("VkPhysicalDeviceSubgroupProperties::supportedOperations", 5),)
    (found,) = alternatives(NeedsCapability("GroupNonUniformVote"), Capabilities("vulkan", Version(1, 1), properties=bits))
    assert (found.atoms[0].said, found.enables) == ("the device offers 0x5", ())


def test_what_is_not_stated_is_not_known() -> None:
    found = alternatives(NeedsCapability("Float16"), Capabilities("vulkan", Version(1, 1), complete=False))
    assert [each.holds for each in found] == [None, None]
    assert sentence(found).endswith("it is not known whether the device offers either")


@pytest.mark.parametrize("need", [NeedsLimit("VkPhysicalDeviceLimits::maxPushConstantsSize", Relation.AT_LEAST, 1)])
def test_what_has_no_alternatives_has_none(need: Requirement) -> None:
    assert alternatives(need, OLD) == ()
    assert alternatives(NeedsFeature("avx2"), Capabilities("cpu")) == ()
    assert alternatives(NeedsCapability("Kernel"), OLD) == ()


def test_enumerations_read_as_they_are_spoken() -> None:
    assert [either(list(letters)) for letters in ("a", "ab", "abc")] == ["a", "a or b", "a, b or c"]


anything = st.one_of(
    st.sampled_from(sorted(keys(spirv_enables.CAPABILITIES))).map(NeedsCapability),
    st.sampled_from(sorted(keys(spirv_enables.EXTENSIONS))).map(NeedsExtension),
    st.sampled_from(worlds.EXTENSIONS).map(NeedsExtension),
    st.sampled_from(worlds.VULKAN_FEATURES).map(NeedsFeature),
    st.builds(NeedsVersion, st.just("spirv"), worlds.versions),
)


# A description that claims to be whole and has no version says nothing about what the version would bring.
devices = vulkan.map(lambda offers: replace(offers, version=offers.version or Version(1, 0), spirv=None, unstated=frozenset()))


@given(anything, devices)
def test_the_alternatives_together_answer_as_the_judge_does(need: Requirement, offers: Capabilities) -> None:
    found = alternatives(need, offers)
    outcome = check(need, offers).outcome
    if not found:
        assert outcome is not Outcome.SATISFIED or isinstance(need, NeedsVersion)
        return
    holds = [each.holds for each in found]
    together = True if True in holds else None if None in holds else False
    if isinstance(need, NeedsFeature) and together is not True and outcome is Outcome.SATISFIED:
        return  # a complete source that answers less than its version guarantees
    if isinstance(need, NeedsVersion):  # a source without a version is of 1.0, and an extension it does not state is not there
        assert outcome is Outcome.SATISFIED or together is not True
        return
    assert OUTCOMES[together] is outcome
    assert sentence(found)
    assert all(line.strip() for each in found for line in lines(each))
