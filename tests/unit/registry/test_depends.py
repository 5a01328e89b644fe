"""Dependency expressions."""

from __future__ import annotations

import pytest

from targetenv.registry import depends


def _holds(*names: str):  # type: ignore[no-untyped-def]
    return lambda name: name in names


def test_and_binds_no_tighter_than_or() -> None:
    assert not depends.evaluate("VK_A,VK_B+VK_C", _holds("VK_A"))
    assert depends.evaluate("VK_A+VK_B,VK_C", _holds("VK_C"))


def test_parentheses_bind_tighter() -> None:
    assert depends.evaluate("VK_A,(VK_B+VK_C)", _holds("VK_A"))


def test_a_feature_is_an_atom() -> None:
    assert depends.evaluate("VK_VERSION_1_2+VkS::f", _holds("VK_VERSION_1_2", "VkS::f"))
    assert depends.names("VK_VERSION_1_2+VkS::f") == ("VK_VERSION_1_2", "VkS::f")


def test_not_negates_the_next_name() -> None:
    assert depends.evaluate("!VK_A+VK_B", _holds("VK_B"))


def test_an_empty_expression_holds() -> None:
    assert depends.evaluate("", _holds()) is True


@pytest.mark.parametrize(
    "text", ["(VK_A", "VK_A)", "VK_A++VK_B", "VK_A+", "+VK_A", "VK_A VK_B", "VK_A-VK_B", "()", "A::B::C", "(" * 100]
)
def test_what_is_no_expression_is_refused_not_skipped(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        depends.parse(text)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("VK_N+VK_F", False),
        ("VK_F+VK_N", False),
        ("VK_N,VK_T", True),
        ("VK_T,VK_N", True),
        ("VK_N+VK_T", None),
        ("VK_F,VK_N", None),
        ("!VK_N", None),
    ],
)
def test_what_is_known_decides_where_it_can(expression: str, value: bool | None) -> None:
    known = {"VK_T": True, "VK_F": False, "VK_N": None}
    assert depends.evaluate(expression, known.__getitem__) is value
