"""`#iree_gpu.target` and `#hal.*` beside what IREE's compilers take and print (tests/corpora/iree/attributes.json)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render

CORPUS = json.loads((Path(__file__).parents[2] / "corpora" / "iree" / "attributes.json").read_text(encoding="utf-8"))
CASES = [
    pytest.param(text, release, said, id=f"{release}-{number}")
    for number, (text, answers) in enumerate(CORPUS["cases"])
    for release, said in zip(CORPUS["releases"], answers, strict=True)
    if said is not None
]
GPU = (
    '#iree_gpu.target<arch = "{arch}", features = "{features}", wgp = <compute = fp32|fp16|int32|int8, storage = b32|b16, '
    "subgroup = shuffle|arithmetic, dot = dp4xi8toi32, mma = [<WMMAR3_F32_16x16x16_F16>], subgroup_size_choices = [32, 64], "
    "max_workgroup_sizes = [1024, 1024, 1024], max_thread_count_per_workgroup = 1024, max_workgroup_memory_bytes = 65536, "
    "max_workgroup_counts = [65535, 65535, 65535]>>"
)
VULKAN = GPU.format(arch="rdna3", features="spirv:v1.6,cap:Shader")


def answer(text: str, compat: str | None) -> str | None:
    try:
        return parse(text, compat=compat).canonical
    except ParseError:
        return None


def code_of(text: str, **options: str) -> str:
    with pytest.raises(ParseError) as caught:
        parse(text, **options)
    return caught.value.code


@pytest.mark.parametrize(("text", "release", "said"), CASES)
def test_compat_answers_as_the_release_did(text: str, release: str, said: str | bool) -> None:
    assert answer(text, f"iree@{release}") == (text if said is True else said or None)


@pytest.mark.parametrize(("release", "text"), CORPUS["printed"])
def test_what_a_release_printed_is_read_and_printed_again(release: str, text: str) -> None:
    parsed = parse(text)
    if ": !hal.device" not in parsed.canonical:
        return
    outside = parsed.canonical.removesuffix(" : !hal.device")
    if "=  " not in text:
        assert outside == text
    else:  # double blanks until 3.8: the newest release prints single ones
        assert outside == text.replace("=  ", "= ").replace("mma = [], ", "") or "=  " in outside
    assert parsed.env.offers.api in ("vulkan", "cuda", "rocm", "cpu", "metal")


def test_each_release_prints_its_blanks() -> None:
    parsed = parse(VULKAN)
    assert parsed.dialect == "iree_gpu@3.13"
    assert "compute =  fp32|" in render(parsed, "iree_gpu@3.8").text
    assert render(parsed, "iree_gpu@20240724").losses[0] == "key `max_workgroup_counts`"


def test_the_old_order_of_an_intrinsic_s_types_tells_the_era() -> None:
    assert parse(VULKAN.replace("WMMAR3_F32_16x16x16_F16", "WMMA_F16_16x16x16_F32")).dialect == "iree_gpu@20240724"
    assert parse(VULKAN.replace("WMMAR3_", "WMMA_")).dialect == "iree_gpu@3.1"


@pytest.mark.parametrize(
    ("arch", "features", "api"),
    [
        ("rdna3", "spirv:v1.6,cap:Shader", "vulkan"),
        ("apple", "spirv:v1.3", "metal"),
        ("sm_80", "+ptx76", "cuda"),
        ("gfx942", "", "rocm"),
        ("gfx90a", "+sramecc,-xnack", "rocm"),
    ],
)
def test_the_feature_string_tells_the_api(arch: str, features: str, api: str) -> None:
    assert parse(GPU.format(arch=arch, features=features)).env.offers.api == api


def test_rocm_features_are_pinned_on_or_off() -> None:
    offers = parse(GPU.format(arch="gfx90a", features="+sramecc,-xnack")).env.offers
    assert offers.isa == "gfx90a"
    assert offers.features == {"sramecc"}
    assert offers.denied == {"xnack"}


def test_iree_converts_without_asking_vulkan() -> None:
    text = render(parse(VULKAN), "spirv", compat="iree@3.13").text
    assert text.startswith(
        "#spirv.target_env<#spirv.vce<v1.6, [Shader, Float16, Int8, StorageBuffer16BitAccess, StorageUniform16, "
        "StoragePushConstant16, GroupNonUniformShuffle, GroupNonUniformShuffleRelative, GroupNonUniformArithmetic, "
    )
    assert "api=" not in text
    assert "AMD" in text


def test_a_target_without_a_version_cannot_be_converted() -> None:
    parsed = parse(GPU.format(arch="rdna3", features="cap:Shader"))
    with pytest.raises(ParseError) as caught:
        render(parsed, "spirv", compat="iree@3.13")
    assert caught.value.code == "TE1220"


def test_a_vulkan_environment_becomes_a_target_that_converts_back_to_no_more() -> None:
    text = "#vk.target_env<v1.3, r(0), [], AMD:DiscreteGPU, {shaderInt16, subgroupSize = 64 : i32}>"
    printed = render(parse(text), "iree_gpu")
    spirv = parse(render(parse(printed.text), "spirv", compat="iree@3.13").text).env.offers.spirv
    whole = parse(render(parse(text), "spirv").text).env.offers.spirv
    assert spirv is not None
    assert whole is not None
    assert spirv.capabilities <= whole.capabilities


def test_aliases_in_front_are_put_in() -> None:
    executable = '#hal.executable.target<"vulkan-spirv", "vulkan-spirv-fb", {iree_codegen.target_info = #gpu}>'
    parsed = parse(f'#gpu = {VULKAN}\n#exe = {executable}\n#hal.device.target<"vulkan", [#exe]>')
    assert parsed.env == parse(VULKAN).env
    assert "#gpu" not in parsed.canonical


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("#hal.device.select<[]>", "TE1236"),
        ("#hal.device.target<vulkan>", "TE1205"),
        ('#hal.device.target<"vulkan", [1 : i32]>', "TE1202"),
        ('#hal.executable.target<"vulkan-spirv">', "TE1205"),
        ('#hal.executable.target<"a", "b", {x = 1, x = 2}>', "TE1208"),
        ('#hal.executable.target<"a", "b", {x = #spirv.vce<v1.9, [], []>}>', "TE1201"),
        ('#hal.device.target<"a", {x = #y}>', "TE1235"),
        (VULKAN.replace("compute = fp32", "compute = fp33"), "TE1204"),
        (VULKAN.replace("arch = ", "arc = "), "TE1204"),
        (VULKAN.replace(', features = "spirv:v1.6,cap:Shader"', ""), "TE1207"),
        (VULKAN.replace("= 1024,", '= "1024",'), "TE1205"),
        (VULKAN.replace("= 65536", "= -1"), "TE1206"),
        (VULKAN.replace("[1024, 1024, 1024]", "1024"), "TE1205"),
        (VULKAN.replace("<WMMAR3_F32_16x16x16_F16>", "WMMAR3_F32_16x16x16_F16"), "TE1205"),
    ],
)
def test_a_mistake_has_a_code(text: str, code: str) -> None:
    assert code_of(text) == code


def test_an_error_inside_a_nested_attribute_points_into_the_whole_text() -> None:
    text = '#hal.executable.target<"a", "b", {x = #spirv.vce<v1.0, [Shadr], []>}>'
    with pytest.raises(ParseError) as caught:
        parse(text)
    span = caught.value.diagnostics[0].span
    assert span is not None
    assert span.of(text) == "Shadr"


def test_the_cpu_of_an_executable_target_is_read() -> None:
    text = '#hal.executable.target<"llvm-cpu", "embedded-elf-x86_64", {cpu = "znver4", cpu_features = "+avx512f,-fma"}>'
    offers = parse(text).env.offers
    assert offers.isa == "znver4"
    assert offers.formats == {"elf-x86_64"}
    assert "avx512f" in offers.features
    assert "fma" in offers.denied


def test_many_aliases_of_aliases_are_refused_at_once() -> None:
    rows = ["#a0 = [1]"] + [f"#a{n} = [{', '.join([f'#a{n - 1}'] * 20)}]" for n in range(1, 9)]
    assert code_of("\n".join([*rows, '#hal.device.target<"x", {k = #a8}>'])) == "TE1235"


def test_a_long_chain_of_aliases_is_refused_before_it_recurses() -> None:
    rows = ["#a0 = [1]"] + [f"#a{n} = [[[#a{n - 1}]]]" for n in range(1, 900)]
    assert code_of("\n".join([*rows, '#hal.device.target<"x", {k = #a899}>'])) == "TE1235"
