"""IREE's old triples: right ones stand for an environment, wrong ones are told apart from what IREE made of them."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render


@pytest.mark.parametrize("text", ["RDNA3-unknown-linux", "rdna3-unknown-beos", "bogus-bogus-bogus", "rdna3-7900xtx-linux"])
def test_a_part_that_iree_took_for_unknown_is_an_error_with_a_note(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.code == "TE1213"
    assert "exits with 0" in caught.value.diagnostics[0].notes[0]


def test_a_triple_has_three_parts() -> None:
    with pytest.raises(ParseError) as caught:
        parse("rdna3-unknown")
    assert caught.value.code == "TE1233"


def test_llvm_is_asked_first() -> None:
    assert parse("x86_64-unknown-linux").dialect == "llvm"
    assert parse("rdna3-unknown-linux").dialect == "triple"


def test_an_environment_finds_its_triple() -> None:
    text = render(parse("ampere-unknown-linux"), "vk@C").text
    assert render(parse(text), "triple").text == "turing-unknown-linux", "IREE gives both the same environment"


def test_another_release_expands_the_same_triple_anew() -> None:
    triple = parse("rdna3-unknown-linux")
    assert "VK_KHR_buffer_device_address" not in render(triple, "vk").text
    assert "VK_KHR_buffer_device_address" in render(triple, "vk", compat="iree@20240410").text


def test_triples_of_a_release_that_was_not_recorded_are_refused() -> None:
    with pytest.raises(ParseError) as caught:
        parse("rdna3-unknown-linux", compat="iree@3.13")
    assert caught.value.code == "TE1214"
