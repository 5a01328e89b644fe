"""What our rules decide about two targets."""

from __future__ import annotations

from functools import cache

from targetenv.match.check import Judge
from targetenv.match.environment import offers_of, requirements_of, requirements_of_kind
from targetenv.match.stack import Stack, parse_stack
from targetenv.model.requirement import NeedsFormat, NeedsSubgroupSize
from targetenv.model.verdict import Outcome
from targetenv.syntax import parse

_ORDER = (Outcome.SATISFIED, Outcome.UNKNOWN, Outcome.UNSATISFIED)


@cache
def judge(offers: str, as_of: str = "") -> Judge:
    return Judge(offers_of(parse(offers).env), parse_stack(as_of) if as_of else Stack())


def outcome(requires: str, offers: str, *, kind: str = "", as_of: str = "") -> Outcome:
    """The worst answer to what code for one target requires of another, formats and subgroup sizes aside."""
    env = parse(requires).env
    needs = requirements_of_kind(kind, env) if kind else requirements_of(env)
    asked = judge(offers, as_of)
    answers = [asked.check(need).outcome for need in needs if not isinstance(need, (NeedsFormat, NeedsSubgroupSize))]
    return max(answers, key=_ORDER.index, default=Outcome.SATISFIED)


def fits(requires: str, offers: str, *, kind: str = "", as_of: str = "") -> bool:
    """Whether it certainly runs."""
    return outcome(requires, offers, kind=kind, as_of=as_of) is Outcome.SATISFIED
