"""What docs/concepts/runtime.md shows runs, and the rules that it states are the rules that are tested."""

from __future__ import annotations

import re
from pathlib import Path

from tests.unit.runtime import test_rules

PAGE = (Path(__file__).parents[3] / "docs/concepts/runtime.md").read_text()


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/concepts/runtime.md", "exec"), {})


def test_every_tested_rule_is_stated_under_its_number() -> None:
    stated = {int(number) for number in re.findall(r"^(\d+)\. ", PAGE, re.MULTILINE)}
    tested = {int(number) for name in vars(test_rules) if (number := "".join(re.findall(r"^TestRule(\d+)", name)))}
    assert stated == set(range(1, 19))
    assert tested == {*range(1, 12), 14, 16, 17, 18}
