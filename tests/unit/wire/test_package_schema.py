"""The schema for people and tools, and the check on the load path, say the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targetenv.diagnostics.diagnostic import FormatError
from targetenv.wire.archive import pack
from targetenv.wire.manifest import from_document
from targetenv.wire.package import MANIFEST
from targetenv.wire.package_schema import check_manifest, json_schema

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "reference" / "schema" / "package.schema.json"

DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "package": {"name": "p", "version": "1"},
    "kernels": [
        {
            "name": "k",
            "constants": [{"name": "n", "dtype": "u32", "value": "x.size"}],
            "bindings": [{"name": "x", "dtype": None, "access": "read", "shape": ["x.size", 3]}],
            "grid": [1, "x.shape[0]"],
            "open": False,
        }
    ],
    "variants": [
        {
            "name": "v",
            "kernel": "k",
            "format": "spirv",
            "entry_point": "main",
            "target": ["vulkan1.1"],
            "requires": [
                {"needs": "format", "name": "spirv"},
                {"needs": "version", "of": "spirv", "version": "1.3"},
                {"needs": "limit", "name": "A::b", "relation": ">=", "value": [1, 2.5]},
                {"needs": "subgroup-size", "size": 32},
                {
                    "needs": "matrix", "m": 16, "n": 16, "k": 16, "a": "f16", "b": "f16", "c": "f32", "result": "f32",
                    "scope": "subgroup", "saturating": False,
                },
                {"needs": "unknown", "what": "something"},
                {"needs": "all", "of": [{"needs": "not", "of": {"needs": "isa", "name": "x"}}, {"needs": "any", "of": []}]},
            ],
            "preference": -3,
            "workgroup_size": [64, 1, 1],
            "subgroup_size": None,
            "local_memory": 0,
            "tile": [64, 1, 1],
            "payload": {"member": "k/v.spv", "size": 4, "sha256": "0" * 64},
        }
    ],
}  # fmt: skip
JUNK: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.5,
    1 << 63,
    "",
    "x",
    "spirv",
    "x.size",
    "f32",
    [],
    [1],
    [1, 2, 3],
    {},
    {"needs": "isa"},
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, entry in inside for place in _places(entry, (*path, key)))]


PLACES = [place for place in _places(DOCUMENT) if place]


def _light(document: Any) -> bool:
    try:
        from_document(document, name="x")
    except FormatError as error:
        # What types cannot say is the load path's own business.
        return any(words in str(error) for words in ("same name", "names no binding", "which is not there"))
    return True


def _strict(document: Any) -> bool:
    try:
        check_manifest(pack([(MANIFEST, json.dumps(document).encode())]), name="x")
    except FormatError:
        return False
    return True


def test_both_take_a_good_manifest() -> None:
    assert _light(DOCUMENT)
    assert _strict(DOCUMENT)


@given(st.sampled_from(PLACES), st.sampled_from(JUNK), st.booleans())
def test_both_refuse_the_same_changes(place: tuple[Any, ...], junk: Any, remove: bool) -> None:
    document = copy.deepcopy(DOCUMENT)
    *parents, last = place
    owner: Any = document
    for key in parents:
        owner = owner[key]
    if remove:
        del owner[last]
    else:
        owner[last] = junk
    assert _light(document) == _strict(document)


@given(st.sampled_from([place for place in PLACES if isinstance(place[-1], str)]))
def test_both_refuse_unknown_keys(place: tuple[Any, ...]) -> None:
    document = copy.deepcopy(DOCUMENT)
    owner: Any = document
    for key in place[:-1]:
        owner = owner[key]
    owner["surprise"] = 1
    assert not _light(document)
    assert not _strict(document)


def test_every_misfit_is_reported_with_its_place() -> None:
    document = copy.deepcopy(DOCUMENT)
    document["variants"][0]["tile"] = "wide"
    document["kernels"][0]["nmae"] = document["kernels"][0].pop("name")
    with pytest.raises(FormatError) as caught:
        check_manifest(pack([(MANIFEST, json.dumps(document).encode())]), name="x")
    first, second = caught.value.diagnostics
    assert (first.message, first.help) == (
        "the manifest does not fit the schema: unknown key `nmae` at `/kernels/0`",
        "did you mean `name`?",
    )
    assert second.message.endswith("at `/variants/0/tile`")


def test_the_published_schema_is_current() -> None:
    assert json.loads(PUBLISHED.read_text()) == json_schema()
