"""Choosing again and again: variants prepared once, each device asked once, the choice itself a few comparisons of integers."""

from __future__ import annotations

from targetenv.match.check import Judge
from targetenv.model.verdict import Outcome
from targetenv.resolve.ranking import Ranking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.model.capabilities import Capabilities


class Chooser:
    """The variants of some kernels, ready to be chosen from.

    Chooses what `resolve` chooses under `unknown="reject"`, without the verdicts that explain it.
    """

    __slots__ = ("rankings",)

    def __init__(self, kernels: Mapping[str, Sequence[Artifact]]) -> None:
        self.rankings = {kernel: Ranking(variants) for kernel, variants in kernels.items()}

    def on(self, offers: Capabilities) -> DeviceChooser:
        """The same for one device, with every distinct requirement judged."""
        return DeviceChooser(self, Judge(offers))


class DeviceChooser:
    """What one device does not meet of everything that the variants require."""

    __slots__ = ("_chosen_from",)

    def __init__(self, chooser: Chooser, judge: Judge) -> None:
        self._chosen_from = {}
        for kernel, general in chooser.rankings.items():
            ranking = general.on(judge.offers)
            met = sum(
                1 << place for place, need in enumerate(ranking.requirements) if judge.check(need).outcome is Outcome.SATISFIED
            )
            self._chosen_from[kernel] = ranking, ranking.rows(met)

    def choose(self, kernel: str) -> Artifact | None:
        """The variant of this kernel to run here, None when none fits; a KeyError for a kernel that is not there."""
        ranking, unmet = self._chosen_from[kernel]
        runs = ranking.without(unmet)
        return ranking.variants[ranking.first(runs)] if runs else None
