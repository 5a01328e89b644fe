"""The peers of the fleet benchmark, each with what it is good at.

Polars and DuckDB have a table with one column for each feature and limit, and one expression for each artifact over just the
columns that it names; Python has sets and dictionaries. They judge some of the artifacts, Python also some of the devices.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.measure import Case, case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Bits: TypeAlias = NDArray[np.bool_]
    Asked: TypeAlias = tuple[list[int], dict[int, int]]  # features, and limits with the least value

ASKED, FEW = 200, 2_000  # artifacts that the peers judge, devices that sets judge


def cases(features: Bits, limits: NDArray[np.int64], artifacts: list[Asked], expected: Bits) -> Iterator[Case]:
    """A case for each peer that is installed, after its answers were held against ours."""
    yield _sets(features, limits, artifacts[:ASKED], expected)
    columns = {f"f{at}": features[:, at] for at in range(features.shape[1])}
    columns |= {f"l{at}": np.ascontiguousarray(limits[:, at]) for at in range(limits.shape[1])}
    for name, make in (("polars", _polars), ("duckdb", _duckdb)):
        try:
            yield make(columns, artifacts[:ASKED], expected)
        except ImportError as error:
            print(f"{error.name} is not installed: the row of {name} is left out", file=sys.stderr)


def _sets(features: Bits, limits: NDArray[np.int64], artifacts: list[Asked], expected: Bits) -> Case:
    sets = [frozenset(np.flatnonzero(row).tolist()) for row in features[:FEW]]
    values = [dict(enumerate(row.tolist())) for row in limits[:FEW]]
    asked = [(frozenset(some), list(least.items())) for some, least in artifacts]

    def judge() -> list[list[bool]]:
        devices = list(zip(sets, values, strict=True))
        return [
            [some <= have and all(stated[at] >= value for at, value in least) for have, stated in devices]
            for some, least in asked
        ]

    assert np.array_equal(np.array(judge()), expected[:, :FEW])
    return case("Python sets", judge, jobs=ASKED * FEW)


def _polars(columns: Mapping[str, NDArray[np.generic]], artifacts: list[Asked], expected: Bits) -> Case:
    os.environ["POLARS_MAX_THREADS"] = "1"  # read when it is imported
    import polars as pl

    frame = pl.DataFrame(columns).lazy()
    asked = []
    for number, (some, least) in enumerate(artifacts):
        parts = [*(pl.col(f"f{at}") for at in some), *(pl.col(f"l{at}") >= value for at, value in least.items())]
        asked.append(pl.all_horizontal(*parts).alias(str(number)))
    assert np.array_equal(frame.select(asked).collect().to_numpy().T, expected)
    return case("Polars", lambda: frame.select(asked).collect(), jobs=ASKED * expected.shape[1])


def _duckdb(columns: Mapping[str, NDArray[np.generic]], artifacts: list[Asked], expected: Bits) -> Case:
    import duckdb
    import pyarrow as pa

    connection = duckdb.connect(config={"threads": 1})
    connection.register("given", pa.table({name: pa.array(np.ascontiguousarray(values)) for name, values in columns.items()}))
    connection.execute("CREATE TABLE devices AS SELECT * FROM given")
    queries = [
        " AND ".join([*(f"f{at}" for at in some), *(f"l{at} >= {value}" for at, value in least.items())])
        for some, least in artifacts
    ]

    def judge() -> list[NDArray[np.generic]]:
        return [connection.execute(f"SELECT ({query}) AS yes FROM devices").fetchnumpy()["yes"] for query in queries]

    assert np.array_equal(np.array(judge()), expected)
    return case("DuckDB", judge, jobs=ASKED * expected.shape[1])
