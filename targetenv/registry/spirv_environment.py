"""What SPIR-V a Vulkan device takes: the registry's `<enable>` conditions held against what the device offers.

A capability or extension may be used when *any one* of its conditions holds (registry.adoc, "spirvcapability"). Nine readings
of vk.xml are plausible and wrong; the tests name each of them. The one fact that the registry lacks is which version of SPIR-V
comes with which version of Vulkan.
"""

from __future__ import annotations

from functools import cache

from targetenv.model.capabilities import SpirvEnvironment
from targetenv.model.record import record
from targetenv.model.version import Version
from targetenv.registry import depends, vulkan
from targetenv.registry._generated import spirv_enables as _tables
from targetenv.registry.rows import row
from targetenv.registry.spirv import canonical_capability

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from targetenv.model.capabilities import Capabilities

    # kind (v, e, f, p), what is asked for (alternatives for f), name and value of the bit for p, `requires`
    Enable: TypeAlias = tuple[str, tuple[str, ...], str, int, str]

# Vulkan-Docs appendices/spirvenv.adoc, "Versions and Formats"; SPIRV-Tools spirv_target_env.cpp has the same rows.
_SPIRV_OF_VULKAN = (
    (Version(1, 0), Version(1, 0)),
    (Version(1, 1), Version(1, 3)),
    (Version(1, 2), Version(1, 5)),
    (Version(1, 3), Version(1, 6)),
)
_KINDS = {"v": "version", "e": "extension", "f": "feature", "p": "property"}
_SPIRV_1_4 = ("VK_KHR_spirv_1_4", Version(1, 1), Version(1, 4))  # its `depends` wants Vulkan 1.1; it raises nothing else


@record
class EnableResult:
    """One condition: what it asks for, whether that holds (None is "not known"), and where it comes from.

    `kind` is `version`, `extension`, `feature`, `property` or `stated`; `subjects` are the names asked for, any one of which is
    enough (`bit` names the bit of a property), `requires` is the expression that has to hold besides.
    """

    text: str
    holds: bool | None
    source: str
    kind: str = "stated"
    subjects: tuple[str, ...] = ()
    bit: str = ""
    requires: str = ""


class SpirvSupport:
    """The SPIR-V side of one device. `environment` has what holds for sure, `unknown` what nobody can tell.

    Both are made when they are first asked for; `version` and `holds` look at no more than what is asked.
    """

    __slots__ = ("_all", "_offers", "_required", "version")

    def __init__(self, offers: Capabilities) -> None:
        self._offers = offers
        self._all: tuple[SpirvEnvironment, frozenset[str]] | None = None
        self._required: frozenset[str] | None = None
        if offers.spirv is not None:
            self.version = offers.spirv.version
        elif offers.api == "vulkan":
            self.version = spirv_version(offers.version or Version(1, 0), offers.extensions)
        else:
            self.version = Version(0)

    @property
    def environment(self) -> SpirvEnvironment:
        """The highest version, and every capability and extension that may be declared for sure."""
        return self._evaluated()[0]

    @property
    def unknown(self) -> frozenset[str]:
        """Capabilities and extensions of which the source does not say enough."""
        return self._evaluated()[1]

    def _evaluated(self) -> tuple[SpirvEnvironment, frozenset[str]]:
        if self._all is None:
            if self._offers.spirv is not None:
                self._all = self._offers.spirv, frozenset()
            elif self._offers.api != "vulkan":
                self._all = SpirvEnvironment(self.version), frozenset()
            else:
                tables = (_enables(_tables.CAPABILITIES), _enables(_tables.EXTENSIONS))
                answers = [{name: self._any(conditions) for name, conditions in table.items()} for table in tables]
                capabilities, extensions = (frozenset(name for name, holds in table.items() if holds) for table in answers)
                unknown = frozenset(name for table in answers for name, holds in table.items() if holds is None)
                self._all = SpirvEnvironment(self.version, capabilities, extensions), unknown
        return self._all

    def holds(self, name: str) -> bool | None:
        """Whether the device takes this capability (any spelling) or extension; None is "not known"."""
        canonical = canonical_capability(name) or name
        if self._offers.spirv is not None:
            return canonical in self._offers.spirv.capabilities or canonical in self._offers.spirv.extensions
        return self._any(conditions_of(canonical)) if self._offers.api == "vulkan" else False

    def why(self, name: str) -> tuple[EnableResult, ...]:
        """Every condition under which Vulkan takes this capability or extension, empty when it never does."""
        if self._offers.spirv is not None:
            return (EnableResult("the device lists it", self.holds(name), "stated with the device's SPIR-V"),)
        canonical = canonical_capability(name) or name
        kind = "spirvextension" if name.startswith("SPV_") else "spirvcapability"
        source = f"vk.xml {_tables.HEADER_VERSION}, {kind} {canonical}"
        return tuple(
            EnableResult(_text(each), self._one(each), source, _KINDS[each[0]], each[1], each[2], each[4])
            for each in conditions_of(canonical)
        )

    def _any(self, conditions: tuple[Enable, ...]) -> bool | None:
        unknown = False
        for condition in conditions:
            holds = self._one(condition)
            if holds:
                return True
            unknown |= holds is None
        return None if unknown else False

    def _one(self, condition: Enable) -> bool | None:
        kind, subjects, _, value, requires = condition
        match kind:
            case "v":
                return self.reaches(subjects[0])
            case "e":  # explicitly: DrawParameters names an extension that 1.1 took in, as an optional feature
                return self.explicit(subjects[0])
            case "f":
                answers = [self.feature(subject) for subject in subjects]
                holds = True if True in answers else None if None in answers else False
            case _:
                offered = self._offers.property(subjects[0])
                holds = self._unstated(subjects[0]) if offered is None else isinstance(offered, int) and bool(offered & value)
        if holds is False or not requires:
            return holds
        guard = depends.evaluate(requires, self.provided)
        return guard if guard is not True else holds

    def provided(self, atom: str) -> bool | None:
        """Whether an atom of `requires` holds: it says where a struct lives, so what the version took in counts as present."""
        if "::" in atom:
            return self.feature(vulkan.feature(*atom.split("::")))
        if vulkan.is_version(atom):
            return self.reaches(atom)
        core = vulkan.core_since(atom)
        version = self._offers.version
        if core is not None and version is not None and version >= core:
            return True
        return self.explicit(atom)

    def reaches(self, name: str) -> bool | None:
        """Whether the device is of this version (`VK_VERSION_1_2`) or a later one."""
        version = self._offers.version
        return None if version is None else version >= vulkan.version(name)

    def explicit(self, extension: str) -> bool | None:
        """Whether the device lists the extension itself."""
        return True if extension in self._offers.extensions else self._absent()

    def feature(self, name: str) -> bool | None:
        """Whether the device has the feature: by its answer, by its version, or by the extension that implies it."""
        offers = self._offers
        if name in offers.features or (offers.is_unstated(name) and name in self._guaranteed()):
            return True
        implying = vulkan.feature_extension_alias(name)
        if implying is not None and implying in offers.extensions:
            return True
        return False if name in offers.denied else self._unstated(name)

    def _guaranteed(self) -> frozenset[str]:
        """What was not asked is there where the version demands it; an answered "no" stands."""
        if self._required is None:
            offers = self._offers
            required = guaranteed_features(offers.version or Version(1, 0), offers.extensions, offers.features)
            self._required = required - offers.denied
        return self._required

    def _absent(self) -> bool | None:
        return False if self._offers.complete else None

    def _unstated(self, name: str) -> bool | None:
        return None if self._offers.is_unstated(name) else False


def support(offers: Capabilities) -> SpirvSupport:
    """What SPIR-V a device takes that offers this. If `offers.spirv` is stated, that is the answer.

    For an API other than Vulkan that states none the environment is empty, of version 0.0.
    """
    return SpirvSupport(offers)


def spirv_version(version: Version, extensions: frozenset[str]) -> Version:
    """The highest SPIR-V that this version of Vulkan with these extensions takes.

    >>> str(spirv_version(Version(1, 1), frozenset({"VK_KHR_spirv_1_4"}))), str(spirv_version(Version(1, 4), frozenset()))
    ('1.4', '1.6')
    """
    highest = max(spirv for since, spirv in _SPIRV_OF_VULKAN if version >= since or since == Version(1, 0))
    extension, since, raised = _SPIRV_1_4
    return max(highest, raised) if extension in extensions and version >= since else highest


def spirv_conditions(wanted: Version) -> tuple[tuple[str, str, str], ...]:
    """What brings this version of SPIR-V, as (kind, name, requires): a version of Vulkan, or an extension on top of one.

    >>> spirv_conditions(Version(1, 4))
    (('version', 'VK_VERSION_1_2', ''), ('extension', 'VK_KHR_spirv_1_4', 'VK_VERSION_1_1'))
    """
    found = [
        ("version", f"VK_VERSION_{since.major}_{since.minor}", "") for since, brought in _SPIRV_OF_VULKAN if brought >= wanted
    ]
    extension, since, raised = _SPIRV_1_4
    if found and Version(1, 3) < wanted <= raised:
        return found[0], ("extension", extension, f"VK_VERSION_{since.major}_{since.minor}")
    return tuple(found[:1])


@cache
def conditions_of(name: str) -> tuple[Enable, ...]:
    """The conditions of a canonical capability or an extension, as the tables have them."""
    found = row(_tables.CAPABILITIES, name) or row(_tables.EXTENSIONS, name)
    return tuple(map(_enable, found.split(" "))) if found else ()


@cache
def is_exact(capability: str) -> bool:
    """Whether "this capability is usable" says all there is to say.

    Some capabilities stand for several features at once (`Int64Atomics`: in buffers, in workgroup memory, in images), and any
    one of them makes the capability usable; which of them a module needs depends on its storage classes and widths.

    >>> is_exact("Float16"), is_exact("Int64Atomics")
    (True, False)
    """
    asked = {
        subject
        for kind, subjects, *_ in conditions_of(canonical_capability(capability) or "")
        if kind in "fp"
        for subject in subjects
    }
    return len(asked) < 2


def guaranteed_features(version: Version, extensions: frozenset[str], features: frozenset[str] = frozenset()) -> frozenset[str]:
    """The canonical features that every device of this version with these extensions must offer (`<feature>` in vk.xml).

    A requirement under `<require depends=...>` counts only extensions that are explicitly there: with promotion counted, Vulkan
    1.2 would guarantee almost twice the SPIR-V capabilities that it does. `features` are known to be offered and may demand
    others; they are part of the answer.
    """
    found = set(features)

    def holds(atom: str) -> bool:
        if "::" in atom:
            return vulkan.feature(*atom.split("::")) in found
        return version >= vulkan.version(atom) if vulkan.is_version(atom) else atom in extensions

    names = [f"VK_VERSION_{version.major}_{minor}" for minor in range(version.minor + 1)] + sorted(extensions)
    rows = [row for name in names for row in vulkan.required_features(name)]
    before = -1
    while len(found) != before:  # a requirement may depend on a feature that another one brings
        before = len(found)
        for mandatory in rows:
            # A row of several names demands any one of them (VK_KHR_shader_float16_int8), so it guarantees none.
            if len(mandatory.features) == 1 and depends.evaluate(mandatory.depends, holds):
                found.update(mandatory.features)
    return frozenset(found)


@cache
def _enables(table: str) -> dict[str, tuple[Enable, ...]]:
    found = {}
    for line in table.split("\n"):
        if line:
            name, *conditions = line.split(" ")
            found[name] = tuple(map(_enable, conditions))
    return found


def _enable(text: str) -> Enable:
    kind, subject, *rest = text.split(";")
    if kind == "p":
        bit, value, requires = rest
        return kind, (subject,), bit, int(value), requires
    return kind, tuple(subject.split(",")), "", 0, rest[0] if rest else ""


def _text(condition: Enable) -> str:
    kind, subjects, bit, _, requires = condition
    match kind:
        case "v":
            return f"Vulkan {vulkan.version(subjects[0])}"
        case "e":
            return f"extension {subjects[0]}"
        case "f":
            text = "feature " + " or ".join(subjects)
        case _:
            text = f"property {subjects[0]}" if bit == "VK_TRUE" else f"{bit} in {subjects[0]}"
    return f"{text} (with {worded(requires)})" if requires else text


def worded(requires: str) -> str:
    """A `requires` expression for people.

    >>> worded("VK_VERSION_1_2,VK_KHR_8bit_storage")
    'Vulkan 1.2 or VK_KHR_8bit_storage'
    """
    words = requires
    for atom in depends.names(requires):
        if vulkan.is_version(atom):
            words = words.replace(atom, f"Vulkan {vulkan.version(atom)}")
    return words.replace(",", " or ").replace("+", " and ")
