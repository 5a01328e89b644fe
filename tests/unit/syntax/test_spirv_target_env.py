"""`#spirv.target_env`: eras, canonical print, meaning, and what a Vulkan environment becomes."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.model.version import Version
from targetenv.syntax import parse, render

VCE = "#spirv.vce<v1.6, [Shader, Float16], [SPV_KHR_16bit_storage]>"
CAPS = (
    "maxComputeSharedMemorySize = 16384, maxComputeWorkGroupInvocations = 1024, "
    "maxComputeWorkGroupSize = dense<[128, 8, 4]> : vector<3xi32>, subgroupFeatures = 7 : i32, subgroupSize = 64"
)


def code_of(text: str, **options: str) -> str:
    with pytest.raises(ParseError) as caught:
        parse(text, **options)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "era"),
    [
        ("#spv.target_env<V_1_3, [SPV_KHR_16bit_storage], [Shader], {}>", "spirv@A"),
        ("#spv.target_env<#spv.vce<v1.3, [Shader], []>, {max_compute_workgroup_invocations = 128 : i32}>", "spirv@B"),
        ("#spv.target_env<#spv.vce<v1.3, [Shader], []>, ARM:IntegratedGPU, #spv.resource_limits<>>", "spirv@C"),
        (f"#spirv.target_env<{VCE}, api=Vulkan, AMD:DiscreteGPU:3, #spirv.resource_limits<subgroup_size = 64>>", "spirv@D"),
        (VCE, "spirv@D"),
    ],
)
def test_every_era_is_read_and_printed_as_it_was(text: str, era: str) -> None:
    parsed = parse(text)
    assert parsed.dialect == era
    assert parsed.canonical == text
    assert parsed.env.offers.spirv is not None


def test_limits_that_are_not_written_have_the_defaults_of_mlir() -> None:
    offers = parse(f"#spirv.target_env<{VCE}, #spirv.resource_limits<>>").env.offers
    assert offers.property("VkPhysicalDeviceLimits::maxComputeWorkGroupSize") == (128, 128, 64)
    assert offers.subgroup_sizes == {32}


def test_aliases_are_read_and_mlir_spells_its_own() -> None:
    parsed = parse("#spirv.vce<v1.3, [UniformAndStorageBuffer16BitAccess], []>")
    assert parsed.env.offers.spirv is not None
    assert parsed.env.offers.spirv.capabilities == {"UniformAndStorageBuffer16BitAccess"}
    assert "StorageUniform16" in render(parsed.env, "spirv").text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("#spirv.vce<v1.7, [Shader], []>", "TE1201"),
        ("#spirv.vce<v1.6, [Shadr], []>", "TE1231"),
        ("#spirv.vce<v1.6, [Shader], [SPV_KHR_16bit_storge]>", "TE1203"),
        (f"#spirv.target_env<{VCE}, api=OpenGL, #spirv.resource_limits<>>", "TE1232"),
        (f"#spirv.target_env<{VCE}, client_api=Vulkan, #spirv.resource_limits<>>", "TE1002"),
        (f"#spirv.target_env<{VCE}, #spirv.resource_limits<subgroup_size = 64 : i32>>", "TE1205"),
        (f"#spirv.target_env<{VCE}, #spirv.resource_limits<subgrup_size = 64>>", "TE1204"),
        (f"#spirv.target_env<{VCE}>", "TE1002"),
        ('#spirv.vce<v1.6, ["Shader"], []>', "TE1104"),
    ],
)
def test_a_mistake_has_a_code(text: str, code: str) -> None:
    assert code_of(text) == code


def test_a_vulkan_environment_is_converted_by_the_registry() -> None:
    text = (
        f"#vk.target_env<v1.1, r(120), [VK_KHR_spirv_1_4], Unknown:Unknown, #vk.caps<{CAPS}, storageBuffer16BitAccess = unit>>"
    )
    spirv = parse(render(parse(text), "spirv").text).env.offers.spirv
    assert spirv is not None
    assert spirv.version == Version(1, 4)
    assert {"Shader", "StorageBuffer16BitAccess", "GroupNonUniformArithmetic", "MultiView"} <= spirv.capabilities


def test_iree_left_out_what_vulkan_guarantees() -> None:
    text = f"#vk.target_env<v1.3, r(0), [], AMD:DiscreteGPU, #vk.caps<{CAPS}>>"
    printed = render(parse(text), "spirv", compat="iree@20231218").text
    assert printed.startswith(
        "#spirv.target_env<#spirv.vce<v1.6, [Shader, GroupNonUniform, GroupNonUniformVote, GroupNonUniformArithmetic], []>"
    )
    ours = parse(render(parse(text), "spirv").text).env.offers.spirv
    assert ours is not None
    assert "DotProduct" in ours.capabilities, "Vulkan 1.3 makes the feature mandatory"


def test_a_feature_without_its_extension_is_a_loss() -> None:
    parsed = parse(f"#vk.target_env<v1.1, r(0), [], AMD:CPU, #vk.caps<{CAPS}, storageBuffer8BitAccess = unit>>")
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["TE2031"]
    assert any("VK_KHR_8bit_storage" in loss for loss in render(parsed, "spirv").losses)


def test_a_release_of_mlir_prints_only_what_it_knows() -> None:
    printed = render(parse("#spirv.vce<v1.6, [Shader, BFloat16TypeKHR], []>"), "spirv", compat="iree@20231218")
    assert printed.text == "#spirv.vce<v1.6, [Shader], []>"
    assert printed.losses == ("capability `BFloat16TypeKHR`",)
