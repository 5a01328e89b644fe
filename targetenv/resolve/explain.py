"""A resolution as text for people: the only place of this room where reasons become lines."""

from __future__ import annotations

from collections import Counter

from targetenv.diagnostics.diagnostic import Diagnostic
from targetenv.diagnostics.render import cells
from targetenv.match.phrases import api_name, listed
from targetenv.model.record import record
from targetenv.model.requirement import NeedsFormat
from targetenv.model.verdict import Outcome
from targetenv.resolve.repair import hints_for, hints_without_device
from targetenv.resolve.why import opening, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.device import Device
    from targetenv.model.verdict import Finding, Verdict
    from targetenv.resolve.choice import RankedKernel, Resolution

_MARK = {Outcome.SATISFIED: "✓", Outcome.UNKNOWN: "?", Outcome.UNSATISFIED: "✗"}
_NOTHING = "\N{MULTIPLICATION SIGN}"  # a device that runs nothing, a driver without a device
_FORMAT = "TE3107"
_WIDEST = 48  # a longer requirement does not push everybody's column away


def explain(resolution: Resolution, *, everything: bool = False, why: bool = False) -> str:
    """The choice on every device and the reasons against everything else, without a trailing newline.

    One tree for each device; variants that run come first, then misses, nearest first. What several variants miss in common is
    said once and then referred to by number. Drivers without a device follow, each with its own reason. `everything` adds what
    is satisfied, and the rule that says so; `why` adds, to what is unmet, every alternative that would have met it, and to what
    runs, what the device has to be opened with.
    """
    lines = [f"as of {resolution.as_of}"] if resolution.as_of else []
    lines += [f"error[{diagnostic.code}]: {diagnostic.message}" for diagnostic in why_not(resolution, _lacking(resolution))]
    trees: dict[tuple[str, tuple[str, ...]], list[Device]] = {}
    for device, rows in _by_device(resolution):
        tree = tuple(_device_tree(rows, resolution, everything=everything, why=why))
        mark = _NOTHING if all(row.choice.variant is None for row in rows) else "✓"
        trees.setdefault((f"{mark} {device.name}", tree), []).append(device)
    for (name, tree), alike in trees.items():
        lines += [f"{name}  ({_identity(alike)})", *tree]
    for driver in resolution.unavailable:
        lines.append(f"{_NOTHING} {driver.driver}: {driver.reason}  [{driver.code}]")
        if driver.help:
            lines.append(f"  = help: {driver.help}")
    return "\n".join(line.rstrip() for line in lines)


def why_not(resolution: Resolution, kernels: Sequence[str]) -> tuple[Diagnostic, ...]:
    """One diagnostic (TE3001) for what cannot run anywhere: the nearest miss on each device, the absent drivers, what to do."""
    absent = tuple(f"{driver.driver}: {driver.reason} [{driver.code}]" for driver in resolution.unavailable)
    if not resolution.ranked:
        helps = [hint.text for hint in hints_without_device(resolution)]
        return (Diagnostic("TE3001", "there is no device to run on", notes=absent, help="\n".join(helps)),)
    return tuple(_why_not_kernel(resolution, kernel, absent) for kernel in kernels)


def _why_not_kernel(resolution: Resolution, kernel: str, absent: tuple[str, ...]) -> Diagnostic:
    notes: list[str] = []
    helps: dict[str, None] = {}
    for row in resolution.ranked:
        if row.kernel != kernel:
            continue
        if row.excluded:
            why = "\n".join(f"  {one.variant} runs, but {one.why}" for one in row.excluded)
            notes.append(f"{row.device.uri} ({row.device.name}):\n{why}")
        elif row.verdicts:
            nearest = row.verdicts[0]
            reasons = [f"  {_reason(finding, 0)}" for finding in _reasons(nearest)]
            notes.append(
                "\n".join([f"{row.device.uri} ({row.device.name}): {nearest.artifact.name} is nearest, but", *reasons])
            )
        helps |= dict.fromkeys(_helps(row, resolution))
    uris = {row.device.uri for row in resolution.ranked}
    message = f"no variant of `{kernel}` can run on {f'`{uris.pop()}`' if len(uris) == 1 else 'any device'}"
    return Diagnostic("TE3001", message, notes=(*notes, *absent), help="\n".join(helps))


def _helps(row: RankedKernel, resolution: Resolution) -> list[str]:
    """What would let the kernel run here; where only the policy stands in the way, to change that."""
    if row.choice.variant is not None:
        return []
    advice = {
        "rank.never-jit": "leave `--never-jit` out to run `{variant}`",
        "rank.pinned": "pin `{kernel}` to `{variant}`, or leave the pin out",
    }
    first = row.excluded[:1]
    policy = [advice[one.rule].format(kernel=row.kernel, variant=one.variant) for one in first]
    return policy or [hint.text for hint in hints_for(row, resolution)]


def _lacking(resolution: Resolution) -> list[str]:
    running = {choice.kernel for choice in resolution.choices if choice.variant is not None}
    return sorted({choice.kernel for choice in resolution.choices} - running)


def _by_device(resolution: Resolution) -> list[tuple[Device, list[RankedKernel]]]:
    devices: dict[int, tuple[Device, list[RankedKernel]]] = {}
    for row in resolution.ranked:  # by identity: recorded devices of several machines may share a URI
        devices.setdefault(id(row.device), (row.device, []))[1].append(row)
    return list(devices.values())


def _identity(devices: Sequence[Device]) -> str:
    first = devices[0]
    uris = " and ".join(device.uri for device in devices)
    offers = first.offers
    what = f"{api_name(offers.api)} {offers.version}" if offers.version is not None else offers.isa
    return ", ".join(part for part in (uris, what, "simulated" if first.simulated else None) if part)


def _device_tree(rows: Sequence[RankedKernel], resolution: Resolution, *, everything: bool, why: bool) -> list[str]:
    lines = []
    for place, row in enumerate(rows):
        head, *body = _kernel_tree(row, everything=everything, why=why)
        branch, trunk = _branch(place, rows)
        lines += [f"{branch}{head}", *(f"{trunk}{line}" for line in body)]
    hints = dict.fromkeys(text for row in rows for text in _helps(row, resolution))
    return [*lines, *(f"  = help: {text}" for text in hints)]


@record
class _Node:
    """One branch of the tree: a title, and the lines or the findings under it."""

    title: str
    findings: tuple[Finding, ...] = ()
    lines: tuple[str, ...] = ()


def _kernel_tree(row: RankedKernel, *, everything: bool, why: bool) -> list[str]:
    if not everything and row.verdicts and all(_is_foreign(verdict) for verdict in row.verdicts):
        return [_foreign(row)]
    nodes = [*(_opening(row) if why else ()), *_nodes(row, everything=everything)]
    mentions = Counter(finding for node in nodes for finding in node.findings if finding.outcome is not Outcome.SATISFIED)
    numbers = {finding: place for place, finding in enumerate((one for one, times in mentions.items() if times > 1), start=1)}
    width = max((min(cells(finding.requires), _WIDEST) for node in nodes for finding in node.findings), default=0)
    said: set[Finding] = set()
    lines = [_headline(row)]
    for place, node in enumerate(nodes):
        branch, trunk = _branch(place, nodes)
        lines += [f"{branch}{node.title}", *(f"{trunk}   {line}" for line in node.lines)]
        again = [f"({numbers[finding]})" for finding in node.findings if finding in said]
        for finding in node.findings:
            if finding not in said:
                number = f"  ({numbers[finding]})" if finding in numbers else ""
                below = tuple(told(finding, row)) if why else ()
                reason = _requirement(finding) if below else _reason(finding, width, everything=everything)
                lines += [f"{trunk}   {reason}{number}", *(f"{trunk}     {line}" for line in below)]
        said.update(finding for finding in node.findings if finding in numbers)
        if again:
            lines.append(f"{trunk}   ✗ and {', '.join(again)}")
    return lines


def _opening(row: RankedKernel) -> list[_Node]:
    """What the device has to be opened with for the variant that runs."""
    lines = tuple(opening(row.enables))
    return [_Node("the device is opened with", lines=lines)] if lines else []


def _nodes(row: RankedKernel, *, everything: bool) -> list[_Node]:
    running = _running(row)
    misses: dict[tuple[Finding, ...], list[Verdict]] = {}
    for verdict in row.verdicts[len(running) + len(row.excluded) :]:
        misses.setdefault(_reasons(verdict, everything=everything), []).append(verdict)
    certain = [verdict for verdict in running if verdict.outcome is Outcome.SATISFIED]
    if everything:
        nodes = [_Node(f"✓ {verdict.artifact.name}: runs", verdict.findings) for verdict in certain]
    else:
        others = [verdict.artifact.name for verdict in certain if verdict is not running[0]]
        nodes = [_Node(f"✓ runs too: {', '.join(others)}")] if others else []
    for verdict in running[len(certain) :]:
        nodes.append(_Node(f"{_title([verdict])}, allowed", _reasons(verdict, everything=everything)))
    nodes += [_Node(f"✗ {one.variant}: runs, but {one.why}") for one in row.excluded]
    closest = row.choice.variant is None and not row.excluded and len(misses) > 1 and not _is_foreign(row.verdicts[0])
    for place, (reasons, verdicts) in enumerate(misses.items()):
        nodes.append(_Node(_title(verdicts) + ("  (closest)" if closest and place == 0 else ""), reasons))
    return nodes


def _running(row: RankedKernel) -> tuple[Verdict, ...]:
    """The verdicts that the policy let run: where the winner itself is only maybe right, so may the others be."""
    if row.choice.variant is None:
        return ()
    allowed = {Outcome.SATISFIED, row.verdicts[0].outcome}
    left_out = {one.variant for one in row.excluded}
    return tuple(one for one in row.verdicts if one.outcome in allowed and one.artifact.name not in left_out)


def _reasons(verdict: Verdict, *, everything: bool = False) -> tuple[Finding, ...]:
    """What to show: all, or what is unmet; of a format that the device does not load nothing else is worth a line."""
    if everything:
        return verdict.findings
    wrong_format = tuple(finding for finding in verdict.unmet if finding.code == _FORMAT)
    return wrong_format or verdict.unmet


def _is_foreign(verdict: Verdict) -> bool:
    """Whether the device's loader does not take the variant at all."""
    return any(finding.code == _FORMAT and finding.outcome is Outcome.UNSATISFIED for finding in verdict.unmet)


def _foreign(row: RankedKernel) -> str:
    needs = (need for verdict in row.verdicts for need in verdict.artifact.requires)
    formats = listed({need.format for need in needs if isinstance(need, NeedsFormat)})
    return (
        f"✗ {row.kernel}: no variant can run: they are {formats}, device loads {listed(row.device.offers.formats)}  [{_FORMAT}]"
    )


def _headline(row: RankedKernel) -> str:
    choice = row.choice
    if choice.variant is None:
        may = "may" if row.excluded else "can"
        return f"✗ {row.kernel}: no variant {may} run" if row.verdicts else f"✗ {row.kernel}: there are no variants"
    alone = "the only variant that runs" if len(row.verdicts) > 1 else ""
    because = choice.because or alone
    return f"✓ {row.kernel}: {choice.variant}{', ' if because else ''}{because}"


def _title(verdicts: Sequence[Verdict]) -> str:
    names = ", ".join(verdict.artifact.name for verdict in verdicts)
    first = verdicts[0]
    unmet = len(first.unmet)
    totals = {len(verdict.findings) for verdict in verdicts}
    of = f" of {totals.pop()}" if len(totals) == 1 else ""
    noun = "requirement" if unmet == 1 and not of else "requirements"
    if _is_foreign(first):
        return f"✗ {names}: not a format of this device"
    what = "not known" if first.outcome is Outcome.UNKNOWN else "unmet"
    return f"{_MARK[first.outcome]} {names}: {unmet}{of} {noun} {what}"


def _reason(finding: Finding, width: int, *, everything: bool = False) -> str:
    padding = " " * max(0, width - cells(finding.requires))
    code = f"{finding.code} {finding.rule}" if everything else finding.code
    return f"{_MARK[finding.outcome]} {finding.requires}{padding}  {finding.offers}  [{code}]"


def _requirement(finding: Finding) -> str:
    """A finding without what the device offers, which is told at length below."""
    return f"{_MARK[finding.outcome]} {finding.requires}  [{finding.code}]"


def _branch(place: int, among: Sequence[object]) -> tuple[str, str]:
    return ("╰─ ", "   ") if place == len(among) - 1 else ("├─ ", "│  ")
