"""Reports of the Vulkan Hardware Capability Viewer, as vulkan.gpuinfo.org collects them: versions 1.4 to 4.

`core11` to `core14` hold what the structs of these versions say; older reports, and those of older devices, lack them.
`extended` has rows of (extension, member, value), where the extension is the one that brings the member's struct, and every
value is a text. Truth is `1` or `true`, a size `"0x400"`, flags are numbers.
"""

from __future__ import annotations

from functools import lru_cache

from targetenv.model.version import Version
from targetenv.registry import vulkan
from targetenv.wire.vulkan_claims import Claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from targetenv.model.device import Device
    from targetenv.wire.complaints import Complaints

_ROWS_REMEMBERED = 16384  # rows of `extended` recur from report to report
_SUBGROUPS = "VkPhysicalDeviceSubgroupProperties"
# Keys of `properties` that are no members of VkPhysicalDeviceProperties.
_OWN = frozenset(
    {"apiVersionText", "deviceTypeText", "displayName", "driverVersionText", "headerversion", "subgroupProperties"}
)
_CORES = tuple((f"core1{minor}", f"VkPhysicalDeviceVulkan1{minor}", Version(1, max(minor, 2))) for minor in range(1, 5))


def looks_like(value: dict[str, Any]) -> bool:
    """Whether an object is such a report."""
    properties = value.get("properties")
    if not isinstance(properties, dict) or not ("deviceName" in properties or "limits" in properties):
        return False
    return "extensions" in value or "features" in value


def read(value: dict[str, Any], *, uri: str, complaints: Complaints) -> Device:
    """The device that a report describes."""
    claims = Claims(complaints, texts=True)
    properties = value.get("properties")
    if isinstance(properties, dict):
        claims.properties_of("VkPhysicalDeviceProperties", {k: v for k, v in properties.items() if k not in _OWN})
    claims.features_of("VkPhysicalDeviceFeatures", value.get("features", {}))
    for core, struct, since in _CORES:
        part = value.get(core)
        if isinstance(part, dict):
            answers = part.get("features", {})
            claims.features_of(f"{struct}Features", answers)
            if isinstance(answers, dict) and answers and not any(answers.values()):
                complaints.add("TE4314", f"{core}, of which every feature is zero")
            claims.properties_of(f"{struct}Properties", part.get("properties", {}))
        elif (version := claims.stated_version()) is not None and version >= since:
            complaints.add("TE4314", core)
    if isinstance(properties, dict) and "subgroupProperties" in properties:
        _subgroups(claims, properties["subgroupProperties"])
    complete = claims.extensions_of(value.get("extensions"), "extensions")
    _extended(claims, value.get("extended"))
    claims.queues_of(value.get("queues"))
    claims.memory_of(value.get("memory"))
    return claims.device(uri, complete=complete, provenance=_provenance(value, properties))


def _subgroups(claims: Claims, members: object) -> None:
    """What the viewer asked of VkPhysicalDeviceSubgroupProperties before it knew the struct of Vulkan 1.1; that one decides."""
    version = claims.stated_version()
    known = version is not None and version >= Version(1, 1)
    if isinstance(members, dict) and members.get("subgroupSize") in (0, "0"):
        return  # nobody asked
    if known and f"{_SUBGROUPS}::subgroupSize" not in claims.values and isinstance(members, dict):
        claims.properties_of(_SUBGROUPS, members)


def _extended(claims: Claims, extended: object) -> None:
    if not isinstance(extended, dict):
        if extended is not None:
            claims.complaints.add("TE4312", "extended")
        return
    for extension, member, raw in _rows(claims, extended.get("devicefeatures2"), "supported"):
        name = _feature(extension, member)
        if name is None:
            claims.complaints.add("TE4310", f"{extension}::{member}")
        else:
            claims.feature(name, raw, name)
    for extension, member, raw in _rows(claims, extended.get("deviceproperties2"), "value"):
        name = _property(extension, member)
        if name is None:
            claims.complaints.add("TE4310", f"{extension}::{member}")
        else:
            claims.property(name, raw, name)


def _rows(claims: Claims, rows: object, key: str) -> Iterator[tuple[str, str, object]]:
    if rows is None:
        return
    if not isinstance(rows, list):
        claims.complaints.add("TE4312", "extended")
        return
    for row in rows:
        try:
            extension, member = row["extension"], row["name"]
            raw = row[key]
        except (KeyError, TypeError):
            claims.complaints.add("TE4312", "a row of extended")
            continue
        if isinstance(extension, str) and isinstance(member, str):
            yield extension, member, raw
        else:
            claims.complaints.add("TE4312", "a row of extended")


@lru_cache(maxsize=_ROWS_REMEMBERED)
def _feature(extension: str, member: str) -> str | None:
    """The feature that a row means: the extension's own, else the only one of that name in all of the registry."""
    found = vulkan.provided_features(extension).get(member) if vulkan.extension(extension) else None
    return found or _only(vulkan.find_feature(member))


@lru_cache(maxsize=_ROWS_REMEMBERED)
def _property(extension: str, member: str) -> str | None:
    found = vulkan.provided_properties(extension).get(member) if vulkan.extension(extension) else None
    return found or _only(vulkan.find_property(member))


def _only(names: tuple[str, ...]) -> str | None:
    return names[0] if len(names) == 1 else None


def _provenance(value: dict[str, Any], properties: object) -> dict[str, str]:
    environment = value.get("environment")
    told = {"source": "a report of the Vulkan Hardware Capability Viewer"}
    if isinstance(environment, dict):
        told["reportversion"] = _word(environment.get("reportversion"))
        told["os"] = " ".join(filter(None, (_word(environment.get(key)) for key in ("name", "version", "architecture"))))
    if isinstance(properties, dict):
        told["driverVersion"] = _word(properties.get("driverVersionText"))
        told["headerVersion"] = _word(properties.get("headerversion"))
    return told


def _word(raw: object) -> str:
    return " ".join(str(raw).split())[:200] if isinstance(raw, str | int) else ""
