"""Worlds as data: devices, variants and absent drivers in a TOML file, and beside them the choice and the whole explanation."""

from __future__ import annotations

import gzip
import json
import tomllib
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.diagnostics.diagnostic import NoCompatibleArtifact
from targetenv.match.environment import KINDS, offers_of, requirements_of, requirements_of_kind
from targetenv.match.stack import Stack, parse_stack
from targetenv.model import document
from targetenv.model.artifact import Artifact
from targetenv.model.device import Device, Unavailable
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsFormat
from targetenv.model.version import Version
from targetenv.resolve import require, resolve
from targetenv.resolve.choice import Resolution
from targetenv.resolve.explain import explain
from targetenv.resolve.policy import policy
from targetenv.syntax import parse

HERE = Path(__file__).parent
CORPORA = HERE.parent / "corpora"
WORLDS = sorted(HERE.glob("*.toml"))


def device(row: dict[str, object]) -> Device:
    """A device spelt out, one that a target describes (`target`, `version` of its driver), or one that was recorded
    (`snapshot`), with some of what it offers changed (`changes`)."""
    if "target" in row:
        offers = offers_of(parse(str(row["target"])).env)
        if "version" in row:
            offers = replace(offers, version=Version.parse(str(row["version"])))
        offers = replace(offers, formats=frozenset(row.get("formats", offers.formats)))  # type: ignore[call-overload]
        return Device(str(row["uri"]), str(row["name"]), str(row["uri"]).partition("://")[0], offers, simulated=True)
    if "snapshot" in row:
        data = (CORPORA / str(row["snapshot"])).read_bytes()
        recorded = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)["device"]
        return document.to_device({**recorded, **row, "offers": recorded["offers"] | row.get("changes", {})})
    return document.to_device(row)


def variant(row: dict[str, object]) -> Artifact:
    """A variant spelt out, what a target requires (`built_for`, with the kind in front: `cubin:sm_90a`), or the requirements of
    a real file; `requires` adds to both."""
    needs = tuple(document.to_requirement(need) for need in row.get("requires", ()))  # type: ignore[attr-defined]
    if "built_for" in row:
        kind, _, target = str(row["built_for"]).partition(":")
        env = parse(target if kind in KINDS else str(row["built_for"])).env
        required = requirements_of_kind(kind, env) if kind in KINDS else requirements_of(env)
        kind = next(need.format for need in required if isinstance(need, NeedsFormat))
        found = Artifact(str(row["name"]), kind, "", (*required, *needs))
        return replace(found, preference=row.get("preference", 0))
    found = Artifact(str(row["name"]), str(row.get("format")), "", needs)
    if "file" in row:
        path = CORPORA / "artifacts" / str(row["file"])
        (real,) = inspect(path.read_bytes(), name=path.name).artifacts
        found = replace(real, name=row["name"], requires=(*real.requires, *needs))
    return replace(found, preference=row.get("preference", 0))


def world(path: Path) -> tuple[dict[str, object], Resolution]:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    kernels: dict[str, list[Artifact]] = {}
    for row in told.get("variant", []):
        kernels.setdefault(row["kernel"], []).append(variant(row))
    devices = [device(row) for row in told.get("device", [])]
    absent = [Unavailable(**row) for row in told.get("unavailable", [])]
    as_of = parse_stack(told["as_of"]) if "as_of" in told else Stack()
    wanted = policy(**told.get("policy", {}))
    unknown = told.get("unknown", "reject")
    return told, resolve(kernels, devices, unavailable=absent, unknown=unknown, as_of=as_of, policy=wanted)


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_the_choice_is_the_expected_one(path: Path) -> None:
    told, resolution = world(path)
    expected = told["expected"]
    assert isinstance(expected, dict)
    chosen = {f"{choice.kernel} on {choice.device}": choice.variant or "" for choice in resolution.choices}
    assert chosen == expected["chosen"]
    lacking = {choice.kernel for choice in resolution.choices} - {c.kernel for c in resolution.choices if c.variant}
    if lacking or not chosen:
        with pytest.raises(NoCompatibleArtifact) as refused:
            require(resolution)
        assert refused.value.code == "TE3001"
        assert len(refused.value.diagnostics) == max(1, len(lacking))
    else:
        assert require(resolution) is resolution


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_the_explanation_is_the_expected_one(path: Path, update_goldens: bool) -> None:
    told, resolution = world(path)
    text = explain(resolution, everything=bool(told.get("everything", False)), why=bool(told.get("why", False)))
    expected = told["expected"]
    assert isinstance(expected, dict)
    if update_goldens:
        source = path.read_text(encoding="utf-8")
        before, _, _ = source.partition("text = '''\n")
        path.write_text(f"{before}text = '''\n{text}\n'''\n", encoding="utf-8")
        return
    assert text == expected["text"].removesuffix("\n")


def test_there_are_worlds_and_each_says_what_it_shows() -> None:
    assert len(WORLDS) >= 60
    for path in WORLDS:
        assert tomllib.loads(path.read_text(encoding="utf-8"))["description"], path
