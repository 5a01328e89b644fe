"""Targets in the words of TVM and of Triton."""

from __future__ import annotations

import json

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render

TVM = [
    '{"kind": "cuda", "arch": "sm_90a"}',
    '{"kind": "llvm", "mcpu": "x86-64-v3", "mattr": ["+avx512f", "-fma"]}',
    '{"kind": "llvm", "mtriple": "aarch64-linux-gnu"}',
    '{"kind": "rocm", "mcpu": "gfx90a", "mattr": ["+sramecc", "-xnack"]}',
    '{"kind": "vulkan", "supports_float16": true, "supports_int8": false, "thread_warp_size": 32, "max_spirv_version": 66816}',
    '{"kind": "vulkan", "vulkan_api_version": 4202496, "max_block_size_x": 128, "max_block_size_y": 8, "max_block_size_z": 4}',
    '{"kind": "opencl", "thread_warp_size": 1}',
]


@pytest.mark.parametrize("text", TVM)
def test_a_tvm_target_prints_as_it_was_read_and_through_the_model_means_the_same(text: str) -> None:
    parsed = parse(text)
    assert (parsed.dialect, parsed.canonical) == ("tvm", text)
    again = parse(render(parsed.env, "tvm").text)
    assert again.env.offers.isa == parsed.env.offers.isa
    assert again.env.offers.features == parsed.env.offers.features


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ('{"kind": "cuda", "archh": "sm_90"}', "TE1204", '"archh"'),
        ('{"kind": "cuda", "arch": "sm_9x"}', "TE1213", '"arch"'),
        ('{"kind": "cuda", "arch": 90}', "TE1205", '"arch"'),
        ('{"kind": "cudaa"}', "TE1213", '"kind"'),
        ('{"kind": "cuda", "arch": "sm_90", "arch": "sm_80"}', "TE1208", '"arch"'),
        ('{"kind": "llvm", "mcpu": "x86_64-v3"}', "TE1213", '"mcpu"'),
        ('{"kind": "llvm", "mcpu": "haswell", "mattr": [1]}', "TE1205", '"mattr"'),
        ('{"kind": "rocm", "mcpu": "gfx90a", "mattr": ["xnack"]}', "TE1217", '"mcpu"'),
        ('{"kind": "cuda",', "TE1002", ""),
        ('{"a": {"kind": "cuda"}}', "TE1213", '"kind"'),
    ],
)
def test_mistakes_in_tvm_targets_are_pointed_at(text: str, code: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == code
    assert diagnostic.span is not None
    assert diagnostic.span.of(text) == place


def test_what_tvm_has_no_key_for_is_a_loss() -> None:
    rendered = render(
        parse("#vk.target_env<v1.1, r(0), [VK_KHR_16bit_storage], {shaderFloat16, subgroupSize = 64: i32}>"), "tvm"
    )
    assert json.loads(rendered.text) == {
        "kind": "vulkan",
        "supports_float16": True,
        "thread_warp_size": 64,
        "vulkan_api_version": 1 << 22 | 1 << 12,
    }
    assert any("VK_KHR_16bit_storage" in loss for loss in rendered.losses)


@pytest.mark.parametrize(
    ("text", "canonical", "isa"),
    [
        ("GPUTarget(backend='cuda', arch=90, warp_size=32)", "GPUTarget(backend='cuda', arch=90, warp_size=32)", "sm_90"),
        ('GPUTarget("hip", "gfx942", 64)', "GPUTarget(backend='hip', arch='gfx942', warp_size=64)", "gfx942"),
    ],
)
def test_tritons_targets_are_read_and_printed(text: str, canonical: str, isa: str) -> None:
    parsed = parse(text)
    assert (parsed.dialect, parsed.canonical, parsed.env.offers.isa) == ("triton", canonical, isa)
    assert render(parsed.env, "triton").text == canonical


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("GPUTarget('hip', 'gfx90a:sramecc+:xnack-', 64)", "TE1213"),
        ("GPUTarget('cuda', 'sm_90', 32)", "TE1213"),
        ("GPUTarget('cuda', 57, 32)", "TE1213"),
        ("GPUTarget('hip', 'gfx942', 32)", "TE1206"),
        ("GPUTarget('xpu', 1, 32)", "TE1213"),
        ("GPUTarget(90)", "TE1002"),
    ],
)
def test_what_triton_takes_silently_or_breaks_on_is_an_error(text: str, code: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.code == code


def test_pinned_features_are_lost_on_triton() -> None:
    assert render(parse("gfx90a:xnack-"), "triton").losses == ("target features xnack: Triton takes the processor alone",)
