"""One requirement held against one device's offers."""

from __future__ import annotations

from targetenv.match.phrases import api_name, listed, required, shown
from targetenv.match.rules import rule
from targetenv.model import requirement as needs
from targetenv.model.verdict import Finding, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.model.version import Version

    Answer: TypeAlias = tuple[Outcome, str, str]  # outcome, what is offered, id of the rule that decided

YES, NO, UNKNOWN = Outcome.SATISFIED, Outcome.UNSATISFIED, Outcome.UNKNOWN


def check(requirement: Requirement, offers: Capabilities) -> Finding:
    """What `offers` answers to one requirement; to ask many, keep one `Judge`.

    >>> from targetenv.model.capabilities import Capabilities
    >>> check(needs.NeedsSubgroupSize(32), Capabilities("vulkan", subgroup_sizes=frozenset({8}))).offers
    'device offers 8'
    """
    return Judge(offers).check(requirement)


class Judge:
    """Everything that one set of offers answers; each distinct requirement is judged once.

    An absent name is a no where the offers are complete and unknown otherwise. A list that only a whole answer can fill
    (formats, subgroup sizes, matrix rows) counts as complete as soon as it has an entry.
    """

    __slots__ = ("_answers", "offers")

    def __init__(self, offers: Capabilities) -> None:
        self.offers = offers
        self._answers: dict[Requirement, Finding] = {}

    def check(self, requirement: Requirement) -> Finding:
        """The finding for this requirement."""
        finding = self._answers.get(requirement)
        if finding is None:
            code, answer = _ANSWERS[type(requirement)]
            outcome, offered, by = answer(self, requirement)
            row = rule(by)
            finding = Finding(code, outcome, requirement, required(requirement), offered, row.id, row.source)
            self._answers[requirement] = finding
        return finding

    def _absent(self, *, closed: bool = False) -> tuple[Outcome, str]:
        return (NO, "not offered") if closed or self.offers.complete else (UNKNOWN, "not stated")

    def _format(self, need: needs.NeedsFormat) -> Answer:
        formats = self.offers.formats
        if need.format in formats:
            return YES, f"device loads {need.format}", "format.listed"
        if formats:
            return NO, f"device loads {listed(formats)}", "format.listed"
        return *self._absent(), "format.listed"

    def _version(self, need: needs.NeedsVersion) -> Answer:
        if need.of == "spirv":
            return self._spirv_version(need.version)
        if need.of == self.offers.api:
            return self._at_least(self.offers.version, need, "version.at-least")
        return *self._absent(), "version.at-least"

    def _spirv_version(self, version: Version) -> Answer:
        spirv = self.offers.spirv
        if spirv is None:
            return *self._absent(), "spirv.version"
        return self._at_least(spirv.version, needs.NeedsVersion("spirv", version), "spirv.stated")

    def _at_least(self, offered: Version | None, need: needs.NeedsVersion, by: str) -> Answer:
        if offered is None:
            return *self._absent(), by
        return (YES if offered >= need.version else NO), f"device offers {api_name(need.of)} {offered}", by

    def _isa(self, need: needs.NeedsIsa) -> Answer:
        if self.offers.isa is None:
            return *self._absent(), "isa.same"
        same = self.offers.isa == need.isa
        return (YES if same else NO), f"device offers {self.offers.isa}", "isa.same"

    def _extension(self, need: needs.NeedsExtension) -> Answer:
        if need.name in self.offers.extensions:
            return YES, "offered", "extension.listed"
        return *self._absent(), "extension.listed"

    def _capability(self, need: needs.NeedsCapability) -> Answer:
        spirv = self.offers.spirv
        if spirv is not None and need.name in spirv.capabilities:
            return YES, "offered", "spirv.stated"
        return *self._absent(), "spirv.stated"

    def _feature(self, need: needs.NeedsFeature) -> Answer:
        if need.name in self.offers.features:
            return YES, "offered", "feature.answered"
        return *self._absent(closed=need.name in self.offers.denied), "feature.answered"

    def _limit(self, need: needs.NeedsLimit) -> Answer:
        value = self.offers.property(need.name)
        if value is None:
            return *self._absent(), "limit.relation"
        holds = not _is_text(value) and need.relation.holds(value, need.value)  # type: ignore[arg-type]
        return (YES if holds else NO), f"device offers {shown(value, need.relation)}", "limit.relation"

    def _subgroup(self, need: needs.NeedsSubgroupSize) -> Answer:
        sizes = self.offers.subgroup_sizes
        if not sizes:
            return *self._absent(), "subgroup.in-set"
        offered = ", ".join(str(size) for size in sorted(sizes))
        return (YES if need.size in sizes else NO), f"device offers {offered}", "subgroup.in-set"

    def _matrix(self, need: needs.NeedsMatrix) -> Answer:
        rows = self.offers.matrices
        if need.matrix in rows:
            return YES, "offered", "matrix.row"
        if not rows:
            return *self._absent(), "matrix.row"
        near = [row for row in rows if (row.m, row.n, row.k) == (need.matrix.m, need.matrix.n, need.matrix.k)] or rows
        return NO, f"device offers {listed((str(row) for row in near), most=3)}", "matrix.row"

    def _unknown(self, _: needs.NeedsUnknown) -> Answer:
        return UNKNOWN, "not known", "unknown.never-satisfied"


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
}
