"""Interleaved timing: every round runs every case once, so that a slow minute of the machine is slow for all of them.

What is reported is the median and the minimum over rounds, of wall time and of CPU time (all threads of the process, or the
whole child process). A round in which other processes used more than a part of one core is dropped and made again.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

LOUD = 0.15  # of one core, used by others during a round
TICK = os.sysconf("SC_CLK_TCK")


class Sample(NamedTuple):
    """Seconds that one run of a case took."""

    wall: float
    cpu: float


class Case(NamedTuple):
    """Something to time: one `run` does the job `jobs` times."""

    name: str
    run: Callable[[], Sample]
    jobs: int = 1


class Timing(NamedTuple):
    """Seconds for one job, over all rounds that were kept."""

    median: float
    least: float
    cpu: float
    rounds: int
    dropped: int


def timed(function: Callable[[], object], count: int = 1) -> Callable[[], Sample]:
    """A run that calls `function` `count` times in this process."""

    def run() -> Sample:
        cpu = time.process_time_ns()
        wall = time.perf_counter_ns()
        for _ in range(count):
            function()
        return Sample((time.perf_counter_ns() - wall) * 1e-9, (time.process_time_ns() - cpu) * 1e-9)

    return run


def case(name: str, function: Callable[[], object], count: int = 1, *, jobs: int = 1) -> Case:
    """A case that calls `function` `count` times a round; every call does `jobs` of the jobs that are reported."""
    return Case(name, timed(function, count), count * jobs)


def process(
    name: str, *command: str | os.PathLike[str], cwd: Path | None = None, environment: dict[str, str] | None = None
) -> Case:
    """A case that starts a program and waits for it; its output is thrown away, its failure ends the benchmark."""
    arguments = [os.fspath(part) for part in command]
    silent = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, silent, 0), (os.POSIX_SPAWN_DUP2, silent, 1), (os.POSIX_SPAWN_DUP2, silent, 2)]

    def run() -> Sample:
        wall = time.perf_counter_ns()
        child = os.posix_spawnp(arguments[0], arguments, dict(os.environ), file_actions=actions)
        _, status, usage = os.wait4(child, 0)
        took = (time.perf_counter_ns() - wall) * 1e-9
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit(f"benchmark: `{' '.join(arguments)}` ended with {os.waitstatus_to_exitcode(status)}")
        return Sample(took, usage.ru_utime + usage.ru_stime)

    return Case(name, run)


def interleave(cases: Sequence[Case], *, rounds: int, patience: int = 2) -> dict[str, Timing]:
    """Time all cases, `rounds` times, dropping at most `patience` times as many loud rounds."""
    kept: dict[str, list[Sample]] = {one.name: [] for one in cases}
    loud: dict[str, list[Sample]] = {one.name: [] for one in cases}
    for one in cases:
        one.run()  # caches, lazy imports and pages are not what is measured
    dropped = 0
    for number in range(rounds * (1 + patience)):
        order = [*cases[number % len(cases) :], *cases[: number % len(cases)]]
        before = _Load.now()
        samples = {one.name: one.run() for one in order}
        quiet = before.others() <= LOUD
        for name, sample in samples.items():
            (kept if quiet else loud)[name].append(sample)
        dropped += not quiet
        if number + 1 - dropped == rounds:
            break
    return {one.name: _timing(kept[one.name] or loud[one.name], one.jobs, dropped) for one in cases}


def pin(cpu: int | None) -> None:
    """Keep this process, and every thread it will start, on one core."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


def _timing(samples: list[Sample], count: int, dropped: int) -> Timing:
    wall = [sample.wall / count for sample in samples]
    cpu = statistics.median(sample.cpu / count for sample in samples)
    return Timing(statistics.median(wall), min(wall), cpu, len(samples), dropped)


class _Load(NamedTuple):
    """Busy time of the whole machine and of this process with its children, seconds since some beginning."""

    machine: float
    ours: float
    at: float

    @classmethod
    def now(cls) -> _Load:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split(None, 9)[1:9])
        return cls((user + nice + system + irq + softirq + steal) / TICK, sum(os.times()[:4]), time.monotonic())

    def others(self) -> float:
        """How much of one core everybody else has used since then."""
        now = _Load.now()
        ticks = 1 / TICK  # both counts are whole ticks
        return max(0.0, now.machine - self.machine - (now.ours - self.ours) - ticks) / max(now.at - self.at, 1e-9)
