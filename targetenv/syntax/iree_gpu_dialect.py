"""The dialect `iree_gpu`: `#iree_gpu.target`, the way in which IREE describes a GPU since 2024-06."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.model.record import replace
from targetenv.syntax import iree_gpu_lowering, iree_gpu_target
from targetenv.syntax.attribute_text import Printer
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.iree_gpu_target import GpuTarget
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered
from targetenv.syntax.single_attribute import attribute

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat

_OLDEST = (0, 20240621)


def parse(source: Source, compat: Compat | None = None) -> Parsed:
    """Read a text; with `compat`, take only what the newest release takes."""
    if compat is not None and compat.order < _OLDEST:
        first = attribute(source)
        label = Label(first._name_span, "came on 2024-06-19")
        raise ParseError(Diagnostic("TE1202", f"iree@{compat.name} has no `#iree_gpu.target`", source, (label,)))
    complaints = Complaints(source)
    target = iree_gpu_target.Reader(complaints, strict=compat is not None).read(attribute(source))
    if compat is not None and compat.name in iree_gpu_target.ERAS:
        target = replace(target, era=compat.name)
    warnings = complaints.settle()
    text = iree_gpu_target.text(target, Printer(source.text, {}))
    return Parsed(f"iree_gpu@{target.era}", iree_gpu_lowering.lower(target), text, warnings, target)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:
    """Print as a release does; a Vulkan environment becomes the target that converts to it."""
    target, losses = target_of(of)
    wanted = era or (compat.name if compat is not None and compat.name in iree_gpu_target.ERAS else None)
    if wanted is not None and wanted != target.era:
        target, more = iree_gpu_lowering.in_era(target, wanted)
        losses += more
    return Rendered(iree_gpu_target.text(target, Printer("", {})), losses)


def target_of(of: Parsed | TargetEnv) -> tuple[GpuTarget, tuple[str, ...]]:
    """The record that was read, that a name stands for, or that says most of an environment."""
    tree = of._tree if isinstance(of, Parsed) else None
    found = tree if isinstance(tree, GpuTarget) else getattr(tree, "gpu", None)
    if isinstance(found, GpuTarget):
        return found, ()
    env = of.env if isinstance(of, Parsed) else of
    if env.offers.api != "vulkan":
        refuse(env, "iree_gpu", "only Vulkan environments say enough; name a product, such as `cuda:a100`")
    return iree_gpu_lowering.raise_(env)
