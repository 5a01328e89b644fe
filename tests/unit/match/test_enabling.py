"""What a device has to be opened with: enough, and not one entry more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.artifacts import inspect
from targetenv.match import Judge
from targetenv.match.enabling import EnableList, enable_list, opened_with
from targetenv.match.ways import TOGETHER
from targetenv.model import document
from targetenv.model.capabilities import Capabilities
from targetenv.model.record import replace
from targetenv.model.requirement import (
    AllOf,
    AnyOf,
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsSubgroupSize,
    NeedsVersion,
    Not,
)
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.registry._generated import spirv_enables
from targetenv.registry.rows import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.requirement import Requirement

CORPORA = Path(__file__).parents[2] / "corpora"
LAVAPIPE = document.to_device(
    json.loads((CORPORA / "lavapipe-22.3.6" / "lavapipe.device.json").read_text(encoding="utf-8"))["device"]
).offers
INT64 = "VkPhysicalDeviceFeatures::shaderInt64"
STORAGE = "VkPhysicalDevice16BitStorageFeatures::storageBuffer16BitAccess"
POINTERS = "VkPhysicalDeviceVariablePointersFeatures::variablePointers"
CONTROL = "VkPhysicalDeviceSubgroupSizeControlFeatures::subgroupSizeControl"
FULL = "VkPhysicalDeviceSubgroupSizeControlFeatures::computeFullSubgroups"


def gpu(version: str, *names: str, sizes: tuple[int, ...] = ()) -> Capabilities:
    """A device that offers these features and extensions."""
    features = frozenset(name for name in names if "::" in name)
    return Capabilities(
        "vulkan",
        Version.parse(version),
        extensions=frozenset(names) - features,
        features=features,
        subgroup_sizes=frozenset(sizes),
    )


def listed(offers: Capabilities, *needs: Requirement) -> list[str]:
    found = enable_list(needs, offers)
    return [*found.feature_names, *found.extension_names]


@pytest.mark.parametrize(
    ("offers", "need", "names"),
    [
        (gpu("1.0", INT64), NeedsCapability("Int64"), [INT64]),
        (gpu("1.3", STORAGE), NeedsCapability("StorageBuffer16BitAccess"), [STORAGE]),
        (
            gpu("1.0", STORAGE, "VK_KHR_16bit_storage", "VK_KHR_storage_buffer_storage_class"),
            NeedsCapability("StorageBuffer16BitAccess"),
            [STORAGE, "VK_KHR_16bit_storage", "VK_KHR_storage_buffer_storage_class"],
        ),
        (gpu("1.1", "VK_KHR_16bit_storage"), NeedsExtension("VK_KHR_16bit_storage"), []),
        (gpu("1.0", "VK_KHR_16bit_storage"), NeedsExtension("VK_KHR_16bit_storage"), ["VK_KHR_16bit_storage"]),
        (gpu("1.1", POINTERS, TOGETHER[POINTERS]), NeedsCapability("VariablePointers"), [POINTERS, TOGETHER[POINTERS]]),
        (
            gpu("1.1", "VK_KHR_spirv_1_4", "VK_KHR_shader_float_controls"),
            NeedsVersion("spirv", Version(1, 4)),
            ["VK_KHR_shader_float_controls", "VK_KHR_spirv_1_4"],
        ),
        (gpu("1.2", "VK_KHR_spirv_1_4"), NeedsVersion("spirv", Version(1, 4)), []),
        (gpu("1.3", CONTROL, FULL, sizes=(16, 32)), NeedsSubgroupSize(32), [FULL, CONTROL]),
        (gpu("1.3", CONTROL, FULL, sizes=(8,)), NeedsSubgroupSize(8), []),
        (gpu("1.1", "VK_AMD_gpu_shader_half_float"), NeedsCapability("Float16"), ["VK_AMD_gpu_shader_half_float"]),
        (gpu("1.1"), NeedsCapability("Float16"), []),
        (gpu("1.1"), Not(NeedsCapability("Float16")), []),
        (gpu("1.0", INT64, "VK_KHR_8bit_storage"), AnyOf((NeedsFeature("x::y"), NeedsFeature(INT64))), [INT64]),
        (gpu("1.1", INT64, STORAGE), AllOf((NeedsFeature(STORAGE), NeedsCapability("Int64"))), [STORAGE, INT64]),
        (Capabilities("cpu", features=frozenset({"avx2"})), NeedsFeature("avx2"), []),
    ],
)
def test_a_requirement_asks_for(offers: Capabilities, need: Requirement, names: list[str]) -> None:
    assert sorted(listed(offers, need)) == sorted(names)


def test_a_feature_that_another_requirement_asks_for_is_not_asked_for_in_another_way() -> None:
    float16 = "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"
    offers = gpu("1.2", float16, "VK_AMD_gpu_shader_half_float")
    assert listed(offers, NeedsCapability("Float16")) == [float16]
    both = listed(offers, NeedsCapability("Float16"), NeedsExtension("VK_AMD_gpu_shader_half_float"))
    assert both == ["VK_AMD_gpu_shader_half_float"]


def test_each_entry_says_what_it_is_for() -> None:
    offers = gpu("1.0", STORAGE, "VK_KHR_16bit_storage", "VK_KHR_storage_buffer_storage_class")
    found = enable_list([NeedsCapability("StorageBuffer16BitAccess")], offers)
    assert [row.because for row in (*found.features, *found.extensions)] == [
        ("capability StorageBuffer16BitAccess",),
        ("capability StorageBuffer16BitAccess",),
        ("extension VK_KHR_16bit_storage",),
    ]


def test_features_that_go_together_are_the_registrys() -> None:
    for pair in TOGETHER.items():
        for name in pair:
            assert vulkan.feature(*name.split("::")) == name


modules = st.sampled_from(sorted(path.name for path in (CORPORA / "artifacts").glob("*.spv")))


@given(modules)
def test_a_device_opened_with_the_list_of_a_module_offers_all_that_it_requires(name: str) -> None:
    (artifact,) = inspect((CORPORA / "artifacts" / name).read_bytes(), name=name).artifacts
    assert_exact(enable_list(artifact.requires, LAVAPIPE), artifact.requires)


capabilities = st.sampled_from(sorted(keys(spirv_enables.CAPABILITIES))).map(NeedsCapability)
extensions = st.sampled_from(sorted(keys(spirv_enables.EXTENSIONS))).map(NeedsExtension)
features = st.sampled_from(sorted(LAVAPIPE.features)).map(NeedsFeature)
of_vulkan = st.sampled_from(sorted(LAVAPIPE.extensions)).map(NeedsExtension)


@given(st.lists(st.one_of(capabilities, extensions, features, of_vulkan), max_size=6), st.integers(0, 3))
def test_the_list_is_enough_and_no_entry_can_be_dropped(needs: list[Requirement], minor: int) -> None:
    offers = aged(Version(1, minor))
    assert_exact(enable_list(needs, offers), needs, offers)


@given(st.lists(capabilities, max_size=5), st.randoms())
def test_the_order_of_requirements_changes_nothing(needs: list[Requirement], random: object) -> None:
    shuffled = [*needs]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (enable_list(order, LAVAPIPE) for order in (needs, shuffled))
    assert (one.feature_names, one.extension_names) == (other.feature_names, other.extension_names)


def aged(version: Version) -> Capabilities:
    """The recorded device with an older version, and only those features that have a struct there."""

    def there(name: str) -> bool:
        providers = vulkan.provided_by(name.partition("::")[0])
        return any(vulkan.is_version(each) and version >= vulkan.version(each) for each in providers) or bool(
            LAVAPIPE.extensions.intersection(providers)
        )

    return replace(LAVAPIPE, version=version, features=frozenset(filter(there, LAVAPIPE.features)))


def assert_exact(
    found: EnableList, needs: list[Requirement] | tuple[Requirement, ...], offers: Capabilities = LAVAPIPE
) -> None:
    """What the device met, it meets opened with the list, and without any one entry it does not."""
    before, after = Judge(offers), Judge(opened_with(found, offers))
    met = [need for need in needs if before.check(need).outcome is Outcome.SATISFIED]
    assert [after.check(need) for need in met if after.check(need).outcome is not Outcome.SATISFIED] == []
    for row in (*found.features, *found.extensions):
        assert row.because
        if any(reason.startswith("extension VK_") for reason in row.because) or row.name in TOGETHER.values():
            continue
        rest = EnableList(
            tuple(each for each in found.features if each != row), tuple(each for each in found.extensions if each != row)
        )
        judge = Judge(opened_with(rest, offers))
        if not any(judge.check(need).outcome is not Outcome.SATISFIED for need in met):
            # The extension that brings a feature's struct: the device could not be asked to enable the feature.
            assert any(row.name in vulkan.provided_by(name.partition("::")[0]) for name in found.feature_names), row
