"""Calling what users wrote: their exceptions become failures that travel along timelines and end nobody's thread."""

from __future__ import annotations

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def guarded(what: str, function: Callable[..., object], *arguments: object) -> None:
    """Call the function; a HalError passes, anything else that it raises becomes ABORTED with the exception as its cause."""
    try:
        function(*arguments)
    except HalError:
        raise
    except Exception as error:
        raise HalError(Code.ABORTED, f"{what} raised {type(error).__name__}: {error}") from error
