"""The dialect `vk`: reading any era of `#vk.target_env`, printing one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.syntax import vk_lowering, vk_printer
from targetenv.syntax.iree_triple import IreeTriple
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered
from targetenv.syntax.vk_target_env import VkTargetEnv, read

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat


def parse(source: Source, compat: Compat | None = None) -> Parsed:
    """Read a text; with `compat`, take what that release of IREE takes and nothing else."""
    tree, warnings = read(source, None if compat is None else compat.vk)
    return Parsed(f"vk@{tree.era}", vk_lowering.lower(tree), vk_printer.text(tree), warnings, tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:
    """Print in an era, C unless the text was of another one."""
    tree, losses = tree_of(of, era, compat)
    return Rendered(vk_printer.text(tree), losses)


def tree_of(of: Parsed | TargetEnv, era: str | None, compat: Compat | None) -> tuple[VkTargetEnv, tuple[str, ...]]:
    """The record of an environment in an era, within what a release of IREE takes, and what that leaves out."""
    written = _written(of, compat)
    if written is not None:
        tree, losses = vk_lowering.convert(written, era or written.era)
    else:
        env = of.env if isinstance(of, Parsed) else of
        if env.offers.api != "vulkan":
            refuse(env, "vk", "it describes Vulkan devices")
        tree, losses = vk_lowering.raise_(env, era or "C")
    if compat is not None and compat.vk is not None:
        tree, more = vk_lowering.within(tree, compat.vk)
        losses += more
    return tree, losses


def _written(of: Parsed | TargetEnv, compat: Compat | None) -> VkTargetEnv | None:
    """The record that was read, or that a triple stands for, in the release that is asked for."""
    tree = of._tree if isinstance(of, Parsed) else None
    if isinstance(tree, IreeTriple):
        return tree.vk if compat is None or compat.vk is None else tree.in_release(compat.name).vk
    return tree if isinstance(tree, VkTargetEnv) else None
