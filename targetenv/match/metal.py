"""Metal's rules: which system runs which library."""

from __future__ import annotations

from targetenv.match.answer import UNKNOWN, decided
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.model.capabilities import Capabilities

SYSTEMS = ("macos", "ios", "tvos", "xros")
#: The property in which an environment says which version of its system it is for.
VERSION = "metal::system"

# Metal Shading Language Specification, language versions and the systems that brought them: version, macOS, iOS and tvOS.
_LANGUAGES = """
1.0 - 8.0
1.1 10.11 9.0
1.2 10.12 10.0
2.0 10.13 11.0
2.1 10.14 12.0
2.2 10.15 13.0
2.3 11.0 14.0
2.4 12.0 15.0
3.0 13.0 16.0
3.1 14.0 17.0
3.2 15.0 18.0
4.0 26.0 26.0
"""


def system(name: str, needed: Version, offers: Capabilities) -> Answer:
    """Whether the device's system is `name`, of this version or a later one."""
    offered = _system(offers)
    if offered is None:
        return UNKNOWN, "not stated", "metal.system"
    there, version = offered
    return decided(there == name and version >= needed), f"device runs {there} {version}", "metal.system"


def language(needed: Version, offers: Capabilities) -> Answer:
    """Whether the device's system compiles this version of the Metal language."""
    offered = _system(offers)
    if offered is None:
        return UNKNOWN, "not stated", "metal.language"
    there, version = offered
    newest = Version(0)
    for line in _LANGUAGES.strip().splitlines():
        number, macos, ios = line.split()
        first = macos if there == "macos" else ios
        if first != "-" and version >= Version.parse(first):
            newest = Version.parse(number)
    return decided(needed <= newest), f"{there} {version} compiles Metal up to {newest}", "metal.language"


def _system(offers: Capabilities) -> tuple[str, Version] | None:
    stated = offers.property(VERSION)
    there = next((name for name in SYSTEMS if name in offers.features), None)
    if there is None or not isinstance(stated, tuple):
        return None
    return there, Version(*(int(part) for part in stated))
