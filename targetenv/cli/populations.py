"""`--devices`: whole populations of devices, from folders, single files, files of lines and tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from targetenv.cli.output import talk
from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Severity, Source, TargetEnvError
from targetenv.diagnostics.render import render

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterator, Sequence

    from targetenv.model.device import Device
    from targetenv.resolve.fleets import Member

_SHOWN = 8  # names of devices in one line


def add_population(parser: ArgumentParser, *, required: bool) -> None:
    """`--devices` and `--strict`."""
    parser.add_argument(
        "--devices", action="append", default=[], metavar="PATH", required=required,
        help="a folder of device files, a file of one or several, one JSON document a line (.jsonl), or a table (.parquet)",
    )  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="stop at the first device file or line that cannot be read")


class Population:
    """The devices at some paths, one after the other, with what was passed over counted."""

    def __init__(self, paths: Sequence[str], *, strict: bool) -> None:
        self.passed_over: list[Diagnostic] = []
        self._paths = paths
        self._strict = strict

    def __iter__(self) -> Iterator[Device]:
        there = False
        for path in self._paths:
            for each in _read(path):
                if isinstance(each, Diagnostic):
                    if self._strict:
                        raise FormatError(_as_error(each))
                    self.passed_over.append(each)
                    talk(render(each))
                else:
                    there = True
                    yield each
        if not there:
            message = "there is no device in `" + "`, `".join(self._paths) + "`"
            source = Source(self._paths[0], "")
            advice = "put device files there; `targetenv probe -o FILE` writes one"
            raise FormatError(Diagnostic("TE4305", message, source, help=advice))


class Progress:
    """A bar on the terminal while devices are read; nothing where stderr is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.update: Callable[[int], None] | None = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Bar

            columns = (SpinnerColumn(), TextColumn(self._what), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            task = self._bar.add_task(self._what, total=None)
            self.update = lambda count: self._bar.update(task, completed=count)
        return self

    def __exit__(self, *_: object) -> None:
        if self.update is not None:
            self._bar.stop()


def label(member: Member) -> str:
    """A device as text for people: its name, and the file or URI that tells it from others of that name.

    >>> from targetenv.resolve.fleets import Member
    >>> label(Member("reports/38724.json", "Adreno (TM) 740", 0))
    'Adreno (TM) 740 [38724]'
    """
    name = member.uri if "://" in member.uri else member.uri.rpartition("/")[2].removesuffix(".json").removesuffix(".device")
    return f"{member.name} [{name}]"


def listed(members: Sequence[Member], numbers: Sequence[int], *, everything: bool = False, most: int = _SHOWN) -> str:
    """Some devices by name, the tail counted."""
    upto = len(numbers) if everything or len(numbers) <= most else most - 1
    names = [label(members[number]) for number in numbers[:upto]]
    return ", ".join(names) + (f" and {len(numbers) - upto} more" if upto < len(numbers) else "")


def counted(count: float, noun: str) -> str:
    """`1 device`, `2 devices`.

    >>> counted(1, "class"), counted(2, "class"), counted(2.5, "device")
    ('1 class', '2 classes', '2.5 devices')
    """
    plural = noun if count == 1 else f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,.10g} {plural}"


def _read(path: str) -> Iterator[Device | Diagnostic]:
    if path.endswith((".jsonl", ".ndjson")):
        from targetenv.wire.device_lines import read_lines

        yield from read_lines(path)
        return
    if path.endswith(".parquet"):
        from targetenv.wire.device_table import read_table

        yield from read_table(path)
        return
    from targetenv.wire.device_files import read_devices

    for each in read_devices(path):
        yield each if isinstance(each, Diagnostic) else each.device


def _as_error(diagnostic: Diagnostic) -> Diagnostic:
    from targetenv.model.record import replace

    return replace(diagnostic, severity=Severity.ERROR)


def read_weights(path: str, members: Sequence[Member]) -> list[float]:
    """What each device counts: NAME, a tab and a number on each line; a device that is not named counts 1, or as `*` says.

    NAME is a device's name, its URI, or its file with or without folder and suffix. A name that no device has is TE4333.
    """
    from targetenv.cli.texts import read_lines

    given: dict[str, float] = {}
    for number, line in read_lines(path):
        name, tab, text = line.rpartition("\t")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            weight = float(text)
        except ValueError:
            weight = -1.0
        if not tab or not 0 <= weight < float("inf"):
            message = f"line {number} is not a name, a tab and a number that is not negative"
            raise TargetEnvError(Diagnostic("TE4333", message, Source(path, "")))
        given[name.strip()] = weight
    rest = given.pop("*", 1.0)
    known: dict[str, list[int]] = {}
    for number, member in enumerate(members):
        file = member.uri.rpartition("/")[2]
        for name in {member.name, member.uri, file, file.partition(".")[0]}:
            known.setdefault(name, []).append(number)
    weights = [rest] * len(members)
    for name, weight in given.items():
        if name not in known:
            from targetenv.diagnostics.suggest import did_you_mean

            advice = did_you_mean(name, known) or "name a device, its file, or `*` for all others"
            raise TargetEnvError(Diagnostic("TE4333", f"no device is called `{name}`", Source(path, ""), help=advice))
        for number in known[name]:
            weights[number] = weight
    return weights
