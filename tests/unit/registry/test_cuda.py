"""Which PTX goes where, held against what ptxas decides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from targetenv.registry import cuda

CORPUS = Path(__file__).parents[2] / "corpora" / "ptxas"


def decided(text: str) -> list[tuple[str, str, bool]]:
    first, *rows = text.strip().splitlines()
    tried = first.partition(": ")[2].split()
    return [
        (target, arch, arch in accepted.split())
        for target, _, accepted in (row.partition(": ") for row in rows)
        for arch in tried
    ]


def ours(target: str, arch: str) -> bool:
    """The device rule, put to an `-arch` value: code for one chip only wants exactly that chip's `a` architecture."""
    if target.endswith("a"):
        return arch == target
    number, suffix = re.fullmatch(r"(\d+)(f?)", target).groups()  # type: ignore[union-attr]
    return cuda.ptx_runs(int(number), suffix, int(arch.rstrip("af")))


@pytest.mark.parametrize("release", ["13.0", "13.4", "13.4_107"])
def test_every_recorded_decision_of_ptxas_is_ours(release: str) -> None:
    # ptxas 13.4 lists sm_107, but no PTX ISA that it knows does: those targets fail at the other gate.
    rows = [row for row in decided((CORPUS / f"{release}.txt").read_text()) if not row[0].startswith("107")]
    assert len(rows) in (180, 529)
    assert [(target, arch) for target, arch, accepted in rows if ours(target, arch) != accepted] == []


def test_a_cubin_keeps_to_its_major_and_to_later_minors() -> None:
    assert [cuda.cubin_runs(86, "", device) for device in (80, 86, 87, 89, 90)] == [False, True, False, True, False]
    assert [cuda.cubin_runs(100, "f", device) for device in (90, 100, 103, 120)] == [False, True, True, False]
    assert [cuda.cubin_runs(100, "a", device) for device in (100, 103)] == [True, False]
