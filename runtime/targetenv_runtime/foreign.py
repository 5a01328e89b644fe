"""Calling what users wrote: their exceptions become failures that travel along timelines and end nobody's thread."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def guarded(what: str, function: Callable[..., object], *arguments: object) -> None:
    """Call the function; a HalError passes, anything else that it raises becomes ABORTED with the exception as its cause."""
    try:
        function(*arguments)
    except HalError:
        raise
    except Exception as error:
        raise HalError(Code.ABORTED, f"{what} raised {type(error).__name__}: {error}") from error


def survived(raised: list[Exception], function: Callable[..., object], *arguments: object) -> None:
    """Call the function; what it raises is put aside, so that the rest of the work gets done."""
    try:
        function(*arguments)
    except Exception as error:  # noqa: BLE001  it is raised at the end
        raised.append(error)


def unraisable(function: Callable[[], object]) -> None:
    """Call a function whose failure has nowhere to go; `sys.unraisablehook` is told of it, and everything goes on."""
    try:
        function()
    except Exception as error:  # noqa: BLE001  whatever a user's function raises
        hook: Any = sys.unraisablehook
        hook(
            SimpleNamespace(
                exc_type=type(error), exc_value=error, exc_traceback=error.__traceback__, err_msg=None, object=function
            )
        )
