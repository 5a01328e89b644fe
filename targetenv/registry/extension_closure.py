"""Which extensions have to be enabled together: what an extension's `depends` asks for, as far as it is not there already."""

from __future__ import annotations

from functools import partial

from targetenv.registry import depends, vulkan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from targetenv.model.version import Version


def closure(names: Iterable[str], offered: Collection[str], version: Version) -> set[str]:
    """Extensions together with the offered ones that they depend on, in the registry's words, and no more than that.

    >>> from targetenv.model.version import Version
    >>> sorted(closure({"VK_KHR_spirv_1_4"}, {"VK_KHR_spirv_1_4", "VK_KHR_shader_float_controls"}, Version(1, 1)))
    ['VK_KHR_shader_float_controls', 'VK_KHR_spirv_1_4']
    """
    asked = set(names)
    enabled: set[str] = set()
    left = sorted(asked)
    while left:
        name = left.pop()
        if name in enabled:
            continue
        enabled.add(name)
        left += _lacking(name, enabled.union(left), offered, version)
    # Of `(A+B),C` the walk above takes A first, and A alone is of no use where B is not offered.
    for name in sorted(enabled - asked):
        rest = enabled - {name}
        if all(_satisfied(other, rest, version) for other in rest):
            enabled = rest
    return enabled


def _lacking(name: str, enabled: set[str], offered: Collection[str], version: Version) -> list[str]:
    found: list[str] = []
    row = vulkan.extension(name)
    for atom in depends.names(row.depends) if row is not None else ():
        if atom in offered and not _satisfied(name, enabled.union(found), version):
            found.append(atom)
    return found


def _satisfied(name: str, enabled: set[str], version: Version) -> bool:
    row = vulkan.extension(name)
    return row is None or depends.evaluate(row.depends, partial(_present, enabled, version))


def _present(enabled: set[str], version: Version, atom: str) -> bool:
    """Whether an atom of a `depends` expression holds; features of an enabled extension are not looked at one by one."""
    if vulkan.is_version(atom):
        return vulkan.version(atom) <= version
    core, row = vulkan.core_since(atom), vulkan.extension(atom)
    return (
        "::" in atom
        or atom in enabled
        or (core is not None and core <= version)
        or (row is not None and row.kind == "instance")
    )
