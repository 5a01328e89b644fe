"""CPUs by name, with edits."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.model.capabilities import Capabilities
from targetenv.model.target_env import TargetEnv
from targetenv.registry import aarch64, x86
from targetenv.syntax import parse, render


@pytest.mark.parametrize("name", sorted(x86.names() | aarch64.names()))
def test_every_name_prints_as_it_was_read_and_is_its_closure(name: str) -> None:
    parsed = parse(name, dialect="cpu")
    closure = x86.features(name) if name in x86.names() else aarch64.features(name)
    assert (parsed.canonical, parsed.env.offers.features) == (name, closure)
    assert render(parsed.env, "cpu").text == name


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("x86-64-v3,+avx512f,-fma", "x86-64-v3,+avx512f,-fma"),
        ("-march=haswell -mattr=+avx512f,-fma", "haswell,+avx512f,-fma"),
        ("-mcpu=neoverse-n1", "neoverse-n1"),
        ("armv8.2-a+sve2+nolse", "armv8.2-a+sve2+nolse"),
    ],
)
def test_edits_are_read_in_every_form_and_printed_in_one(text: str, canonical: str) -> None:
    parsed = parse(text)
    assert (parsed.dialect, parsed.canonical) == ("cpu", canonical)
    assert parse(canonical).env == parsed.env


def test_edits_apply_from_left_to_right() -> None:
    assert "fma" in parse("x86-64-v3,-fma,+fma").env.offers.features
    assert "fma" not in parse("x86-64-v3,+fma,-fma").env.offers.features


def test_an_environment_prints_as_its_level_and_what_differs() -> None:
    offers = Capabilities("cpu", isa="x86-64-v2", features=x86.features("x86-64-v2") | {"avx"})
    assert render(TargetEnv(offers), "cpu").text == "x86-64-v2,+avx"


@pytest.mark.parametrize(
    ("text", "code", "place", "repair"),
    [
        ("x86_64-v3", "TE1213", "x86_64-v3", "write `x86-64-v3`"),
        ("x86-64v3", "TE1213", "x86-64v3", "write `x86-64-v3`"),
        ("amd64-v2", "TE1213", "amd64-v2", "write `x86-64-v2`"),
        ("x86-64-v5", "TE1213", "x86-64-v5", ""),
        ("-march=haswel", "TE1213", "haswel", "`haswell`"),
        ("native", "TE1213", "native", "targetenv probe"),
        ("x86-64-v3,+avx512", "TE1218", "avx512", "`avx512"),
        ("armv8.2-a+sve3", "TE1218", "sve3", "`sve2`"),
        ("x86-64-v3;", "TE1002", ";", ""),
    ],
)
def test_mistakes_are_pointed_at(text: str, code: str, place: str, repair: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.span is not None
    assert (diagnostic.code, diagnostic.span.of(text)) == (code, place)
    assert repair in diagnostic.help
