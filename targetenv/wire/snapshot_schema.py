"""The models of device files: one field for each of the nouns' (`targetenv.model.document` spells them)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints

from targetenv.model.version import Version
from targetenv.wire.validation import Strict


def _version(text: str) -> str:
    Version.parse(text)
    return text


def _property(value: object) -> object:
    entries = value if isinstance(value, list) else [value]
    kinds = {type(entry) for entry in entries}
    if not (kinds <= {int, float} or kinds in ({bool}, {str})):
        raise ValueError("expected a number, a text, true or false, or a list of one of these")
    return value


Text = Annotated[str, StringConstraints(min_length=1, max_length=65536)]
VersionText = Annotated[str, AfterValidator(_version)]
PropertyValue = Annotated[Any, PlainValidator(_property)]


class SpirvFile(Strict):
    """The SPIR-V that a device takes."""

    version: VersionText
    capabilities: list[Text] = []
    extensions: list[Text] = []


class MatrixFile(Strict):
    """One cooperative-matrix row."""

    m: int
    n: int
    k: int
    a: Text
    b: Text
    c: Text
    result: Text
    scope: Text
    saturating: bool


class CapabilitiesFile(Strict):
    """What a device offers; `targetenv.model.capabilities.Capabilities`."""

    api: Text
    version: VersionText | None = None
    isa: Text | None = None
    formats: list[Text] = []
    extensions: list[Text] = []
    features: list[Text] = []
    denied: list[Text] = []
    properties: dict[Text, PropertyValue] = {}
    subgroup_sizes: list[int] = []
    matrices: list[MatrixFile] = []
    spirv: SpirvFile | None = None
    complete: bool = True
    unstated: list[Text] = []


class DeviceFile(Strict):
    """One device; `targetenv.model.device.Device`."""

    uri: Text
    name: Text
    driver: Text
    simulated: bool = False
    identity: dict[str, str] = {}
    provenance: dict[str, str] = {}
    queues: list[str] = []
    memory: list[str] = []
    offers: CapabilitiesFile


class UnavailableFile(Strict):
    """A driver without a device, and why."""

    driver: Text
    code: Text
    reason: str
    help: str = ""


class SnapshotFile(Strict):
    """One device, schema 1."""

    schema_version: Annotated[int, Field(ge=1, le=1, alias="schema")]
    device: DeviceFile


class ProbeFile(Strict):
    """A whole probe, schema 1."""

    schema_version: Annotated[int, Field(ge=1, le=1, alias="schema")]
    devices: list[DeviceFile]
    unavailable: list[UnavailableFile] = []
