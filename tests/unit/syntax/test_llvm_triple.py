"""LLVM triples, read and printed."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.model.triple import Triple
from targetenv.syntax import parse, render


@pytest.mark.parametrize(
    ("text", "canonical", "api", "isa"),
    [
        ("x86_64-linux-gnu", "x86_64-unknown-linux-gnu", "cpu", "x86-64"),
        ("aarch64-linux-androideabi21", "aarch64-unknown-linux-android21", "cpu", "armv8-a"),
        ("amdgcn-amd-amdhsa", "amdgcn-amd-amdhsa", "rocm", None),
        ("amdgpu9.00-amd-amdhsa", "amdgpu9.00-amd-amdhsa", "rocm", "gfx900"),
        ("amdgpu9-amd-amdhsa", "amdgpu9-amd-amdhsa", "rocm", None),
        ("nvptx64-nvidia-cuda--sm_90a", "nvptx64-nvidia-cuda--sm_90a", "cuda", "sm_90a"),
        ("air64-apple-macosx14.0.0", "air64-apple-macosx14.0.0", "metal", None),
        ("spirv1.5-unknown-vulkan1.2-compute", "spirv1.5-unknown-vulkan1.2-compute", "vulkan", None),
    ],
)
def test_a_triple_says_what_it_is_for(text: str, canonical: str, api: str, isa: str | None) -> None:
    parsed = parse(text)
    offers = parsed.env.offers
    assert (parsed.dialect, parsed.canonical, offers.api, offers.isa) == ("llvm", canonical, api, isa)
    assert parse(canonical).env == parsed.env


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("gfx90a:sramecc+:xnack-", "amdgcn-amd-amdhsa--gfx90a:sramecc+:xnack-"),
        ("sm_90a", "nvptx64-nvidia-cuda--sm_90a"),
        ("#vk.target_env<v1.1, r(0), [VK_KHR_spirv_1_4], {}>", "spirv1.4-unknown-vulkan1.1-compute"),
    ],
)
def test_other_dialects_print_as_triples(text: str, printed: str) -> None:
    assert render(parse(text), "llvm").text == printed


def test_an_id_behind_the_hsa_prefix_is_a_target_id() -> None:
    assert parse("amdgcn-amd-amdhsa--gfx942").dialect == "amdgpu"


def test_a_word_that_llvm_does_not_know_is_a_warning_at_its_place() -> None:
    (warning,) = parse("x86_64-unknown-linx-gnu").diagnostics
    assert warning.span is not None
    assert (warning.code, warning.span.of("x86_64-unknown-linx-gnu")) == ("TE2008", "linx")


def test_what_a_triple_cannot_say_is_a_loss() -> None:
    rendered = render(parse("#vk.target_env<v1.1, r(0), [VK_KHR_16bit_storage], {subgroupSize = 64: i32}>"), "llvm")
    assert rendered.losses == ("extensions: a triple names none", "limits: a triple names none")


def test_an_unknown_architecture_is_refused() -> None:
    with pytest.raises(ParseError):
        parse("x86-64v3-unknown-linux", dialect="llvm")


def test_parts_print_with_dashes() -> None:
    assert str(Triple("wasm32", os="wasi")) == "wasm32-unknown-wasi"
