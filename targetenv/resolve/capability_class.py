"""Which devices cannot differ in any answer: those that are alike in everything that the questions look at."""

from __future__ import annotations

import marshal
from hashlib import blake2b

from targetenv.match.dependence import all_reads, context_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from targetenv.match.dependence import Plain
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement


class Classifier:
    """The key of a device's capability class, for one set of questions."""

    __slots__ = ("_extensions", "_features", "_properties", "_reads")

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._reads = reads = all_reads(requirements)
        self._extensions = {name: 1 << place for place, name in enumerate(sorted(reads.extensions))}
        self._features = {name: 1 << place for place, name in enumerate(sorted(reads.features | reads.mandatory))}
        self._properties = {name: place for place, name in enumerate(sorted(reads.properties))}

    def key(self, offers: Capabilities) -> bytes:
        """Sixteen bytes, equal for devices that are alike in all that the questions look at."""
        reads = self._reads
        values: list[Plain] = [None] * len(self._properties)
        places = self._properties
        for row in offers.properties:
            place = places.get(row.name)
            if place is not None:
                values[place] = row.value
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


def _mask(bits: dict[str, int], names: Iterable[str]) -> int:
    found = bits.get
    mask = 0
    for name in names:
        mask |= found(name, 0)
    return mask
