"""What a fleet runs, one row for each device and kernel, as lines of JSON or a Parquet table; whole files or none.

The columns are the same: `docs/reference/device-tables.md` has them.
"""

from __future__ import annotations

import json
from itertools import islice

from targetenv.diagnostics.diagnostic import Diagnostic, TargetEnvError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from targetenv.wire.files import Output

    Row: TypeAlias = dict[str, object]

SUFFIXES = (".jsonl", ".ndjson", ".parquet")
_BATCH = 4096


def check_suffix(path: str) -> None:
    """TE5200 for a name that does not say which form is wanted; TE4334 where that form cannot be written here."""
    if not path.endswith(SUFFIXES):
        message = f"`{path}` does not say in what form to write"
        raise TargetEnvError(Diagnostic("TE5200", message, help="let the name end in `.jsonl` or `.parquet`"))
    if path.endswith(".parquet"):
        from targetenv.wire.device_table import parquet

        parquet()


def write_results(output: Output, rows: Iterable[Row]) -> int:
    """Write rows to an open output in the form that its name says; how many there were."""
    if output.path.endswith(".parquet"):
        return _write_table(output, iter(rows))
    written, rest = 0, iter(rows)
    while batch := list(islice(rest, _BATCH)):
        output.write("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in batch).encode())
        written += len(batch)
    return written


def _write_table(output: Output, rows: Iterator[Row]) -> int:
    import pyarrow as pa

    from targetenv.wire.device_table import Sink, parquet

    text, word = pa.string(), pa.dictionary(pa.int32(), pa.string())
    names = {"device": text, "name": text, "class": pa.int64(), "kernel": word, "variant": word}
    schema = pa.schema([*names.items(), ("runs", pa.list_(text)), ("unknown", pa.list_(text))])
    written = 0
    with parquet().ParquetWriter(Sink(output), schema) as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
            written += len(batch)
    return written
