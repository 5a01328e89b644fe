"""Why a requirement is not met, down to the atom: every alternative that would meet it, what it asks for, and what is missing.

The records carry everything; `sentence` and `lines` are where they become text.
"""

from __future__ import annotations

from targetenv.match.ways import switches
from targetenv.model import requirement as needs
from targetenv.model.record import record, replace
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.registry.spirv_environment import EnableResult, SpirvSupport


@record
class Atom:
    """One thing asked of the device: `kind` is `feature`, `extension`, `version`, `property`, `stated` or `place`.

    `holds` is None where it is not known; `said` is what the device has to say about it. A `place` is what brings a struct: any
    of several versions and extensions.
    """

    kind: str
    name: str
    holds: bool | None
    said: str


@record
class Alternative:
    """One condition that would be enough: all of its atoms, and what has to be enabled at device creation to rely on it.

    `enables` has canonical names, for the version of this device; it is empty where nothing is switched.
    """

    text: str
    holds: bool | None
    atoms: tuple[Atom, ...]
    enables: tuple[str, ...]
    source: str


def alternatives(need: Requirement, offers: Capabilities) -> tuple[Alternative, ...]:
    """Every condition under which Vulkan meets a capability, extension, feature or version of SPIR-V.

    Empty for other requirements, for other APIs, and for what no condition ever enables.

    >>> from targetenv.model.capabilities import Capabilities
    >>> found = alternatives(needs.NeedsCapability("Float16"), Capabilities("vulkan", Version(1, 1)))
    >>> [(each.text, each.holds, each.enables) for each in found][1]
    ('extension VK_AMD_gpu_shader_half_float', False, ('VK_AMD_gpu_shader_half_float',))
    """
    if offers.api != "vulkan":
        return ()
    from targetenv.registry.spirv_environment import support

    judge = support(offers)
    rows: dict[tuple[object, ...], EnableResult] = {}
    for row in _conditions(need, judge):
        key = row.kind, row.subjects, row.bit
        # One thing under two guards (a feature that has two structs) is one alternative, which comes with either.
        before = rows.get(key)
        rows[key] = row if before is None else replace(row, requires=f"{_grouped(before.requires)},{_grouped(row.requires)}")
    return tuple(_alternative(row, judge, offers) for row in rows.values())


def _grouped(expression: str) -> str:
    return f"({expression})" if "+" in expression or "," in expression else expression


def sentence(found: tuple[Alternative, ...]) -> str:
    """What is needed, and how much of it the device offers, in one line; `found` is not empty.

    >>> from targetenv.model.capabilities import Capabilities
    >>> sentence(alternatives(needs.NeedsCapability("Int64"), Capabilities("vulkan", Version(1, 1))))
    'needs `VkPhysicalDeviceFeatures::shaderInt64`; the device does not offer it'
    """
    met = next((each for each in found if each.holds), None)
    if met is not None:
        what = f"the device offers {_wanted(met)}"
    elif any(each.holds is None for each in found):
        what = (
            f"it is not known whether the device offers {('it', 'either')[len(found) - 1] if len(found) < 3 else 'any of them'}"
        )
    else:
        what = (
            ("the device does not offer it", "the device offers neither")[len(found) - 1]
            if len(found) < 3
            else ("the device offers none of them")
        )
    return f"needs {either(list(map(_wanted, found)))}; {what}"


def either(words: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`.

    >>> either(["a", "b", "c"])
    'a, b or c'
    """
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def lines(each: Alternative) -> Iterator[str]:
    """One alternative for people: its atoms with what the device says, and what would have to be enabled."""
    for atom in each.atoms:
        if atom.kind == "place":
            yield f"    {_MARK[atom.holds]} it comes with {atom.name}: {atom.said}"
        else:
            yield f"{_MARK[atom.holds]} {_KINDS.get(atom.kind, '')}{atom.name}: {atom.said}"
    own = {atom.name for atom in each.atoms if atom.kind != "place"}
    others = [name for name in each.enables if name not in own]
    if others:
        yield f"    to be enabled when the device is opened, with {', '.join(others)}"
    elif each.enables:
        yield "    to be enabled when the device is opened"


_MARK = {True: "✓", None: "?", False: "✗"}
_KINDS = {"feature": "feature ", "extension": "extension "}


def _wanted(each: Alternative) -> str:
    return " or ".join(f"`{atom.name}`" if "::" in atom.name else atom.name for atom in each.atoms if atom.kind != "place")


def _conditions(need: Requirement, judge: SpirvSupport) -> tuple[EnableResult, ...]:
    from targetenv.registry import vulkan
    from targetenv.registry.spirv_environment import EnableResult, spirv_conditions

    header = f"vk.xml {vulkan.HEADER_VERSION}"
    match need:
        case needs.NeedsCapability(name):
            return judge.why(name)
        case needs.NeedsExtension(name) if name.startswith("SPV_"):
            return judge.why(name)
        case needs.NeedsExtension(name):
            core = vulkan.core_since(name)
            listed = EnableResult("", judge.explicit(name), f"{header}, extension {name}", "extension", (name,))
            if core is None:
                return (listed,)
            version = f"VK_VERSION_{core.major}_{core.minor}"
            return listed, EnableResult("", judge.reaches(version), f"{header}, `promotedto`", "version", (version,))
        case needs.NeedsFeature(name):
            places = ",".join(vulkan.provided_by(name.partition("::")[0]))
            own = EnableResult("", judge.feature(name), f"{header}, feature {name}", "feature", (name,), requires=places)
            implying = vulkan.feature_extension_alias(name)
            if implying is None:
                return (own,)
            source = f"{header}, `member alias`"
            return own, EnableResult("", judge.explicit(implying), source, "extension", (implying,))
        case needs.NeedsVersion("spirv", version):
            source = "Vulkan specification, appendix `Vulkan Environment for SPIR-V` (spirvenv.adoc)"
            return tuple(
                EnableResult("", None, source, kind, (name,), requires=requires)
                for kind, name, requires in spirv_conditions(version)
            )
        case _:
            return ()


def _alternative(row: EnableResult, judge: SpirvSupport, offers: Capabilities) -> Alternative:
    atoms = [_atom(row, subject, judge, offers) for subject in row.subjects]
    holds = _either(atom.holds for atom in atoms)
    if row.requires:
        place = _place(row.requires, judge, offers)
        atoms.append(place)
        holds = False if False in (holds, place.holds) else None if None in (holds, place.holds) else True
    if row.kind == "stated":
        atoms, holds = [Atom("stated", row.text, row.holds, "stated" if row.holds else "not in the list")], row.holds
    text = " or ".join(f"{_KINDS.get(atom.kind, '')}{atom.name}" for atom in atoms if atom.kind != "place")
    return Alternative(text, holds, tuple(atoms), _switches(row, offers.version or Version(1, 0)), row.source)


def _switches(row: EnableResult, version: Version) -> tuple[str, ...]:
    """What has to be enabled: on this version or, where this one cannot have it, on the first that can."""
    from targetenv.registry import depends, vulkan

    versions = sorted(vulkan.version(atom) for atom in depends.names(row.requires) if vulkan.is_version(atom))
    for enough in (version, *(each for each in versions if each > version)):
        found = switches(row, enough)
        if found:
            return found
    return ()


def _atom(row: EnableResult, subject: str, judge: SpirvSupport, offers: Capabilities) -> Atom:
    from targetenv.registry import vulkan

    absent = "not stated" if offers.is_unstated(subject) else "not offered"
    match row.kind:
        case "version":
            holds = judge.reaches(subject)
            said = "not stated" if offers.version is None else f"the device offers Vulkan {offers.version}"
            return Atom("version", f"Vulkan {vulkan.version(subject)}", holds, said)
        case "extension":
            holds, core = judge.explicit(subject), vulkan.core_since(subject)
            said = "listed" if holds else "not listed" if offers.complete else "not stated"
            if not holds and core is not None and offers.version is not None and offers.version >= core:
                said += f"; that Vulkan {core} took it in does not count here"
            return Atom("extension", subject, holds, said)
        case "feature":
            holds = judge.feature(subject)
            denied = subject in offers.denied
            said = "offered" if holds else "the device answers no" if denied else absent
            return Atom("feature", subject, holds, said)
        case _:
            value = offers.property(subject)
            holds = judge.explicit(subject) if value is None else None
            what = subject if row.bit == "VK_TRUE" else f"{row.bit} in {subject}"
            if isinstance(value, int) and row.bit == "VK_TRUE":
                return Atom("property", what, bool(value), "the device answers yes" if value else "the device answers no")
            if isinstance(value, int):
                return Atom("property", what, bool(value & vulkan.bit_value(row.bit)), f"the device offers {hex(value)}")
            return Atom("property", what, holds, absent)


def _place(requires: str, judge: SpirvSupport, offers: Capabilities) -> Atom:
    from targetenv.registry import depends, vulkan
    from targetenv.registry.spirv_environment import worded

    holds = depends.evaluate(requires, judge.provided)
    names = depends.names(requires)
    present = [atom for atom in names if judge.provided(atom)]
    if any(vulkan.is_version(atom) for atom in present):
        said = f"the device offers Vulkan {offers.version}"
    elif present:
        said = f"the device has {' and '.join(present)}"
    elif holds is None:
        said = "not stated"
    else:
        said = "the device " + ("lacks it", "has neither", "has none of these")[min(len(names), 3) - 1]
    return Atom("place", worded(requires), holds, said)


def _either(answers: Iterator[bool | None]) -> bool | None:
    told = list(answers)
    return True if True in told else None if None in told else False
