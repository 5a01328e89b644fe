"""Which devices cannot differ in any answer: those that are alike in everything that the questions look at."""

from __future__ import annotations

import marshal
from hashlib import blake2b

from targetenv.match.check import check
from targetenv.match.dependence import all_reads, context_of, leaves
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.requirement import NeedsLimit
from targetenv.model.verdict import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.match.dependence import Plain
    from targetenv.model.capabilities import PropertyValue
    from targetenv.model.requirement import Requirement


_SEEK = 16  # looking for one property takes as long as passing over so many


class Classifier:
    """The key of a device's capability class, for one set of questions.

    Of a limit that nothing but limits ask about only the answers count: 1000 and 1024 are alike where nobody asks for more
    than 512.
    """

    __slots__ = ("_extensions", "_features", "_limits", "_properties", "_reads", "_told")

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        asked = list(dict.fromkeys(leaf for requirement in requirements for leaf in leaves(requirement)))
        self._reads = reads = all_reads(asked)
        in_full = all_reads(need for need in asked if not isinstance(need, NeedsLimit)).properties
        self._limits: dict[str, list[NeedsLimit]] = {}
        for need in asked:
            if isinstance(need, NeedsLimit) and need.name not in in_full:
                self._limits.setdefault(need.name, []).append(need)
        self._told: dict[str, dict[PropertyValue, int]] = {name: {} for name in self._limits}
        self._extensions = {name: 1 << place for place, name in enumerate(sorted(reads.extensions))}
        self._features = {name: 1 << place for place, name in enumerate(sorted(reads.features | reads.mandatory))}
        self._properties = {name: place for place, name in enumerate(sorted(reads.properties))}

    def key(self, offers: Capabilities) -> bytes:
        """Sixteen bytes, equal for devices that are alike in all that the questions look at."""
        reads = self._reads
        values: list[Plain] = [None] * len(self._properties)
        for name, value in self._stated(offers):
            told = self._told.get(name)
            values[self._properties[name]] = value if told is None else told.get(value) or self._tell(name, value)
        facts: list[object] = [
            context_of(offers, reads),
            _mask(self._extensions, offers.extensions),
            _mask(self._features, offers.features),
            _mask(self._features, offers.denied),
            values,
        ]
        if reads.everything(offers):
            facts += [sorted(offers.extensions), sorted(offers.features)]
        if reads.isa and offers.isa is not None:
            facts += [sorted(offers.features), sorted(offers.denied)]
        # Version 2 writes values and no references between them, so equal facts give equal bytes.
        return blake2b(marshal.dumps(facts, 2), digest_size=16).digest()

    def _stated(self, offers: Capabilities) -> Iterable[tuple[str, PropertyValue]]:
        """The properties that are asked about and stated; sought one by one where they are few."""
        if len(self._properties) * _SEEK < len(offers.properties):
            sought = ((name, offers.property(name)) for name in self._properties)
            return ((name, value) for name, value in sought if value is not None)
        return ((row.name, row.value) for row in offers.properties if row.name in self._properties)

    def _tell(self, name: str, value: PropertyValue) -> int:
        """The answers that one stated value leads to, as bits behind a leading one."""
        alone = Capabilities("", properties=(Property(name, value),))
        told = 1
        for need in self._limits[name]:
            told = told << 1 | (check(need, alone).outcome is Outcome.SATISFIED)
        self._told[name][value] = told
        return told


def _mask(bits: dict[str, int], names: frozenset[str]) -> int:
    mask = 0
    if len(bits) < len(names):
        for name in names.intersection(bits):
            mask |= bits[name]
    else:
        found = bits.get
        for name in names:
            mask |= found(name, 0)
    return mask
