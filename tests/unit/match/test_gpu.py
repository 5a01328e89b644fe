"""GPU code on GPUs, beside the recorded decisions of IREE's reader of AMD target IDs."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv.match.check import Judge
from targetenv.match.environment import offers_of, requirements_of, requirements_of_kind
from targetenv.match.pair import findings
from targetenv.model.verdict import Finding, Outcome
from targetenv.syntax import parse

PAIRS = [line.split("\t") for line in (Path(__file__).parents[2] / "corpora" / "amdgpu" / "pairs.txt").read_text().splitlines()]


def judged(code: str, agent: str) -> tuple[Finding, ...]:
    return findings(requirements_of(parse(code).env), Judge(offers_of(parse(agent).env)))


def bits(code: str, agent: str) -> int:
    """Our answer in the bits of the recorded one; unknown counts as a no, as there."""
    found = {each.requires: each.outcome for each in judged(code, agent) if each.outcome is not Outcome.SATISFIED}
    processor = 2 if code.partition(":")[0].endswith("-generic") else 1
    total = processor if any(name.startswith("instruction set") for name in found) else 0
    return total + sum(bit for name, bit in (("sramecc", 8), ("xnack", 16)) if any(name in phrase for phrase in found))


def knowingly_different(code: str, agent: str) -> bool:
    """IREE counts gfx1170 to gfx1172 to gfx11-generic; LLVM gives them a family of their own, gfx11-7-generic, and decides."""
    return code.startswith("gfx11-generic") and agent.startswith("gfx117")


def test_every_recorded_pair_is_decided_as_iree_does() -> None:
    assert len(PAIRS) > 1400
    different = [
        (code, agent, int(want), got)
        for code, agent, want in PAIRS
        if (got := bits(code, agent)) != int(want) and not knowingly_different(code, agent)
    ]
    assert different == []


@pytest.mark.parametrize(
    ("code", "device", "outcome"),
    [
        ("sm_86", "sm_89", "satisfied"),
        ("sm_89", "sm_86", "unsatisfied"),
        ("sm_90a", "sm_90", "satisfied"),
        ("sm_90a", "sm_100", "unsatisfied"),
        ("sm_100f", "sm_103", "satisfied"),
        ("compute_80", "sm_121", "satisfied"),
        ("compute_90a", "sm_100", "unsatisfied"),
        ("compute_100f", "sm_120", "unsatisfied"),
    ],
)
def test_nvidia_code_runs_where_nvidia_says(code: str, device: str, outcome: str) -> None:
    found = next(each for each in judged(code, device) if each.requires.startswith("instruction set"))
    assert found.outcome.value == outcome
    assert found.rule.startswith(("cuda.ptx", "cuda.cubin"))


@pytest.mark.parametrize(
    ("kind", "target", "device", "fits"),
    [("ptx", "sm_80", "sm_90", True), ("cubin", "sm_80", "sm_90", False), ("hsaco", "gfx90a:xnack+", "gfx90a:xnack-", False)],
)
def test_a_kind_says_which_executable_of_a_target_is_meant(kind: str, target: str, device: str, fits: bool) -> None:
    found = findings(requirements_of_kind(kind, parse(target).env), Judge(offers_of(parse(device).env)))
    assert all(each.outcome is Outcome.SATISFIED for each in found) is fits


def test_a_kind_of_another_api_is_refused() -> None:
    with pytest.raises(ValueError, match="a target of rocm has no ptx"):
        requirements_of_kind("ptx", parse("gfx90a").env)
