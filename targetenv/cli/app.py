"""The command line: find the verb, run it, and turn whatever happens into text, JSON and an exit status.

0 yes, 1 a true "no", 2 usage or bad input, 3 the environment failed; 70 a bug of ours, 130 interrupted, 141 nobody reads.
stdout is data, stderr is talk.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, HelpFormatter
from itertools import pairwise

from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, NoCompatibleArtifact, TargetEnvError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from typing import NoReturn

VERBS = {
    "parse": "what a target says, canonically, or in another dialect",
    "targets": "the target names that targetenv knows",
    "probe": "the devices of this machine and everything they offer",
    "devices": "one line for each device; with --self-test, run a kernel on each",
    "inspect": "what files contain and require",
    "build": "build a package from a targetenv.toml",
    "pack": "make a package of executables that are built already",
    "resolve": "which variant runs on which device, and why",
    "lock": "write down what was chosen and what that depends on",
    "match": "whether one target or file fits another",
    "cover": "the targets that serve most devices of a population; which devices a package covers",
    "diff": "what differs between two targets or devices, and which offers more",
    "meet": "what all of some devices or targets offer, as a target",
    "join": "what at least one of some devices or targets offers",
    "run": "run a kernel of a package",
    "explain": "the page of one diagnostic code or rule, or the rules behind an answer",
}
BUG, INTERRUPTED, BROKEN_PIPE = 70, 130, 141


class Formatter(HelpFormatter):
    """argparse's help, at the width of the terminal; argparse itself would import shutil for that (12 ms)."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=_columns())


class Parser(ArgumentParser):
    """A parser whose errors are diagnostics (TE5200) and that takes no abbreviations."""

    def __init__(self, prog: str, description: str, *, epilog: str = "", usage: str | None = None) -> None:
        super().__init__(prog, usage, description, epilog, formatter_class=Formatter, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        from targetenv.diagnostics.suggest import did_you_mean

        flag = message.rpartition("unrecognized arguments: ")[2].split(" ")[0].split("=")[0]
        known = [option for action in self._actions for option in action.option_strings]
        advice = did_you_mean(flag, known) if flag.startswith("-") else ""
        raise TargetEnvError(Diagnostic("TE5200", _sentence(message), help=advice or f"see `{self.prog} --help`"))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a name may hold what a terminal cannot show
    try:
        try:
            return _checked(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return BROKEN_PIPE
    except OSError as error:
        _abandon_stdout()
        reason = (error.strerror or str(error)).lower()
        return report(EnvironmentFailed(Diagnostic("TE4306", f"cannot write the standard output: {reason}")))


def report(error: TargetEnvError) -> int:
    """Print an error for people and return the exit status that it leads to."""
    print(error, file=sys.stderr)
    return status_of(error)


def status_of(error: TargetEnvError) -> int:
    """The exit status for an error."""
    if isinstance(error, NoCompatibleArtifact):
        return 1
    if error.code in ("TE5003", "TE5011"):  # an argument that the runtime refuses: invalid, out of range
        return 2
    return 3 if isinstance(error, EnvironmentFailed) or error.code.startswith(("TE50", "TE51")) else 2


def _checked(arguments: Sequence[str]) -> int:
    """`_dispatch`, with every way to fail made a status; the only catch-all of the command line."""
    as_json = _asks_for_json(arguments)
    try:
        return _dispatch(arguments)
    except TargetEnvError as error:
        if as_json:
            from targetenv.cli.documents import of_diagnostic
            from targetenv.cli.output import print_json

            print_json({"ok": False, "diagnostics": [of_diagnostic(diagnostic) for diagnostic in error.diagnostics]})
        if "--traceback" in arguments:
            _print_traceback()
        return report(error)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.filename is None:
            raise  # the standard output failed; every other file has a name
        if "--traceback" in arguments:
            _print_traceback()
        message = f"a bug in targetenv: {type(error).__name__}: {error}"
        advice = "report it with the command and its input" + (
            "" if "--traceback" in arguments else "; `--traceback` shows where it happened"
        )
        report(TargetEnvError(Diagnostic("TE9001", message, help=advice)))
        return BUG


def _dispatch(arguments: Sequence[str]) -> int:
    verb = arguments[0] if arguments else ""
    if verb not in VERBS:
        return _without_verb(verb)
    from importlib import import_module

    module = import_module(f"targetenv.cli.{verb}")
    parser = Parser(f"targetenv {verb}", (module.__doc__ or "").split("\n", 1)[0], epilog=getattr(module, "EPILOG", ""))
    module.add_arguments(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="text for people, json for programs")
    parser.add_argument("--traceback", action="store_true", help="with an error, show where in targetenv it was raised")
    parsed: Namespace = parser.parse_args(arguments[1:])
    status: int = module.run(parsed)
    return status


def _without_verb(word: str) -> int:
    if word in ("-V", "--version"):
        from targetenv import __version__

        print(f"targetenv {__version__}")
        return 0
    if word in ("", "-h", "--help", "help"):
        width = max(map(len, VERBS))
        verbs = "\n".join(f"  {verb:<{width}}  {about}" for verb, about in VERBS.items())
        text = (
            "usage: targetenv VERB ...\n\n"
            "What does this binary need, what does this device offer, which of my variants runs here and why; then run it.\n\n"
            f"{verbs}\n\n`targetenv VERB --help` says more. Exit status: 0 yes, 1 no, 2 bad input, 3 the environment failed."
        )
        print(text, file=sys.stdout if word else sys.stderr)
        return 0 if word else 2
    from targetenv.diagnostics.suggest import did_you_mean

    what = "option" if word.startswith("-") else "verb"
    advice = did_you_mean(word, VERBS) or "see `targetenv --help`"
    raise TargetEnvError(
        Diagnostic("TE5200", f"`{word}` is not {'an' if what == 'option' else 'a'} {what} of targetenv", help=advice)
    )


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether `--format json` is among the arguments: also when they are otherwise wrong, a program gets JSON."""
    return "--format=json" in arguments or any(pair == ("--format", "json") for pair in pairwise(arguments))


def _sentence(message: str) -> str:
    """argparse's message as one of ours: `argument --grid: expected one argument` and the like."""
    return message[:1].lower() + message[1:].rstrip(".").replace("'", "`")


def _columns() -> int:
    try:
        return max(60, min(os.get_terminal_size(sys.stdout.fileno()).columns, 120) - 2)
    except (OSError, ValueError):
        return 100


def _print_traceback() -> None:
    from traceback import print_exc

    print_exc()


def _abandon_stdout() -> None:
    """Point stdout nowhere, so that the interpreter's own flush at exit finds nothing to complain about."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
