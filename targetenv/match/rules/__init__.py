"""Compatibility rules as rows: what decides, where the rule comes from, from which version on it holds, and what checks it.

One module for each family. A family is loaded when one of its rules is asked for; its name is the first word of the rules' ids.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from targetenv.match.rules.row import Rule

__all__ = ["FAMILIES", "Rule", "every_rule", "rule"]

#: First word of an id -> module of this package.
FAMILIES = {
    "aarch64": "cpu",
    "aie": "npu",
    "amd": "amd",
    "compound": "general",
    "cuda": "nvidia",
    "extension": "vulkan",
    "feature": "vulkan",
    "format": "general",
    "habana": "npu",
    "isa": "general",
    "limit": "vulkan",
    "matrix": "vulkan",
    "metal": "metal",
    "oci": "oci",
    "offload": "offload",
    "opencl": "opencl",
    "rank": "ranking",
    "spirv": "vulkan",
    "subgroup": "vulkan",
    "unknown": "general",
    "version": "general",
    "x86": "cpu",
}


def rule(identifier: str) -> Rule:
    """The row under this id; a KeyError otherwise.

    >>> rule("extension.promoted").source
    'vk.xml, `promotedto`'
    """
    return _rows(FAMILIES[identifier.partition(".")[0]])[identifier]


def every_rule() -> tuple[Rule, ...]:
    """All rules, in order of their ids."""
    found = (row for module in sorted(set(FAMILIES.values())) for row in _rows(module).values())
    return tuple(sorted(found, key=lambda row: row.id))


@cache
def _rows(module: str) -> dict[str, Rule]:
    return {row.id: row for row in import_module(f"targetenv.match.rules.{module}").ROWS}
