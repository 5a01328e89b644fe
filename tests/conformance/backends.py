"""The devices that the suite runs on, and what each of them cannot do.

A case asks for tags with `@pytest.mark.needs(...)` and is not made for backends without them:

    executes     commands have effects (null: none do)
    async        submission never blocks: the host goes on while work waits or runs
    multi_queue  there are two queues or more
    faults       a kernel can fail, and says so
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from targetenv_runtime.device import Device, open_device

from tests.conformance.kernels import CPU

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Cases that a backend does not pass: a glob over `TestSuite.test_case`, and why."""

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True)
class Backend:
    """One device under test.

    `unsupported` cases are skipped for good: they document the driver. `expected_failures` are strict: one that passes fails
    the run, so that the list can only shrink. A device opened with `validation` must have told nothing after every case.
    """

    name: str
    uri: str
    tags: frozenset[str] = frozenset()
    formats: tuple[str, ...] = ()
    unsupported: tuple[Exclusion, ...] = ()
    expected_failures: tuple[Exclusion, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    validation: bool = False

    @property
    def driver(self) -> str:
        """The driver's name, as `--require-driver` takes it."""
        return self.uri.partition("://")[0]

    def open(self) -> Device:
        """A new open device; HalError with UNAVAILABLE where there is none."""
        return open_device(self.uri, **self.options)


BACKENDS = (
    Backend("null", "null://0", frozenset({"multi_queue"}), ("anything",)),
    Backend("host-inline", "host://0", frozenset({"executes", "multi_queue", "faults"}), ("python",)),
    Backend("host-threaded", "host://1", frozenset({"executes", "async", "multi_queue", "faults"}), ("python",)),
    Backend("cpu", "cpu://0", frozenset({"executes", "faults"}), (CPU,)),
    Backend("cpu-1-thread", "cpu://0", frozenset({"executes", "faults"}), (CPU,), options={"threads": 1}),
    Backend(
        "vulkan", "vulkan://0", frozenset({"executes", "async"}), ("spirv",), options={"validation": True}, validation=True
    ),
)
