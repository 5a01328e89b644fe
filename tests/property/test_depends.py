"""Laws of dependency expressions, and the reader against an evaluator that works quite differently."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.registry import depends, spirv_environment, vulkan
from targetenv.registry._generated import spirv_enables

NAMES = st.sampled_from(["VK_A", "VK_B", "VK_C", "VK_VERSION_1_2", "VkS::f"])
EXPRESSIONS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+,"), inner).map("".join), inner.map("({})".format), NAMES.map("!{}".format)
    ),
    max_leaves=12,
)
VALUES = st.dictionaries(NAMES, st.booleans())


def by_rewriting(expression: str, holds: dict[str, bool]) -> bool:
    """Names become 0 and 1, then the leftmost thing that can be reduced is, until one digit is left."""
    text = re.sub(r"[A-Za-z_]\w*(::\w+)?", lambda name: str(int(holds.get(name[0], False))), "".join(expression.split()))
    rules = [
        (r"!([01])", lambda m: str(1 - int(m[1]))),
        (r"\(([01])\)", lambda m: m[1]),
        (r"(^|\()([01])([+,])([01])", lambda m: m[1] + str(int(m[2]) & int(m[4]) if m[3] == "+" else int(m[2]) | int(m[4]))),
    ]
    while len(text) > 1:
        for pattern, rule in rules:
            text, reduced = re.subn(pattern, rule, text, count=1)
            if reduced:
                break
        else:
            raise AssertionError(text)
    return text == "1"


def expressions_of_the_registry() -> set[str]:
    found = {vulkan.extension(name).depends for name in vulkan.extension_names()}  # type: ignore[union-attr]
    blocks = [*vulkan.extension_names(), *(f"VK_VERSION_1_{minor}" for minor in range(5))]
    found |= {row.depends for name in blocks for row in vulkan.required_features(name)}
    for table in (spirv_enables.CAPABILITIES, spirv_enables.EXTENSIONS):
        for conditions in spirv_environment._enables(table).values():
            found |= {condition[4] for condition in conditions}
    return found - {""}


def test_every_expression_of_the_registry_means_what_brute_force_says() -> None:
    expressions = expressions_of_the_registry()
    assert len(expressions) > 200
    for expression in expressions:
        names = depends.names(expression)
        for values in itertools.product((False, True), repeat=min(len(names), 8)):
            holds = dict.fromkeys(names, False) | dict(zip(names, values, strict=False))
            assert depends.evaluate(expression, holds.__getitem__) is by_rewriting(expression, holds), (expression, holds)


@given(EXPRESSIONS, VALUES)
def test_any_expression_means_what_brute_force_says(expression: str, holds: dict[str, bool]) -> None:
    assert depends.evaluate(expression, lambda name: holds.get(name, False)) is by_rewriting(expression, holds)


@given(EXPRESSIONS, VALUES)
def test_unknown_is_answered_only_where_it_matters(expression: str, known: dict[str, bool]) -> None:
    """None exactly when filling the unknown names in differently gives different answers, if each name stands once."""
    names = depends.names(expression)
    answer = depends.evaluate(expression, known.get)
    unknown = [name for name in names if name not in known]
    fillings = (dict(zip(unknown, values, strict=True)) for values in itertools.product((False, True), repeat=len(unknown)))
    answers = {depends.evaluate(expression, (known | filling).__getitem__) for filling in fillings}
    if answer is not None:
        assert answers == {answer}
    elif len(names) == len(re.findall(r"[A-Za-z_]\w*(?:::\w+)?", expression)):
        assert answers == {False, True}


@given(st.text(alphabet="VK_A:+,!() \t", max_size=40))
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        tree = depends.parse(text)
    except ValueError:
        return
    assert tree
    assert depends.names(text)


@pytest.mark.parametrize("depth", [10, 60])
def test_brackets_nest_to_a_bound(depth: int) -> None:
    assert depends.evaluate("(" * depth + "VK_A" + ")" * depth, {"VK_A": True}.__getitem__) is True
