"""What goes wrong: kernels and devices that fail, and those that never end. Each ends in the right code, and nothing hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel
from tests.conformance.faulty import open_faulty
from tests.conformance.outcome import TIMEOUT, fails_with, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv_runtime.buffer import Buffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Executable, Function
    from targetenv_runtime.queue import Queue
    from targetenv_runtime.semaphore import Point

    from tests.conformance.backends import Backend
    from tests.conformance.kernels import Image

    Load = Callable[[str], Executable]
    Open = Callable[[], Device]

ROOT = Path(__file__).parents[2]
LONG = (800,)
"""A grid of `spin` that takes long where a driver ends endless loops, and not for long once it may end."""


@pytest.mark.needs("faults")
class TestFaults:
    """A kernel that fails fails its signals and all that depend on them."""

    @pytest.fixture
    def fault(self, device: Device, image_format: str, image: Callable[[str], Image]) -> Executable:
        data, _ = image("abs")
        if image_format == "python":
            from targetenv_runtime.drivers.host.image import PythonImage

            data = PythonImage.of(fault=lambda *_: 1 // 0)
        return device.load(data, image_format, [Kernel("fault", (1, 1, 1), 1, 0)])

    def test_a_fault_fails_signals_and_dependents(self, device: Device, queue: Queue, other: Queue, fault: Executable) -> None:
        one, two, buffer = device.semaphore(), device.semaphore(), device.allocate(4)
        buffer.write(b"kept")
        queue.dispatch(fault["fault"], (1,), [buffer], signal=[(one, 1)])
        other.host_call(lambda: buffer.write(b"lost"), wait=[(one, 1)], signal=[(two, 1)])
        for semaphore in (one, two):
            with fails_with(Code.ABORTED):
                semaphore.wait(1, TIMEOUT)
        assert buffer.read() == b"kept"

    def test_the_queue_goes_on(self, device: Device, queue: Queue, fault: Executable) -> None:
        buffer, done = device.allocate(4), device.semaphore()
        queue.dispatch(fault["fault"], (1,), [buffer], signal=[(done, 1)])
        finish(device, partial(queue.fill, buffer, b"\x01"))
        with fails_with(Code.ABORTED):
            done.wait(1, TIMEOUT)

    def test_run_and_bound_raise_it(self, device: Device, fault: Executable) -> None:
        buffer = device.allocate(4)
        with fails_with(Code.ABORTED):
            fault["fault"].run((1, 1, 1), [buffer])
        bound = fault["fault"].bind((1, 1, 1), [buffer])
        for _ in range(2):
            with fails_with(Code.ABORTED):
                bound.run()


class Spinning:
    """A kernel that runs until `stop`, begun in a thread of its own: some drivers run it in the caller's."""

    def __init__(self, device: Device, function: Function, signals: list[Point]) -> None:
        self.flag: Buffer = device.allocate(4)
        self.flag.write(bytes(4))
        self.view = self.flag.map()
        self._thread = threading.Thread(
            target=device.queue.dispatch, args=(function, LONG, [self.flag]), kwargs={"signal": signals}
        )
        self._thread.start()
        time.sleep(0.05)

    def stop(self) -> None:
        self.view[0] = 1
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()


@pytest.mark.needs("executes")
class TestEndlessKernel:
    """One that does not end by itself holds up nobody who said for how long to wait."""

    @pytest.fixture
    def spin(self, image: Callable[[str], Image], image_format: str) -> Iterator[Callable[[Device, list[Point]], Spinning]]:
        begun: list[Spinning] = []

        def begin(device: Device, signals: list[Point]) -> Spinning:
            data, kernels = image("spin")
            begun.append(Spinning(device, device.load(data, image_format, kernels)["spin"], signals))
            return begun[-1]

        yield begin
        for spinning in begun:
            spinning.stop()

    def test_a_wait_ends_in_time(self, device: Device, spin: Callable[[Device, list[Point]], Spinning]) -> None:
        done = device.semaphore()
        spinning = spin(device, [(done, 1)])
        with fails_with(Code.DEADLINE_EXCEEDED):
            done.wait(1, 0.2)
        spinning.stop()
        done.wait(1, TIMEOUT)

    def test_closing_ends_in_time_and_fails_what_runs(
        self, fresh: Open, spin: Callable[[Device, list[Point]], Spinning]
    ) -> None:
        device = fresh()
        done, dependent, buffer = device.semaphore(), device.semaphore(), device.allocate(1 << 16)
        spin(device, [(done, 1)])
        device.queues[-1].barrier(wait=[(done, 1)], signal=[(dependent, 1)])
        begun = time.monotonic()
        device.close(0.3)
        assert 0.2 < time.monotonic() - begun < 10
        with fails_with(Code.DEADLINE_EXCEEDED):
            done.wait(1, TIMEOUT)
        with pytest.raises(HalError) as caught:
            dependent.wait(1, TIMEOUT)
        assert caught.value.status in (Code.DEADLINE_EXCEEDED, Code.CANCELLED)
        with fails_with(Code.FAILED_PRECONDITION):
            buffer.read()
        device.close()


_CHILD = """
import sys, threading
from pathlib import Path
from targetenv_runtime import ownership
from targetenv_runtime.device import open_device
from targetenv.model.artifact import Kernel
ownership.DRAIN = 0.5
device = open_device({uri!r}, **{options!r})
function = device.load({image}, {format!r}, [Kernel("spin", (1, 1, 1), 1, 0, entry_point={entry!r})])["spin"]
flag = device.allocate(4)
flag.write(bytes(4))
done = device.semaphore()
dispatch = lambda: device.queue.dispatch(function, {grid}, [flag], signal=[(done, 1)])
thread = threading.Thread(target=dispatch, daemon=True)
thread.start()
try:
    done.wait(1, 0.2)
except Exception as error:
    print(error.code, flush=True)
{rest}
"""


@pytest.mark.needs("executes")
class TestEndOfProcess:
    """A process that ends, or is ended, in the middle of a dispatch."""

    @pytest.fixture
    def child(
        self, backend: Backend, fresh: Open, image: Callable[[str], Image], image_format: str, tmp_path: Path
    ) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
        """Starts a process whose device is in an endless kernel; it goes on with `rest`."""
        fresh().close()  # skips where there is no such device
        data, (kernel,) = image("spin")
        (tmp_path / "image").write_bytes(data)
        read = f"Path({str(tmp_path / 'image')!r}).read_bytes()"
        if image_format == "python":
            read = "__import__('tests.conformance.kernels').conformance.kernels.Images(Path()).get('python', 'spin')[0]"
        begun: list[subprocess.Popen[str]] = []

        def begin(rest: str) -> subprocess.Popen[str]:
            options = {key: value for key, value in backend.options.items() if key != "validation"}
            program = _CHILD.format(
                uri=backend.uri,
                options=options,
                image=read,
                format=image_format,
                entry=kernel.entry_point,
                grid=LONG,
                rest=rest,
            )
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")]),
                "TMPDIR": str(tmp_path),
            }
            pipe = subprocess.PIPE
            process = subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=pipe, stderr=pipe, text=True)
            begun.append(process)
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "TE5004"
            return process

        yield begin
        for process in begun:
            process.kill()
            process.communicate()

    def test_kill_in_mid_dispatch_leaves_nothing_behind(
        self, child: Callable[[str], subprocess.Popen[str]], tmp_path: Path
    ) -> None:
        before = set(os.listdir("/dev/shm"))  # noqa: PTH208
        process = child("import time; time.sleep(60)")
        group = _descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        assert process.wait(TIMEOUT) == -signal.SIGKILL
        assert set(os.listdir("/dev/shm")) <= before  # noqa: PTH208
        assert [path.name for path in tmp_path.iterdir()] == ["image"]
        assert group == set()

    def test_the_interpreter_ends_though_a_kernel_does_not(self, child: Callable[[str], subprocess.Popen[str]]) -> None:
        process = child("")
        _, told = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, told) == (0, "")


def _descendants(pid: int) -> set[int]:
    """The child processes of a process."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(number) for path in children for number in path.read_text().split()}


class TestInjectedFaults:
    """A device with faults of our choosing."""

    def test_memory_that_is_not_there(self) -> None:
        device, backend = open_faulty()
        backend.room = 100
        done = device.semaphore()
        with fails_with(Code.RESOURCE_EXHAUSTED):
            device.allocate(101)
        device.queue.alloca(101, signal=[(done, 1)])
        with fails_with(Code.RESOURCE_EXHAUSTED):
            done.wait(1, TIMEOUT)
        assert device.allocate(100).size == 100

    def test_what_is_only_kept_is_given_back_before_memory_is_short(self) -> None:
        device, backend = open_faulty()
        backend.room = 1024
        timeline = device.semaphore()
        buffer = device.queue.alloca(1000, signal=[(timeline, 1)])
        device.queue.dealloca(buffer, wait=[(timeline, 1)], signal=[(timeline, 2)])
        timeline.wait(2, TIMEOUT)
        del buffer
        assert (device.owner.reclaim.pool.held, backend.room) == (1024, 0)
        another = device.allocate(700)
        assert another.size == 700
        assert (device.owner.reclaim.pool.held, backend.room) == (0, 324)

    def test_a_submission_that_the_driver_refuses_fails_its_signals_and_no_others(self) -> None:
        """IREE's graph driver drops the status of cuGraphInstantiate."""
        device, backend = open_faulty()
        commands, refused, buffer = device.command_buffer(), device.semaphore(), device.allocate(4)
        commands.fill(buffer, b"\x01")
        commands.end()
        backend.refusals = 1
        device.queue.execute(commands, signal=[(refused, 1)])
        with pytest.raises(HalError) as caught:
            refused.wait(1, TIMEOUT)
        assert (caught.value.status, caught.value.context["queue"]) == (Code.INTERNAL, 0)
        finish(device, partial(device.queue.execute, commands))
        assert buffer.read() == b"\x01" * 4

    def test_a_lost_device_fails_everything_pending_and_later_on_all_queues(self) -> None:
        device, backend = open_faulty()
        buffer, held = device.allocate(16 << 20), device.semaphore()
        pending = [device.semaphore() for _ in device.queues]
        for queue, done in zip(device.queues, pending, strict=True):
            for _ in range(10):
                queue.fill(buffer, b"\x01")
            queue.fill(buffer, b"\x02", signal=[(done, 1)])
        device.queue.fill(buffer, b"\x03", wait=[(pending[0], 1), (pending[1], 1)], signal=[(held, 1)])
        backend.lose()
        later = device.semaphore()
        device.queues[1].fill(buffer, b"\x04", signal=[(later, 1)])
        for done in (*pending, held, later):
            with pytest.raises(HalError) as caught:
                done.wait(1, TIMEOUT)
            assert caught.value.status is Code.DATA_LOSS
            assert caught.value.native == (-4, "VK_ERROR_DEVICE_LOST")
        device.close(5)

    def test_a_device_that_never_answers_is_abandoned_and_keeps_its_memory(self) -> None:
        device, backend = open_faulty()
        backend.silent = True
        buffer, done = device.allocate(1000), device.semaphore()
        device.queue.fill(buffer, b"\x01", signal=[(done, 1)])
        device.close(0.2)
        with fails_with(Code.DEADLINE_EXCEEDED):
            done.query()
        del buffer
        assert backend.room == (1 << 30) - 1000

    def test_a_callback_that_raises_stops_no_closing(self) -> None:
        device, _ = open_faulty()
        never, held, done = device.semaphore(), [device.semaphore() for _ in range(3)], device.semaphore()
        for semaphore in held:
            device.queue.barrier(wait=[(never, 1)], signal=[(semaphore, 1)])
            semaphore.on(1, lambda _: 1 // 0)
        device.queue.fill(device.allocate(4), b"\x01", signal=[(done, 1)])
        with pytest.raises(ZeroDivisionError):
            device.close()
        assert [semaphore.failure and semaphore.failure.status for semaphore in held] == [Code.CANCELLED] * 3
        assert done.query() == 1
