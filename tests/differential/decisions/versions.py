"""packaging: the order of versions, and which macOS runs what was built for which."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from targetenv.match.check import check
from targetenv.match.environment import offers_of, requirements_of
from targetenv.match.stack import parse_stack
from targetenv.model.requirement import NeedsVersion
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.syntax import parse
from tests.differential.decisions.decision import Decision, Oracle

VERSIONS = "1.0 1.1 1.2 1.3 1.10 1.1.120 1.3.230 1.3.30 2.0 8.7 8.10 10.0 12.8 12.8.1 13.0 570.26 570.86 580".split()
MACS = "10.12 10.13 10.14 10.15 11.0 12.0 13.0 14.0 15.0".split()


def version() -> str:
    try:
        return f"packaging {installed('packaging')}"
    except PackageNotFoundError:
        return ""


def order() -> Iterator[Decision]:
    from packaging.version import Version as Theirs

    for one, other in itertools.product(VERSIONS, repeat=2):
        yield Decision(f"{one} >= {other}", Theirs(one) >= Theirs(other), Version.parse(one) >= Version.parse(other))


def systems() -> Iterator[Decision]:
    from packaging.tags import mac_platforms

    for built, runs in itertools.product(MACS, repeat=2):
        major, minor = map(int, runs.split("."))
        tag = f"macosx_{built.replace('.', '_')}_x86_64"
        theirs = tag in set(mac_platforms((major, minor), "x86_64"))
        needs = [need for need in requirements_of(parse(f"air64-apple-macosx{built}").env) if isinstance(need, NeedsVersion)]
        offers = offers_of(parse(f"air64-apple-macosx{runs}").env)
        ours = all(check(need, offers).outcome is Outcome.SATISFIED for need in needs)
        yield Decision(f"built for macOS {built}, on {runs}", theirs, ours)


def decide() -> Iterator[Decision]:
    assert str(parse_stack("cuda=12.8")) == "cuda 12.8"
    yield from order()
    yield from systems()


ORACLES = (Oracle("packaging", "the order of versions; which macOS runs what was built for which", version, decide),)
