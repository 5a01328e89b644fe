"""Every name of a target that we know, what it expands to, and where that comes from."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib import import_module

from targetenv.diagnostics.diagnostic import Source
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.target_env import TargetEnv

_SOURCES = {  # of the tables in targetenv.registry, whose heads say more
    "amdgpu": "LLVM, AMDGPUUsage",
    "cuda": "ptxas of CUDA 13",
    "cpu": "x86-64 psABI, archspec, LLVM",
    "oci": "OCI image specification",
    "aie": "mlir-aie, AIETargetModel",
    "habana": "habanalabs driver",
    "llvm": "llvm Triple.h",
}


@record
class TargetName:
    """One name: the dialect that reads it, a phrase that says what it is, and the source of that."""

    name: str
    dialect: str
    expansion: str
    source: str


def targets(pattern: str = "") -> tuple[TargetName, ...]:
    """The names that contain `pattern`, or match it where it has `*`, `?` or `[`; upper and lower case are the same.

    >>> [row.name for row in targets("vulkan1.?")]
    ['vulkan1.0', 'vulkan1.1', 'vulkan1.2', 'vulkan1.3', 'vulkan1.4']
    """
    wanted = pattern.lower()
    glob = wanted if set(wanted) & set("*?[") else f"*{wanted}*"

    def fits(row: TargetName) -> bool:
        return fnmatchcase(row.name.lower(), glob) or fnmatchcase(f"{row.dialect}:{row.name}".lower(), glob)

    return tuple(filter(fits, _all()))


def _all() -> list[TargetName]:
    from targetenv.syntax.dialects import DIALECTS

    rows = []
    for dialect in DIALECTS:
        if dialect.attributes:
            continue
        module = import_module(f"targetenv.syntax.{dialect.module}")
        if hasattr(module, "targets"):
            rows += [TargetName(name, dialect.name, expansion, source) for name, expansion, source in module.targets()]
            continue
        for name in module.names():
            parsed = dialect.parse(Source("<name>", name), None)
            if parsed.dialect == dialect.name:  # two dialects may share a module
                rows.append(TargetName(name, dialect.name, _expansion(parsed.env), _SOURCES[dialect.name]))
    return rows


def _expansion(env: TargetEnv) -> str:
    offers = env.offers
    parts = [f"{env.vendor} {offers.isa or offers.api}" if env.vendor else offers.isa or offers.api]
    if offers.formats:
        parts.append("/".join(sorted(offers.formats)))
    if offers.features:
        parts.append(f"{len(offers.features)} features")
    if offers.subgroup_sizes:
        parts.append(f"subgroups of {' or '.join(map(str, sorted(offers.subgroup_sizes)))}")
    parts += [f"{each.name.rpartition('::')[2]} {each.value}" for each in offers.properties]
    return ", ".join(parts)
