"""On which known devices some variant of a kernel runs, on which only after a compilation, and on which none does."""

from __future__ import annotations

from targetenv.model.formats import loads
from targetenv.model.record import record
from targetenv.model.verdict import Outcome
from targetenv.resolve.kinds import NATIVE, kind_of
from targetenv.resolve.resolution import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import TypeAlias

    from targetenv.model.artifact import Artifact
    from targetenv.model.device import Device
    from targetenv.resolve.choice import RankedKernel

    Way: TypeAlias = tuple[str, str, tuple[str, ...]]  # how, variant, conditions


@record
class Family:
    """Devices that load the same formats, oldest first: `name` is for people. What is not stated of them may be either way.

    `ahead` are made up, beyond every one that is known: what runs there runs on every later device by rule.
    """

    name: str
    devices: tuple[Device, ...]
    ahead: tuple[Device, ...] = ()


@record
class Reach:
    """Some devices of one family that a kernel runs on in one way.

    `how` is `native`, `JIT` (compiled by the driver when the executable is loaded) or `none`; `conditions` is what the devices
    must offer besides, as far as their names do not say it; `variants` are those that would be chosen. `onward` says that every
    device to come is among them, by the rule of the format and not as a guess.
    """

    family: str
    how: str
    devices: tuple[str, ...]
    variants: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    onward: bool = False


@record
class KernelReach:
    """Where one kernel runs: `reaches` by family and device order; `foreign` are families that load none of its formats."""

    kernel: str
    reaches: tuple[Reach, ...]
    foreign: tuple[str, ...]


def gaps(kernels: Mapping[str, Sequence[Artifact]], families: Iterable[Family]) -> tuple[KernelReach, ...]:
    """For each kernel, in order of names, which devices of which family its variants run on.

    A variant that a device may run, for all that its name says, counts as running there, under the conditions that are named.
    """
    known = tuple(families)
    return tuple(_kernel(name, kernels[name], known) for name in sorted(kernels))


def _kernel(kernel: str, variants: Sequence[Artifact], families: Sequence[Family]) -> KernelReach:
    formats = {variant.format for variant in variants}
    foreign = tuple(
        family.name
        for family in families
        if not any(loads(device.offers.formats, name) for device in family.devices for name in formats)
    )
    found = [reach for family in families if family.name not in foreign for reach in _family(kernel, variants, family)]
    return KernelReach(kernel, tuple(found), foreign)


def _family(kernel: str, variants: Sequence[Artifact], family: Family) -> list[Reach]:
    ways = _ways(kernel, variants, family.devices)
    ahead = set(_ways(kernel, variants, family.ahead).values())
    grouped: dict[Way, list[str]] = {}
    for name, way in ways.items():
        grouped.setdefault(way, []).append(name)
    merged: dict[tuple[str, tuple[str, ...]], Reach] = {}
    for (how, variant, conditions), names in grouped.items():
        onward = how != "none" and (how, variant, conditions) in ahead
        before = merged.get((how, conditions))
        chosen = (variant,) if variant else ()
        if before is not None:
            names, chosen = [*before.devices, *names], (*before.variants, *chosen)
            onward = onward or before.onward
        merged[how, conditions] = Reach(family.name, how, tuple(names), chosen, conditions, onward)
    order = [device.name for device in family.devices]
    return [
        Reach(row.family, row.how, tuple(sorted(row.devices, key=order.index)), row.variants, row.conditions, row.onward)
        for row in sorted(merged.values(), key=lambda row: (("native", "JIT", "none").index(row.how), row.conditions))
    ]


def _ways(kernel: str, variants: Sequence[Artifact], devices: Sequence[Device]) -> dict[str, Way]:
    """Device -> how its best variant gets there, which that is, and under which conditions."""
    return {row.device.name: _way(row) for row in resolve({kernel: variants}, devices).ranked}


def _way(row: RankedKernel) -> Way:
    """The chosen variant; where none certainly runs, the one that asks least of what is not stated."""
    if row.choice.variant is not None:
        best = row.verdicts[0]
    else:
        open_ = [verdict for verdict in row.verdicts if verdict.outcome is Outcome.UNKNOWN]
        if not open_:
            return "none", "", ()
        best = min(open_, key=lambda verdict: len(verdict.unmet))
    native = kind_of(best.artifact.format).cost <= NATIVE.cost
    return "native" if native else "JIT", best.artifact.name, tuple(finding.requires for finding in best.unmet)
