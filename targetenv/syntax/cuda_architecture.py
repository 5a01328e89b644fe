"""The dialect `cuda`: `sm_90a` (a real architecture), `compute_90` (a virtual one), with the suffixes `a` and `f`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.registry import cuda
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

_MEANT = re.compile(r"(?:sm|compute)[_-]?\d\w*|(?:sm|compute)_\w*", re.IGNORECASE)


def knows(text: str) -> bool:
    """Whether somebody who wrote this meant an NVIDIA architecture."""
    return _MEANT.fullmatch(text) is not None


def names() -> tuple[str, ...]:
    """Every architecture, real and virtual."""
    return cuda.names("sm") + cuda.names("compute")


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read an architecture; TE1213 for one that does not exist."""
    name = source.text.strip()
    if name not in names():
        raise ParseError(_unknown(name, source))
    return Parsed("cuda", lower(name), name, (), name)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """Print the architecture; TE1220 when the environment names none."""
    env = of.env if isinstance(of, Parsed) else of
    if env.offers.api != "cuda" or env.offers.isa is None:
        raise ParseError(Diagnostic("TE1220", f"an environment for {env.offers.api} has no NVIDIA architecture"))
    return Rendered(env.offers.isa)


def lower(name: str) -> TargetEnv:
    """The environment: PTX for a virtual architecture, machine code and PTX for a real one."""
    formats = frozenset({"ptx"}) if name.startswith("compute") else frozenset({"cubin", "ptx"})
    warp = frozenset({32})  # CUDA C++ Programming Guide, "Compute Capabilities": 32 on every device so far
    return TargetEnv(Capabilities("cuda", isa=name, formats=formats, subgroup_sizes=warp, complete=False), vendor="NVIDIA")


def _unknown(name: str, source: Source) -> Diagnostic:
    start = len(source.text) - len(source.text.lstrip())
    label = "not an NVIDIA architecture"
    notes: tuple[str, ...] = ()
    found = cuda.NAME.fullmatch(name)
    row = cuda.architectures().get(int(found["number"])) if found else None
    if found and row is not None:
        label = f"{found['kind']}_{found['number']} has no suffix `{found['suffix']}`"
    if name.lower() != name:
        notes = ("IREE 3.13 takes this and compiles for no architecture at all",)
    spelt = re.sub(r"^(sm|compute)[_-]?(?=\d)", r"\1_", name.lower())
    known = names()
    help_ = f"write `{spelt}`" if spelt in known else did_you_mean(spelt, known)
    return Diagnostic(
        "TE1213", f"unknown target `{name}`", source, (Label(Span(start, start + len(name)), label),), notes, help_
    )
