"""The verb lock, and `resolve --locked`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Typed

CORPORA = Path(__file__).parents[2] / "corpora"
FILE = str(CORPORA / "artifacts" / "reduce_subgroup.spv")
DEVICE = CORPORA / "lavapipe-22.3.6" / "lavapipe.device.json"


@pytest.fixture
def question(tmp_path: Path) -> list[str]:
    """What is locked: one file on a recorded device, of which the test has a copy to change."""
    copy = tmp_path / "here.device.json"
    copy.write_bytes(DEVICE.read_bytes())
    return [FILE, "--device", str(copy)]


def test_what_was_locked_holds_and_resolves_as_without(te: Typed, question: list[str], tmp_path: Path) -> None:
    file = str(tmp_path / "targetenv.lock")
    made = te("lock", *question, "-o", file)
    assert (made.status, made.out) == (0, "main on vulkan://0: " + FILE + "\n")
    assert made.err == f"wrote {file}: 1 kernel on 1 device\n"
    assert te("resolve", *question, "--locked", file) == te("resolve", *question)
    assert te("lock", *question, "-o", "-").out == Path(file).read_text(encoding="utf-8")


def test_a_device_that_offers_less_now_is_refused_with_what_changed(te: Typed, question: list[str], tmp_path: Path) -> None:
    file = str(tmp_path / "targetenv.lock")
    te("lock", *question, "-o", file)
    snapshot = Path(question[-1])
    told = json.loads(snapshot.read_text(encoding="utf-8"))
    told["device"]["offers"]["subgroup_sizes"] = [4]
    told["device"]["offers"]["properties"]["VkPhysicalDeviceLimits::maxPushConstantsSize"] = 0
    snapshot.write_text(json.dumps(told), encoding="utf-8")
    refused = te("resolve", *question, "--locked", file)
    assert (refused.status, refused.out) == (1, "")
    assert "TE3040" in refused.err
    assert "another variant would run" in refused.err
    assert "choice: `main` on vulkan://0" in refused.err
    answer = te("resolve", *question, "--locked", file, "--format", "json")
    assert answer.status == 1
    assert {row["kind"] for row in answer.json["drift"]} >= {"answer", "choice"}


def test_without_a_lock_file_nothing_is_resolved(te: Typed, question: list[str], tmp_path: Path) -> None:
    refused = te("resolve", *question, "--locked", str(tmp_path / "none.lock"))
    assert refused.status == 2
    assert "TE4301" in refused.err


def test_a_lock_that_cannot_be_written_says_so(te: Typed, question: list[str], tmp_path: Path) -> None:
    refused = te("lock", *question, "-o", str(tmp_path))
    assert refused.status == 3
    assert "TE4306" in refused.err


def test_a_lock_holds_under_the_terms_that_it_was_made_under(te: Typed, question: list[str], tmp_path: Path) -> None:
    file = str(tmp_path / "targetenv.lock")
    terms = ["--prefer", "native", "--pin", f"main={FILE}", "--as-of", "vulkan=1.3"]
    assert te("lock", *question, *terms, "-o", file).status == 0
    assert te("resolve", *question, *terms, "--locked", file).status == 0
    refused = te("resolve", *question, *terms[:2], "--locked", file)
    assert refused.status == 1
    assert f"terms: --pin main is gone: {FILE}" in refused.err
    assert "terms: --as-of is gone: vulkan 1.3" in refused.err
    assert "the choices are the same" in refused.err
