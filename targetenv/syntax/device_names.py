"""Names of what a device offers, as people write them: bare where that says enough, `Struct::member` where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lark import Token

from targetenv.diagnostics.suggest import did_you_mean
from targetenv.model import requirement as needs
from targetenv.model.span import Span
from targetenv.registry import aarch64, spirv, vulkan, x86
from targetenv.syntax.complaints import Complaints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from targetenv.syntax.grammar import Node

VERSIONS = ("vulkan", "spirv", "opencl", "cuda", "ptx", "driver")
LIMITS = "VkPhysicalDeviceLimits"  # where two structs share a member, this one is meant
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "K": 1000, "M": 1_000_000, "G": 1_000_000_000}


class DeviceNames:
    """What the names of one text mean, and what is wrong with them."""

    def __init__(self, complaints: Complaints) -> None:
        self.complaints = complaints

    def feature(self, name: Token) -> needs.NeedsFeature:
        """The feature of that name: a CPU's in LLVM's spelling, or Vulkan's."""
        if name in x86.known_features() | aarch64.known_features():
            return needs.NeedsFeature(str(name))
        found = self._one_of(name, vulkan.find_feature)
        if found is None:
            self.unknown("feature", name, (*_members(vulkan.feature_names()), *x86.known_features(), *VERSIONS))
        return needs.NeedsFeature(found or str(name))

    def extension(self, name: Token) -> needs.NeedsExtension:
        """The extension of Vulkan or SPIR-V of that name."""
        known = spirv.extension_names() if name.startswith("SPV_") else vulkan.extension_names()
        if name not in known:
            self.unknown("extension", name, known)
        return needs.NeedsExtension(str(name))

    def limit(self, name: Token) -> str | None:
        """The canonical name of a limit."""
        found = self._one_of(name, vulkan.find_property)
        if found is None and vulkan.find_feature(name.rpartition("::")[2]):
            help_ = f"write `{name}` or `not {name}`"
            self.complaints.error("TE1304", f"`{name}` is a feature: it is there or not", span_of(name), help=help_)
        elif found is None:
            self.unknown("limit", name, (*_members(vulkan.property_names()), *VERSIONS))
        return found

    def _one_of(self, name: Token, find: Callable[[str], tuple[str, ...]]) -> str | None:
        """The canonical name, if there is one; of several, the one that is written out or the one in the plain limits."""
        struct, _, member = name.rpartition("::")
        found = find(member)
        if struct:
            canonical = (vulkan.feature if find is vulkan.find_feature else vulkan.property_name)(struct, member)
            return canonical if canonical in found else None
        if len(found) < 2:
            return found[0] if found else None
        plain = f"{LIMITS}::{member}"
        if plain in found:
            return plain
        help_ = f"write one of {', '.join(f'`{each}`' for each in found)}"
        self.complaints.error("TE1302", f"`{name}` is ambiguous", span_of(name), help=help_)
        return found[0]

    def value(self, value: Node) -> int | tuple[int, ...] | None:
        """The number of a `quantity` with its unit, or the numbers of a `vector`."""
        tokens = [child for child in value.children if isinstance(child, Token)]
        numbers = [self.integer(token) for token in tokens if token.type == "NUMBER"]
        if None in numbers:
            return None
        whole = [number for number in numbers if number is not None]
        if value.data == "vector":
            return tuple(whole)
        unit = tokens[1] if len(tokens) > 1 else None
        if unit is not None and unit not in _UNITS:
            help_ = did_you_mean(unit, _UNITS) or f"units are {', '.join(_UNITS)}"
            self.complaints.error("TE1303", f"unknown unit `{unit}`", span_of(unit), help=help_)
            return None
        return whole[0] * (_UNITS[unit] if unit else 1)

    def integer(self, token: Token) -> int | None:
        """The number that a token spells, if it is a whole one that 64 bits hold."""
        if "." in token:
            self.complaints.error("TE1305", f"`{token}` is not an integer", span_of(token), help="limits are whole numbers")
            return None
        number = int(token, 0) if token.startswith("0x") else int(token)
        if number > 0xFFFF_FFFF_FFFF_FFFF:
            self.complaints.error("TE1206", f"number out of range: `{token}`", span_of(token), "more than 64 bits hold")
            return None
        return number

    def unknown(self, what: str, name: Token, known: Iterable[str]) -> None:
        """Note that nothing is called so."""
        self.complaints.error("TE1301", f"unknown {what} `{name}`", span_of(name), help=did_you_mean(name, known))


def shortest(canonical: str) -> str:
    """The member alone where that names this feature or limit and nothing else.

    >>> shortest("VkPhysicalDeviceFeatures::shaderInt64"), shortest("avx512f")
    ('shaderInt64', 'avx512f')
    """
    struct, _, member = canonical.rpartition("::")
    found = (vulkan.find_feature(member) or vulkan.find_property(member)) if struct else ()
    return member if found == (canonical,) or (struct == LIMITS and canonical in found) else canonical


def _members(names: Iterable[str]) -> set[str]:
    return {name.rpartition("::")[2] for name in names}


def span_of(place: Token | Node) -> Span:
    """Where a token or a node of the syntax tree stands."""
    if isinstance(place, Token):
        start = place.start_pos or 0
        return Span(start, start + len(place))
    return Span(place.meta.start_pos, place.meta.end_pos)
