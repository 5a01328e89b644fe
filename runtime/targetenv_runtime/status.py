"""What went wrong in the runtime: sixteen canonical codes and the one exception that carries them."""

from __future__ import annotations

from enum import Enum

from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError


class Code(Enum):
    """The canonical status codes; the diagnostic of code n is `TE50nn`.

    >>> Code.NOT_FOUND.value, HalError(Code.NOT_FOUND, "no such device").code
    (5, 'TE5005')
    """

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class HalError(TargetEnvError):
    """A runtime call failed, or an operation did and its timelines carry the failure on.

    `status` is the canonical code. `native` is what the driver's API answered, as number and name (`(-4,
    "VK_ERROR_DEVICE_LOST")`), where a driver was asked. `context` says where: driver, device, queue, operation, function.
    """

    def __init__(
        self,
        status: Code,
        message: str,
        *,
        help: str = "",  # noqa: A002  it becomes the diagnostic's `help`
        notes: tuple[str, ...] = (),
        native: tuple[int, str] | None = None,
        **context: object,
    ) -> None:
        self.status = status
        self.message = message
        self.native = native
        self.context = context
        told = (f"{native[1]} ({native[0]})",) if native is not None and native[1] not in message else ()
        where = (", ".join(f"{key} {value}" for key, value in context.items()),) if context else ()
        super().__init__(Diagnostic(f"TE50{status.value:02}", message, notes=(*notes, *told, *where), help=help))
        self._rest = (help, notes)

    def again(self) -> HalError:
        """An equal error that was not raised yet.

        A failure stays on a timeline and is raised in many threads; one exception object would collect all their tracebacks,
        and with them everything that their frames refer to.
        """
        hint, notes = self._rest
        return HalError(self.status, self.message, help=hint, notes=notes, native=self.native, **self.context)

    def within(self, **context: object) -> HalError:
        """The same failure with more about where it happened; what is known already stays."""
        hint, notes = self._rest
        return HalError(self.status, self.message, help=hint, notes=notes, native=self.native, **(context | self.context))
