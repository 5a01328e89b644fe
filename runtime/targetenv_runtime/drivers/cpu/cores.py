"""How many cores and how much memory this process may use, by its scheduler and control groups, and what the machine has.

Files are read below a root folder, so that recorded machines can stand for this one. Sources: cpuset(7), cgroup-v2.rst
(`cpu.max`, `memory.max`; a limit of an ancestor binds too), cgroup-v1 (`cpu.cfs_quota_us` / `cpu.cfs_period_us`,
`memory.limit_in_bytes`).
"""

from __future__ import annotations

import os

from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@record
class Cores:
    """`available` is how many threads are worth having: the processors that this process may be scheduled on, or the processor
    time that its control groups grant it, rounded up, if that is less. `machine` counts the processors online. `quota` is that
    grant in processors, None when there is none.
    """

    available: int
    machine: int
    quota: float | None = None


def cores(root: str = "", allowed: frozenset[int] | None = None) -> Cores:
    """The cores under `root`, for a process that may run on the processors in `allowed` (default: what the scheduler says)."""
    if allowed is None:
        allowed = frozenset(os.sched_getaffinity(0))
    online = numbers(text(f"{root}/sys/devices/system/cpu/online"))
    quota = min(_quotas(root), default=None)
    available = len(allowed & online) if online and allowed & online else len(allowed)
    if quota is not None:
        available = min(available, max(1, -int(-quota // 1)))
    return Cores(max(available, 1), len(online) or len(allowed), quota)


def memory(root: str = "") -> tuple[int | None, int | None]:
    """Bytes of memory that this process may use, and that the machine has; None for what is not said."""
    line = next((line for line in text(f"{root}/proc/meminfo").splitlines() if line.startswith("MemTotal:")), None)
    machine = int(line.split()[1]) * 1024 if line else None
    limits = [int(limit) for limit in _limits(root, "memory", "memory.max", "memory.limit_in_bytes") if limit.isdigit()]
    bounds = [limit for limit in (*limits, machine) if limit is not None]
    return min(bounds, default=None), machine


def text(path: str) -> str:
    """A small file of the kernel's, without the blanks around it; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123  pathlib takes 5 ms of every start
            return file.read().strip()
    except OSError:
        return ""


def numbers(ranges: str) -> frozenset[int]:
    """What the kernel writes for a set of processors.

    >>> sorted(numbers("0-2,7"))
    [0, 1, 2, 7]
    """
    found: set[int] = set()
    for part in ranges.split(","):
        first, _, last = part.strip().partition("-")
        if first.isdigit() and (last or first).isdigit():
            found.update(range(int(first), min(int(last or first), int(first) + 65535) + 1))
    return frozenset(found)


def _quotas(root: str) -> Iterator[float]:
    for limit in _limits(root, "cpu", "cpu.max", "cpu.cfs_quota_us"):
        quota, _, period = limit.partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _limits(root: str, controller: str, unified: str, legacy: str) -> Iterator[str]:
    """What the control groups of this process say, from its own to the outermost that is visible here."""
    for line in text(f"{root}/proc/self/cgroup").splitlines():
        number, controllers, path = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            for folder in _upwards(f"{root}/sys/fs/cgroup", path):
                yield text(f"{folder}/{unified}")
        elif controller in controllers.split(","):
            for folder in _upwards(f"{root}/sys/fs/cgroup/{controller}", path):
                period = text(f"{folder}/cpu.cfs_period_us") if controller == "cpu" else ""
                yield f"{text(f'{folder}/{legacy}')} {period}".strip()


def _upwards(mount: str, path: str) -> Iterator[str]:
    """The folder of a control group, and those above it. In a container the path may be the host's, and only the top there."""
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for count in range(len(parts), -1, -1):
        yield "/".join((mount, *parts[:count]))
