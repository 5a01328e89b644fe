"""Dialects beside the compilers that read them, with texts made anew in every run.

What is recorded in tests/corpora/iree covers every triple and every name; here the compilers themselves answer, for what nobody
has asked them before. Where we knowingly differ even in compat mode is said in docs/reference/dialects.md.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from targetenv.diagnostics.diagnostic import ParseError
from targetenv.syntax import parse, render
from tests.differential.oracles import iree
from tests.property.target_texts import era_c

pytestmark = pytest.mark.differential
CORPUS = Path(__file__).parents[1] / "corpora" / "iree"
OLD = ("iree@20231218", "iree@20240410")
MODULE = """
func.func @add(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %c = arith.addf %a, %b : tensor<4xf32>
  return %c : tensor<4xf32>
}
"""
VULKAN = ("--iree-hal-target-backends=vulkan-spirv", "--compile-to=flow")


def fresh(count: int) -> list[str]:
    """Environments of era C that nobody has seen."""
    texts: list[str] = []

    @settings(max_examples=count, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(era_c())
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    return texts


def ours(text: str, release: str) -> tuple[bool, str]:
    try:
        return True, parse(text, compat=release).canonical
    except ParseError as error:
        return False, error.code


@pytest.mark.parametrize("release", OLD)
def test_fresh_environments_print_as_the_compiler_prints_them(release: str) -> None:
    texts = fresh(500)
    answers = iree(release).parse(texts)
    assert len(texts) >= 250, "hypothesis found too few distinct texts"
    assert [
        (text, theirs, mine) for text, theirs in zip(texts, answers, strict=True) if (mine := ours(text, release)) != theirs
    ] == []


@pytest.mark.parametrize("release", OLD)
def test_fresh_environments_with_a_piece_missing_are_taken_or_refused_alike(release: str) -> None:
    chance = random.Random()
    texts = []
    for text in fresh(200):
        pieces = re.split(r"(?<=[<>,\[\]= ])", text)
        del pieces[chance.randrange(1, len(pieces))]
        texts.append("".join(pieces))
    answers = iree(release).parse(texts)
    different = [
        (text, theirs)
        for text, theirs in zip(texts, answers, strict=True)
        if (mine := ours(text, release))[0] != theirs[0] or (mine[0] and mine != theirs)
    ]
    assert different == []


@pytest.mark.parametrize("release", OLD)
def test_fresh_environments_become_the_compilers_spirv_environment(release: str) -> None:
    for text in fresh(8)[-8:]:
        done = iree(release).compile(MODULE, *VULKAN, f"--iree-vulkan-target-env={text}")
        assert done.returncode == 0, done.stderr
        assert render(parse(text, compat=release), "spirv", release).text in done.stdout


def test_a_handful_of_triples_is_expanded_by_the_compiler_itself() -> None:
    chance = random.Random()
    groups = [row for row in json.loads((CORPUS / "triples.json").read_text(encoding="utf-8")) if row[0] == "20231218"]
    triples = chance.sample([triple for group in groups for triple in group[1].split(" ")], 16)
    for triple in triples:
        done = iree("iree@20231218").compile(MODULE, *VULKAN, f"--iree-vulkan-target-triple={triple}")
        assert done.returncode == 0, done.stderr
        made = render(parse(triple, dialect="triple", compat="iree@20231218"), "spirv", "iree@20231218")
        assert made.text in done.stdout, triple


def test_a_handful_of_names_is_expanded_by_the_compiler_itself() -> None:
    chance = random.Random()
    rows = json.loads((CORPUS / "names.json").read_text(encoding="utf-8"))["digests"]
    for api, name, device, _ in chance.sample([row for row in rows if row[0] in ("vulkan", "cuda", "rocm")], 12):
        target = "hip" if api == "rocm" else api
        flags = (f"--iree-hal-target-device={target}", f"--iree-{api}-target={name}", "--compile-to=executable-sources")
        done = iree("iree@3.13").compile(MODULE, *flags)
        if device is None:
            assert done.returncode != 0 or "iree_gpu.target" not in done.stdout
            continue
        assert done.returncode == 0, done.stderr
        found = re.search(r"#hal\.executable\.target<.*", render(parse(f"{api}:{name}", compat="iree@3.13"), "hal").text)
        assert found is not None
        gpu = re.search(r"#iree_gpu\.target<.*?>>", found[0])
        assert gpu is None or gpu[0].partition("<")[2][:60] in done.stdout, f"{api}:{name}"
