"""What `inspect --format json` prints is what its published JSON Schema says, for every sample of every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.samples import SAMPLES

jsonschema = pytest.importorskip("jsonschema")
ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = json.loads((ROOT / "docs" / "reference" / "schema" / "inspect.schema.json").read_text(encoding="utf-8"))
SHARED = sorted((ROOT.parent / "shared" / "data" / "vmfb").glob("*.vmfb"))


def closed(schema: Any) -> Any:
    """The schema without leave for fields that it does not name: everything printed is documented."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(part) for key, part in schema.items()}
    return made | {"additionalProperties": False} if schema.get("type") == "object" else made


STRICT = closed(PUBLISHED)
STRICT["$defs"]["finding"].pop("additionalProperties")  # `match` and `resolve` document findings


@pytest.fixture(scope="module")
def validator() -> Any:
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)
    return jsonschema.Draft202012Validator(STRICT)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_described_as_published(name: str, validator: Any, tmp_path: Path, te: Any) -> None:
    (tmp_path / "sample-x86-64-v2-gfx942").write_bytes(SAMPLES[name])
    said = te("inspect", tmp_path / "sample-x86-64-v2-gfx942", "--format", "json")
    assert said.status == 0
    validator.validate(said.json)


def test_packages_refusals_and_batches_are_described_as_published(package: Path, validator: Any, te: Any) -> None:
    Path("junk").write_bytes(b"junk")
    said = te("inspect", "junk", package.name, "nosuch", "--claim", "x86-64", "--format", "json")
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert len(lines) == 3
    for line in lines:
        validator.validate(line)


@pytest.mark.skipif(not SHARED, reason="../shared/data/vmfb is not there")
def test_modules_of_real_compilers_are_described_as_published(validator: Any, te: Any) -> None:
    for line in te("inspect", *SHARED, "--format", "json").out.splitlines():
        validator.validate(json.loads(line))
