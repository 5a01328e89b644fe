"""Every name of a target that we know, what it expands to, and where that comes from."""

from __future__ import annotations

from fnmatch import fnmatchcase
from importlib import import_module

from targetenv.model.record import record


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
        else:
            rows += [TargetName(name, dialect.name, dialect.about, "") for name in module.names()]
    return rows
