"""The grammars themselves: free of conflicts and collisions, every terminal with a name for people."""

from __future__ import annotations

import pytest

from targetenv.syntax import grammar, unexpected


@pytest.mark.parametrize("name", grammar.names())
def test_a_grammar_has_no_conflict_and_no_collision(name: str) -> None:
    pytest.importorskip("interegular")
    grammar.load(name, strict=True)


@pytest.mark.parametrize("name", grammar.names())
def test_every_terminal_has_a_name_for_people(name: str) -> None:
    terminals = {str(terminal.name) for terminal in grammar.load(name).terminals}
    assert terminals - set(unexpected.TERMINAL_NAMES) == set()


def test_a_grammar_is_built_once() -> None:
    assert grammar.load("vk_target_env") is grammar.load("vk_target_env")
