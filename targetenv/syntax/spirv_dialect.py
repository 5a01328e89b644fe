"""The dialect `spirv`: reading any era of `#spirv.target_env`, printing one, and converting Vulkan environments into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.model.record import replace
from targetenv.syntax import (
    iree_gpu_dialect,
    iree_gpu_to_spirv,
    mlir_spirv,
    spirv_lowering,
    spirv_printer,
    vk_dialect,
    vk_to_spirv,
)
from targetenv.syntax.iree_gpu_target import GpuTarget
from targetenv.syntax.not_expressible import refuse
from targetenv.syntax.parsed import Parsed, Rendered
from targetenv.syntax.spirv_target_env import SpirvTargetEnv, read

if TYPE_CHECKING:
    from targetenv.diagnostics.diagnostic import Source
    from targetenv.model.target_env import TargetEnv
    from targetenv.syntax.compat import Compat

_APIS = ("vulkan", "spirv", "opencl", "metal", "webgpu")


def parse(source: Source, compat: Compat | None = None) -> Parsed:
    """Read a text; with `compat`, take what that release of IREE takes and nothing else."""
    tree, warnings = read(source, None if compat is None else mlir_spirv.release_index(compat.name))
    return Parsed(f"spirv@{tree.era}", spirv_lowering.lower(tree), spirv_printer.text(tree), warnings, tree)


def render(of: Parsed | TargetEnv, era: str | None = None, compat: Compat | None = None) -> Rendered:
    """Print in an era, D unless the text was of another one.

    `compat` gives what that release of IREE attaches to a Vulkan environment: its own conversion, byte for byte, until 2024-06.
    """
    losses: tuple[str, ...] = ()
    if isinstance(of, Parsed) and isinstance(of._tree, SpirvTargetEnv):
        tree = of._tree
        era = era or tree.era
    else:
        env = of.env if isinstance(of, Parsed) else of
        gpu = iree_gpu_dialect.target_of(of)[0] if compat is not None and compat.vk is None and _has_gpu(of) else None
        if gpu is not None:
            converted = iree_gpu_to_spirv.convert(gpu)
            if converted is None:
                refuse(env, "spirv", "IREE fails to convert a target whose features name no SPIR-V version")
            return Rendered(spirv_printer.text(converted))
        if env.offers.api not in _APIS:
            refuse(env, "spirv", "no SPIR-V runs there")
        if compat is not None and compat.vk is not None and env.offers.api == "vulkan" and env.offers.spirv is None:
            within, losses = vk_dialect.tree_of(of, "C", compat)
            return Rendered(spirv_printer.text(vk_to_spirv.convert(within)), losses)
        tree, losses = spirv_lowering.raise_(env)
    if compat is not None:
        tree, more = spirv_lowering.within(tree, mlir_spirv.release_index(compat.name))
        losses += more
    tree, more = _in_era(tree, era or "D")
    return Rendered(spirv_printer.text(tree), losses + more)


def _has_gpu(of: Parsed | TargetEnv) -> bool:
    tree = of._tree if isinstance(of, Parsed) else None
    return isinstance(tree, GpuTarget) or isinstance(getattr(tree, "gpu", None), GpuTarget)


def _in_era(tree: SpirvTargetEnv, era: str) -> tuple[SpirvTargetEnv, tuple[str, ...]]:
    losses = []
    if era in ("A", "B", "C") and tree.api not in (None, "Unknown"):
        losses.append(f"client API `{tree.api}`")
        tree = replace(tree, api=None)
    if era == "A" and tree.device is not None and tree.device[0] != "Unknown":
        losses.append(f"vendor `{tree.device[0]}`")
        tree = replace(tree, device=None)
    return replace(tree, era=era), tuple(losses)
