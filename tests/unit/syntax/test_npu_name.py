"""NPUs by name."""

from __future__ import annotations

import pytest

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.registry import npu
from targetenv.syntax import parse, render


@pytest.mark.parametrize("name", [*npu.aie_devices(), *npu.habana_devices()])
def test_every_name_prints_as_it_was_read(name: str) -> None:
    parsed = parse(name)
    assert (parsed.canonical, render(parsed.env, parsed.dialect).text) == (name, name)


def test_a_partition_offers_its_own_columns() -> None:
    assert parse("npu1_2col").env.offers.property("aie::columns") == 2
    assert parse("npu4").env.offers.property("aie::columns") == 8


@pytest.mark.parametrize(
    ("text", "repair"), [("npu1_4cols", "npu1_4col"), ("NPU4", "npu4"), ("gaudi-2", "gaudi2"), ("npu7", "npu")]
)
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(text: str, repair: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.code == "TE1213"
    assert repair in caught.value.diagnostics[0].help
