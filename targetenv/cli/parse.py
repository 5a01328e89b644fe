"""What a target says: its canonical text, or the same thing in another dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from targetenv.cli.documents import of_diagnostic
from targetenv.cli.environments import dialect_of, environment_of
from targetenv.cli.output import print_json, talk
from targetenv.cli.texts import Text, read_lines, read_text, unquoted
from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError
from targetenv.model.record import record
from targetenv.syntax import parse, render

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from targetenv.model.device import Device
    from targetenv.wire.device_files import DeviceFile

EPILOG = (
    "TEXT may be - for the standard input or @FILE: a text, or any file that describes a device (a snapshot, a Vulkan Profile,"
    " what vulkaninfo wrote, a report of the capability viewer; @FILE#NAME where it describes several)."
)


def add_arguments(parser: ArgumentParser) -> None:
    """The text, or a batch of them, and the dialects."""
    parser.add_argument("text", nargs="?", metavar="TEXT", help="a target in any dialect; @FILE, or - for the standard input")
    parser.add_argument(
        "--to",
        metavar="DIALECT",
        help="print it in this dialect: vk, vk@A, spirv ...; devices also as json, profile, capsviewer",
    )
    parser.add_argument("--dialect", metavar="DIALECT", help="take nothing but this dialect")
    parser.add_argument("--compat", metavar="RELEASE", help="read and print as that release did, such as iree@20231218")
    parser.add_argument("--lines", metavar="FILE", help="one text a line, FILE or -; answers one JSON object a line")


@record
class Answer:
    """What came of one text. `output` is the text that `--to` asked for, None without it."""

    input: str
    dialect: str | None = None
    canonical: str | None = None
    output: str | None = None
    losses: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    error: TargetEnvError | None = None

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "input": self.input.encode("utf-8", "replace").decode(),
            "ok": self.error is None,
            "dialect": self.dialect,
            "canonical": self.canonical,
            "output": self.output,
            "losses": list(self.losses),
            "diagnostics": [of_diagnostic(row) for row in (self.error.diagnostics if self.error else self.diagnostics)],
        }


def run(args: Namespace) -> int:
    """Parse one text, or every line of a batch."""
    if args.lines is not None:
        return _batch(args)
    if args.text is None:
        raise TargetEnvError(Diagnostic("TE5200", "there is no text to parse", help="pass a text, @FILE, -, or `--lines FILE`"))
    text, select = _selected(args.text)
    answers = _answers(text, args, select=select)
    if args.format == "json":
        for answer in answers:
            print_json(answer.document(), lines=len(answers) > 1)
    for answer in answers:
        if answer.error is not None:
            talk(str(answer.error))
            continue
        if args.format == "text":
            print(answer.output if answer.output is not None else answer.canonical)
        for warning in answer.diagnostics:
            talk(str(TargetEnvError(warning)))
        if answer.losses:
            talk(summary(answer.losses, args.to))
    # A file of several devices is answered when one of them is: a CPU has no SPIR-V environment, and need not have.
    return 2 if all(answer.error for answer in answers) else 0


def summary(losses: Sequence[str], dialect: str, of: str = "this") -> str:
    """A line about what a dialect could not say; JSON has all of it."""
    more = f"; and {len(losses) - 3} more" if len(losses) > 3 else ""
    return f"note: {dialect} cannot say everything about {of}: {'; '.join(losses[:3])}{more}"


def _batch(args: Namespace) -> int:
    status = 0
    for number, line in read_lines(args.lines):
        try:
            (answer,) = _answers(Text(f"<line {number}>", unquoted(line, line=number)), args, devices=False)
        except TargetEnvError as error:
            answer = Answer(line, error=error)
        print_json(answer.document(), lines=True)
        status = 2 if answer.error else status
    return status


def _selected(argument: str) -> tuple[Text, str | None]:
    """The text of an argument, and the name behind `@FILE#NAME`."""
    from targetenv.wire.device_files import split

    file, select = split(argument[1:]) if argument.startswith("@") else (argument, None)
    return read_text(f"@{file}" if argument.startswith("@") else file), select


def _answers(text: Text, args: Namespace, *, devices: bool = True, select: str | None = None) -> list[Answer]:
    """One answer for a text, one for each device of a device file."""
    from targetenv.wire.device_files import describes_devices, unpacked

    try:
        data = unpacked(text.text.encode("utf-8", "surrogateescape"), name=text.name) if devices else b""
        if devices and (select is not None or describes_devices(data)):
            return _of_devices(data, text.name, args, select)
        parsed = parse(text.text, source_name=text.name, dialect=args.dialect, compat=args.compat)
        if args.to is None:
            return [Answer(text.text, parsed.dialect, parsed.canonical, diagnostics=parsed.diagnostics)]
        made = render(parsed, args.to, args.compat)
        return [Answer(text.text, parsed.dialect, parsed.canonical, made.text, made.losses, parsed.diagnostics)]
    except TargetEnvError as error:
        return [Answer(text.text, error=error)]


def _of_devices(data: bytes, name: str, args: Namespace, select: str | None) -> list[Answer]:
    from targetenv.wire.device_files import read_one_or_all
    from targetenv.wire.device_writer import FORMS

    files = read_one_or_all(data, name=name, select=select)
    if args.to in FORMS:
        return [_as_file(files, name, args.to)]
    return [_of_device(file.device, file.diagnostics, args) for file in files]


def _as_file(files: Sequence[DeviceFile], name: str, form: str) -> Answer:
    """Every device of a file in one file of another form."""
    from targetenv.wire.device_writer import write_devices

    made = write_devices([file.device for file in files], form)
    odd = tuple(warning for file in files for warning in file.diagnostics)
    return Answer(name, form, None, made.text.removesuffix("\n"), made.losses, odd)


def _of_device(device: Device, odd: tuple[Diagnostic, ...], args: Namespace) -> Answer:
    dialect = args.to or dialect_of(device)
    if dialect is None:
        message = f"`{device.uri}` has no dialect of its own"
        return Answer(device.uri, error=TargetEnvError(Diagnostic("TE5200", message, help="name one, such as `--to llvm`")))
    try:
        made = render(environment_of(device), dialect, args.compat)
    except TargetEnvError as error:
        return Answer(device.uri, error=error)
    output = made.text if args.to else None
    return Answer(device.uri, dialect, None if args.to else made.text, output, made.losses, odd)
