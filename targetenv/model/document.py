"""Nouns as plain JSON documents and back: the one spelling that snapshots, packages, child processes and `--format json` share.

Reading here trusts its input; files from outside are validated by `targetenv.wire` first.
"""

from __future__ import annotations

from targetenv.model import requirement as needs
from targetenv.model.artifact import Kernel, Parameter
from targetenv.model.capabilities import Capabilities, CooperativeMatrix, Property, SpirvEnvironment
from targetenv.model.device import Device, Unavailable
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from targetenv.model.requirement import Requirement
    from targetenv.model.verdict import Finding

    Document: TypeAlias = dict[str, Any]  # JSON is untyped until wire/ has validated it

_MATRIX = ("m", "n", "k", "a", "b", "c", "result", "scope", "saturating")


def of_device(device: Device) -> Document:
    """A device with everything that it offers."""
    return {
        "uri": device.uri,
        "name": device.name,
        "driver": device.driver,
        "simulated": device.simulated,
        "identity": dict(device.identity),
        "provenance": dict(device.provenance),
        "queues": list(device.queues),
        "memory": list(device.memory),
        "offers": of_capabilities(device.offers),
    }


def to_device(document: Document) -> Device:
    """The inverse of `of_device`."""
    return Device(
        document["uri"],
        document["name"],
        document["driver"],
        to_capabilities(document["offers"]),
        document.get("simulated", False),
        tuple(sorted(document.get("identity", {}).items())),
        tuple(sorted(document.get("provenance", {}).items())),
        tuple(document.get("queues", ())),
        tuple(document.get("memory", ())),
    )


def of_unavailable(driver: Unavailable) -> Document:
    """A driver without a device, and why."""
    return {"driver": driver.driver, "code": driver.code, "reason": driver.reason, "help": driver.help}


def to_unavailable(document: Document) -> Unavailable:
    """The inverse of `of_unavailable`."""
    return Unavailable(document["driver"], document["code"], document["reason"], document.get("help", ""))


def of_capabilities(offers: Capabilities) -> Document:
    """Sorted throughout, so that equal capabilities give equal bytes."""
    spirv = offers.spirv
    return {
        "api": offers.api,
        "version": None if offers.version is None else str(offers.version),
        "isa": offers.isa,
        "formats": sorted(offers.formats),
        "extensions": sorted(offers.extensions),
        "features": sorted(offers.features),
        "denied": sorted(offers.denied),
        "properties": {row.name: list(row.value) if isinstance(row.value, tuple) else row.value for row in offers.properties},
        "subgroup_sizes": sorted(offers.subgroup_sizes),
        "matrices": [of_matrix(matrix) for matrix in sorted(offers.matrices, key=str)],
        "spirv": None
        if spirv is None
        else {
            "version": str(spirv.version),
            "capabilities": sorted(spirv.capabilities),
            "extensions": sorted(spirv.extensions),
        },
        "complete": offers.complete,
    } | ({"unstated": sorted(offers.unstated)} if offers.unstated else {})


def to_capabilities(document: Document) -> Capabilities:
    """The inverse of `of_capabilities`."""
    spirv = document.get("spirv")
    return Capabilities(
        api=document["api"],
        version=None if document.get("version") is None else Version.parse(document["version"]),
        isa=document.get("isa"),
        formats=frozenset(document.get("formats", ())),
        extensions=frozenset(document.get("extensions", ())),
        features=frozenset(document.get("features", ())),
        denied=frozenset(document.get("denied", ())),
        properties=tuple(
            Property(name, tuple(value) if isinstance(value, list) else value)
            for name, value in sorted(document.get("properties", {}).items())
        ),
        subgroup_sizes=frozenset(document.get("subgroup_sizes", ())),
        matrices=frozenset(to_matrix(row) for row in document.get("matrices", ())),
        spirv=None
        if spirv is None
        else SpirvEnvironment(
            Version.parse(spirv["version"]), frozenset(spirv.get("capabilities", ())), frozenset(spirv.get("extensions", ()))
        ),
        complete=document.get("complete", True),
        unstated=frozenset(document.get("unstated", ())),
    )


def of_matrix(matrix: CooperativeMatrix) -> Document:
    """One cooperative-matrix row."""
    return {name: getattr(matrix, name) for name in _MATRIX}


def to_matrix(document: Document) -> CooperativeMatrix:
    """The inverse of `of_matrix`."""
    return CooperativeMatrix(*(document[name] for name in _MATRIX))


def of_requirement(requirement: Requirement) -> Document:
    """One requirement, lowered so that load-time selection parses nothing.

    >>> of_requirement(needs.NeedsExtension("VK_KHR_8bit_storage"))
    {'needs': 'extension', 'name': 'VK_KHR_8bit_storage'}
    """
    match requirement:
        case needs.NeedsFormat(name):
            return {"needs": "format", "name": name}
        case needs.NeedsVersion(of, version):
            return {"needs": "version", "of": of, "version": str(version)}
        case needs.NeedsIsa(name):
            return {"needs": "isa", "name": name}
        case needs.NeedsExtension(name):
            return {"needs": "extension", "name": name}
        case needs.NeedsCapability(name):
            return {"needs": "capability", "name": name}
        case needs.NeedsFeature(name):
            return {"needs": "feature", "name": name}
        case needs.NeedsLimit(name, relation, value):
            plain = list(value) if isinstance(value, tuple) else value
            return {"needs": "limit", "name": name, "relation": relation.value, "value": plain}
        case needs.NeedsSubgroupSize(size):
            return {"needs": "subgroup-size", "size": size}
        case needs.NeedsMatrix(matrix):
            return {"needs": "matrix", **of_matrix(matrix)}
        case needs.NeedsUnknown(what):
            return {"needs": "unknown", "what": what}
        case needs.AllOf(parts):
            return {"needs": "all", "of": [of_requirement(part) for part in parts]}
        case needs.AnyOf(parts):
            return {"needs": "any", "of": [of_requirement(part) for part in parts]}
        case needs.Not(part):
            return {"needs": "not", "of": of_requirement(part)}


def to_requirement(document: Document) -> Requirement:
    """The inverse of `of_requirement`; an unknown kind is a ValueError."""
    match document["needs"]:
        case "format":
            return needs.NeedsFormat(document["name"])
        case "version":
            return needs.NeedsVersion(document["of"], Version.parse(document["version"]))
        case "isa":
            return needs.NeedsIsa(document["name"])
        case "extension":
            return needs.NeedsExtension(document["name"])
        case "capability":
            return needs.NeedsCapability(document["name"])
        case "feature":
            return needs.NeedsFeature(document["name"])
        case "limit":
            value = document["value"]
            return needs.NeedsLimit(
                document["name"], needs.Relation(document["relation"]), tuple(value) if isinstance(value, list) else value
            )
        case "subgroup-size":
            return needs.NeedsSubgroupSize(document["size"])
        case "matrix":
            return needs.NeedsMatrix(to_matrix(document))
        case "unknown":
            return needs.NeedsUnknown(document["what"])
        case "all":
            return needs.AllOf(tuple(to_requirement(part) for part in document["of"]))
        case "any":
            return needs.AnyOf(tuple(to_requirement(part) for part in document["of"]))
        case "not":
            return needs.Not(to_requirement(document["of"]))
        case kind:
            raise ValueError(f"`{kind}` is not a kind of requirement")


def of_kernel(kernel: Kernel) -> Document:
    """One kernel's interface."""
    size = kernel.workgroup_size
    return {
        "name": kernel.name,
        "workgroup_size": None if size is None else list(size),
        "bindings": kernel.bindings,
        "constants": kernel.constants,
        "local_memory": kernel.local_memory,
        "entry_point": kernel.entry_point,
        "subgroup_size": kernel.subgroup_size,
        "parameters": None
        if kernel.parameters is None
        else [{"offset": row.offset, "size": row.size, "kind": row.kind, "name": row.name} for row in kernel.parameters],
        **({} if kernel.access is None else {"access": list(kernel.access)}),
        **({} if kernel.least is None else {"least": list(kernel.least)}),
    }


def to_kernel(document: Document) -> Kernel:
    """The inverse of `of_kernel`."""
    size, access, least = (document.get(key) for key in ("workgroup_size", "access", "least"))
    return Kernel(
        document["name"],
        None if size is None else (size[0], size[1], size[2]),
        document.get("bindings"),
        document.get("constants"),
        document.get("local_memory"),
        document.get("entry_point"),
        document.get("subgroup_size"),
        None
        if document.get("parameters") is None
        else tuple(Parameter(row["offset"], row["size"], row["kind"], row.get("name")) for row in document["parameters"]),
        None if access is None else tuple(access),
        None if least is None else tuple(least),
    )


def of_finding(finding: Finding) -> Document:
    """One finding, as `match` and `resolve` print it."""
    return {
        "code": finding.code,
        "outcome": finding.outcome.value,
        "requires": finding.requires,
        "offers": finding.offers,
        "rule": finding.rule,
        "source": finding.source,
    }
