"""Devices as a Parquet table, one a row: `docs/reference/device-tables.md` has the columns.

Read and written in batches by pyarrow (extra `fleet`), which is imported on use.
"""

from __future__ import annotations

import json
from itertools import islice

from targetenv.diagnostics.diagnostic import Diagnostic, EnvironmentFailed, FormatError, Source, TargetEnvError
from targetenv.model import document
from targetenv.wire.device_lines import passed_over
from targetenv.wire.files import unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from targetenv.model.device import Device

BATCH = 256
_TEXT, _TEXTS, _PAIRS = "string", "list<string>", "map<string, string>"
# column -> (its type, where it is in a device document); what stands in `properties`, `matrices` and `spirv` is JSON.
COLUMNS: dict[str, tuple[str, str]] = {
    "uri": (_TEXT, "uri"),
    "name": (_TEXT, "name"),
    "driver": (_TEXT, "driver"),
    "simulated": ("bool", "simulated"),
    "identity": (_PAIRS, "identity"),
    "provenance": (_PAIRS, "provenance"),
    "queues": (_TEXTS, "queues"),
    "memory": (_TEXTS, "memory"),
    "api": (_TEXT, "offers"),
    "version": (_TEXT, "offers"),
    "isa": (_TEXT, "offers"),
    "formats": (_TEXTS, "offers"),
    "extensions": (_TEXTS, "offers"),
    "features": (_TEXTS, "offers"),
    "denied": (_TEXTS, "offers"),
    "properties": (_PAIRS, "offers"),
    "subgroup_sizes": ("list<int64>", "offers"),
    "matrices": (_TEXTS, "offers"),
    "spirv": (_TEXT, "offers"),
    "complete": ("bool", "offers"),
    "unstated": (_TEXTS, "offers"),
}
_NEEDED = ("name", "api")


def read_table(path: str) -> Iterator[Device | Diagnostic]:
    """The devices of a table, in order; TE4331 for a row that describes none, TE4332 for a table that is none of devices."""
    reader = parquet()
    import pyarrow as pa

    number = 0
    try:
        with reader.ParquetFile(path) as file:
            there = {field.name: field.type for field in file.schema_arrow}
            _check(path, there)
            for batch in file.iter_batches(batch_size=BATCH, columns=[name for name in COLUMNS if name in there]):
                for row in batch.to_pylist():
                    number += 1
                    yield _device(row, path, number)
    except TargetEnvError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise unreadable(path, error) from error
        reason = (str(error).split("\n")[0] or type(error).__name__)[:200]
        what = f"the table is damaged after row {number}" if number else "not a Parquet table"
        raise FormatError(Diagnostic("TE4332", f"{what}: {reason}", Source(path, ""))) from None


def write_table(path: str, devices: Iterable[Device]) -> int:
    """Write a table of devices, whole or not at all; how many there were."""
    writer_of = parquet().ParquetWriter
    import pyarrow as pa

    from targetenv.wire.files import Output

    schema = pa.schema([pa.field(name, _arrow(kind)) for name, (kind, _) in COLUMNS.items()])
    written, rest = 0, iter(devices)
    with Output(path) as output, writer_of(Sink(output), schema) as writer:
        while rows := [_row(device) for device in islice(rest, BATCH)]:
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))
            written += len(rows)
    return written


class Sink:
    """A file in the making, as pyarrow wants to have it."""

    closed = False

    def __init__(self, output: Any) -> None:
        self._output = output
        self._at = 0

    def write(self, data: Any) -> int:
        self._output.write(data)
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Whoever made the output closes it."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def parquet() -> Any:
    """`pyarrow.parquet`, or TE4334."""
    try:
        import pyarrow.parquet as found
    except ImportError:
        advice = "install targetenv with its extra: `pip install 'targetenv[fleet]'`"
        message = "Parquet tables need pyarrow, which is not installed"
        raise EnvironmentFailed(Diagnostic("TE4334", message, help=advice)) from None
    return found


def _arrow(kind: str) -> Any:
    import pyarrow as pa

    return {
        _TEXT: pa.string(),
        "bool": pa.bool_(),
        _TEXTS: pa.list_(pa.string()),
        "list<int64>": pa.list_(pa.int64()),
        _PAIRS: pa.map_(pa.string(), pa.string()),
    }[kind]


def _check(path: str, there: dict[str, Any]) -> None:
    import pyarrow as pa

    missing = [name for name in _NEEDED if name not in there]
    if missing:
        message = f"the table has no column `{missing[0]}`"
        raise FormatError(Diagnostic("TE4332", message, Source(path, ""), help="see docs/reference/device-tables.md"))
    for name, kind in there.items():
        if name in COLUMNS:
            try:
                alike = pa.array([], kind).cast(_arrow(COLUMNS[name][0])).type == _arrow(COLUMNS[name][0])
            except pa.ArrowException:
                alike = False
            if not alike:
                message = f"column `{name}` is of type {kind}, expected {COLUMNS[name][0]}"
                raise FormatError(Diagnostic("TE4332", message, Source(path, "")))


def _row(device: Device) -> dict[str, object]:
    whole = document.of_device(device)
    row = {name: (whole if place == name else whole["offers"]).get(name) for name, (_, place) in COLUMNS.items()}
    row["properties"] = {name: json.dumps(value) for name, value in whole["offers"]["properties"].items()}
    row["matrices"] = [json.dumps(matrix) for matrix in whole["offers"]["matrices"]]
    row["spirv"] = None if row["spirv"] is None else json.dumps(row["spirv"])
    return row


def _device(row: dict[str, Any], path: str, number: int) -> Device | Diagnostic:
    """One row, by way of the snapshot's schema, so that what a table says is checked as what a file says is."""
    from pydantic import ValidationError

    from targetenv.wire.snapshot_schema import SnapshotFile

    given = {name: value for name, value in row.items() if value is not None}
    try:
        offers = {name: value for name, value in given.items() if COLUMNS[name][1] == "offers"}
        offers["properties"] = {name: json.loads(value) for name, value in given.get("properties", ())}
        offers["matrices"] = [json.loads(matrix) for matrix in given.get("matrices", ())]
        if "spirv" in offers:
            offers["spirv"] = json.loads(offers["spirv"])
        whole = {name: value for name, value in given.items() if name not in offers}
        whole |= {name: dict(given[name]) for name in ("identity", "provenance") if name in given}
        whole = {"uri": f"{path}#{number}", "driver": offers.get("api", ""), **whole, "offers": offers}
        SnapshotFile.model_validate({"schema": 1, "device": whole})
        return document.to_device(whole)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return passed_over("row", number, path, f"{first['msg'].lower()} at `{where}`")
    except (ValueError, TypeError) as error:
        return passed_over("row", number, path, str(error).split("\n")[0])
