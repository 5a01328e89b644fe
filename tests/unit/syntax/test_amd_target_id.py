"""AMD target IDs, beside IREE's reader of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render

CASES = [
    line.split("\t") for line in (Path(__file__).parents[2] / "corpora" / "amdgpu" / "target_ids.txt").read_text().splitlines()
]


def printed(text: str) -> str:
    try:
        return parse(text, dialect="amdgpu").canonical
    except ParseError:
        return "-"


def test_every_recorded_id_is_taken_refused_and_printed_as_iree_does() -> None:
    assert len(CASES) > 300
    assert [(text, want, got) for text, want in CASES if (got := printed(text)) != want] == []


def test_features_are_printed_in_canonical_order() -> None:
    parsed = parse("amdgcn-amd-amdhsa--gfx90a:xnack-:sramecc+")
    assert (parsed.dialect, parsed.canonical) == ("amdgpu", "gfx90a:sramecc+:xnack-")


def test_a_feature_left_open_is_neither_offered_nor_denied() -> None:
    offers = parse("gfx90a:xnack-").env.offers
    assert (offers.features, offers.denied, offers.complete) == (frozenset(), frozenset({"xnack"}), False)


def test_a_stepping_named_after_its_processor_is_a_feature() -> None:
    assert parse("gfx1250:gfx1250-b0-specific+").canonical == "gfx1250:gfx1250-b0-specific+"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("gfx94", "TE1213", "gfx94"),
        ("GFX942", "TE1213", "GFX942"),
        ("gfx942:", "TE1217", ""),
        ("gfx942:xnack", "TE1217", "xnack"),
        ("gfx90a:+xnack", "TE1217", "+xnack"),
        ("gfx942:xnack+:xnack-", "TE2001", "xnack-"),
        ("gfx942:foo+", "TE1218", "foo+"),
    ],
)
def test_mistakes_are_pointed_at(text: str, code: str, place: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span is not None
    assert (diagnostic.code, diagnostic.span.of(text)) == (code, place)


@pytest.mark.parametrize(("text", "code"), [("gfx1300", "TE2006"), ("gfx90A", "TE2006"), ("gfx900:sramecc+", "TE2007")])
def test_what_is_odd_is_a_warning(text: str, code: str) -> None:
    assert [each.code for each in parse(text).diagnostics] == [code]


def test_another_vendors_environment_has_no_target_id() -> None:
    with pytest.raises(ParseError) as caught:
        render(parse("sm_90"), "amdgpu")
    assert caught.value.code == "TE1220"
