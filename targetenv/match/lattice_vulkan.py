"""What a description of a Vulkan device leaves to the registry to say: promoted extensions, guaranteed features, its SPIR-V."""

from __future__ import annotations

from functools import cache

from targetenv.model.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.version import Version


def normal(offers: Capabilities) -> Capabilities:
    """The same with every feature, extension and condition said that follows."""
    from targetenv.registry.spirv_environment import support

    features = _features(offers)
    extensions = offers.extensions | {name for name in _promoted() if _is_core(name, offers.version, features)}
    return replace(offers, features=features, extensions=extensions, spirv=support(offers).environment)


def tidied(found: Capabilities, inputs: tuple[Capabilities, ...]) -> Capabilities:
    """Without the extensions, features and SPIR-V that follow from the rest, but for what every input says itself."""
    from targetenv.registry.spirv_environment import guaranteed_features, support

    listed = frozenset.intersection(*(each.extensions for each in inputs))
    told = frozenset.intersection(*(each.features for each in inputs))
    needless = {name for name in found.extensions - listed if _is_core(name, found.version, found.features)}
    every = frozenset() if found.version is None else guaranteed_features(found.version, frozenset()) - found.denied
    made = replace(found, extensions=found.extensions - needless, features=found.features - (every - told), spirv=None)
    # What is known for sure of SPIR-V may be more than, or less than, what the rest lets conclude: then it is said.
    return made if support(made).environment == found.spirv else replace(made, spirv=found.spirv)


def _features(offers: Capabilities) -> frozenset[str]:
    from targetenv.registry.spirv_environment import guaranteed_features

    every = offers.features
    if offers.version is not None:
        every = guaranteed_features(offers.version, offers.extensions, offers.features)
    implied = {feature for name in offers.extensions for feature in _implied().get(name, ())}
    return (every | implied) - offers.denied


def _is_core(extension: str, version: Version | None, features: frozenset[str]) -> bool:
    """Whether a version has all of an extension: took it in, and the device has every feature that listing it would promise.

    A feature that the extension makes mandatory may be optional in the core (`shaderDrawParameters` in 1.1).
    """
    from targetenv.registry.vulkan import core_since

    core = core_since(extension)
    return core is not None and version is not None and version >= core and _promises().get(extension, frozenset()) <= features


@cache
def _promoted() -> tuple[str, ...]:
    from targetenv.registry.vulkan import core_since, extension_names

    return tuple(sorted(name for name in extension_names() if core_since(name) is not None))


@cache
def _implied() -> dict[str, list[str]]:
    """Extension -> the features that it implies by being there."""
    from targetenv.registry.vulkan import feature_extension_alias, feature_names

    found: dict[str, list[str]] = {}
    for feature in feature_names():
        if (extension := feature_extension_alias(feature)) is not None:
            found.setdefault(extension, []).append(feature)
    return found


@cache
def _promises() -> dict[str, frozenset[str]]:
    """Extension -> all features that its being listed can make mandatory, whatever else that depends on."""
    from targetenv.registry import depends, vulkan

    versions = [f"VK_VERSION_1_{minor}" for minor in range(10)]
    found: dict[str, set[str]] = {name: set(features) for name, features in _implied().items()}
    for owner in (*versions, *sorted(vulkan.extension_names())):
        for row in vulkan.required_features(owner):
            if len(row.features) == 1:
                for name in {owner, *depends.names(row.depends)}:
                    found.setdefault(name, set()).update(row.features)
    return {name: frozenset(features) for name, features in found.items()}
