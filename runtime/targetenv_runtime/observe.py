"""Looking on: what is told about every operation of a device to those who asked for it."""

from __future__ import annotations

from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv_runtime.operation import Operation
    from targetenv_runtime.status import HalError


class Note:
    """One operation, as one observer sees it. Nothing here may raise or block."""

    __slots__ = ()

    def issued(self) -> None:
        """It is about to be handed to the driver. Operations without commands, and those that are cancelled, never are."""

    def retired(self, error: HalError | None) -> None:
        """It is over, and its effect on the host has happened; its semaphores have not moved yet. Comes once, at the latest."""


class Observer(ABC):
    """Somebody in `Ownership.observers`. While there is one, no kernel is run past the queues."""

    __slots__ = ("__weakref__",)

    @abstractmethod
    def called(self, operation: Operation, name: str) -> Note:
        """An operation was called for; `name` is which, "" for one that is nothing but its recording."""
