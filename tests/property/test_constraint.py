"""Laws of constraints: printing and reading, and Kleene's logic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from targetenv.diagnostics.diagnostic import ParseError, Source
from targetenv.match.check import Judge
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.requirement import (
    AllOf,
    AnyOf,
    NeedsExtension,
    NeedsFeature,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsVersion,
    Not,
    Relation,
)
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.syntax.constraint import read, show

if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

FEATURES = sorted(vulkan.feature_names())[::25]
LIMITS = ["VkPhysicalDeviceLimits::maxPushConstantsSize", "VkPhysicalDeviceLimits::maxComputeWorkGroupSize"]
atoms: st.SearchStrategy[Requirement] = st.one_of(
    st.builds(NeedsFeature, st.sampled_from(FEATURES)),
    st.builds(NeedsExtension, st.sampled_from(["VK_KHR_16bit_storage", "SPV_KHR_16bit_storage"])),
    st.builds(NeedsVersion, st.just("vulkan"), st.builds(Version, st.integers(0, 9), st.integers(0, 9), st.integers(0, 400))),
    st.builds(NeedsSubgroupSize, st.integers(0, 128)),
    st.builds(
        NeedsLimit,
        st.sampled_from(LIMITS),
        st.sampled_from([Relation.AT_LEAST, Relation.AT_MOST, Relation.EXACTLY]),
        st.integers(0, 2**64 - 1) | st.lists(st.integers(0, 2**32), min_size=1, max_size=3).map(tuple),
    ),
)
constraints = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)
offers = st.builds(
    Capabilities,
    st.just("vulkan"),
    st.builds(Version, st.integers(0, 3), st.integers(0, 4)),
    extensions=st.frozensets(st.just("VK_KHR_16bit_storage")),
    features=st.frozensets(st.sampled_from(FEATURES)),
    properties=st.sampled_from([(), (Property(LIMITS[0], 128),)]),
    subgroup_sizes=st.frozensets(st.sampled_from([8, 32]), max_size=2),
    complete=st.booleans(),
)


def outcome(requirement: Requirement, of: Capabilities) -> Outcome:
    return Judge(of).check(requirement).outcome


def test_printing_and_reading_are_inverse() -> None:
    @given(constraints)
    def law(constraint: Requirement) -> None:
        text = show(constraint)
        assert show(read(Source("text", text))) == text

    law()


@given(constraints, constraints, offers)
def test_de_morgan(one: Requirement, two: Requirement, of: Capabilities) -> None:
    assert outcome(Not(AllOf((one, two))), of) is outcome(AnyOf((Not(one), Not(two))), of)
    assert outcome(Not(AnyOf((one, two))), of) is outcome(AllOf((Not(one), Not(two))), of)


@given(constraints, constraints, offers)
def test_order_and_nesting_do_not_matter(one: Requirement, two: Requirement, of: Capabilities) -> None:
    assert outcome(AllOf((one, two)), of) is outcome(AllOf((two, AllOf((one,)))), of)
    assert outcome(AnyOf((one, two)), of) is outcome(AnyOf((two, AnyOf((one,)))), of)
    assert outcome(Not(Not(one)), of) is outcome(one, of)


@given(st.text(st.sampled_from("ab()<>=!{}[],. 0129andornotVK_shaderInt8:"), max_size=40) | st.text(max_size=30))
def test_any_text_is_a_constraint_or_a_diagnostic_with_places_inside_it(text: str) -> None:
    from targetenv.syntax import parse_constraint

    try:
        parse_constraint(text)
    except ParseError as error:
        for diagnostic in error.diagnostics:
            assert all(0 <= label.span.start <= label.span.end <= len(text) for label in diagnostic.labels)
