"""Where the variants of a kernel run among all known devices, as text and JSON: `resolve --gaps`."""

from __future__ import annotations

from targetenv.cli.output import print_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from targetenv.model.artifact import Artifact
    from targetenv.resolve.gaps import KernelReach, Reach

_RUN = 3  # neighbours that are written as `first to last`


def report(kernels: Mapping[str, Sequence[Artifact]], *, as_json: bool) -> None:
    """Print, for each kernel, which known devices run it natively, after a compilation, and not at all."""
    from targetenv.cli.zoo import families
    from targetenv.resolve.gaps import gaps

    known = families()
    found = gaps(kernels, known)
    if as_json:
        print_json({"gaps": [_of_kernel(row) for row in found]})
        return
    orders = {family.name: [device.name for device in family.devices] for family in known}
    for row in found:
        print("\n".join(_told(row, orders)))


def spans(names: Sequence[str], order: Sequence[str]) -> str:
    """Names in the order of their family: neighbours as a span, all settings of a processor as the processor.

    >>> spans(["a:x+", "a:x-", "b", "c", "e:x+"], ["a:x+", "a:x-", "b", "c", "d", "e:x+", "e:x-"])
    'a to c, e:x+'
    """
    there = set(names)
    settings: dict[str, list[str]] = {}
    for name in order:
        settings.setdefault(name.partition(":")[0], []).append(name)
    cells: list[str] = []
    for processor, each in settings.items():
        cells += [processor] if len({name in there for name in each}) == 1 else each
    held = {cell for cell in cells if cell in there or settings.get(cell, [cell])[0] in there}
    parts: list[list[str]] = [[]]
    for cell in cells:
        if cell in held:
            parts[-1].append(cell)
        elif parts[-1]:
            parts.append([])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) >= _RUN else ", ".join(run) for run in parts if run)


def _told(row: KernelReach, orders: Mapping[str, Sequence[str]]) -> list[str]:
    lines = [row.kernel]
    width = max((len(reach.family) for reach in row.reaches), default=0)
    family = ""
    for reach in row.reaches:
        name = "" if reach.family == family else reach.family
        family = reach.family
        lines.append(f"  {name:<{width}}  {reach.how:<6}  {_line(reach, orders[reach.family])}")
        lines += [f"  {'':<{width}}          if it offers {condition}" for condition in reach.conditions]
    if row.foreign:
        lines.append(f"  no variant of a format for {', '.join(row.foreign)}")
    return lines


def _line(reach: Reach, order: Sequence[str]) -> str:
    onward = " and every later one" if reach.onward else ""
    by = f": {', '.join(reach.variants)}" if reach.variants else ""
    return f"{spans(reach.devices, order)}{onward}{by}"


def _of_kernel(row: KernelReach) -> dict[str, object]:
    reaches = [
        {
            "family": reach.family,
            "how": reach.how.lower(),
            "devices": list(reach.devices),
            "onward": reach.onward,
            "variants": list(reach.variants),
            "conditions": list(reach.conditions),
        }
        for reach in row.reaches
    ]
    return {"kernel": row.kernel, "reaches": reaches, "foreign": list(row.foreign)}
