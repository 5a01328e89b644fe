"""Vulkan Profiles files, and what has their shape: `vulkaninfo --json` since 2022, exports of vulkan.gpuinfo.org, our own.

A profile names blocks of capabilities. It demands all of them, and of a nested list at least one; it inherits from other
profiles of the file. A profile that states whose device it is (a vendor, a device's name) records that device: there a feature
that is false is a no, and an extension that is not listed is not there. Any other profile is a promise, and what it does not
name is open.
"""

from __future__ import annotations

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import record, replace
from targetenv.registry import vulkan
from targetenv.wire.vulkan_claims import Claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeAlias

    from targetenv.model.capabilities import PropertyValue
    from targetenv.model.device import Device
    from targetenv.wire.complaints import Complaints

    Block: TypeAlias = dict[str, Any]

_DEVICE = "VkPhysicalDeviceProperties"
_DEEPEST = 32  # profiles that inherit from each other
_MOST = 64  # profiles in a file, choices in a profile, alternatives in a choice


@record
class Blocks:
    """What one profile refers to: blocks that it demands, and lists of blocks of which it demands one each."""

    demanded: tuple[Block, ...]
    choices: tuple[tuple[Block, ...], ...]


def looks_like(value: dict[str, Any]) -> bool:
    """Whether an object is a Vulkan Profiles file."""
    return isinstance(value.get("capabilities"), dict) and ("profiles" in value or "profiles" in str(value.get("$schema")))


def names(value: dict[str, Any]) -> tuple[str, ...]:
    """The profiles in a file, in its order, no more than are read."""
    profiles = value.get("profiles")
    return tuple(profiles)[:_MOST] if isinstance(profiles, dict) else ()


def read(
    value: dict[str, Any], profile: str, *, uri: str, complaints: Complaints
) -> tuple[Device, str, tuple[tuple[Capabilities, ...], ...]]:
    """The device that a profile of the file describes, the kind of file, and the alternatives of which one more is demanded."""
    bodies = _lineage(value, profile, complaints)
    blocks = _blocks(value, bodies, complaints)
    recorded = len(blocks.choices) == 0 and any(map(_is_record, blocks.demanded))
    told = {"source": f"the profile {profile}", "label": str(bodies[0].get("label", ""))[:200]}
    claims = Claims(complaints)
    if recorded:
        kind = "vulkaninfo-json" if profile.upper().startswith("VP_VULKANINFO") else "device-profile"
        return _recorded(claims, blocks, bodies[0], told, uri), kind, ()
    promised = _promised(blocks.demanded, complaints)
    distinct = {id(block): block for choice in blocks.choices for block in choice}
    single = {at: _promised((block,), complaints) for at, block in distinct.items()}
    choices = tuple(tuple(single[id(block)] for block in choice) for choice in blocks.choices)
    for choice in choices:
        promised = _both(promised, _weakest(choice))
    for body in bodies:
        if "api-version" in body:
            claims.api_version(body["api-version"])
            promised = _both(promised, Capabilities("vulkan", claims.version))
    device = claims.device(uri, complete=False, provenance=told, name=profile)
    return replace(device, offers=promised), "profile", choices


def _is_record(block: Block) -> bool:
    """Whether a block states whose device it describes."""
    properties = _object(_object(block.get("properties")).get(_DEVICE))
    return "deviceName" in properties or "vendorID" in properties


def _recorded(claims: Claims, blocks: Blocks, body: Block, told: dict[str, str], uri: str) -> Device:
    for block in blocks.demanded:
        _take(claims, block)
    if "api-version" in body:
        claims.api_version(body["api-version"])
    listed = any("extensions" in block for block in blocks.demanded)
    if not listed:
        claims.complaints.add("TE4314", "extensions")
    return claims.device(uri, complete=listed, provenance=told, name=told["label"])


def _promised(blocks: Sequence[Block], complaints: Complaints) -> Capabilities:
    """What blocks promise together: all features, and of two values of one limit the one that is harder to meet."""
    offers = Capabilities("vulkan", formats=frozenset({"spirv"}), complete=False)
    for block in blocks:
        claims = Claims(complaints)
        _take(claims, block)
        offers = _both(offers, replace(claims.offers(complete=False), denied=frozenset()))
    return offers


def _take(claims: Claims, block: Block) -> None:
    for name in _object(block.get("extensions")):
        claims.extension(name)
    for struct, members in _object(block.get("features")).items():
        claims.features_of(struct, members)
    for struct, members in _object(block.get("properties")).items():
        claims.properties_of(struct, members)
    families = block.get("queueFamiliesProperties")
    claims.queues_of([_object(row).get("VkQueueFamilyProperties") for row in families] if isinstance(families, list) else ())


def _blocks(value: dict[str, Any], bodies: Sequence[Block], complaints: Complaints) -> Blocks:
    """Everything that a profile and those that it inherits from demand; each block once."""
    demanded: dict[str, Block] = {}
    choices: list[tuple[Block, ...]] = []
    capabilities = _object(value.get("capabilities"))

    def found(name: object) -> Block | None:
        block = capabilities.get(name) if isinstance(name, str) else None
        if not isinstance(block, dict):
            complaints.add("TE4317", f"{name}")
            return None
        return block

    for body in bodies:
        entries = body.get("capabilities")
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, list):
                rows = tuple(block for name in entry[:_MOST] if (block := found(name)) is not None)
                if len(choices) >= _MOST:
                    complaints.add("TE4317", f"more than {_MOST} choices")
                    break
                if rows:
                    choices.append(rows)
            elif (block := found(entry)) is not None:
                demanded[entry] = block
    return Blocks(tuple(demanded.values()), tuple(choices))


def _lineage(value: dict[str, Any], profile: str, complaints: Complaints) -> list[Block]:
    """A profile, those that it inherits from, and theirs; one that is not in the file cannot be followed."""
    profiles = value["profiles"]
    found: dict[str, Block] = {}
    waiting = [profile]
    for name in waiting:  # it grows on the way
        if not isinstance(name, str) or name not in profiles or len(found) >= _DEEPEST:
            complaints.add("TE4317", f"{name}")
        elif name not in found:
            found[name] = _object(profiles[name])
            inherited = found[name].get("profiles")
            waiting += inherited if isinstance(inherited, list) else []
    return list(found.values())


def _both(one: Capabilities, other: Capabilities) -> Capabilities:
    """What holds where both do."""
    values = {row.name: row.value for row in one.properties}
    for row in other.properties:
        before = values.get(row.name)
        values[row.name] = row.value if before is None else _chosen(row.name, before, row.value, harder=True)
    versions = [side.version for side in (one, other) if side.version is not None]
    return replace(
        one,
        version=max(versions) if versions else None,
        extensions=one.extensions | other.extensions,
        features=one.features | other.features,
        properties=tuple(Property(name, values[name]) for name in sorted(values)),
        subgroup_sizes=one.subgroup_sizes | other.subgroup_sizes,
    )


def _weakest(choice: Sequence[Capabilities]) -> Capabilities:
    """What holds whichever of them does."""
    first, *rest = choice
    for other in rest:
        values = {row.name: row.value for row in other.properties}
        properties = tuple(
            Property(row.name, _chosen(row.name, row.value, values[row.name], harder=False))
            for row in first.properties
            if row.name in values and (row.value == values[row.name] or vulkan.relation(row.name) is not None)
        )
        first = replace(
            first,
            version=min(first.version, other.version) if first.version and other.version else None,
            extensions=first.extensions & other.extensions,
            features=first.features & other.features,
            properties=properties,
            subgroup_sizes=first.subgroup_sizes & other.subgroup_sizes,
        )
    return first


def _chosen(name: str, one: PropertyValue, other: PropertyValue, *, harder: bool) -> PropertyValue:
    """Of two values of a limit the one that is harder, or easier, for a device to offer."""
    compared = vulkan.relation(name)
    if one == other or compared is None or type(one) is not type(other) or isinstance(one, str):
        return other
    if isinstance(one, int) and isinstance(other, int) and vulkan.limit_type(name) == "bitmask":
        return one | other if harder else one & other
    return other if compared.holds(other, one) is harder else one  # type: ignore[arg-type]  # no texts


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
