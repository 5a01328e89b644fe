"""What all of some devices offer, value by value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import TargetEnvError
from targetenv.match import Judge, check, requirements_of
from targetenv.match.lattice import join, meet, normal
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsCapability, NeedsExtension, NeedsIsa, NeedsLimit, NeedsSubgroupSize
from targetenv.model.target_env import TargetEnv
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry.vulkan import find_property, limit_type
from targetenv.syntax import parse
from targetenv.wire.device_files import read_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import PropertyValue

LIMITS = "VkPhysicalDeviceLimits::"
REPORTS = Path(__file__).parents[4] / "shared" / "data" / "gpuinfo"
YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN


def gpu(version: str | None = "1.3", *names: str, **more: object) -> Capabilities:
    """A device that offers these features and extensions."""
    features = frozenset(name for name in names if "::" in name)
    made = Capabilities(
        "vulkan",
        None if version is None else Version.parse(version),
        extensions=frozenset(names) - features,
        features=features,
    )
    return replace(made, **more)


def limited(name: str, value: PropertyValue) -> Capabilities:
    return gpu(properties=(Property(name, value),))


def offers(text: str) -> Capabilities:
    return parse(text).env.offers


def test_both_devices_satisfy_the_meet_of_a_minimum_that_is_an_extent() -> None:
    """Khronos' profile generator takes the smaller of two minima here: 32x32 and 8x8 gave 8x8, which the first cannot do."""
    name = "VkPhysicalDeviceFragmentDensityMapPropertiesEXT::minFragmentDensityTexelSize"
    assert limit_type(name) == "min"
    one, other = limited(name, (32, 8)), limited(name, (8, 16))
    assert meet(one, other).property(name) == (32, 16)
    assert join(one, other).property(name) == (8, 8)
    (need,) = (need for need in requirements_of(TargetEnv(meet(one, other))) if isinstance(need, NeedsLimit))
    assert [check(need, each).outcome for each in (one, other)] == [YES, YES]


@pytest.mark.parametrize(
    ("name", "limittype", "one", "other", "met", "joined"),
    [
        ("maxPushConstantsSize", "max", 256, 128, 128, 256),
        ("maxComputeWorkGroupSize", "max", (1024, 64, 1), (512, 512, 64), (512, 64, 1), (1024, 512, 64)),
        ("nonCoherentAtomSize", "min,pot", 64, 256, 256, 64),
        ("minStorageBufferOffsetAlignment", "min,pot", 16, 64, 64, 16),
        ("pointSizeGranularity", "min,mul", 0.5, 1.0, None, None),
        ("subPixelPrecisionBits", "bits", 4, 8, 4, 8),
        ("framebufferColorSampleCounts", "bitmask", 0b0111, 0b1101, 0b0101, 0b1111),
        ("pointSizeRange", "range", (1.0, 64.0), (2.0, 256.0), (2.0, 64.0), (1.0, 256.0)),
        ("lineWidthRange", "range", (1.0, 1.0), (2.0, 8.0), None, (1.0, 8.0)),
        ("denormBehaviorIndependence", "exact", 0, 1, None, None),
        ("timestampComputeAndGraphics", "max", True, False, False, True),
    ],
)
def test_values_are_combined_by_their_type(
    name: str, limittype: str, one: PropertyValue, other: PropertyValue, met: PropertyValue, joined: PropertyValue
) -> None:
    (name,) = find_property(name)
    assert limit_type(name) == limittype
    a, b = limited(name, one), limited(name, other)
    assert (meet(a, b).property(name), join(a, b).property(name)) == (met, joined)
    assert meet(a, a).property(name) == one


def test_common_multiples_are_what_every_alignment_divides() -> None:
    from targetenv.match.lattice_values import joined, met
    from targetenv.model.requirement import Relation

    assert (met(Relation.MULTIPLE_OF, 48, 64), joined(Relation.MULTIPLE_OF, 48, 64)) == (192, 16)


def test_identities_and_arrays_of_other_lengths_are_left_out() -> None:
    name = "VkPhysicalDeviceProperties::deviceName"
    assert meet(limited(name, "a"), limited(name, "b")).property(name) is None
    assert meet(limited(name, "a"), limited(name, "a")).property(name) == "a"
    assert (
        meet(limited(f"{LIMITS}viewportBoundsRange", (0, 1, 2)), limited(f"{LIMITS}viewportBoundsRange", (0, 1))).properties
        == ()
    )


def test_a_subgroup_size_is_one_of_a_set_and_no_maximum() -> None:
    name = "VkPhysicalDeviceSubgroupProperties::subgroupSize"
    wide = replace(limited(name, 64), subgroup_sizes=frozenset({32, 64}))
    narrow = replace(limited(name, 32), subgroup_sizes=frozenset({8, 16, 32}))
    both = meet(wide, narrow)
    assert (both.subgroup_sizes, both.property(name)) == (frozenset({32}), None)
    nothing = meet(wide, replace(narrow, subgroup_sizes=frozenset({8})))
    assert check(NeedsSubgroupSize(8), nothing).outcome is NO


def test_rows_of_matrices_are_common_or_not() -> None:
    f16 = CooperativeMatrix(16, 16, 16, "f16", "f16", "f32", "f32")
    i8 = replace(f16, a="i8", b="i8", c="i32", result="i32")
    assert meet(gpu(matrices=frozenset({f16, i8})), gpu(matrices=frozenset({f16}))).matrices == {f16}


def test_an_extension_that_the_core_of_the_other_took_in_is_common() -> None:
    old, new = gpu("1.0", "VK_KHR_maintenance1"), gpu("1.1")
    both = meet(old, new)
    assert (both.version, both.extensions) == (Version(1, 0), frozenset({"VK_KHR_maintenance1"}))
    assert check(NeedsExtension("VK_KHR_maintenance1"), both).outcome is YES


def test_an_extension_is_not_common_where_the_core_has_less_than_it() -> None:
    """VK_KHR_shader_draw_parameters is a promise, the same of Vulkan 1.1 an optional feature."""
    draws, plain = gpu("1.1", "VK_KHR_shader_draw_parameters"), gpu("1.1")
    assert [check(NeedsCapability("DrawParameters"), each).outcome for each in (draws, plain, meet(draws, plain))] == [
        YES,
        NO,
        NO,
    ]


def test_a_capability_that_each_has_in_its_own_way_is_common() -> None:
    feature = gpu("1.2", "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16")
    extension = gpu("1.2", "VK_AMD_gpu_shader_half_float")
    both = meet(feature, extension)
    assert not both.extensions
    assert check(NeedsCapability("Float16"), both).outcome is YES


def test_what_one_source_does_not_say_is_not_known_of_all() -> None:
    name = "VkPhysicalDeviceFeatures::shaderInt64"
    whole, part = gpu("1.3", name), gpu("1.3", complete=False)
    assert check(NeedsCapability("Int64"), meet(whole, part)).outcome is UNKNOWN
    denying = gpu("1.3", denied=frozenset({name}), complete=False)
    assert check(NeedsCapability("Int64"), meet(part, denying)).outcome is NO


@pytest.mark.parametrize(
    ("one", "other", "met", "joined"),
    [
        ("x86-64-v2", "x86-64-v4", "x86-64-v2", "x86-64-v4"),
        ("gfx940", "gfx942", "gfx9-4-generic", None),
        ("gfx942", "gfx90a", None, None),
        ("sm_80", "sm_86", "sm_80", "sm_86"),
        ("sm_75", "sm_86", None, None),
        ("sm_100", "sm_103", None, None),  # `sm_100a` runs on the one and not on the other
    ],
)
def test_instruction_sets_meet_where_code_runs_on_both(one: str, other: str, met: str | None, joined: str | None) -> None:
    a, b = offers(one), offers(other)
    assert (meet(a, b).isa, join(a, b).isa) == (met, joined)


def test_a_level_with_a_feature_masked_is_less_than_the_level() -> None:
    masked = replace(offers("x86-64-v3"), denied=frozenset({"avx2"}))
    both = meet(offers("x86-64-v4"), masked)
    assert both.isa == "x86-64-v2"
    assert {"fma", "bmi2"} <= normal(both).features
    assert check(NeedsIsa("x86-64-v3"), both).outcome is NO


def test_a_target_feature_that_is_on_here_and_off_there_is_neither() -> None:
    on, off = offers("gfx942:xnack+"), offers("gfx942:xnack-")
    assert (meet(on, off).features, meet(on, off).denied) == (frozenset(), frozenset())


def test_devices_of_different_apis_have_no_meet() -> None:
    with pytest.raises(TargetEnvError) as caught:
        meet(gpu(), offers("x86-64-v3"))
    assert caught.value.code == "TE3005"


@pytest.mark.skipif(not REPORTS.is_dir(), reason="../shared/data/gpuinfo is not there")
def test_every_recorded_device_covers_the_meet_of_all_and_fits_the_join() -> None:
    devices = [
        each.device.offers for path in sorted(REPORTS.glob("*.json")) for each in read_all(path.read_bytes(), name=path.name)
    ]
    assert len(devices) >= 40
    met, joined = meet(*devices), join(*devices)
    for need in requirements_of(TargetEnv(met)):
        assert [check(need, each).outcome for each in devices if check(need, each).outcome is not YES] == [], need
    everything = Judge(joined)
    for each in devices:
        unmet = [need for need in requirements_of(TargetEnv(each)) if everything.check(need).outcome is not YES]
        assert [need for need in unmet if getattr(need, "relation", None) is None] == []
    assert meet(*reversed(devices)) == met


@pytest.mark.skipif(not REPORTS.is_dir(), reason="../shared/data/gpuinfo is not there")
def test_folding_recorded_devices_one_by_one_gives_the_same() -> None:
    devices = [
        each.device.offers
        for path in sorted(REPORTS.glob("*.json"))[:12]
        for each in read_all(path.read_bytes(), name=path.name)
    ]
    one_by_one = devices[0]
    for each in devices[1:]:
        one_by_one = meet(one_by_one, each)
    assert normal(one_by_one) == normal(meet(*devices))


def test_the_recorded_lavapipe_is_its_own_meet() -> None:
    path = Path(__file__).parents[2] / "corpora" / "lavapipe-22.3.6" / "lavapipe.device.json"
    from targetenv.model import document

    one = document.to_device(json.loads(path.read_text(encoding="utf-8"))["device"]).offers
    assert meet(one, one) == one
