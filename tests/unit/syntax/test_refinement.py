"""Targets refined in place."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render

VK = (
    "#vk.target_env<v1.1, r(0), [VK_KHR_16bit_storage, VK_KHR_8bit_storage], {storageBuffer8BitAccess, subgroupSize = 64: i32}>"
)


@pytest.mark.parametrize(
    ("text", "canonical", "dialect", "printed"),
    [
        ("x86-64-v3 + {avx512f, -fma}", "x86-64-v3 + {avx512f, -fma}", "cpu", "x86-64-v3,+avx512f,-fma"),
        ("gfx90a+{-xnack}", "gfx90a + {-xnack}", "amdgpu", "gfx90a:xnack-"),
        ("vulkan1.1 + {vulkan = 1.2}", "vulkan1.1 + {vulkan = 1.2}", "vulkan", "vulkan1.2"),
        ("vulkan1.1 + {VK_KHR_spirv_1_4}", "vulkan1.1 + {VK_KHR_spirv_1_4}", "vulkan", "vulkan1.1+spirv1.4"),
    ],
)
def test_edits_apply_and_print(text: str, canonical: str, dialect: str, printed: str) -> None:
    parsed = parse(text)
    assert (parsed.canonical, render(parsed, dialect).text) == (canonical, printed)
    assert parse(parsed.canonical).env == parsed.env


def test_a_limit_is_set_with_its_unit() -> None:
    offers = parse("vulkan1.1 + {maxComputeSharedMemorySize = 32 KiB}").env.offers
    assert offers.property("VkPhysicalDeviceLimits::maxComputeSharedMemorySize") == 32768


def test_a_subgroup_size_moves_the_set() -> None:
    assert parse(f"{VK} + {{subgroupSize = 32}}").env.offers.subgroup_sizes == {32}
    assert parse(f"{VK} + {{minSubgroupSize = 32, maxSubgroupSize = 64}}").env.offers.subgroup_sizes == {32, 64}


def test_an_extension_that_goes_takes_its_features_along() -> None:
    base = parse(VK).env.offers
    refined = parse(f"{VK} + {{-VK_KHR_8bit_storage}}").env.offers
    assert len(base.features) == 1
    assert refined.features == frozenset()
    assert refined.extensions == {"VK_KHR_16bit_storage"}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("vulkan1.1 + {shaderFlot16}", "TE1301", "shaderFlot16"),
        ("vulkan1.1 + {shaderFloat16,}", "TE1005", ","),
        ("vulkan1.1 + {shaderFloat16 = 1}", "TE1304", "shaderFloat16"),
        ("vulkan1.1 + {shaderFloat16, -shaderFloat16}", "TE2001", "shaderFloat16"),
        ("vulkan1.1 + {vulkan = [1]}", "TE1305", "[1]"),
        ("vulkan9 + {shaderFloat16}", "TE1213", "vulkan9"),
        ("vulkan1.1 + {}", "TE1002", "}"),
    ],
)
def test_mistakes_are_pointed_at_in_the_whole_text(text: str, code: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.span is not None
    assert (diagnostic.code, diagnostic.span.of(text)) == (code, place)
    assert diagnostic.source is not None
    assert diagnostic.source.text == text
