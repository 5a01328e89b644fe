"""One requirement held against one device's offers."""

from __future__ import annotations

from targetenv.match import families, gpu, isa
from targetenv.match.answer import NO, UNKNOWN, YES, decided
from targetenv.match.guaranteed import least
from targetenv.match.phrases import api_name, listed, required, shown
from targetenv.match.rules import rule
from targetenv.match.stack import Stack
from targetenv.model import requirement as needs
from targetenv.model.formats import loads
from targetenv.model.verdict import Finding, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from targetenv.match.answer import Answer
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.model.version import Version
    from targetenv.registry.spirv_environment import SpirvSupport

_WORSE = (YES, UNKNOWN, NO)
_NEWEST = Stack()


def check(requirement: Requirement, offers: Capabilities, as_of: Stack = _NEWEST) -> Finding:
    """What `offers` answers to one requirement; to ask many, keep one `Judge`.

    >>> from targetenv.model.capabilities import Capabilities
    >>> check(needs.NeedsSubgroupSize(32), Capabilities("vulkan", subgroup_sizes=frozenset({8}))).offers
    'device offers 8'
    """
    return Judge(offers, as_of).check(requirement)


class Judge:
    """Everything that one set of offers answers; each distinct requirement is judged once.

    An absent name is a no where the offers are complete and unknown otherwise. A list that only a whole answer can fill
    (formats, subgroup sizes, matrix rows) counts as complete as soon as it has an entry. `as_of` selects the rules of an older
    stack; the device is then taken to have that stack's driver.
    """

    __slots__ = ("_answers", "_spirv", "as_of", "offers")

    def __init__(self, offers: Capabilities, as_of: Stack = _NEWEST) -> None:
        self.offers = families.with_driver(offers, as_of) if as_of else offers
        self.as_of = as_of
        self._answers: dict[Requirement, Finding] = {}
        self._spirv: SpirvSupport | None = None

    def check(self, requirement: Requirement) -> Finding:
        """The finding for this requirement."""
        finding = self._answers.get(requirement)
        if finding is None:
            code, answer = _ANSWERS[type(requirement)]
            outcome, offered, by, *source = answer(self, requirement)
            row = rule(by)
            if outcome is YES and self.as_of and (refused := self.as_of.refuses(row)):
                outcome, offered = NO, refused
            finding = Finding(code, outcome, requirement, required(requirement), offered, row.id, *(source or (row.source,)))
            self._answers[requirement] = finding
        return finding

    def _absent(self, by: str, *, closed: bool = False) -> Answer:
        return (NO, "not offered", by) if closed or self.offers.complete else (UNKNOWN, "not stated", by)

    def _format(self, need: needs.NeedsFormat) -> Answer:
        formats = self.offers.formats
        if formats:
            return (YES if loads(formats, need.format) else NO), f"device loads {listed(formats)}", "format.listed"
        return self._absent("format.listed")

    def _version(self, need: needs.NeedsVersion) -> Answer:
        if need.of == "spirv" and (self.offers.spirv is not None or self.offers.api == "vulkan"):
            by = "spirv.version" if self.offers.spirv is None else "spirv.stated"
            return self._at_least(self._support().version, need, by)
        answer = families.version(need, self.offers, self.as_of)
        if answer is not None:
            return answer
        if need.of == "spirv" and "spirv" in self.offers.formats:
            return UNKNOWN, "not stated", "spirv.stated"
        if need.of == self.offers.api and self.offers.version is not None:
            return self._at_least(self.offers.version, need, "version.at-least")
        return self._absent("version.at-least")

    def _at_least(self, offered: Version, need: needs.NeedsVersion, by: str) -> Answer:
        return (YES if offered >= need.version else NO), f"device offers {api_name(need.of)} {offered}", by

    def _isa(self, need: needs.NeedsIsa) -> Answer:
        if self.offers.isa is None:
            return self._absent("isa.same")
        return families.runs(need.isa, self.offers, self.as_of)

    def _extension(self, need: needs.NeedsExtension) -> Answer:
        if need.name.startswith("SPV_"):
            return self._enabled(need.name)
        if need.name in self.offers.extensions:
            return YES, "offered", "extension.listed"
        if self.offers.api == "vulkan" and self.offers.version is not None:
            from targetenv.registry.vulkan import core_since, extension

            core = core_since(need.name)
            if core is not None and self.offers.version >= core:
                return YES, f"offered via core {core}", "extension.promoted"
            known = extension(need.name)
            if known is not None and known.kind == "instance":  # profiles demand these too, and no device lists them
                return UNKNOWN, "not stated: it is an extension of instances", "extension.listed"
        return self._absent("extension.listed")

    def _capability(self, need: needs.NeedsCapability) -> Answer:
        return self._enabled(need.name)

    def _enabled(self, name: str) -> Answer:
        """A capability or extension of a SPIR-V module: stated by the source, or enabled by any one row of the registry."""
        if self.offers.spirv is None and self.offers.api == "opencl":
            from targetenv.match import opencl

            return opencl.capability(name, self.offers)
        if self.offers.spirv is None and self.offers.api != "vulkan":
            if "spirv" in self.offers.formats:  # it takes SPIR-V and does not say which
                return UNKNOWN, "not stated", "spirv.stated"
            return self._absent("spirv.stated")
        support = self._support()
        holds = support.holds(name)
        if self.offers.spirv is not None:
            return (YES, "offered", "spirv.stated") if holds else self._absent("spirv.stated")
        rows = support.why(name)
        if not rows:
            return NO, "not usable in Vulkan", "spirv.enabled"
        if holds:
            row = next(row for row in rows if row.holds)
            return YES, f"offered via {row.text.partition(' (with ')[0]}", "spirv.enabled", row.source
        texts = list(dict.fromkeys(self._condition(row.text) for row in rows))
        what = f"{texts[0]} is not" if len(texts) == 1 else f"none of {', '.join(texts)} is"
        outcome, offered = (NO, f"{what} offered") if holds is False else (UNKNOWN, f"{what} known to be offered")
        return outcome, offered, "spirv.enabled", rows[0].source

    def _condition(self, text: str) -> str:
        """A condition without its `(with ...)`, which says where the feature lives, unless that is what fails."""
        bare, _, _ = text.partition(" (with ")
        return text if self.offers.features.intersection(bare.split(" ")) else bare

    def _support(self) -> SpirvSupport:
        if self._spirv is None:
            from targetenv.registry.spirv_environment import support  # its tables are read only where SPIR-V is judged

            self._spirv = support(self.offers)
        return self._spirv

    def _feature(self, need: needs.NeedsFeature) -> Answer:
        offers = self.offers
        if offers.api in gpu.AMD and need.name.endswith(("+", "-")):
            from targetenv.match import amd

            return amd.pinned(need.name, offers)
        if need.name in offers.features:
            return YES, "offered", "feature.answered"
        if need.name in offers.denied:
            return NO, "not offered", "feature.answered"
        if offers.isa is not None and need.name in isa.features(offers.isa):
            return YES, f"offered as part of {offers.isa}", isa.rule_of(offers.isa)
        if offers.api == "vulkan":
            from targetenv.registry.spirv_environment import guaranteed_features
            from targetenv.registry.vulkan import feature_extension_alias

            extension = feature_extension_alias(need.name)
            if extension is not None and extension in offers.extensions:
                return YES, f"offered via {extension}", "feature.by-extension"
            version = offers.version
            if version is not None and need.name in guaranteed_features(version, offers.extensions, offers.features):
                return (
                    YES,
                    f"offered by every Vulkan {version.major}.{version.minor} with these extensions",
                    "feature.guaranteed",
                )
        return (
            (UNKNOWN, "not stated", "feature.answered")
            if offers.is_unstated(need.name)
            else (NO, "not offered", "feature.answered")
        )

    def _limit(self, need: needs.NeedsLimit) -> Answer:
        value = self.offers.property(need.name)
        if value is None and self.offers.api in gpu.AMD:
            from targetenv.match import amd

            value = amd.limit(need.name, self.offers)
            if value is not None:
                return decided(need.relation.holds(value, need.value)), f"{self.offers.isa} has {value}", "amd.limit"
        if value is None:
            return self._unstated_limit(need)
        holds = not _is_text(value) and need.relation.holds(value, need.value)  # type: ignore[arg-type]
        return (YES if holds else NO), f"device offers {shown(value, need.relation)}", "limit.relation"

    def _unstated_limit(self, need: needs.NeedsLimit) -> Answer:
        """A limit that every device of this version has is not stated; one of an extension that is not there is not offered."""
        minimum = least(need, self.offers)
        if minimum is not None:
            holds = need.relation.holds(minimum, need.value)
            bound = "at most" if need.relation is needs.Relation.AT_MOST else "at least"
            said = f"not stated; every device offers {bound} {shown(minimum, need.relation)}"
            by = "cuda.capability" if self.offers.api == "cuda" else "limit.guaranteed"
            return (YES if holds else UNKNOWN), said, by
        if self.offers.complete and self._has_struct(need.name.partition("::")[0]):
            return UNKNOWN, "not stated", "limit.relation"
        return self._absent("limit.relation")

    def _has_struct(self, struct: str) -> bool:
        if self.offers.api != "vulkan" or not struct.startswith("Vk"):
            return False
        from targetenv.registry import vulkan

        return struct == "VkPhysicalDeviceLimits" or vulkan.is_provided(struct, self.offers.version, self.offers.extensions)

    def _subgroup(self, need: needs.NeedsSubgroupSize) -> Answer:
        sizes = self.offers.subgroup_sizes
        if not sizes:
            open_ = self.offers.is_unstated("VkPhysicalDeviceSubgroupProperties::subgroupSize")
            return (UNKNOWN, "not stated", "subgroup.in-set") if open_ else self._absent("subgroup.in-set")
        offered = ", ".join(str(size) for size in sorted(sizes))
        return (YES if need.size in sizes else NO), f"device offers {offered}", "subgroup.in-set"

    def _matrix(self, need: needs.NeedsMatrix) -> Answer:
        rows = self.offers.matrices
        if need.matrix in rows or any(row.meets(need.matrix) for row in rows):
            return YES, "offered", "matrix.row"
        if not rows:
            open_ = self.offers.is_unstated("VkCooperativeMatrixPropertiesKHR::MSize")
            return (UNKNOWN, "not stated", "matrix.row") if open_ else self._absent("matrix.row")
        near = [row for row in rows if (row.m, row.n, row.k) == (need.matrix.m, need.matrix.n, need.matrix.k)] or rows
        return NO, f"device offers {listed((str(row) for row in near), most=3)}", "matrix.row"

    def _all(self, need: needs.AllOf) -> Answer:
        """Kleene's and: the worst of the parts, said by those that are no better."""
        return self._parts(need.parts, max, YES, "compound.all")

    def _any(self, need: needs.AnyOf) -> Answer:
        """Kleene's or: the best of the parts."""
        return self._parts(need.parts, min, NO, "compound.any")

    def _parts(self, parts: tuple[Requirement, ...], choose: Callable[[list[int]], int], empty: Outcome, by: str) -> Answer:
        found = [self.check(part) for part in parts]
        if not found:
            return empty, "nothing to choose from" if empty is NO else "nothing is required", by
        ranks = [_WORSE.index(finding.outcome) for finding in found]
        outcome = _WORSE[choose(ranks)]
        saying = [finding for finding in found if finding.outcome is outcome]
        return outcome, "; ".join(f"{finding.requires}: {finding.offers}" for finding in saying), by

    def _not(self, need: needs.Not) -> Answer:
        found = self.check(need.part)
        opposite = {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[found.outcome]
        return opposite, f"{found.requires}: {found.offers}", "compound.not"

    def _unknown(self, need: needs.NeedsUnknown) -> Answer:
        from targetenv.match.unknowns import NO_PROCESSOR

        return UNKNOWN, "not known", "offload.triple" if need.what == NO_PROCESSOR.what else "unknown.never-satisfied"


def _is_text(value: object) -> bool:
    return isinstance(value, str) or (isinstance(value, tuple) and any(isinstance(part, str) for part in value))


# The code names the kind of question, also when the answer is yes.
_ANSWERS: dict[type, tuple[str, Callable[[Judge, Any], Answer]]] = {
    needs.NeedsVersion: ("TE3101", Judge._version),
    needs.NeedsExtension: ("TE3102", Judge._extension),
    needs.NeedsFeature: ("TE3103", Judge._feature),
    needs.NeedsLimit: ("TE3104", Judge._limit),
    needs.NeedsCapability: ("TE3105", Judge._capability),
    needs.NeedsIsa: ("TE3106", Judge._isa),
    needs.NeedsFormat: ("TE3107", Judge._format),
    needs.NeedsSubgroupSize: ("TE3108", Judge._subgroup),
    needs.NeedsMatrix: ("TE3109", Judge._matrix),
    needs.NeedsUnknown: ("TE3110", Judge._unknown),
    needs.AllOf: ("TE3111", Judge._all),
    needs.AnyOf: ("TE3111", Judge._any),
    needs.Not: ("TE3111", Judge._not),
}
