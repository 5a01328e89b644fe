"""Every noun is a value: hashable, and nothing inside it can change."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import targetenv
import targetenv.model
from tests.property.strategies import NOUNS


def records_in(package: object) -> list[type]:
    """Every `record` that modules below `package` define."""
    found = []
    for module_info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):  # type: ignore[attr-defined]
        if "_codegen" in module_info.name or "_generated" in module_info.name or module_info.name.endswith("__main__"):
            continue
        module = importlib.import_module(module_info.name)
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type) and value.__module__ == module.__name__ and is_record(value)
        ]
    return found


def is_record(cls: type) -> bool:
    return "__match_args__" in vars(cls) and "__slots__" in vars(cls) and hasattr(cls, "__annotations__")


MODEL = records_in(targetenv.model)


def test_every_noun_has_a_strategy() -> None:
    assert set(MODEL) == set(NOUNS)


@pytest.mark.parametrize("noun", MODEL, ids=lambda noun: noun.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_a_noun_hashes_and_holds_nothing_that_can_change(noun: type, data: st.DataObject) -> None:
    value = data.draw(NOUNS[noun])
    assert type(value) is noun
    assert hash(value) == hash(value)
    for name in noun.__match_args__:  # type: ignore[attr-defined]
        assert not isinstance(getattr(value, name), list | dict | set | bytearray), name


@pytest.mark.parametrize("noun", records_in(targetenv), ids=lambda noun: f"{noun.__module__}.{noun.__name__}")
def test_no_field_is_declared_as_something_that_can_change(noun: type) -> None:
    mutable = {name: text for name, text in noun.__annotations__.items() if re.match(r"(list|dict|set|bytearray)\b", str(text))}
    assert not mutable
