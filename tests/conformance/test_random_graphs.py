"""Any graph of operations, submitted in any order to any queues, computes what it computes one by one."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.semaphore import wait_all

from tests.conformance.outcome import TIMEOUT, in_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.device import Device
    from targetenv_runtime.semaphore import Point, Semaphore

    Submit = Callable[[list[Point], list[Point]], None]

BUFFERS = 6
BYTES = 8
OPERATIONS = 150


class Graph:
    """Random copies and updates over a few buffers, each waiting for exactly what it depends on."""

    def __init__(self, device: Device, seed: int) -> None:
        self.random = random.Random(seed)
        self.device = device
        self.buffers = [device.allocate(BYTES) for _ in range(BUFFERS)]
        self.expected = [bytes(BYTES)] * BUFFERS
        for buffer in self.buffers:
            buffer.write(bytes(BYTES))
        self.done: list[Semaphore] = []
        self.submissions = [self._operation(index) for index in range(OPERATIONS)]

    def _operation(self, index: int) -> Callable[[], None]:
        """The next operation in program order; calling the result submits it."""
        if index == 0:
            self.writer: list[list[int]] = [[] for _ in range(BUFFERS)]
            self.readers: list[list[int]] = [[] for _ in range(BUFFERS)]
        pick = self.random
        source, target = pick.sample(range(BUFFERS), 2)
        queue = pick.choice(self.device.queues)
        data = index.to_bytes(BYTES, "big")
        copies = pick.random() < 0.6
        needs = {*self.writer[target], *self.readers[target], *(self.writer[source] if copies else ())}
        if copies:
            self.expected[target] = self.expected[source]
            self.readers[source].append(index)
        else:
            self.expected[target] = data
        self.writer[target], self.readers[target] = [index], []
        self.done.append(self.device.semaphore())

        def submit() -> None:
            wait = [(self.done[need], 1) for need in needs]
            signal = [(self.done[index], 1)]
            if copies:
                queue.copy(self.buffers[source], self.buffers[target], wait=wait, signal=signal)
            else:
                queue.update(self.buffers[target], data, wait=wait, signal=signal)

        return submit

    def check(self) -> None:
        wait_all([(semaphore, 1) for semaphore in self.done], TIMEOUT)
        assert [buffer.read() for buffer in self.buffers] == self.expected


@pytest.mark.needs("executes")
class TestRandomGraphs:
    """Waits before signals, across queues and threads."""

    @pytest.mark.parametrize("seed", range(4))
    def test_any_order_of_submission_gives_the_result_of_program_order(self, device: Device, seed: int) -> None:
        graph = Graph(device, seed)
        graph.random.shuffle(graph.submissions)
        for submit in graph.submissions:
            submit()
        graph.check()

    @pytest.mark.parametrize("seed", range(4, 6))
    def test_two_threads_may_submit_one_graph(self, device: Device, seed: int) -> None:
        graph = Graph(device, seed)
        graph.random.shuffle(graph.submissions)

        def half(start: int) -> None:
            for submit in graph.submissions[start::2]:
                submit()

        with in_thread(lambda: half(1)):
            half(0)
        graph.check()
