"""Devices one a line: every line a JSON document that describes one, in any form that `targetenv.wire.device_files` reads.

Read as a stream; a line that describes no device is a diagnostic with its number, and the others are read all the same.
"""

# ruff: noqa: PTH123

from __future__ import annotations

from targetenv.diagnostics.diagnostic import Diagnostic, Severity, Source, TargetEnvError
from targetenv.wire.files import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.model.device import Device

LONGEST = 16 << 20  # bytes of one line


def read_lines(path: str) -> Iterator[Device | Diagnostic]:
    """The devices in a file of lines, in order; TE4331 for a line that holds none, TE4301 for a file that cannot be read."""
    from targetenv.wire.device_files import read_device

    try:
        with open(path, "rb") as file:
            number = 0
            while line := file.readline(LONGEST + 1):
                number += 1
                if not line.strip():
                    continue
                name = f"{path}:{number}"
                if len(line) > LONGEST:
                    yield passed_over("line", number, path, f"it has more than {LONGEST} bytes")
                    while line and not line.endswith(b"\n"):
                        line = file.readline(LONGEST)
                    continue
                try:
                    device = read_device(line, name=name).device
                except TargetEnvError as error:
                    first = error.diagnostics[0]
                    yield passed_over("line", number, path, f"{first.message} [{first.code}]")
                    continue
                yield device
    except OSError as error:
        raise unreadable(path, error) from error


def passed_over(what: str, number: int, path: str, why: str) -> Diagnostic:
    """The warning for a line or a row that is left out."""
    message = f"{what} {number} is passed over: {why}"
    return Diagnostic("TE4331", message, Source(path, ""), severity=Severity.WARNING)
