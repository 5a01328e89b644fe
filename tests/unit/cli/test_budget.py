"""What reading one file may cost is bounded by what the caller allows."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from targetenv.artifacts import inspect
from targetenv.artifacts.containers import Budget
from targetenv.diagnostics.diagnostic import FormatError
from tests.unit.artifacts import iree_builder as iree

FILE = iree.module(iree.vulkan(), iree.vulkan())


@pytest.mark.parametrize(
    ("budget", "code"),
    [
        (Budget(depth=1), "TE4003"),
        (Budget(entries=1), "TE4003"),
        (Budget(seconds=3, clock=count().__next__), "TE4081"),
    ],
)
def test_a_file_above_the_budget_is_refused(budget: Budget, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        inspect(FILE, name="two.vmfb", budget=budget)
    assert refused.value.code == code


def test_time_is_unbounded_unless_it_is_bounded() -> None:
    assert len(inspect(FILE, name="two.vmfb", budget=Budget()).artifacts) == 2
    assert len(inspect(FILE, name="two.vmfb", budget=Budget(seconds=60)).artifacts) == 2


@pytest.mark.parametrize("option", ["--max-depth=1", "--max-entries=0", "--max-seconds=0"])
@pytest.mark.parametrize("verb", ["inspect", "pack"])
def test_the_command_line_sets_the_limits(verb: str, option: str, tmp_path: Path, te: Any) -> None:
    (tmp_path / "two.vmfb").write_bytes(FILE)
    output = ("-o", tmp_path / "two.tenv") if verb == "pack" else ()
    said = te(verb, option, *output, tmp_path / "two.vmfb")
    assert said.status == 2
    assert "error[TE4081]" in said.err if "seconds" in option else "error[TE4003]" in said.err


def test_limits_are_numbers_with_units(tmp_path: Path, te: Any) -> None:
    (tmp_path / "two.vmfb").write_bytes(FILE)
    assert te("inspect", "--max-inflated=64M", tmp_path / "two.vmfb").status == 0
    assert te("inspect", "--max-inflated=64MB", tmp_path / "two.vmfb").status == 2


def test_a_long_module_is_not_read_to_its_end_when_the_time_is_over() -> None:
    nops = (1 << 16).to_bytes(4, "little") * (1 << 20)
    ticks = count()
    with pytest.raises(FormatError) as refused:
        inspect(iree.SPIRV + nops, name="long.spv", budget=Budget(seconds=3, clock=ticks.__next__))
    assert refused.value.code == "TE4081"
    assert next(ticks) == 5
