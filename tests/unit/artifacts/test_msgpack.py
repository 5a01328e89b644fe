"""MessagePack documents: what the format's own library packs is read back, and what is hostile is refused."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.artifacts.msgpack import unpack
from targetenv.diagnostics.diagnostic import FormatError

msgpack = pytest.importorskip("msgpack")
KEYS = st.text(max_size=40) | st.integers(-(2**63), 2**64 - 1) | st.booleans() | st.none() | st.binary(max_size=8)
SCALARS = KEYS | st.floats(allow_nan=False) | st.binary(max_size=300) | st.text(max_size=300)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return inner | st.lists(inner, max_size=20) | st.dictionaries(KEYS, inner, max_size=20)


@given(nested(nested(nested(SCALARS))))
def test_a_packed_document_reads_back_equal(value: object) -> None:
    assert unpack(memoryview(msgpack.packb(value)), "note", "TE4061") == value


@given(st.floats(width=32))
def test_short_floats_read_back_equal(value: float) -> None:
    found = unpack(memoryview(msgpack.packb(value, use_single_float=True)), "note", "TE4061")
    assert found == value or (math.isnan(value) and isinstance(found, float) and math.isnan(found))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dd ff ff ff ff",
        "df ff ff ff ff",
        "db ff ff ff ff",
        "c6 ff ff ff ff 00",
        "91" * 20 + "c0",
        "c1",
        "c0 c0",
        "81 90 c0",
    ],
    ids=["empty", "array", "map", "text", "bytes", "deep", "reserved", "more", "key"],
)
def test_a_hostile_document_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as refused:
        unpack(memoryview(bytes.fromhex(text)), "note", "TE4061")
    assert refused.value.code == "TE4061"


@pytest.mark.parametrize(
    ("text", "value"), [("d4 05 aa", b"\xaa"), ("d8 05" + "07" * 16, b"\x07" * 16), ("c7 02 01 0a 0b", b"\x0a\x0b")]
)
def test_extensions_are_their_bytes(text: str, value: bytes) -> None:
    assert unpack(memoryview(bytes.fromhex(text)), "note", "TE4061") == value


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(FormatError):
        unpack(memoryview(data), "note", "TE4061")
