"""Times of the device: calibrated where it can, estimated where not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from targetenv_runtime.device import Device
from targetenv_runtime.drivers.vulkan.stamps import Clock, valid_bits

from tests.conformance.outcome import finish
from tests.unit.runtime_vulkan.kernels import backend_of


def test_ticks_may_begin_again_and_lie_before_the_calibration() -> None:
    clock = Clock(100, 1_000_000, period=10.0, bits=8)
    assert [clock.host(tick) for tick in (100, 101, 99, 255, 0, 10)] == [
        1_000_000,
        1_000_010,
        999_990,
        999_000 + 10 * (255 - 256),
        999_000,
        999_100,
    ]


@pytest.mark.parametrize("options", [{}, {"extensions": ()}], ids=["calibrated", "estimated"])
def test_both_ways_of_telling_the_time_agree_with_the_host(opening: Callable[..., Device], options: dict[str, object]) -> None:
    device = opening(**options)
    if not valid_bits(backend_of(device).device):
        pytest.skip("this device has no timestamps")
    big = device.allocate(4 << 20)
    with device.profile() as profile:
        finish(device, *(partial(device.queue.fill, big, bytes([value])) for value in range(5)))
    slack = 0 if not options else 10_000_000
    for span in profile.spans:
        assert span.device is not None
        assert span.issued is not None
        assert span.issued - slack <= span.device[0] < span.device[1] <= span.retired + slack


def test_more_submissions_than_are_timed_go_on_without_times(device: Device) -> None:
    if not valid_bits(backend_of(device).device):
        pytest.skip("this device has no timestamps")
    buffer, done = device.allocate(64), device.semaphore()
    commands = device.command_buffer()
    commands.fill(buffer, b"\x01")
    commands.end()
    with device.profile() as profile:
        for value in range(1, 1301):
            device.queue.execute(commands, signal=[(done, value)])
        done.wait(1300)
    assert len(profile.spans) == 1300
    assert sum(span.device is not None for span in profile.spans) >= 256
