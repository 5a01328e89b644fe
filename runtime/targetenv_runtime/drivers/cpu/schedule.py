"""One thread or all of them: decided by timing, because a grid does not say what a workgroup of it costs."""

from __future__ import annotations

from _thread import allocate_lock
from time import perf_counter_ns

from targetenv_runtime.drivers.cpu.pool import Pool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from targetenv_runtime.drivers.cpu.dispatch import Block
    from targetenv_runtime.drivers.cpu.loops import Loops

TRIALS = 2
"""How often a dispatch that is repeated is measured before its way of running is settled: the first time finds memory cold."""

WORTH = 100_000
"""Nanoseconds of work for which threads are asked to help. On two cores a grid of 50 us is slower with a helper, one of 170 us
takes two thirds."""

_CLEARLY = 4  # times WORTH, by what an earlier dispatch of the kernel took: then not even the first workgroup is waited for


class Schedule:
    """Runs blocks to their end, on the caller's thread or on all; raises what a kernel's failure is."""

    __slots__ = ("loops", "pool", "threads")

    def __init__(self, loops: Loops, threads: int) -> None:
        self.loops = loops
        self.threads = threads
        self.pool = Pool(loops, threads)

    def alone(self, block: Block) -> None:
        """On this thread, in one call."""
        status = self.loops.records(block.pointer)
        if status:
            raise block.entry.failed(status)

    def spread(self, block: Block) -> None:
        """On all threads."""
        status = self.pool.run(block, 0, block.total)
        if status:
            raise block.entry.failed(status)

    def bound(self, block: Block) -> Callable[[], None]:
        """A function that runs the block, again and again, at the least cost; from any thread."""
        records, pointer, entry = self.loops.records, block.pointer, block.entry

        def alone() -> None:
            status = records(pointer)
            if status:
                raise entry.failed(status)

        several = block.total > 1 and self.threads > 1
        if not several and not entry.local_memory:
            return alone
        exclusive = allocate_lock()
        left = TRIALS if several else 0
        wide = False

        def settling() -> None:
            nonlocal left, wide
            if left or entry.local_memory:  # the block is changed by a trial, its scratch memory by every run
                with exclusive:
                    if left:
                        wide = self.measured(block)
                        left -= 1
                    elif wide:
                        self.spread(block)
                    else:
                        alone()
            elif wide:
                self.spread(block)
            else:
                alone()

        return settling

    def measured(self, block: Block) -> bool:
        """On all threads if that is worth it: if the rest is, by what the first workgroup takes. Whether it was."""
        entry, records = block.entry, self.loops.records
        if self.threads > 1 and entry.cost * block.total > _CLEARLY * WORTH:
            begin = perf_counter_ns()
            self.spread(block)
            entry.cost = (perf_counter_ns() - begin) * self.threads // block.total  # at most; the next one may look again
            return True
        block.narrow(0, 1)
        try:
            begin = perf_counter_ns()
            status = records(block.pointer)
            entry.cost = perf_counter_ns() - begin
            wide = self.threads > 1 and entry.cost * (block.total - 1) > WORTH
            if status == 0:
                if wide:
                    status = self.pool.run(block, 1, block.total)
                else:
                    block.narrow(1, block.total)
                    status = records(block.pointer)
        finally:
            block.narrow(0, block.total)
        if status:
            raise entry.failed(status)
        return wide
