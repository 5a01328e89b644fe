"""A target refined in place: `rdna3-unknown-linux + {subgroupSize = 32, -VK_KHR_cooperative_matrix}`, in any dialect.

Behind the base stand `+` and edits in braces, which apply from left to right: a name is switched on, one with `-` in front
taken away, `name = value` sets a limit or a version. An extension that goes takes along what only it provides.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from lark import Token, Tree

from targetenv.diagnostics.diagnostic import ParseError, Source
from targetenv.model.capabilities import Property
from targetenv.model.record import record, replace
from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.syntax.complaints import Complaints
from targetenv.syntax.device_names import VERSIONS, DeviceNames, shortest, span_of
from targetenv.syntax.grammar import tree
from targetenv.syntax.parsed import Parsed
from targetenv.syntax.vk_lowering import subgroup_sizes

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from targetenv.model.capabilities import Capabilities
    from targetenv.syntax.grammar import Node

    Value: TypeAlias = int | Version | tuple[int, ...]

_TAIL = re.compile(r"\s*\+\s*(?=\{[^{}]*\}\s*\Z)")
_SUBGROUP = {
    name: vulkan.property_name(f"VkPhysicalDevice{struct}", name)
    for name, struct in (
        ("subgroupSize", "Vulkan11Properties"),
        ("minSubgroupSize", "Vulkan13Properties"),
        ("maxSubgroupSize", "Vulkan13Properties"),
    )
}


@record
class Edit:
    """One edit: `value` is True for a name that is switched on, False for one that is taken away."""

    name: str
    value: Value | bool

    def __str__(self) -> str:
        name = shortest(self.name)
        if isinstance(self.value, bool):
            return name if self.value else f"-{name}"
        shown = f"[{', '.join(map(str, self.value))}]" if isinstance(self.value, tuple) else str(self.value)
        return f"{name} = {shown}"


def split(text: str) -> int | None:
    """Where the `+` of a refinement begins, None when the text has none.

    >>> split("sm_90 + {subgroupSize = 32}"), split("vulkan1.1+spirv1.4")
    (5, None)
    """
    found = _TAIL.search(text)
    return found.start() if found and found.start() else None


def read(source: Source, at: int, read_base: Callable[[Source], Parsed]) -> Parsed:
    """The base with the edits applied (TE10xx, TE12xx, TE13xx, TE2001); every span counts in the whole text."""
    text = source.text
    plus = text.index("+", at)
    try:
        base = read_base(Source(source.name, text[:at]))
        node = tree("refinement", Source(source.name, " " * (plus + 1) + text[plus + 1 :]))
    except ParseError as error:
        whole = (replace(each, source=source if each.source is not None else None) for each in error.diagnostics)
        raise ParseError(*whole) from None
    complaints = Complaints(source)
    edits: dict[str, Edit] = {}
    offers = base.env.offers
    names = DeviceNames(complaints)
    for child in node.children:
        edit, name = _edit(cast("Node", child), names, offers)
        if edit.name in edits:
            complaints.error("TE2001", f"`{edit.name}` is edited twice", span_of(name), help="edit each name once")
        edits[edit.name] = edit
        offers = _applied(offers, edit)
    warnings = base.diagnostics + complaints.settle()
    canonical = f"{base.canonical} + {{{', '.join(map(str, edits.values()))}}}"
    env = replace(base.env, offers=offers)
    return Parsed(base.dialect, env, canonical, warnings)


def _edit(node: Node, names: DeviceNames, offers: Capabilities) -> tuple[Edit, Token]:
    name = next(child for child in node.children if isinstance(child, Token) and child.type == "NAME")
    if node.data == "set":
        return _setting(name, next(child for child in node.children if isinstance(child, Tree)), names), name
    on = node.data == "added"
    if name.startswith(("VK_", "SPV_")):
        return Edit(names.extension(name).name, on), name
    if offers.api == "rocm":  # target features are an open set; the processor's dialect knows them
        return Edit(str(name), on), name
    return Edit(names.feature(name).name, on), name


def _setting(name: Token, value: Node, names: DeviceNames) -> Edit:
    if name in VERSIONS:
        first = value.children[0]
        if isinstance(first, Token) and value.data == "quantity" and len(value.children) == 1 and not first.startswith("0x"):
            return Edit(str(name), Version.parse(first))
        names.complaints.error("TE1305", f"`{name}` takes a version", span_of(value), help=f"write `{name} = 1.2`, for example")
        return Edit(str(name), Version(0))
    limit = _SUBGROUP.get(str(name)) or names.limit(name)
    number = names.value(value)
    return Edit(limit or str(name), 0 if number is None else number)


def _applied(offers: Capabilities, edit: Edit) -> Capabilities:
    match edit.value:
        case bool() if edit.name.startswith(("VK_", "SPV_")):
            return _with_extension(offers, edit.name) if edit.value else _without_extension(offers, edit.name)
        case True:
            return replace(offers, features=offers.features | {edit.name}, denied=offers.denied - {edit.name})
        case False:
            return replace(offers, features=offers.features - {edit.name}, denied=offers.denied | {edit.name})
        case Version():
            if edit.name == "spirv":
                spirv = None if offers.spirv is None else replace(offers.spirv, version=edit.value)
                return replace(offers, spirv=spirv)
            return replace(offers, version=edit.value) if edit.name == offers.api else offers
        case value:
            rest = [row for row in offers.properties if row.name != edit.name]
            properties = tuple(sorted([*rest, Property(edit.name, value)], key=lambda row: row.name))
            changed = replace(offers, properties=properties)
            return _with_sizes(changed) if edit.name in _SUBGROUP.values() else changed


def _with_extension(offers: Capabilities, name: str) -> Capabilities:
    if name.startswith("SPV_") and offers.spirv is not None:
        return replace(offers, spirv=replace(offers.spirv, extensions=offers.spirv.extensions | {name}))
    return replace(offers, extensions=offers.extensions | {name})


def _without_extension(offers: Capabilities, name: str) -> Capabilities:
    """The offers without an extension, and without the features that nothing else here provides."""
    if name.startswith("SPV_") and offers.spirv is not None:
        return replace(offers, spirv=replace(offers.spirv, extensions=offers.spirv.extensions - {name}))
    left = replace(offers, extensions=offers.extensions - {name})
    orphans = frozenset(feature for feature in left.features if _only_from(feature.partition("::")[0], name, left))
    matrices = frozenset() if name.endswith("_cooperative_matrix") else left.matrices
    return replace(left, features=left.features - orphans, denied=left.denied | orphans, matrices=matrices)


def _only_from(struct: str, extension: str, offers: Capabilities) -> bool:
    providers = vulkan.provided_by(struct)
    if extension not in providers:
        return False
    core = (vulkan.version(each) for each in providers if vulkan.is_version(each))
    by_version = offers.version is not None and any(offers.version >= version for version in core)
    return not by_version and not offers.extensions.intersection(providers)


def _with_sizes(offers: Capabilities) -> Capabilities:
    """The set of subgroup sizes follows from the size and the range that are stated."""
    size, low, high = (offers.property(name) for name in _SUBGROUP.values())
    whole = [value if isinstance(value, int) else None for value in (size, low, high)]
    return replace(offers, subgroup_sizes=subgroup_sizes(*whole))
