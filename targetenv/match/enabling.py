"""What a device has to be opened with so that code runs on it: the features and extensions that Vulkan leaves switched off.

A capability of a module may be used when one condition of the registry holds on the *opened* device, where only what was named
at its creation counts. Nothing is listed that the version includes, and nothing that another entry makes superfluous.
"""

from __future__ import annotations

from targetenv.match.phrases import required
from targetenv.match.ways import NOTHING, of_condition, of_extension, of_feature, product, size, smallest
from targetenv.model import requirement as needs
from targetenv.model.record import record, replace
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from targetenv.match.ways import Way
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.registry.spirv_environment import SpirvSupport

_CONTROL = "VkPhysicalDeviceSubgroupSizeControlFeatures::"
_FULL = f"{_CONTROL}computeFullSubgroups"
# Enabled, it forbids the scope `Device` to every module, also to those that may use it otherwise, unless its companion is
# enabled too (VUID-RuntimeSpirv-vulkanMemoryModel-06265).
_MEMORY_MODEL = "VkPhysicalDeviceVulkanMemoryModelFeatures::vulkanMemoryModel"


@record
class Enabling:
    """One feature or extension to switch on, and what for: the requirements, or extensions, that depend on it."""

    name: str
    because: tuple[str, ...] = ()


@record
class EnableList:
    """Exactly what a device has to be opened with, each tuple in the order of names; empty where nothing is switched off."""

    features: tuple[Enabling, ...] = ()
    extensions: tuple[Enabling, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The canonical names of the features."""
        return tuple(row.name for row in self.features)

    @property
    def extension_names(self) -> tuple[str, ...]:
        """The names of the extensions."""
        return tuple(row.name for row in self.extensions)


def enable_list(requirements: Iterable[Requirement], offers: Capabilities, *, several: bool = False) -> EnableList:
    """What a device that offers this has to be opened with to run code that requires that.

    Requirements that the device does not meet for sure ask for nothing. Where several features or extensions would do, those
    are taken that add least; what is superfluous then is left out, so that no entry can be dropped. `several` says that the
    requirements are those of several modules, which must not get into each other's way.

    >>> from targetenv.model.requirement import NeedsCapability
    >>> from targetenv.model.capabilities import Capabilities
    >>> gpu = Capabilities("vulkan", Version(1, 2), features=frozenset({"VkPhysicalDeviceFeatures::shaderInt64"}))
    >>> enable_list([NeedsCapability("Int64"), NeedsCapability("Shader")], gpu).feature_names
    ('VkPhysicalDeviceFeatures::shaderInt64',)
    """
    if offers.api != "vulkan":
        return EnableList()
    from targetenv.registry.extension_closure import closure

    version = offers.version or Version(1, 0)
    finder = _Finder(offers)
    asked = [(need, found) for need in dict.fromkeys(requirements) for found in (finder.ways(need),) if NOTHING not in found]
    asked = [(need, found) for need, found in asked if found]
    names = _fewest([found for _, found in asked])
    reasons: dict[str, list[str]] = {name: [] for name in names}
    for need, found in asked:
        for name in names:
            if not any(way <= names - {name} for way in found):
                reasons[name].append(required(need))
    companion = f"{_MEMORY_MODEL}DeviceScope"
    if several and _MEMORY_MODEL in names and companion not in names and finder.usable(companion):
        reasons[companion] = ["the other modules, to which vulkanMemoryModel forbids the scope Device without it"]
    extensions = {name for name in names if "::" not in name}
    whole = closure(extensions, offers.extensions, version)
    for name in whole - extensions:
        users = sorted(user for user in whole - {name} if name in closure({user}, {name}, version))
        reasons[name] = [f"extension {user}" for user in users]
    rows = [Enabling(name, tuple(because)) for name, because in sorted(reasons.items())]
    return EnableList(tuple(row for row in rows if "::" in row.name), tuple(row for row in rows if "::" not in row.name))


def opened_with(listed: EnableList, offers: Capabilities) -> Capabilities:
    """What is left of a device's offers when it is opened with this list and nothing else."""
    from targetenv.registry.vulkan import feature_extension_alias

    features = frozenset(listed.feature_names)
    extensions = frozenset(listed.extension_names)
    offered = offers.denied | offers.features | _Finder(offers).guaranteed()
    return replace(
        offers,
        extensions=extensions,
        features=features,
        denied=frozenset(name for name in offered - features if feature_extension_alias(name) not in extensions),
    )


class _Finder:
    """The ways in which one device can be opened for a requirement."""

    def __init__(self, offers: Capabilities) -> None:
        self.offers = offers
        self.version = offers.version or Version(1, 0)
        self._support: SpirvSupport | None = None
        self._guaranteed: frozenset[str] | None = None

    def ways(self, need: Requirement) -> tuple[Way, ...]:
        """Every smallest set that is enough; a way without names where nothing is to be enabled, none where nothing helps."""
        match need:
            case needs.NeedsExtension(name) if not name.startswith("SPV_"):
                return tuple(of_extension(name, self.version, self.usable))
            case needs.NeedsExtension(name) | needs.NeedsCapability(name):
                return smallest(
                    way for row in self.support().why(name) if row.holds for way in of_condition(row, self.version, self.usable)
                )
            case needs.NeedsFeature(name):
                return smallest(of_feature(name, self.version, self.usable))
            case needs.NeedsVersion("spirv", version):
                return self._spirv(version)
            case needs.NeedsSubgroupSize(size):
                return self._subgroup(size)
            case needs.AllOf(parts):
                return smallest(product([self.ways(part) for part in parts]))
            case needs.AnyOf(parts):
                return smallest(way for part in parts for way in self.ways(part))
            case _:  # limits and formats are there without being asked for
                return (NOTHING,)

    def support(self) -> SpirvSupport:
        """The registry's conditions, held against the device."""
        if self._support is None:
            from targetenv.registry.spirv_environment import support

            # What the source states of SPIR-V does not say what has to be enabled for it.
            self._support = support(replace(self.offers, spirv=None))
        return self._support

    def guaranteed(self) -> frozenset[str]:
        """The features that every such device has, whatever its description says."""
        if self._guaranteed is None:
            from targetenv.registry.spirv_environment import guaranteed_features

            found = guaranteed_features(self.version, self.offers.extensions, self.offers.features)
            self._guaranteed = found - self.offers.denied
        return self._guaranteed

    def usable(self, name: str) -> bool:
        """Whether the device has this feature or extension to be enabled."""
        if "::" not in name:
            return name in self.offers.extensions
        return name in self.offers.features or name in self.guaranteed()

    def _spirv(self, version: Version) -> tuple[Way, ...]:
        from targetenv.registry.spirv_environment import spirv_version

        for extensions in (frozenset[str](), frozenset({"VK_KHR_spirv_1_4"}) & self.offers.extensions):
            if spirv_version(self.version, extensions) >= version:
                return (extensions,)
        return ()

    def _subgroup(self, size: int) -> tuple[Way, ...]:
        """A device with one size has nothing to switch; on others the pipeline asks for the size, and for full subgroups."""
        sizes = self.offers.subgroup_sizes
        if size not in sizes:
            return ()
        ways = of_feature(f"{_CONTROL}subgroupSizeControl", self.version, self.usable)
        if len(sizes) == 1 or not ways:
            return (NOTHING,)
        return tuple(way | ({_FULL} if self.usable(_FULL) else NOTHING) for way in ways)


def _fewest(options: Sequence[tuple[Way, ...]]) -> frozenset[str]:
    """Names that contain a way of every option: what has no choice first, then what adds least."""
    chosen: Way = NOTHING
    for found in sorted(options, key=lambda found: (len(found), list(map(size, found)))):
        if not any(way <= chosen for way in found):
            chosen |= min(found, key=lambda way: (len(way - chosen), size(way)))
    for name in sorted(chosen):  # a later choice may have made an earlier one superfluous
        rest = chosen - {name}
        if all(any(way <= rest for way in found) for found in options):
            chosen = rest
    return chosen
