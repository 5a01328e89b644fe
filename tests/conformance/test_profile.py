"""What a profile sees: the *Profiling cases of IREE's suite."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code, HalError

from tests.conformance.outcome import TIMEOUT, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable
    from targetenv_runtime.queue import Queue

    Load = Callable[[str], Executable]


class TestProfile:
    """Host times of every operation."""

    def test_every_operation_is_seen_in_order(self, device: Device, queue: Queue) -> None:
        """FillAndCopyHostQueueEventProfiling, and the operations that have no commands."""
        source, target = device.allocate(64), device.allocate(64)
        commands = device.command_buffer()
        commands.fill(source, b"\x01")
        commands.barrier()
        commands.copy(source, target)
        commands.end()
        begun = time.monotonic_ns()
        with device.profile() as profile:
            finish(
                device,
                partial(queue.fill, source, b"\x02"),
                partial(queue.copy, source, target),
                partial(queue.update, target, bytes(64)),
                partial(queue.execute, commands),
                queue.barrier,
                partial(queue.host_call, int),
                partial(queue.alloca, 16),
            )
        finish(device, partial(queue.fill, source, b"\x03"))
        names = ["fill 64 bytes", "copy 64 bytes", "update 64 bytes", "execute 2 commands", "barrier", "host_call", "alloca"]
        assert [span.name for span in profile.spans] == names
        for span in profile.spans:
            assert begun <= span.called <= (span.issued or span.called) <= span.retired <= time.monotonic_ns()
            assert (span.queue, span.error) == (queue.index, None)
        assert [span.retired for span in profile.spans] == sorted(span.retired for span in profile.spans)

    @pytest.mark.needs("executes")
    def test_dispatches_are_named(self, device: Device, queue: Queue, load: Load) -> None:
        """DispatchHostQueueEventProfiling and DispatchWithConstantsAndBindingsWhileProfiling; `run` is seen too."""
        function, buffer = load("write_workgroup_ids")["write_workgroup_ids"], device.allocate(128)
        grid = device.allocate(12)
        grid.write(b"\x02\0\0\0\x01\0\0\0\x01\0\0\0")
        with device.profile() as profile:
            finish(device, partial(queue.dispatch, function, (4, 2), [buffer]))
            function.run((3,), [buffer])
            function.run(grid, [buffer])
        names = [span.name for span in profile.spans]
        assert names[:2] == ["dispatch write_workgroup_ids 4x2x1", "dispatch write_workgroup_ids 3x1x1"]
        assert len(names) > 2
        assert buffer.read(0, 8) == b"\0\0\0\0\x01\0\0\0"

    def test_what_failed_says_so(self, device: Device, queue: Queue) -> None:
        failed, done = device.semaphore(), device.semaphore()
        failed.fail(HalError(Code.DATA_LOSS, "planted"))
        with device.profile() as profile:
            queue.fill(device.allocate(4), b"\x01", wait=[(failed, 1)], signal=[(done, 1)])
        with fails_with(Code.DATA_LOSS):
            done.wait(1, TIMEOUT)
        (span,) = profile.spans
        assert (span.name, span.issued, span.error) == ("fill 4 bytes", None, "DATA_LOSS")

    def test_two_profiles_see_what_is_theirs(self, device: Device, queue: Queue) -> None:
        buffer = device.allocate(4)
        with device.profile() as outer:
            finish(device, partial(queue.fill, buffer, b"\x01"))
            with device.profile() as inner:
                finish(device, partial(queue.update, buffer, b"1234"))
            finish(device, partial(queue.fill, buffer, b"\x02"))
        assert len(outer.spans) == 3
        assert [span.name for span in inner.spans] == ["update 4 bytes"]

    def test_the_trace_is_what_trace_viewers_read(self, device: Device, queue: Queue, tmp_path: Path) -> None:
        with device.profile() as profile:
            finish(device, partial(queue.fill, device.allocate(4), b"\x01"))
        profile.save(tmp_path / "trace.json")
        trace = json.loads((tmp_path / "trace.json").read_text())
        events = trace["traceEvents"]
        assert {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": device.uri}} in events
        timed = [event for event in events if event["ph"] in "bneX"]
        assert {event["name"] for event in timed} == {"fill 4 bytes"}
        assert [event["ph"] for event in timed if event["cat"] == "host"] == ["b", "n", "e"]
        assert all(isinstance(event["ts"], (int, float)) for event in timed)

    def test_a_closed_device_has_no_profile(self, fresh: Callable[[], Device]) -> None:
        device = fresh()
        with device.profile():
            device.close()
        with fails_with(Code.FAILED_PRECONDITION), device.profile():
            pass


@pytest.mark.needs("device_times")
class TestDeviceTimes:
    """Times of the device, on the host's clock: the *DeviceQueueEventProfiling cases."""

    def test_they_lie_between_issue_and_retirement(self, device: Device, queue: Queue, other: Queue) -> None:
        big = device.allocate(4 << 20)
        with device.profile() as profile:
            finish(device, *(partial(each.fill, big, bytes([value])) for value, each in enumerate([queue, other] * 3)))
        assert len(profile.spans) == 6
        last = 0
        for span in profile.spans:
            assert span.device is not None
            begin, end = span.device
            assert span.issued is not None
            assert span.issued <= begin < end <= span.retired
            assert begin >= last  # each waited for the one before
            last = end

    def test_a_second_profile_starts_afresh(self, device: Device, queue: Queue) -> None:
        for _ in range(2):
            with device.profile() as profile:
                finish(device, *(partial(queue.fill, device.allocate(64), b"\x01") for _ in range(40)))
            assert all(span.device is not None for span in profile.spans)
            assert len(profile.spans) == 40
        finish(device, partial(queue.fill, device.allocate(64), b"\x01"))
