"""The devices that the suite runs on, and what each of them cannot do.

A case asks for `TAGS` with `@pytest.mark.needs(...)` and is not made for backends without them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from targetenv_runtime.device import Device, open_device

from tests.conformance.kernels import ADDRESSES, CPU, OPENCL_BINARY, OPENCL_C, SPIRV
from tests.conformance.limited import open_limited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


TAGS = {
    "executes": "commands have effects",
    "async": "submission never blocks: the host goes on while work waits or runs",
    "multi_queue": "there are two queues or more",
    "faults": "a kernel can fail, and says so",
    "import_host": "memory of the host's own can be a buffer",
    "checks": "the device is opened with `checks=True`",
    "device_times": "a profile has times of the device",
}
"""What a backend can do, for good. The cases of a tag that it lacks are not made for it."""


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
    about: str
    tags: frozenset[str] = frozenset()
    formats: tuple[str, ...] = ()
    unsupported: tuple[Exclusion, ...] = ()
    expected_failures: tuple[Exclusion, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    opener: Callable[[], Device] | None = None
    validation: bool = False

    @property
    def driver(self) -> str:
        """The driver's name, as `--require-driver` takes it."""
        return self.uri.partition("://")[0]

    def open(self) -> Device:
        """A new open device; HalError with UNAVAILABLE where there is none."""
        return open_device(self.uri, **self.options) if self.opener is None else self.opener()


_HOST = frozenset({"executes", "multi_queue", "faults", "import_host"})
_COPIED = "memory is copied where a submission begins and ends: the host cannot tell a running kernel to stop"
_OPENCL = frozenset({"executes", "async", "multi_queue", "device_times"})

BACKENDS = (
    Backend("null", "null://0", "executes nothing", frozenset({"multi_queue", "import_host"}), ("anything",)),
    Backend("host-inline", "host://0", "Python callables, in the caller's thread", _HOST, ("python",)),
    Backend(
        "host-threaded", "host://1", "Python callables, a thread for each queue", _HOST | {"async", "device_times"}, ("python",)
    ),
    Backend(
        "host-checked",
        "host://1",
        "the same opened with checks",
        _HOST | {"async", "device_times", "checks"},
        ("python",),
        options={"checks": True},
    ),
    Backend(
        "host-limited",
        "host://1",
        "the same with only what every driver must have",
        _HOST - {"import_host"} | {"async"},
        ("python",),
        opener=open_limited,
    ),
    Backend("cpu", "cpu://0", "this processor, on all its cores", frozenset({"executes", "faults", "import_host"}), (CPU,)),
    Backend(
        "cpu-1-thread",
        "cpu://0",
        "this processor, in one thread",
        frozenset({"executes", "faults", "import_host"}),
        (CPU,),
        options={"threads": 1},
    ),
    Backend(
        "vulkan",
        "vulkan://0",
        "the first Vulkan device, under the validation layers",
        frozenset({"executes", "async", "device_times"}),
        (SPIRV, ADDRESSES),
        options={"validation": True},
        validation=True,
    ),
    Backend("opencl", "opencl://0", "the first OpenCL device, its memory shared", _OPENCL, (OPENCL_C, OPENCL_BINARY)),
    Backend(
        "opencl-buffers",
        "opencl://0",
        "the same with buffers that only commands reach",
        _OPENCL,
        (OPENCL_C,),
        unsupported=(
            Exclusion("TestEndlessKernel.*", _COPIED),
            Exclusion("TestEndOfProcess.*_kernel_does_not", _COPIED),
            Exclusion("TestEndOfProcess.test_kill_*", _COPIED),
        ),
        options={"shared": False},
    ),
)
