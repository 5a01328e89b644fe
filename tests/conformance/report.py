"""What the suite shows, as docs/reference/conformance.md: per device and format, and IREE's cases one by one."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conformance.backends import BACKENDS, TAGS, Backend
from tests.conformance.cases import GENERIC, IREE, OWN, Case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pytest

STABILITY = Path(__file__).with_name("stability.txt")
"""What the last `make conformance-stress` came to, written down by hand."""

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "conformance.md"

_HEAD = """# Conformance

One suite holds every driver to the rules of [the runtime](../concepts/runtime.md). It is made for each device, and where
kernels are dispatched for each format of executables. `make conformance` runs it and writes this page, unless anything failed
or could not be run; the gate holds the numbers of cases against the page.

Two kinds of cases are not passed. *Unsupported* ones are left out for good, because of what the driver is. *Expected failures*
are strict: one that passes fails the run.
"""


@dataclass
class Tally:
    """A pytest plugin: the cases that were made, and what became of them."""

    made: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)
    lacking: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reasons: set[tuple[str, str]] = field(default_factory=set)
    bad: list[str] = field(default_factory=list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Count what is made, and what is not for want of tags."""
        functions: dict[str, set[str]] = {}
        for item in items:
            key = _place(item)
            self.made[key] += 1
            for mark in item.iter_markers("skip"):
                self.unsupported[key] += 1
                self.reasons.add((key, str(mark.kwargs["reason"])))
            for mark in item.iter_markers("xfail"):
                self.expected[key] += 1
                self.reasons.add((key, str(mark.kwargs["reason"])))
            if key != _CORE:
                name = item.nodeid.partition("[")[0]
                functions[name] = {tag for mark in item.iter_markers("needs") for tag in mark.args}
        for backend in BACKENDS:
            for needs in functions.values():
                for tag in needs - backend.tags:
                    self.lacking[backend.name][tag] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what did not pass and was not expected."""
        if report.failed or (report.skipped and not hasattr(report, "wasxfail") and not self._excluded(report)):
            self.bad.append(report.nodeid)

    def _excluded(self, report: pytest.TestReport) -> bool:
        told = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        return any(reason in told for _, reason in self.reasons)

    def page(self) -> str:
        """The page, if everything passes that is neither unsupported nor expected to fail."""
        return "\n".join((_HEAD, *self._devices(), "", *self._lacks(), "", *_stability(), "", *_cases()))

    def _devices(self) -> Iterator[str]:
        yield "| device | what it is | kernels in | cases | passed | unsupported | expected failures |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        for backend in BACKENDS:
            plain = self.made[backend.name]
            for row, kind in enumerate(backend.formats):
                key = f"{backend.name} {kind}"
                counts = [
                    counter[key] + (counter[backend.name] if row == 0 else 0)
                    for counter in (self.made, self.unsupported, self.expected)
                ]
                yield _row(backend, kind.removesuffix(f"-{os.uname().machine}"), *counts, plain=plain if row == 0 else 0)
        yield _core(self.made[_CORE])
        if self.reasons:
            yield ""
            yield from (f"* {key}: {reason}" for key, reason in sorted(self.reasons))

    def _lacks(self) -> Iterator[str]:
        yield "What a driver can do for good is said by tags. The cases of a tag that it lacks are not made for it:"
        yield ""
        yield "| device | lacks | cases |"
        yield "| --- | --- | --- |"
        for backend in BACKENDS:
            for tag, about in TAGS.items():
                if count := self.lacking[backend.name][tag]:
                    yield f"| {backend.name} | {about} | {count} |"


_CORE = ""


def _place(item: pytest.Item) -> str:
    """The row that a case belongs to."""
    call = getattr(item, "callspec", None)
    if call is None or "backend" not in call.params:
        return _CORE
    name: str = call.params["backend"].name
    return f"{name} {call.params['image_kind']}" if "image_kind" in call.params else name


def _row(backend: Backend, kind: str, made: int, unsupported: int, expected: int, *, plain: int) -> str:
    passed = made - unsupported - expected
    cases = f"{made} ({plain} without kernels)" if plain else str(made)
    return f"| {backend.name} | {backend.about} | {kind} | {cases} | {passed} | {unsupported} | {expected} |"


def _core(made: int) -> str:
    return f"| | the core alone, and a device with faults in it | | {made} | {made} | 0 | 0 |"


def _stability() -> Iterator[str]:
    yield "## Again and again"
    yield ""
    yield "`make conformance-stress` runs the suite 50 times in random order, once in Python's development mode, and then lets"
    yield "four threads hammer each device for a minute, every result checked; the gate hammers for two seconds. The last time:"
    yield ""
    yield from (f"* {line}" for line in STABILITY.read_text(encoding="utf-8").splitlines())


def _cases() -> Iterator[str]:
    generic, vulkan = IREE[:GENERIC], IREE[GENERIC:]
    adopted = [case for case in generic if case.adopted in "YM"]
    shown = sum(bool(case.shown) for case in adopted)
    yield "## IREE's cases"
    yield ""
    theirs = sum(bool(case.shown) for case in vulkan)
    yield f"IREE's suite has {len(generic)} generic cases. {len(adopted)} of them are to be adopted as they are (Y) or with"
    yield f"changes (M): {shown} are. Of those that are optional (L), {_shown(generic, 'L')}; nothing in our API stands for the"
    yield f"others (N). Of the {len(vulkan)} cases that its Vulkan driver has for itself, {theirs} are shown."
    yield ""
    yield "| case | | ours |"
    yield "| --- | --- | --- |"
    yield from (f"| {case.name} | {case.adopted} | {_answer(case)} |" for case in IREE)
    yield ""
    yield "## What it lacks"
    yield ""
    yield "| case | ours |"
    yield "| --- | --- |"
    yield from (f"| {case.name} | {_answer(case)} |" for case in OWN)
    yield ""


def _shown(cases: Iterable[Case], adopted: str) -> str:
    rows = [case for case in cases if case.adopted == adopted]
    return f"{sum(bool(case.shown) for case in rows)} of {len(rows)} are"


def _answer(case: Case) -> str:
    return "; ".join(f"`{name}`" for name in case.shown) if case.shown else f"— {case.reason}"
