"""A short run of the fuzzer of the readers in every gate; longer ones by hand."""

from __future__ import annotations

import pytest

from tests.fuzz import fuzz_syntax


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_gets_past_the_readers(seed: int) -> None:
    assert fuzz_syntax.run(0.5, seed) > 0
