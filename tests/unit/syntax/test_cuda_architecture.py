"""NVIDIA architectures by name."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.registry import cuda
from targetenv.syntax import parse, render


@pytest.mark.parametrize("name", cuda.names("sm") + cuda.names("compute"))
def test_every_name_prints_as_it_was_read(name: str) -> None:
    parsed = parse(name)
    assert (parsed.dialect, parsed.canonical, render(parsed.env, "cuda").text) == ("cuda", name, name)


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("SM_80", "sm_80"),
        ("sm80", "sm_80"),
        ("compute-90", "compute_90"),
        ("sm_9x", "sm_90"),
        ("sm_90f", "sm_90"),
        ("sm_999", ""),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(text: str, repair: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.code == "TE1213"
    assert f"`{repair}`" in caught.value.diagnostics[0].help or not repair
