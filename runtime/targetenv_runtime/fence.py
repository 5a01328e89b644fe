"""Several timelines as one: a set of points to wait for, to signal, or to hand to a queue as its `wait` or `signal`."""

from __future__ import annotations

from targetenv_runtime.semaphore import wait_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from targetenv_runtime.semaphore import Point, Semaphore
    from targetenv_runtime.status import HalError


class Fence:
    """A set of points, each semaphore in it once, with the largest value that was asked for.

    >>> from targetenv_runtime.semaphore import Semaphore
    >>> one, two = Semaphore(), Semaphore()
    >>> fence = Fence([(one, 1), (two, 2), (one, 3)])
    >>> fence.signal()
    >>> fence.query(), one.query(), two.query()
    (True, 3, 2)
    """

    __slots__ = ("_values",)

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._values: dict[Semaphore, int] = {}
        self.join(points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self._values.items())

    def __len__(self) -> int:
        return len(self._values)

    def insert(self, semaphore: Semaphore, value: int) -> None:
        """Add a point."""
        self._values[semaphore] = max(value, self._values.get(semaphore, 0))

    def join(self, points: Iterable[Point]) -> None:
        """Add the points of another fence, or any others."""
        for semaphore, value in points:
            self.insert(semaphore, value)

    def query(self) -> bool:
        """Whether every semaphore is at its value; the failure of any is raised. Does not block."""
        reached = [semaphore.query() >= value for semaphore, value in self]
        return all(reached)

    def wait(self, timeout: float | None = None) -> None:
        """Return once every semaphore is at its value; see `wait_all`."""
        wait_all(self, timeout)

    def signal(self) -> None:
        """Signal every semaphore to its value."""
        for semaphore, value in self:
            semaphore.signal(value)

    def fail(self, error: HalError) -> None:
        """Fail every semaphore."""
        for semaphore, _ in self:
            semaphore.fail(error)
