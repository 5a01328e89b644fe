"""Expectations that many cases share."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest
from targetenv_runtime.status import Code, HalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from targetenv_runtime.device import Device

TIMEOUT = 30.0
"""Seconds after which a case that should have ended is a failure."""


@contextmanager
def fails_with(status: Code) -> Iterator[None]:
    """The block raises a HalError of this code."""
    with pytest.raises(HalError) as caught:
        yield
    assert caught.value.status is status, caught.value


@contextmanager
def in_thread(work: Callable[[], object], *, after: float = 0.0) -> Iterator[None]:
    """The work runs in another thread beside the block, so many seconds later; what it raises is raised here."""
    raised: list[BaseException] = []

    def run() -> None:
        time.sleep(after)
        try:
            work()
        except BaseException as error:  # noqa: BLE001  it is raised below, in the test's own thread
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(TIMEOUT)
    assert not thread.is_alive(), "the other thread is still at it"
    if raised:
        raise raised[0]


@cache
def deterministic(count: int) -> bytes:
    """Bytes that tell offsets apart: byte i is (131 i + 17 (i >> 7) + 0x5A) mod 256, as in IREE's suite."""
    return bytes((index * 131 + (index >> 7) * 17 + 0x5A) & 0xFF for index in range(count))


def finish(device: Device, *works: Callable[..., object]) -> None:
    """Run queue operations one after the other: each is called with what it waits for and what it signals."""
    done = device.semaphore()
    for value, work in enumerate(works, 1):
        work(wait=[(done, value - 1)], signal=[(done, value)])
    done.wait(len(works), TIMEOUT)
