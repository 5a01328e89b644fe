"""What an answer may look at: two devices that are alike in all of it answer alike.

The other half of `targetenv.match.check`: whoever makes a rule look at something new says so here. Whole populations are
judged by this, one device for all that are alike; `tests/property/test_fleet.py` holds every answer against the judge's own.
"""

from __future__ import annotations

from targetenv.match import amd, metal, opencl
from targetenv.model import requirement as needs
from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement

    Plain: TypeAlias = "str | int | float | bool | tuple[Plain, ...] | None"

# Where subgroup sizes and matrix rows come from, which every context has.
_LISTED = frozenset({"VkPhysicalDeviceSubgroupProperties", "VkCooperativeMatrixPropertiesKHR"})


@record
class Reads:
    """The names that an answer may look at, beside the context (`context_of`).

    A feature in `mandatory` that a Vulkan device neither offers nor denies may be one that its version and extensions demand,
    and then all of these are looked at. One in `features` is so only where the source did not answer everything. `isa` is set
    where the features of a processor count one by one, `patch` where the last part of a version does.
    """

    extensions: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    mandatory: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()
    isa: bool = False
    patch: bool = False

    def __or__(self, other: Reads) -> Reads:
        return Reads(
            self.extensions | other.extensions,
            self.features | other.features,
            self.mandatory | other.mandatory,
            self.properties | other.properties,
            self.isa or other.isa,
            self.patch or other.patch,
        )

    def structs(self) -> frozenset[str]:
        """The structs that the names are members of, and those that subgroup sizes and matrix rows come from."""
        names = self.features | self.mandatory | self.properties
        return _LISTED | {name.partition("::")[0] for name in names}

    def everything(self, offers: Capabilities) -> bool:
        """Whether the answer of this device may depend on all of its extensions and features."""
        if offers.api != "vulkan":
            return False
        asked = self.mandatory if offers.complete and not offers.unstated else self.mandatory | self.features
        return not asked <= offers.features | offers.denied


def reads(requirement: Requirement) -> Reads:
    """What the answer to one requirement may look at.

    >>> sorted(reads(needs.NeedsFeature("VkPhysicalDeviceVulkan12Features::drawIndirectCount")).extensions)
    ['VK_KHR_draw_indirect_count']
    """
    match requirement:
        case needs.NeedsVersion(of, version):
            return _version(of, patch=version.patch != 0)
        case needs.NeedsIsa():
            return Reads(isa=True)
        case needs.NeedsSubgroupSize():  # of two sizes, the one nearer to the device's own is chosen
            return Reads(properties=frozenset({"VkPhysicalDeviceSubgroupProperties::subgroupSize"}))
        case needs.NeedsExtension(name):
            return _usable(name) if name.startswith("SPV_") else Reads(frozenset({name}))
        case needs.NeedsCapability(name):
            return _usable(name)
        case needs.NeedsFeature(name):
            return Reads(_alias(name), mandatory=frozenset({name}), isa=True)
        case needs.NeedsLimit(name):
            return Reads(_providers(name.partition("::")[0]), properties=frozenset({name}))
        case needs.AllOf(parts) | needs.AnyOf(parts):
            return all_reads(parts)
        case needs.Not(part):
            return reads(part)
        case _:
            return Reads()


def _version(of: str, *, patch: bool) -> Reads:
    if of == "spirv":
        extensions, properties = opencl.VERSION_LOOKS_AT
        return Reads(extensions | {"VK_KHR_spirv_1_4"}, properties=properties, patch=patch)
    if of == "code-object":
        return Reads(properties=frozenset({amd.CODE_OBJECT}), patch=True)
    if of == "metal" or of in metal.SYSTEMS:
        return Reads(features=frozenset(metal.SYSTEMS), properties=frozenset({metal.VERSION}), patch=True)
    return Reads(patch=patch)


def all_reads(requirements: Iterable[Requirement]) -> Reads:
    """What the answers to several requirements may look at."""
    found = Reads()
    for requirement in requirements:
        found |= reads(requirement)
    return found


def leaves(requirement: Requirement) -> Iterator[Requirement]:
    """The simple requirements in a compound one, or the requirement itself."""
    match requirement:
        case needs.AllOf(parts) | needs.AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case needs.Not(part):
            yield from leaves(part)
        case _:
            yield requirement


def context_of(offers: Capabilities, asked: Reads) -> Plain:
    """What any of these answers may look at: all that is neither an extension, nor a feature, nor a property."""
    version, spirv = offers.version, offers.spirv
    return (
        offers.api,
        None if version is None else (version.key if asked.patch else version.key[:2]),
        offers.isa,
        offers.complete,
        tuple(sorted(offers.unstated & asked.structs())) if offers.unstated else (),
        tuple(sorted(offers.formats)),
        tuple(sorted(offers.subgroup_sizes)),
        tuple(sorted(map(str, offers.matrices))),
        None if spirv is None else (spirv.version.key, tuple(sorted(spirv.capabilities)), tuple(sorted(spirv.extensions))),
    )


def _usable(name: str) -> Reads:
    """A capability or an extension of SPIR-V, on Vulkan or on OpenCL."""
    extensions, properties = opencl.looks_at(name)
    return _enabling(name) | Reads(extensions, properties=properties)


def _enabling(name: str) -> Reads:
    """The names in the conditions under which Vulkan takes a capability or SPIR-V extension."""
    from targetenv.registry import depends, vulkan
    from targetenv.registry.spirv import canonical_capability
    from targetenv.registry.spirv_environment import conditions_of

    extensions: set[str] = set()
    features: set[str] = set()
    properties: set[str] = set()
    for kind, subjects, _, _, requires in conditions_of(canonical_capability(name) or name):
        {"e": extensions, "f": features, "p": properties}.get(kind, set()).update(subjects)
        for atom in depends.names(requires):
            if "::" in atom:
                features.add(vulkan.feature(*atom.split("::")))
            else:
                extensions.add(atom)
    extensions.update(*map(_alias, features))
    return Reads(frozenset(extensions), frozenset(features), properties=frozenset(properties))


def _alias(feature: str) -> frozenset[str]:
    from targetenv.registry.vulkan import feature_extension_alias

    extension = feature_extension_alias(feature) if "::" in feature else None
    return frozenset() if extension is None else frozenset({extension})


def _providers(struct: str) -> frozenset[str]:
    """The extensions that bring a property struct: where none is there, a limit that is not stated is not offered."""
    from targetenv.registry.vulkan import is_version, provided_by

    return frozenset(name for name in provided_by(struct) if not is_version(name)) if struct.startswith("Vk") else frozenset()
