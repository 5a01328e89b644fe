"""The dialect `hal`: how IREE's modules write devices and the executables for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.diagnostics.diagnostic import Diagnostic, Label, ParseError
from targetenv.model.record import replace
from targetenv.syntax import hal_lowering, hal_target, iree_gpu_dialect, iree_gpu_lowering
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.hal_target import ALIAS, DEVICE, ERAS, EXECUTABLE, HalTarget
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered
from targetenv.syntax.single_attribute import attribute
from targetenv.syntax.value import span_of

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax import value as v
    from targetenv.syntax.compat import Compat

_ALIASES_SINCE = (0, 20240828)
_DEVICES = {"vulkan": "vulkan", "cuda": "cuda", "rocm": "hip", "metal": "metal"}


def parse(source: Source, compat: Compat | None = None) -> Parsed:
    """Read a text; with `compat`, take what that release takes."""
    complaints = Complaints(source)
    found = attribute(source)
    era = era_of(compat)
    if compat is not None:
        _refuse_newer(found, compat, source)
    target = hal_target.Reader(complaints, strict=compat is not None, knows_gpu=era == ERAS[-1]).read(found, era)
    if len(target.executables) > 1:
        count = len(target.executables)
        message = f"{count} executable targets: the environment is that of the first"
        complaints.warning("TE2035", message, span_of(found), help="give one of them alone to see what another one offers")
    warnings = complaints.settle()
    return Parsed(f"hal@{era}", hal_lowering.lower(target), hal_target.text(target), warnings, target)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:
    """Print as a release does; what IREE would name as a GPU target becomes the device with that executable target."""
    tree = of._tree if isinstance(of, Parsed) else None
    wanted = era or era_of(compat)
    if isinstance(tree, HalTarget):
        return Rendered(hal_target.text(replace(tree, era=wanted)))
    env = of.env if isinstance(of, Parsed) else of
    if wanted != ERAS[-1]:
        refuse(env, f"hal@{wanted}", "only attributes that were read can be printed for older releases")
    whole = getattr(tree, "device", None)
    if isinstance(whole, str):
        return Rendered(whole)
    gpu, losses = iree_gpu_dialect.target_of(of)
    inner = iree_gpu_dialect.render(of)
    device = _DEVICES[iree_gpu_lowering.api_of(gpu)]
    executable = f'#{EXECUTABLE}<"vulkan-spirv", "vulkan-spirv-fb", {{iree_codegen.target_info = {inner.text}}}>'
    return Rendered(f'#{DEVICE}<"{device}", [{executable}]> : !hal.device', losses)


def era_of(compat: Compat | None) -> str:
    """The era of a release: types behind devices came in 2024-07, lists of executables in 2024-01."""
    if compat is None or compat.order >= (0, 20240621):
        return ERAS[-1]
    return ERAS[1] if compat.order >= (0, 20240129) else ERAS[0]


def _refuse_newer(found: v.Attribute, compat: Compat, source: Source) -> None:
    listed = found.name == DEVICE and any(type(item).__name__ == "Array" for item in found.body or ())
    if (found.name not in (DEVICE, EXECUTABLE) and compat.order < _ALIASES_SINCE) or (listed and era_of(compat) == ERAS[0]):
        label = Label(found._name_span, f"`#{ALIAS}` and its like came on 2024-08" if not listed else "came on 2024-01")
        what = "this form of " if listed else ""
        raise ParseError(Diagnostic("TE1202", f"iree@{compat.name} has no {what}`#{found.name}`", source, (label,)))
