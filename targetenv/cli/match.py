"""Whether one target fits another: every requirement of the first held against what the second offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.deciding import add_as_of, as_of, say_idle
from targetenv.cli.documents import of_alternative, of_diagnostic, of_stack
from targetenv.cli.environments import is_file, offers_from, warn
from targetenv.cli.output import print_json, talk
from targetenv.cli.texts import read_lines, unquoted
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.match.alternatives import alternatives, lines, sentence
from targetenv.match.check import Judge
from targetenv.match.environment import KINDS, requirements_of, requirements_of_kind
from targetenv.match.pair import findings
from targetenv.match.stack import Stack
from targetenv.model import document
from targetenv.model.record import record
from targetenv.model.requirement import AllOf, AnyOf
from targetenv.model.verdict import Outcome

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.match.alternatives import Alternative
    from targetenv.model.artifact import Artifact
    from targetenv.model.capabilities import Capabilities
    from targetenv.model.requirement import Requirement
    from targetenv.model.verdict import Finding
    from targetenv.wire.device_files import DeviceFile

EPILOG = (
    "REQUIRES is a target in any dialect, with KIND: before it where it has several (ptx:sm_80), an executable, or a"
    " constraint (`vulkan >= 1.1 and shaderFloat16`). OFFERS is a target, a device (vulkan://0) or a file that describes one:"
    " a snapshot, a Vulkan Profile, what vulkaninfo wrote, a report of the capability viewer (FILE#NAME where it describes"
    " several); as REQUIRES these stand for code that relies on all that they offer."
    " Exit status 0 when it fits, 1 when it does not or is not known."
)
_NEWEST = Stack()
_MARKS = {Outcome.SATISFIED: "✓", Outcome.UNKNOWN: "?", Outcome.UNSATISFIED: "✗"}


def add_arguments(parser: ArgumentParser) -> None:
    """The two sides, or a batch of pairs."""
    parser.add_argument("requires", nargs="?", metavar="REQUIRES", help="a target, or an executable")
    parser.add_argument("offers", nargs="?", metavar="OFFERS", help="a target, a device, or a file that describes one")
    parser.add_argument(
        "--lines", metavar="FILE", help="one TAB-separated pair a line, FILE or -; answers one JSON object a line"
    )
    parser.add_argument("--why", action="store_true", help="show what would have met each requirement")
    add_as_of(parser)


@record
class Answer:
    """One pair judged; `why` has the alternatives of each finding, where they were asked for."""

    requires: str
    offers: str
    outcome: Outcome
    findings: tuple[Finding, ...]
    as_of: Stack = _NEWEST
    why: tuple[tuple[Alternative, ...], ...] = ()

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "requires": self.requires,
            "offers": self.offers,
            "outcome": self.outcome.value,
            **of_stack(self.as_of),
            "findings": [
                document.of_finding(finding) | ({"alternatives": list(map(of_alternative, found))} if found else {})
                for finding, found in self.reasons()
            ],
        }

    def reasons(self) -> list[tuple[Finding, tuple[Alternative, ...]]]:
        """Each finding with its alternatives; none where they were not asked for."""
        return list(zip(self.findings, self.why or [()] * len(self.findings), strict=True))


def run(args: Namespace) -> int:
    """Judge one pair, or every line of a batch."""
    stack = as_of(args)
    if args.lines is not None:
        return _batch(args.lines, stack)
    if args.offers is None:
        raise TargetEnvError(Diagnostic("TE5200", "expected two sides", help="pass REQUIRES and OFFERS, or `--lines FILE`"))
    answer = _answer(args.requires, args.offers, stack, why=args.why)
    if args.format == "json":
        print_json(answer.document())
    else:
        unmet = sum(finding.outcome is not Outcome.SATISFIED for finding in answer.findings)
        of = (
            f": {unmet} of {len(answer.findings)} requirements unmet"
            if unmet
            else f": all {len(answer.findings)} requirements met"
        )
        print(f"{answer.outcome.value}{f' as of {stack}' if stack else ''}{of}")
        width = max((len(finding.requires) for finding in answer.findings), default=0)
        for finding, alternatives in answer.reasons():
            if alternatives:
                print(f"  {_MARKS[finding.outcome]} {finding.requires}  [{finding.code}]\n    {sentence(alternatives)}")
                for line in (line for each in alternatives for line in lines(each)):
                    print(f"      {line}")
            else:
                print(f"  {_MARKS[finding.outcome]} {finding.requires:<{width}}  {finding.offers}  [{finding.code}]")
    return 0 if answer.outcome is Outcome.SATISFIED else 1


def _batch(path: str, stack: Stack) -> int:
    status = 0
    for number, line in read_lines(path):
        sides = line.split("\t")
        try:
            answer = _answer(*_pair(sides, number), stack)
        except TargetEnvError as error:
            failed = {"ok": False, "diagnostics": [of_diagnostic(row) for row in error.diagnostics]}
            print_json({"requires": sides[0], "offers": sides[-1], **failed}, lines=True)
            talk(f"line {number}: {error.diagnostics[0].message}")
            status = 2
            continue
        print_json(answer.document(), lines=True)
        status = max(status, 0 if answer.outcome is Outcome.SATISFIED else 1)
    return status


def _pair(sides: list[str], line: int) -> tuple[str, str]:
    if len(sides) != 2:
        raise TargetEnvError(Diagnostic("TE5200", f"line {line} has {len(sides) - 1} tabs, expected one"))
    return unquoted(sides[0], line=line), unquoted(sides[1], line=line)


def _answer(requires: str, offers: str, stack: Stack, *, why: bool = False) -> Answer:
    judge = Judge(offers_from(offers, "OFFERS"), stack)
    say_idle(stack, [judge.offers.api])
    found = findings(_requirements(requires, judge), judge)
    outcomes = {finding.outcome for finding in found}
    worst = next((outcome for outcome in (Outcome.UNSATISFIED, Outcome.UNKNOWN) if outcome in outcomes), Outcome.SATISFIED)
    told = tuple(_alternatives(row, judge) for row in found) if why else ()
    return Answer(requires, offers, worst, found, stack, told)


def _alternatives(finding: Finding, judge: Judge) -> tuple[Alternative, ...]:
    return () if finding.outcome is Outcome.SATISFIED else alternatives(finding.requirement, judge.offers)


def _requirements(text: str, judge: Judge) -> tuple[Requirement, ...]:
    if "://" in text and not is_file(text):
        return _all(offers_from(text, "REQUIRES"))
    if is_file(text):
        from targetenv.artifacts import identify, inspect
        from targetenv.wire import device_files
        from targetenv.wire.files import read_bytes

        file, select = device_files.split(text)
        data = read_bytes(file)
        if identify(data) is not None:
            inspection = inspect(data, name=text)
            if not inspection.artifacts:
                raise TargetEnvError(*inspection.diagnostics)
            return tuple(dict.fromkeys(need for row in _used(inspection.artifacts, judge) for need in row.requires))
        found = device_files.read_one_or_all(device_files.unpacked(data, name=file), name=file, select=select)
        for warning in (warning for each in found for warning in each.diagnostics):
            warn(warning)
        return tuple(dict.fromkeys(need for each in found for need in _demanded(each)))
    from targetenv.syntax import is_constraint, parse, parse_constraint

    if is_constraint(text):
        return parse_constraint(text, source_name="REQUIRES")
    kind, _, target = text.partition(":")
    if kind not in KINDS:
        return requirements_of(parse(text, source_name="REQUIRES").env)
    try:
        return requirements_of_kind(kind, parse(target, source_name="REQUIRES").env)
    except ValueError as error:
        if isinstance(error, TargetEnvError):
            raise
        raise TargetEnvError(Diagnostic("TE5200", str(error), help="kinds are " + ", ".join(KINDS))) from None


def _used(artifacts: Sequence[Artifact], judge: Judge) -> list[Artifact]:
    """Of a container's executables those that would be used: for every kernel the one that comes nearest to fitting.

    An executable whose kernels are not known may have any. Without a kernel anywhere, all are used.
    """
    having: dict[str, list[int]] = {kernel.name: [] for artifact in artifacts for kernel in artifact.kernels}
    if not having:
        return list(artifacts)
    for place, artifact in enumerate(artifacts):
        for name in {kernel.name for kernel in artifact.kernels} or having:
            having[name].append(place)
    distances = [_distance(findings(artifact.requires, judge)) for artifact in artifacts]
    return [artifacts[place] for place in sorted({min(row, key=distances.__getitem__) for row in having.values()})]


def _distance(found: Sequence[Finding]) -> tuple[int, int]:
    refused = sum(finding.outcome is Outcome.UNSATISFIED for finding in found)
    return refused, sum(finding.outcome is Outcome.UNKNOWN for finding in found)


def _demanded(file: DeviceFile) -> tuple[Requirement, ...]:
    """What code relies on that was made for this device, or for any that fits a profile, alternatives included."""
    choices = (AnyOf(tuple(AllOf(_all(offers)) for offers in choice)) for choice in file.alternatives)
    return (*_all(file.device.offers), *choices)


def _all(offers: Capabilities) -> tuple[Requirement, ...]:
    from targetenv.model.target_env import TargetEnv

    return requirements_of(TargetEnv(offers))
