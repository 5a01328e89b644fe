"""`#vk.target_env`: eras, canonical print, meaning, mistakes."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.model.version import Version
from targetenv.syntax import parse, render

DOCUMENTED = (
    "#vk.target_env<v1.1, r(120), [VK_KHR_spirv_1_4, VK_KHR_storage_buffer_storage_class], "
    "{maxComputeSharedMemorySize = 16384 : i32, maxComputeWorkGroupInvocations = 1024: i32, "
    "maxComputeWorkGroupSize = dense<[128, 8, 4]>: vector<3xi32>, subgroupFeatures = 7: i32, subgroupSize = 64 : i32}>"
)
CAPS = (
    "maxComputeSharedMemorySize = 16384, maxComputeWorkGroupInvocations = 1024, "
    "maxComputeWorkGroupSize = dense<[128, 8, 4]> : vector<3xi32>, subgroupFeatures = 7 : i32, subgroupSize = 64"
)


def era_c(more: str = "", *, extensions: str = "", device: str = "AMD:DiscreteGPU", caps: str = CAPS) -> str:
    return f"#vk.target_env<v1.1, r(120), [{extensions}], {device}, #vk.caps<{caps}{more}>>"


def code_of(text: str, **options: str) -> str:
    with pytest.raises(ParseError) as caught:
        parse(text, **options)
    for diagnostic in caught.value.diagnostics:
        for label in diagnostic.labels:
            assert 0 <= label.span.start <= label.span.end <= len(text)
    return caught.value.code


def test_the_documented_string_is_read_although_no_compiler_ever_took_it() -> None:
    parsed = parse(DOCUMENTED)
    offers = parsed.env.offers
    assert parsed.dialect == "vk@doc"
    assert offers.version == Version(1, 1, 120)
    assert offers.extensions == {"VK_KHR_spirv_1_4", "VK_KHR_storage_buffer_storage_class"}
    assert offers.property("VkPhysicalDeviceLimits::maxComputeWorkGroupSize") == (128, 8, 4)
    assert offers.property("VkPhysicalDeviceSubgroupProperties::supportedOperations") == 7
    assert offers.subgroup_sizes == {64}


@pytest.mark.parametrize(
    ("text", "era"),
    [
        ("#vk.target_env<v1.0, r(1), [], {maxComputeWorkGroupInvocations = 64 : i32, shaderInt8}>", "vk@A"),
        (DOCUMENTED, "vk@doc"),
        ("#vk.target_env<v1.0, r(1), [], AMD:CPU, {subgroupSize = 4 : i32}>", "vk@B"),
        (era_c(), "vk@C"),
    ],
)
def test_the_era_follows_from_the_text(text: str, era: str) -> None:
    assert parse(text).dialect == era


@pytest.mark.parametrize("era", ["vk@A", "vk@doc", "vk@B", "vk@C"])
def test_every_era_prints_what_reads_back_to_the_same_environment(era: str) -> None:
    parsed = parse(era_c(", shaderInt8 = unit, minSubgroupSize = 32, maxSubgroupSize = 64", device="Unknown:Unknown"))
    printed = render(parsed, era)
    assert printed.losses == ()
    assert parse(printed.text).env == parsed.env


def test_order_and_duplicates_survive() -> None:
    text = era_c(extensions="VK_KHR_variable_pointers, VK_KHR_16bit_storage, VK_KHR_16bit_storage")
    parsed = parse(text)
    assert parsed.canonical == text
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["TE2001"]


def test_any_feature_or_limit_of_the_registry_is_a_key() -> None:
    parsed = parse(era_c(", shaderBufferInt64Atomics = unit, maxPushConstantsSize = 128"))
    assert "VkPhysicalDeviceShaderAtomicInt64Features::shaderBufferInt64Atomics" in parsed.env.offers.features
    assert parsed.env.offers.property("VkPhysicalDeviceLimits::maxPushConstantsSize") == 128
    assert parse(render(parsed.env, "vk").text).env == parsed.env


def test_what_a_release_has_no_key_for_is_a_loss() -> None:
    printed = render(parse(era_c(", shaderBufferInt64Atomics = unit")), "vk@C", compat="iree@20231218")
    assert printed.losses == ("feature `shaderBufferInt64Atomics`",)
    assert parse(printed.text, compat="iree@20231218").dialect == "vk@C"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TE1003"),
        ("#vk.target_env", "TE1003"),
        ("#vk.target_env<v1.1, r120, [], {}>", "TE1101"),
        ("#vk.target_env<v1.1, r(1), [VK_KHR_spirv_1_4,], {}>", "TE1005"),
        ("#vk.target_env<v1.1, r(1), [], {}> x", "TE1006"),
        ("#vk.target_env<v1.1, r(1), [\u201cVK\u201d], {}>", "TE1007"),
        ('#vk.target_env<v1.1, r(1), [], {driverName = "x}>', "TE1008"),
        ("#vk.target_env<v1.1, r(1O), [], {}>", "TE1009"),
        ("#vk.target_env<v1.5, r(1), [], {}>", "TE1201"),
        ("#vk.target_env<v1.1, r(1), [VK_KHR_16bit_storag], {}>", "TE1203"),
        ("#vk.target_env<v1.1, r(1), [], {shaderint8}>", "TE1204"),
        ("#vk.target_env<v1.1, r(1), [], {shaderInt8 = true}>", "TE1205"),
        ("#vk.target_env<v1.1, r(1), [], {subgroupSize = 64 : i64}>", "TE1103"),
        ("#vk.target_env<v1.1, r(-1), [], {}>", "TE1206"),
        ("#vk.target_env<v1.1, r(1), [], amd:CPU, {}>", "TE1209"),
        ("#vk.target_env<v1.1, r(1), [], AMD:Cpu, {}>", "TE1210"),
        ("#vk.target_env<v1.1, r(1), [], AMD, {}>", "TE1102"),
        (f"#vk.target_env<v1.1, r(1), [], #vk.caps<{CAPS}>>", "TE1102"),
        (era_c(", shaderInt8"), "TE1103"),
        (era_c(" : i32"), "TE1103"),
        (era_c(caps="subgroupSize = 4"), "TE1207"),
        (era_c(", subgroupSize = 8"), "TE1208"),
        (era_c(", minSubgroupSize = 64, maxSubgroupSize = 32"), "TE2002"),
        ("#vk.target_env<v1.1, r(1), [], {maxComputeWorkGroupSize = dense<[1, 2]> : vector<2xi32>}>", "TE2004"),
        ("#vk.target_enf<v1.1>", "TE1202"),
        ("\x7fELF\0", "TE1004"),
        ("<" * 100, "TE1001"),
    ],
)
def test_a_mistake_has_a_code_and_a_place(text: str, code: str) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize("text", ["#vk.target_env<v1.4, r(1), [], AMD:CPU, #vk.caps<" + CAPS + ">>", DOCUMENTED])
def test_compat_refuses_what_that_release_refuses(text: str) -> None:
    parse(text)
    assert code_of(text, compat="iree@20231218") in {"TE1201", "TE1103"}


def test_compat_takes_what_that_release_takes() -> None:
    text = era_c(", minSubgroupSize = 64, maxSubgroupSize = 32", device="Google:DiscreteGPU")
    assert "Unknown:DiscreteGPU" in parse(text, compat="iree@20231218").canonical


def test_the_same_text_is_read_once() -> None:
    assert parse(DOCUMENTED) is parse(DOCUMENTED)
