"""Several threads at one device, each with memory and timelines of its own, checking every result.

`python -m tests.conformance.hammer [--seconds 60] [--threads 4] [BACKEND...]`
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from struct import pack, unpack
from typing import TYPE_CHECKING

from targetenv_runtime.buffer import Slot
from targetenv_runtime.status import Code, HalError

from tests.conformance.backends import BACKENDS
from tests.conformance.kernels import Images
from tests.conformance.outcome import fails_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.command_buffer import CommandBuffer
    from targetenv_runtime.device import Device
    from targetenv_runtime.executable import Function

_PATIENCE = 60.0


class Hammer:
    """One thread's work: rounds of queue operations in random order on random queues, each chained to the one before."""

    def __init__(self, device: Device, function: Function | None, shared: CommandBuffer, seed: int) -> None:
        self.device = device
        self.function = function
        self.shared = shared
        self.random = random.Random(seed)
        self.rounds = 0

    def run(self, until: float) -> None:
        """Rounds until then."""
        while time.monotonic() < until:
            self.random.choice((self.chain, self.transient, self.at_once, self.cancelled))()
            self.rounds += 1

    def chain(self) -> None:
        """Fills, copies, kernels and the command buffer that all threads share, up and down the queues."""
        device, timeline, value = self.device, self.device.semaphore(), 0
        one, two, three = (device.allocate(16) for _ in range(3))
        number = self.random.randrange(1 << 20)
        steps: list[Callable[..., None]] = [
            lambda queue, **points: queue.update(one, pack("<4i", *[number] * 4), **points),
            lambda queue, **points: queue.execute(self.shared, [one, two], **points),
        ]
        expected = number
        if self.function is not None:
            function = self.function
            steps.append(lambda queue, **points: queue.dispatch(function, (4,), [two, three], pack("<2i", 3, 1), **points))
            expected = 3 * number + 1
        else:
            steps.append(lambda queue, **points: queue.copy(two, three, **points))
        for step in steps:
            step(self.random.choice(device.queues), wait=[(timeline, value)], signal=[(timeline, value + 1)])
            value += 1
        timeline.wait(value, _PATIENCE)
        assert unpack("<4i", three.read()) == (expected,) * 4

    def transient(self) -> None:
        """Memory from the pool and back, before anything of it has run."""
        device, timeline, target = self.device, self.device.semaphore(), self.device.allocate(64)
        queue, byte = self.random.choice(device.queues), self.random.randbytes(1)
        buffer = queue.alloca(self.random.choice((64, 100, 1000, 5000)), wait=[(timeline, 1)], signal=[(timeline, 2)])
        queue.fill(buffer, byte, wait=[(timeline, 2)], signal=[(timeline, 3)])
        queue.copy(buffer[0:64], target, wait=[(timeline, 3)], signal=[(timeline, 4)])
        queue.dealloca(buffer, wait=[(timeline, 4)], signal=[(timeline, 5)])
        timeline.signal(1)
        timeline.wait(5, _PATIENCE)
        assert target.read() == byte * 64

    def at_once(self) -> None:
        """Past the queues, while others are in them."""
        if self.function is None:
            return
        one, two = self.device.allocate(16), self.device.allocate(16)
        one.write(pack("<4i", 1, 2, 3, 4))
        self.function.run((4,), [one, two], pack("<2i", 2, 2))
        assert unpack("<4i", two.read()) == (4, 6, 8, 10)
        self.function.bind((4,), [two, one], pack("<2i", 1, 0)).run()
        assert unpack("<4i", one.read()) == (4, 6, 8, 10)

    def cancelled(self) -> None:
        """A failure in the middle of a chain reaches its end, and touches nobody else."""
        device, timeline, done, buffer = self.device, self.device.semaphore(), self.device.semaphore(), self.device.allocate(8)
        buffer.write(b"kept....")
        device.queue.fill(buffer, b"\x01", wait=[(timeline, 1)], signal=[(done, 1)])
        self.random.choice(device.queues).fill(buffer, b"\x02", wait=[(done, 1)], signal=[(done, 2)])
        timeline.fail(HalError(Code.CANCELLED, "planted"))
        with fails_with(Code.CANCELLED):
            done.wait(2, _PATIENCE)
        assert buffer.read() == b"kept...."


def hammer(device: Device, function: Function | None, *, seconds: float, threads: int = 4) -> int:
    """Have so many threads at it for so long; how many rounds that were. The first failure of any is raised."""
    shared = device.command_buffer(slots=2)
    shared.copy(Slot(0, 0, 16), Slot(1, 0, 16))
    shared.end()
    until = time.monotonic() + seconds
    works = [Hammer(device, function, shared, seed) for seed in range(threads)]
    raised: list[BaseException] = []

    def guarded(work: Hammer) -> None:
        try:
            work.run(until)
        except BaseException as error:  # noqa: BLE001  it is raised below, in the caller's thread
            raised.append(error)

    running = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(seconds + 2 * _PATIENCE)
    assert not any(thread.is_alive() for thread in running), "a thread hangs"
    if raised:
        raise raised[0]
    return sum(work.rounds for work in works)


def main() -> int:
    parser = argparse.ArgumentParser(description="Hammer devices from several threads and check every result.")
    parser.add_argument("backends", nargs="*", metavar="BACKEND", help="of the suite's; all that are here when none is given")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        images = Images(Path(made))
        for backend in BACKENDS:
            if "executes" not in backend.tags or (options.backends and backend.name not in options.backends):
                continue
            try:
                device = backend.open()
            except HalError as error:
                print(f"{backend.name}: {error.message}")
                continue
            with device:
                data, kernels = images.get(backend.formats[0], "scale_and_offset")
                function = device.load(data, backend.formats[0], kernels)["scale_and_offset"]
                rounds = hammer(device, function, seconds=options.seconds, threads=options.threads)
            told = list(getattr(device.backend, "validation_messages", ()))
            print(
                f"{backend.name}: {rounds} rounds by {options.threads} threads in {options.seconds:g} s, {len(told)} messages"
            )
            if told:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
