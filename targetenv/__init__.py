"""What does this binary need, what does this device offer, which of my variants runs here and why; then run it.

>>> import targetenv as te
>>> te.parse("#vk.target_env<v1.1, r(120), [], {}>").env.offers.version
Version(major=1, minor=1, patch=120)
>>> program = te.load("saxpy.tenv")  # doctest: +SKIP
>>> y = program["saxpy"](2.0, x, y)  # doctest: +SKIP

Every name is imported when it is first used, so `import targetenv` itself costs next to nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.artifacts import inspect as inspect
    from targetenv.diagnostics.diagnostic import Diagnostic as Diagnostic
    from targetenv.diagnostics.diagnostic import EnvironmentFailed as EnvironmentFailed
    from targetenv.diagnostics.diagnostic import FormatError as FormatError
    from targetenv.diagnostics.diagnostic import NoCompatibleArtifact as NoCompatibleArtifact
    from targetenv.diagnostics.diagnostic import ParseError as ParseError
    from targetenv.diagnostics.diagnostic import TargetEnvError as TargetEnvError
    from targetenv.launch.devices import find_devices as find_devices
    from targetenv.launch.program import Program as Program
    from targetenv.launch.program import load as load
    from targetenv.model.artifact import Artifact as Artifact
    from targetenv.model.capabilities import Capabilities as Capabilities
    from targetenv.model.device import Device as Device
    from targetenv.model.device import Unavailable as Unavailable
    from targetenv.model.target_env import TargetEnv as TargetEnv
    from targetenv.model.verdict import Outcome as Outcome
    from targetenv.model.verdict import Verdict as Verdict
    from targetenv.model.version import Version as Version
    from targetenv.resolve.choice import Resolution as Resolution
    from targetenv.syntax import parse as parse
    from targetenv.syntax import render as render

_EXPORTS = {
    "Artifact": "model.artifact",
    "Capabilities": "model.capabilities",
    "Device": "model.device",
    "Diagnostic": "diagnostics.diagnostic",
    "EnvironmentFailed": "diagnostics.diagnostic",
    "FormatError": "diagnostics.diagnostic",
    "NoCompatibleArtifact": "diagnostics.diagnostic",
    "Outcome": "model.verdict",
    "ParseError": "diagnostics.diagnostic",
    "Program": "launch.program",
    "Resolution": "resolve.choice",
    "TargetEnv": "model.target_env",
    "TargetEnvError": "diagnostics.diagnostic",
    "Unavailable": "model.device",
    "Verdict": "model.verdict",
    "Version": "model.version",
    "find_devices": "launch.devices",
    "inspect": "artifacts",
    "load": "launch.program",
    "parse": "syntax",
    "render": "syntax",
}
__all__ = sorted(_EXPORTS)  # noqa: PLE0605  a test holds it against the imports above


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
