"""Our answers beside those of IREE's own compilers (tests/corpora/iree): equal in compat mode, else listed with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render

CORPUS = Path(__file__).parents[2] / "corpora" / "iree"
VK = json.loads((CORPUS / "vk_target_env.json").read_text(encoding="utf-8"))
SPIRV = json.loads((CORPUS / "spirv_target_env.json").read_text(encoding="utf-8"))
TRIPLES = json.loads((CORPUS / "triples.json").read_text(encoding="utf-8"))
CONVERSIONS = json.loads((CORPUS / "vk_to_spirv.json").read_text(encoding="utf-8"))

# Where the default knowingly differs from iree@20231218 (`vk`) and iree@3.13 (`spirv`); docs/reference/dialects.md says more.
DIFFERENT = {
    "2020_dict_with_vendor": "an older era is read as well",
    "rev_r(-1)": "a negative revision is a mistake, not 4294967295",
    "devid_-1": "a negative id is a mistake, not 4294967295",
    "vendor_Google": "an unknown vendor is a mistake, not `Unknown`",
    "vendor_amd": "an unknown vendor is a mistake, not `Unknown`",
    "vendor_Mesa": "an unknown vendor is a mistake, not `Unknown`",
    "vendor_Broadcom": "newer MLIR has this vendor",
    "devtype_discreteGPU": "an unknown device type is a mistake, not `Unknown`",
    "wgsize_dense<[128, 8]> : vector<2xi32>": "a workgroup size has three components",
    "caps_min_gt_max": "no device is so",
    "coop_wrong_elem": "the compiler takes it and crashes",
    "api:api=OpenGL": "an unknown API is a mistake, not `Unknown`",
    "dev:amd:DiscreteGPU": "an unknown vendor is a mistake, not `Unknown`",
    "dev:Google:DiscreteGPU": "an unknown vendor is a mistake, not `Unknown`",
    "lim:coop_nv2": "older MLIR has this attribute",
}


def answer(text: str, compat: str | None = None) -> str | None:
    """How we print it, None where we refuse."""
    try:
        return parse(text, compat=compat).canonical
    except ParseError:
        return None


def cases(corpus: dict[str, Any]) -> list[Any]:
    return [
        pytest.param(text, release, said, id=f"{release}-{name}")
        for name, text, answers in corpus["cases"]
        for release, said in zip(corpus["releases"], answers, strict=True)
    ]


@pytest.mark.parametrize(("text", "release", "said"), cases(VK) + cases(SPIRV))
def test_compat_answers_as_the_release_did(text: str, release: str, said: str | bool) -> None:
    expected = text if said is True else said or None
    assert answer(text, f"iree@{release}") == expected


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [(name, text, answers[2]) for name, text, answers in VK["cases"]]
    + [(name, text, answers[3]) for name, text, answers in SPIRV["cases"]],
)
def test_the_default_differs_only_where_the_table_says_so(name: str, text: str, said: str | bool) -> None:
    same = answer(text) == (text if said is True else said or None)
    assert same is (name not in DIFFERENT)


@pytest.mark.parametrize(("release", "text", "printed", "spirv"), CONVERSIONS)
def test_a_conversion_is_iree_s_own_byte_for_byte(release: str, text: str, printed: str, spirv: str) -> None:
    parsed = parse(text)
    assert parsed.canonical == printed
    made = render(parsed, "spirv", compat=f"iree@{release}")
    assert made.text == spirv
    assert parse(made.text).canonical == spirv


@pytest.mark.parametrize("text", [text for _, text, _, _ in CONVERSIONS[::4]])
def test_our_conversion_reads_back_and_keeps_the_limits(text: str) -> None:
    parsed = parse(text)
    made = parse(render(parsed, "spirv").text)
    assert made.env.offers.subgroup_sizes == parsed.env.offers.subgroup_sizes
    assert made.env.offers.matrices == parsed.env.offers.matrices
    assert made.env.vendor == (parsed.env.vendor)


@pytest.mark.parametrize(("release", "triples", "vk", "spirv"), TRIPLES)
def test_a_triple_stands_for_what_the_release_made_of_it(release: str, triples: str, vk: str | None, spirv: str) -> None:
    compat = f"iree@{release}"
    for triple in triples.split(" "):
        parsed = parse(triple, dialect="triple", compat=compat)
        assert vk is None or render(parsed, "vk", compat=compat).text == vk
        assert render(parsed, "spirv", compat=compat).text == spirv
