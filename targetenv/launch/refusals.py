"""What a call or a command asks for and cannot have (TE52xx)."""

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError


class CallError(TargetEnvError, ValueError):
    """The arguments of a call do not fit the kernel (TE52xx)."""


class UnknownKernel(TargetEnvError, KeyError):
    """The package has no kernel of that name (TE5201)."""


def refused(code: str, message: str, advice: str = "", *, notes: tuple[str, ...] = ()) -> CallError:
    """The error for a call; raise it."""
    return CallError(Diagnostic(code, message, notes=notes, help=advice))
