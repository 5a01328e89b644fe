"""IREE's names of GPUs: every name as `iree-compile` 3.13 expands it, and the names that it treats badly."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render, targets

CORPUS = json.loads((Path(__file__).parents[2] / "corpora" / "iree" / "names.json").read_text(encoding="utf-8"))
COMPAT = "iree@3.13"


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def code_of(text: str) -> str:
    with pytest.raises(ParseError) as caught:
        parse(text)
    return caught.value.code


@pytest.mark.parametrize(("api", "name", "device", "spirv"), CORPUS["digests"])
def test_a_name_expands_as_the_compiler_expands_it(api: str, name: str, device: str | None, spirv: str | None) -> None:
    try:
        parsed = parse(f"{api}:{name}", compat=COMPAT)
    except ParseError:
        assert device is None
        return
    assert digest(render(parsed, "hal").text) == device
    if spirv is not None:
        assert digest(render(parsed, "spirv", compat=COMPAT).text) == spirv


@pytest.mark.parametrize(("api", "name", "text"), CORPUS["texts"])
def test_the_whole_text_is_the_compiler_s(api: str, name: str, text: str) -> None:
    assert render(parse(f"{api}:{name}", compat=COMPAT), "hal").text == text


def test_a_name_of_several_apis_wants_its_api() -> None:
    assert code_of("a100") == "TE1237"
    assert parse("cuda:a100").env.offers.isa == "sm_80"
    assert parse("vulkan:a100").env.offers.api == "vulkan"


@pytest.mark.parametrize("name", ["RDNA3", "vulkan:RDNA3", "Valhall", "rocm:cdna3", "hopper", "adreno-7x0", "cuda:mi300x"])
def test_what_iree_takes_or_documents_and_treats_badly_is_an_error(name: str) -> None:
    assert code_of(name) == "TE1213"


def test_a_lost_architecture_is_found_again() -> None:
    parsed = parse("vulkan:cdna3")
    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["TE2036"]
    assert 'arch = "gfx942"' in render(parsed, "iree_gpu").text
    assert 'arch = ""' in render(parse("vulkan:cdna3", compat=COMPAT), "iree_gpu").text


def test_vendors_ids_stay_vendors_ids() -> None:
    assert parse("gfx942").dialect == "amdgpu"
    assert parse("sm_80").dialect == "cuda"
    assert parse("rocm:gfx942").dialect == "iree"
    assert parse("rocm:gfx90a:sramecc+:xnack-").dialect == "amdgpu"
    assert code_of("cuda:x86-64-v3") == "TE1216"


def test_every_listed_name_reads_back_to_itself() -> None:
    rows = [row for row in targets() if row.dialect == "iree"]
    assert len(rows) > 150
    for row in rows:
        assert parse(row.name).canonical == row.name


def test_an_attribute_finds_its_name() -> None:
    attribute = render(parse("rocm:mi300x"), "iree_gpu").text
    assert render(parse(attribute), "iree").text == "rocm:mi300x"
    assert render(parse("gfx942"), "iree").text == "rocm:gfx942"
