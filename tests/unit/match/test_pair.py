"""An artifact and a device, or two environments."""

from __future__ import annotations

from targetenv.match import match, match_env, offers_of, requirements_of
from targetenv.model.artifact import Artifact
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
from targetenv.model.device import Device
from targetenv.model.requirement import (
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsFormat,
    NeedsLimit,
    NeedsMatrix,
    NeedsSubgroupSize,
    NeedsVersion,
    Relation,
)
from targetenv.model.target_env import TargetEnv
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.syntax import parse

SHARED = "VkPhysicalDeviceLimits::maxComputeSharedMemorySize"
INT64 = "VkPhysicalDeviceFeatures::shaderInt64"
ROW = CooperativeMatrix(8, 8, 8, "f16", "f16", "f16", "f16")


def vulkan(**changes: object) -> TargetEnv:
    return TargetEnv(Capabilities("vulkan", Version(1, 1, 120), **changes))  # type: ignore[arg-type]


def test_findings_do_not_depend_on_the_order_or_number_of_requirements() -> None:
    device = Device("vulkan://0", "d", "vulkan", Capabilities("vulkan", Version(1, 1), formats=frozenset({"spirv"})))
    needs = (NeedsFormat("spirv"), NeedsSubgroupSize(8), NeedsSubgroupSize(4), NeedsCapability("Shader"))
    one = match(Artifact("a", "spirv", "", needs), device)
    other = match(Artifact("a", "spirv", "", (*reversed(needs), needs[1])), device)
    assert one.findings == other.findings
    assert [finding.requires for finding in one.findings] == [
        "format spirv",
        "capability Shader",
        "subgroup size 4",
        "subgroup size 8",
    ]


def test_an_artifact_without_requirements_is_satisfied() -> None:
    device = Device("vulkan://0", "d", "vulkan", Capabilities("vulkan"))
    assert match(Artifact("a", "spirv", ""), device).outcome is Outcome.SATISFIED


def test_an_environment_offers_its_apis_own_format() -> None:
    assert offers_of(vulkan()).formats == {"spirv"}
    assert offers_of(TargetEnv(Capabilities("cuda"))).formats == frozenset()
    assert offers_of(vulkan(formats=frozenset({"x"}))).formats == {"x"}


def test_everything_that_an_environment_states_is_required_of_a_device() -> None:
    env = vulkan(
        extensions=frozenset({"VK_KHR_spirv_1_4"}),
        features=frozenset({INT64}),
        properties=(
            Property(SHARED, 16384),
            Property("VkPhysicalDeviceLimits::minStorageBufferOffsetAlignment", 16),
            Property("VkPhysicalDeviceProperties::deviceName", "a name"),
            Property("VkPhysicalDeviceSubgroupProperties::subgroupSize", 64),
        ),
        subgroup_sizes=frozenset({64}),
        matrices=frozenset({ROW}),
        spirv=SpirvEnvironment(Version(1, 4), frozenset({"Shader"}), frozenset({"SPV_KHR_16bit_storage"})),
    )
    required = requirements_of(env)
    assert set(required) >= {
        NeedsFormat("spirv"),
        NeedsVersion("vulkan", Version(1, 1)),
        NeedsExtension("VK_KHR_spirv_1_4"),
        NeedsFeature(INT64),
        NeedsLimit(SHARED, Relation.AT_LEAST, 16384),
        NeedsSubgroupSize(64),
        NeedsMatrix(ROW),
        NeedsVersion("spirv", Version(1, 4)),
        NeedsCapability("Shader"),
        NeedsExtension("SPV_KHR_16bit_storage"),
    }
    limits = {need.name: need.relation for need in required if isinstance(need, NeedsLimit)}
    assert set(limits) == {SHARED, "VkPhysicalDeviceLimits::minStorageBufferOffsetAlignment"}
    assert match_env(env, env)[0] is Outcome.SATISFIED


def test_a_patch_number_of_vulkan_never_decides() -> None:
    older = TargetEnv(Capabilities("vulkan", Version(1, 1, 100)))
    assert match_env(vulkan(), older)[0] is Outcome.SATISFIED
    assert match_env(TargetEnv(Capabilities("vulkan", Version(1, 2))), vulkan())[0] is Outcome.UNSATISFIED


def test_the_worst_finding_is_the_outcome_of_a_pair() -> None:
    offers = vulkan(complete=False)
    outcome, findings = match_env(vulkan(features=frozenset({INT64})), offers)
    assert outcome is Outcome.UNKNOWN
    assert {finding.outcome for finding in findings} == {Outcome.SATISFIED, Outcome.UNKNOWN}
    device = Device("vulkan://0", "d", "vulkan", Capabilities("vulkan", Version(1, 0)))
    assert match_env(vulkan(), device)[0] is Outcome.UNSATISFIED


def test_requirements_that_read_alike_keep_an_order_of_their_own() -> None:
    device = Device("vulkan://0", "d", "vulkan", Capabilities("vulkan", complete=False))
    one, other = (NeedsLimit(f"{struct}::size", Relation.AT_LEAST, 1) for struct in ("A", "B"))
    orders = [match(Artifact("a", "spirv", "", needs), device).findings for needs in ((one, other), (other, one))]
    assert orders[0] == orders[1]


def test_a_feature_that_is_taken_away_from_a_processor_is_not_offered() -> None:
    masked = parse("haswell,-fma").env
    assert match_env(parse("x86-64-v3").env, masked)[0] is Outcome.UNSATISFIED
    assert match_env(parse("x86-64-v2").env, masked)[0] is Outcome.SATISFIED
    assert match_env(masked, masked)[0] is Outcome.SATISFIED
