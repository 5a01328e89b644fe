"""`targetenv.lock`: a resolution with all that it depends on, as JSON that diffs line by line."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from targetenv.diagnostics.diagnostic import Diagnostic, FormatError, Source
from targetenv.model.lock import Lock, LockedAnswer, LockedChoice, LockedDevice, LockedVariant
from targetenv.wire.files import read_bytes
from targetenv.wire.snapshot import load_json
from targetenv.wire.validation import Strict, problems

SCHEMA = 1
LARGEST = 64 << 20
_SHOWN = 3

Text = Annotated[str, StringConstraints(max_length=65536)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=65536)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")]


class AnswerEntry(Strict):
    """One requirement and what the device says to it."""

    requires: Name
    outcome: Literal["satisfied", "unknown", "unsatisfied"]
    offers: Text
    rule: Text


class DeviceEntry(Strict):
    """One device."""

    uri: Name
    name: Text
    digest: Digest
    provenance: dict[Name, Text]
    answers: list[AnswerEntry]


class VariantEntry(Strict):
    """One candidate."""

    kernel: Name
    name: Name
    digest: Digest
    requires: list[Name]


class ChoiceEntry(Strict):
    """One decision."""

    kernel: Name
    device: Name
    variant: Name | None
    because: Text


class LockFile(Strict):
    """The whole file."""

    version: Annotated[int, Field(alias="schema")]
    rules: dict[Name, Text]
    terms: dict[Name, Text]
    devices: list[DeviceEntry]
    variants: list[VariantEntry]
    choices: list[ChoiceEntry]


def read_lock(path: str) -> Lock:
    """The lock in the file at `path` (TE4301, TE4302, TE4303, TE3041)."""
    return parse_lock(read_bytes(path, largest=LARGEST), name=path)


def parse_lock(data: bytes, *, name: str) -> Lock:
    """The same for bytes; `name` is what diagnostics call them."""
    value = load_json(data, name=name)
    schema = value.get("schema") if isinstance(value, dict) else None
    again = "write it again with `targetenv lock`"
    if type(schema) is int and schema != SCHEMA:
        message = f"the lock has schema {schema}; this targetenv reads schema {SCHEMA}"
        raise FormatError(Diagnostic("TE4303", message, Source(name, ""), help=again))
    try:
        file = LockFile.model_validate(value)
    except ValidationError as error:
        found = problems(error, LockFile)
        raise FormatError(
            *(
                Diagnostic("TE3041", f"{row.message} at `{row.pointer}`", Source(name, ""), help=row.help or again)
                for row in found[:_SHOWN]
            )
        ) from None
    return Lock(
        tuple(file.rules.items()),
        tuple(file.terms.items()),
        tuple(
            LockedDevice(
                row.uri,
                row.name,
                row.digest,
                tuple(row.provenance.items()),
                tuple(LockedAnswer(answer.requires, answer.outcome, answer.offers, answer.rule) for answer in row.answers),
            )
            for row in file.devices
        ),
        tuple(LockedVariant(row.kernel, row.name, row.digest, tuple(row.requires)) for row in file.variants),
        tuple(LockedChoice(row.kernel, row.device, row.variant, row.because) for row in file.choices),
    )


def write_lock(lock: Lock) -> bytes:
    """The file for this lock: the same lock gives the same bytes."""
    devices = [
        {
            "uri": device.uri,
            "name": device.name,
            "digest": device.digest,
            "provenance": dict(device.provenance),
            "answers": [
                {"requires": row.requires, "outcome": row.outcome, "offers": row.offers, "rule": row.rule}
                for row in device.answers
            ],
        }
        for device in lock.devices
    ]
    variants = [
        {"kernel": row.kernel, "name": row.name, "digest": row.digest, "requires": list(row.requires)} for row in lock.variants
    ]
    choices = [
        {"kernel": row.kernel, "device": row.device, "variant": row.variant, "because": row.because} for row in lock.choices
    ]
    body = {"rules": dict(lock.rules), "terms": dict(lock.terms), "devices": devices, "variants": variants, "choices": choices}
    return (json.dumps({"schema": SCHEMA} | body, indent=1, ensure_ascii=False) + "\n").encode()
