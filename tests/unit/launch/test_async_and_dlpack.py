"""Kernels that are awaited, and tensors of other libraries."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.semaphore import Semaphore
from targetenv_runtime.status import Code, HalError

import targetenv as te
from targetenv.diagnostics.diagnostic import TargetEnvError


class Tensor:
    """What another library's tensor is to us: an object that speaks DLPack and is no numpy array."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


def test_a_call_is_awaited(package: Path) -> None:
    x, y = np.arange(100, dtype=np.float32), np.ones(100, np.float32)
    with te.load(package, device="cpu://0") as program:
        result = asyncio.run(program["saxpy"].later(2.0, x, y))
        np.testing.assert_array_equal(result, program["saxpy"](2.0, x, y))


def test_calls_that_are_gathered_have_memory_of_their_own(package: Path) -> None:
    x = np.arange(100, dtype=np.float32)

    async def all_of_them(kernel: Any) -> list[np.ndarray[Any, Any]]:
        return list(await asyncio.gather(*(kernel.later(float(a), x, x) for a in range(8))))

    with te.load(package, device="cpu://0") as program:
        results = asyncio.run(all_of_them(program["saxpy"]))
    for a, result in enumerate(results):
        np.testing.assert_array_equal(result, a * x + x)


def test_bad_arguments_are_refused_before_anything_is_awaited(package: Path) -> None:
    with te.load(package, device="cpu://0") as program, pytest.raises(TargetEnvError) as refused:
        asyncio.run(program["saxpy"].later(2.0))
    assert refused.value.code == "TE5203"


def test_many_waits_take_no_thread_each() -> None:
    with open_device("host://1") as device:
        semaphores = [device.semaphore() for _ in range(200)]
        before = threading.active_count()

        async def wait_for_all() -> int:
            waits = asyncio.gather(*(semaphore.until(1) for semaphore in semaphores))
            await asyncio.sleep(0.01)
            threads = threading.active_count()
            for semaphore in semaphores:
                semaphore.signal(1)
            await waits
            return threads

        assert asyncio.run(wait_for_all()) <= before  # threads of tests before this one may end meanwhile


def test_a_queue_wakes_who_awaits_it() -> None:
    with open_device("host://1") as device:
        done, buffer = device.semaphore(), device.allocate(64)

        async def fill() -> bytes:
            device.queue.fill(buffer, b"\x07", signal=[(done, 1)])
            await done.until(1)
            return buffer.read()

        assert asyncio.run(fill()) == b"\x07" * 64


def test_a_failure_is_raised_where_it_is_awaited() -> None:
    ready = Semaphore()

    async def fail() -> None:
        asyncio.get_running_loop().call_soon(ready.fail, HalError(Code.ABORTED, "planted"))
        await ready.until(1)

    with pytest.raises(HalError) as caught:
        asyncio.run(fail())
    assert caught.value.status is Code.ABORTED


def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    ready = Semaphore()

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ready.until(1), 0.01)

    asyncio.run(give_up())
    ready.signal(1)  # nobody is told, in no loop that is closed


def test_tensors_of_other_libraries_are_taken_by_dlpack(package: Path) -> None:
    x, y = np.arange(10, dtype=np.float32), np.ones(10, np.float32)
    with te.load(package, device="cpu://0") as program:
        np.testing.assert_array_equal(program["saxpy"](2.0, Tensor(x), Tensor(y)), 2 * x + y)
        with pytest.raises(TargetEnvError) as refused:
            program["saxpy"](2.0, Tensor(x.astype(np.float64)), y)
    assert refused.value.code == "TE5205"


def test_memory_of_a_device_is_given_by_dlpack_and_shared() -> None:
    with open_device("cpu://0") as device:
        buffer = device.allocate(8)
        tensor = np.from_dlpack(buffer)
        buffer.write(b"abcdefgh")
        assert bytes(tensor) == b"abcdefgh"
        buffer.close()
        assert bytes(tensor) == b"abcdefgh"  # the tensor keeps the memory
