"""Device snapshots, `*.device.json`: everything that a probe saw, and back to an equal `Device`.

A file holds one device, `{"schema": 1, "device": {...}}`, or a whole probe, `{"schema": 1, "devices": [...],
"unavailable": [...]}`.
"""

from __future__ import annotations

import json
from json import JSONDecodeError

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Label, Source
from targetenv.model import document
from targetenv.model.span import Span
from targetenv.wire.files import read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from targetenv.model.device import Device, Unavailable
    from targetenv.wire.validation import Problem

SCHEMA = 1
LARGEST = 64 << 20
_SHOWN = 3  # problems of one file; a file of another kind has hundreds


def read_snapshot(path: str) -> tuple[tuple[Device, ...], tuple[Unavailable, ...]]:
    """The devices in the file at `path`, and the drivers that had none when it was made (TE4301 to TE4305)."""
    return parse_snapshot(read_bytes(path, largest=LARGEST), name=path)


def parse_snapshot(data: bytes, *, name: str) -> tuple[tuple[Device, ...], tuple[Unavailable, ...]]:
    """The same for bytes; `name` is what diagnostics call them."""
    value = load_json(data, name=name)
    schema = value.get("schema") if isinstance(value, dict) else None
    if type(schema) is int and schema != SCHEMA:
        advice = "update targetenv" if schema > SCHEMA else "write the file again with `targetenv probe -o`"
        message = f"the file has schema {schema}; this targetenv reads schema {SCHEMA}"
        raise FormatError(Diagnostic("TE4303", message, Source(name, ""), help=advice))
    from pydantic import ValidationError  # 46 ms; not when a probe is only written

    from targetenv.wire.snapshot_schema import ProbeFile, SnapshotFile
    from targetenv.wire.validation import problems

    model = ProbeFile if isinstance(value, dict) and "devices" in value else SnapshotFile
    try:
        model.model_validate(value)
    except ValidationError as error:
        found = problems(error, model)
        raise FormatError(*(_misfit(problem, name, len(found)) for problem in found[:_SHOWN])) from None
    rows = value.get("devices", [value.get("device")])
    if not rows:
        advice = "probe a machine that has one; the file says why each driver was unavailable"
        raise FormatError(Diagnostic("TE4305", "the file holds no device", Source(name, ""), help=advice))
    devices = tuple(document.to_device(row) for row in rows)
    return devices, tuple(document.to_unavailable(row) for row in value.get("unavailable", ()))


def write_snapshot(devices: Iterable[Device], unavailable: Iterable[Unavailable] = ()) -> bytes:
    """The file for these devices: one device alone where there is one and nothing else to say, a probe otherwise."""
    rows = [document.of_device(device) for device in devices]
    missing = [document.of_unavailable(driver) for driver in unavailable]
    body = {"device": rows[0]} if len(rows) == 1 and not missing else {"devices": rows, "unavailable": missing}
    return (json.dumps({"schema": SCHEMA} | body, indent=1) + "\n").encode()


def load_json(data: bytes, *, name: str) -> Any:
    """The JSON value in `data`; TE4302 points at what is wrong."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(Diagnostic("TE4302", "not valid JSON: the file is not UTF-8 text", Source(name, ""))) from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except JSONDecodeError as error:
        label = Label(Span(error.pos, min(error.pos + 1, len(text))))
        message = f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}".replace("'", "`")
        raise FormatError(Diagnostic("TE4302", message, Source(name, text), (label,))) from None
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error).split(";", 1)[0]
    raise FormatError(Diagnostic("TE4302", f"not valid JSON: {reason}", Source(name, "")))


def _misfit(problem: Problem, name: str, among: int) -> Diagnostic:
    where = problem.pointer if problem.kind == "value" else problem.pointer.rpartition("/")[0]
    message = f"{problem.message} at `{where}`" if where else problem.message
    notes = (f"the file has {among} problems; the first {_SHOWN} are shown",) if among > _SHOWN else ()
    return Diagnostic("TE4304", message, Source(name, ""), notes=notes, help=problem.help)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return made


def _no_constant(text: str) -> object:
    raise ValueError(f"`{text}` is not a number")
