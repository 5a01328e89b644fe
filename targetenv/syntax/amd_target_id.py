"""The dialect `amdgpu`: AMD target IDs, `gfx90a:sramecc+:xnack-` or `gfx9-4-generic`, also behind `amdgcn-amd-amdhsa--`.

    target-id := processor { ":" feature ("+" | "-") }

A feature that is not named is *any*: the code runs with it on or off. Source: ClangOffloadBundler.rst, "Target ID". The set of
features is open: silicon steppings are features named after their processor (`gfx1250-b0-specific+`).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, ParseError
from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model.capabilities import Capabilities
from targetenv.model.record import record
from targetenv.model.span import Span
from targetenv.model.target_env import TargetEnv
from targetenv.registry import amdgpu
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.parsed import Parsed, Rendered

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.syntax.compat import Compat

HSA_PREFIX = "amdgcn-amd-amdhsa--"
_FEATURE = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*?)(?P<sign>[+-])")


@record
class TargetId:
    """A processor and the features that are pinned, in canonical (alphabetical) order; the third part says on or off."""

    processor: str
    features: tuple[tuple[str, bool], ...] = ()

    def __str__(self) -> str:
        return ":".join((self.processor, *(f"{name}{'+' if on else '-'}" for name, on in self.features)))


def knows(text: str) -> bool:
    """Whether somebody who wrote this meant an AMD processor."""
    return text.lower().startswith("gfx") or text.startswith(HSA_PREFIX)


def names() -> tuple[str, ...]:
    """Every processor."""
    return tuple(amdgpu.processors())


def parse(source: Source, compat: Compat | None = None) -> Parsed:  # noqa: ARG001  no release of IREE differs here
    """Read a target ID (TE1213, TE1217, TE1218, TE2001; warnings TE2006, TE2007)."""
    tree, warnings = read(source)
    return Parsed("amdgpu", lower(tree), str(tree), warnings, tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:  # noqa: ARG001
    """Print a target ID; TE1220 when the environment names no AMD processor."""
    env = of.env if isinstance(of, Parsed) else of
    isa = env.offers.isa
    if env.offers.api != "rocm" or isa is None:
        raise ParseError(Diagnostic("TE1220", f"an environment for {env.offers.api} has no AMD processor"))
    return Rendered(str(raise_(env)))


def read(source: Source) -> tuple[TargetId, tuple[Diagnostic, ...]]:
    """The target ID of a text, and warnings."""
    text = source.text
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if text.startswith(HSA_PREFIX, start):
        start += len(HSA_PREFIX)
    complaints = Complaints(source)
    first, *rest = _parts(text, start, end)
    processor = first.of(text)
    _check_processor(processor, first, complaints)
    features: dict[str, bool] = {}
    for span in rest:
        pinned = _feature(span, text, processor, complaints)
        if pinned is None:
            continue
        name, on = pinned
        if name in features:
            complaints.error("TE2001", f"`{name}` is pinned twice", span, help="name each feature once")
        features[name] = on
    warnings = complaints.settle()
    return TargetId(processor, tuple(sorted(features.items()))), warnings


def lower(tree: TargetId) -> TargetEnv:
    """The environment: a pinned feature is offered or denied, one left open is neither."""
    offers = Capabilities(
        api="rocm",
        isa=tree.processor,
        formats=frozenset({"hsaco"}),
        features=frozenset(name for name, on in tree.features if on),
        denied=frozenset(name for name, on in tree.features if not on),
        subgroup_sizes=amdgpu.wavefront_sizes(tree.processor),
        complete=False,
    )
    return TargetEnv(offers, vendor="AMD")


def raise_(env: TargetEnv) -> TargetId:
    """The target ID of an environment for `rocm`; what is no target-ID feature of the processor stays behind."""
    offers = env.offers
    pinned = [(name, True) for name in offers.features] + [(name, False) for name in offers.denied]
    return TargetId(str(offers.isa), tuple(sorted(pinned)))


def _parts(text: str, start: int, end: int) -> list[Span]:
    """The places between the colons, the empty ones too."""
    cuts = [start - 1, *(at for at in range(start, end) if text[at] == ":"), end]
    return [Span(left + 1, right) for left, right in pairwise(cuts)]


def _check_processor(name: str, span: Span, complaints: Complaints) -> None:
    if amdgpu.processor(name) is not None:
        return
    nearest = did_you_mean(name, amdgpu.processors())
    if amdgpu.PROCESSOR.fullmatch(name) is None:
        help_ = nearest or "write `gfx` and the number of the processor, as `rocminfo` prints it"
        complaints.error("TE1213", f"unknown target `{name}`", span, "not the name of an AMD processor", help=help_)
    else:
        label = "LLVM knows no such processor; taken as one that is to come"
        complaints.warning("TE2006", f"`{name}` is not a processor that is known", span, label, help=nearest)


def _feature(span: Span, text: str, processor: str, complaints: Complaints) -> tuple[str, bool] | None:
    written = span.of(text)
    found = _FEATURE.fullmatch(written)
    if found is None:
        bare = written.strip("+- ")
        help_ = f"write `{bare}+` or `{bare}-`, or leave it out: then both are meant" if bare else "remove the colon"
        what = f"target feature `{written}` has no sign behind its name" if bare else "a target feature is missing"
        complaints.error("TE1217", what, span, help=help_)
        return None
    name, on = found["name"], found["sign"] == "+"
    row = amdgpu.processor(processor)
    if name not in amdgpu.FEATURES and not name.startswith(f"{processor}-"):
        help_ = did_you_mean(name, amdgpu.FEATURES) or "target features are `sramecc` and `xnack`"
        complaints.error("TE1218", f"unknown target feature `{name}`", span, help=help_)
    elif row is not None and name in amdgpu.FEATURES and name not in row.features:
        notes = ("clang refuses this target ID; IREE takes it",)
        complaints.warning("TE2007", f"`{processor}` has no `{name}` to switch", span, notes=notes)
    return name, on
