"""Laws of reading and printing: round trips, fixed points, and no text that gives anything but a value or a diagnostic."""

from __future__ import annotations

import pytest
from hypothesis import given

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.diagnostics.render import render as shown
from targetenv.syntax import parse, render
from targetenv.syntax.dialects import DIALECTS
from tests.property import target_texts as texts


@given(texts.anything)
def test_any_text_gives_a_value_or_a_diagnostic_inside_the_text(text: str) -> None:
    try:
        parsed = parse(text)
        diagnostics = parsed.diagnostics
    except ParseError as error:
        diagnostics = error.diagnostics
        assert diagnostics
    for diagnostic in diagnostics:
        assert shown(diagnostic)
        for label in diagnostic.labels:
            assert diagnostic.source is not None
            assert 0 <= label.span.start <= label.span.end <= len(diagnostic.source.text)


@given(texts.damaged())
def test_what_is_read_prints_to_what_reads_the_same(text: str) -> None:
    try:
        parsed = parse(text)
    except ParseError:
        return
    again = parse(parsed.canonical)
    assert again.canonical == parsed.canonical
    assert again.env == parsed.env


@given(texts.era_c())
def test_an_environment_reads_back_from_every_era(text: str) -> None:
    parsed = parse(text)
    for era in ("vk@doc", "vk@B", "vk@C"):
        printed = render(parsed, era)
        read_back = parse(printed.text).env
        if era == "vk@doc":  # has no device
            assert read_back.offers == parsed.env.offers
        else:
            assert read_back == parsed.env


@given(texts.era_c())
def test_the_noun_alone_prints_to_the_same_environment(text: str) -> None:
    env = parse(text).env
    assert parse(render(env, "vk").text).env == env


@given(texts.with_registry_keys())
def test_every_feature_of_the_registry_survives(text: str) -> None:
    env = parse(text).env
    assert parse(render(env, "vk@C").text).env.offers.features == env.offers.features


@given(texts.era_c())
def test_compat_prints_what_compat_reads(text: str) -> None:
    parsed = parse(text, compat="iree@20231218")
    assert parse(parsed.canonical, compat="iree@20231218").canonical == parsed.canonical
    attached = render(parsed, "spirv", compat="iree@20231218").text
    assert parse(attached, compat="iree@20231218").canonical == attached


@given(texts.era_c())
def test_more_features_never_take_a_capability_away(text: str) -> None:
    parsed = parse(text)
    more = parse(text.replace("#vk.caps<", "#vk.caps<shaderResourceResidency = unit, "))
    without, with_it = (parse(render(each, "spirv").text).env.offers.spirv for each in (parsed, more))
    assert without is not None
    assert with_it is not None
    assert without.capabilities <= with_it.capabilities


@pytest.mark.parametrize("dialect", [dialect.name for dialect in DIALECTS])
@given(text=texts.era_c())
def test_every_dialect_prints_or_says_why_not(dialect: str, text: str) -> None:
    try:
        printed = render(parse(text), dialect)
    except ParseError as error:
        code = error.code
    else:
        code = ""
        parse(printed.text)
    assert code in ("", "TE1220")
