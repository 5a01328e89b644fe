"""The generator: fresh output, and tables that follow their input."""

from __future__ import annotations

from pathlib import Path

import pytest

from targetenv._codegen import cpu_facts, inputs, render, spirv_grammar
from targetenv._codegen.__main__ import main
from targetenv._codegen.inputs import Source

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def grammar() -> spirv_grammar.Grammar:
    return spirv_grammar.load((ROOT / render.GRAMMAR_FACTS).read_text())


@pytest.fixture(scope="module")
def cpus() -> cpu_facts.CpuFacts:
    return cpu_facts.load((ROOT / render.CPU_FACTS).read_text())


@pytest.fixture(scope="module")
def files(grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> dict[str, str]:
    return render.render(inputs.vk_xml(), grammar, cpus)


def test_what_is_committed_is_what_the_inputs_say() -> None:
    assert main(["--check"]) == 0


def test_check_finds_one_changed_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--output", str(tmp_path)])
    changed = tmp_path / "targetenv/registry/_generated/spirv.py"
    changed.write_text(changed.read_text().replace("Float16 9 ", "Float16 10 "))
    assert main(["--output", str(tmp_path), "--check"]) == 1
    assert "-Float16 10 " in capsys.readouterr().err


def test_rendering_twice_gives_the_same_bytes(
    files: dict[str, str], grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts
) -> None:
    assert render.render(inputs.vk_xml(), grammar, cpus) == files


def test_every_head_names_its_sources(files: dict[str, str], grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> None:
    digests = (inputs.vk_xml().sha256, grammar.sha256, cpus.sources[-1].split()[-1])
    for path, text in files.items():
        head = text[:600]
        assert "do not edit" in head, path
        assert any(digest in head for digest in digests), path


def test_facts_survive_the_round_trip(grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> None:
    assert spirv_grammar.load(spirv_grammar.dump(grammar)) == grammar
    assert cpu_facts.load(cpu_facts.dump(cpus)) == cpus


def test_an_old_grammar_gives_its_aliases_as_enumerants() -> None:
    old = b"""{"major_version": 1, "minor_version": 6, "revision": 1, "instructions": [], "operand_kinds": [
      {"category": "ValueEnum", "kind": "Capability", "enumerants": [
        {"enumerant": "StorageBuffer16BitAccess", "value": 4433, "version": "1.3"},
        {"enumerant": "StorageUniformBufferBlock16", "value": 4433, "version": "1.3"},
        {"enumerant": "Matrix", "value": 0}]}]}"""
    read = spirv_grammar.read(Source("old.json", old))
    assert spirv_grammar.canonical_capabilities(read) == {"StorageUniformBufferBlock16": "StorageBuffer16BitAccess"}
    assert [(entry.name, entry.version) for entry in read.capabilities()][1] == ("Matrix", "1.0")


def test_what_is_no_registry_is_refused(grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> None:
    with pytest.raises(ValueError, match="not a Vulkan registry"):
        render.render(Source("other.xml", b"<registry/>"), grammar, cpus)


def _report(old: str, new: str, grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> str:
    data = inputs.vk_xml().data
    assert old.encode() in data
    source = Source("vk.xml", data.replace(old.encode(), new.encode(), 1))
    return render.render(source, grammar, cpus)["docs/reference/registry-report.md"]


@pytest.mark.parametrize(
    ("old", "new", "oddity"),
    [
        ('limittype="min,mul"', 'limittype="loud"', "Types that no rule covers"),
        (
            'alias="VkPhysicalDeviceMultiviewFeatures::multiview"',
            'alias="VkGone::multiview"',
            "is an alias of `VkGone::multiview`",
        ),
        ('promotedto="VK_KHR_line_rasterization"', 'promotedto="VK_KHR_gone"', "promotedto `VK_KHR_gone`"),
        (
            'feature="shaderInt64" requires',
            'feature="shaderInt65" requires',
            "`Int64`: `VkPhysicalDeviceFeatures::shaderInt65`",
        ),
        ('<spirvcapability name="Int64">', '<spirvcapability name="Int65">', "capability `Int65`"),
    ],
)
def test_the_report_shows_what_is_odd(
    old: str, new: str, oddity: str, files: dict[str, str], grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts
) -> None:
    assert oddity not in files["docs/reference/registry-report.md"]
    assert oddity in _report(old, new, grammar, cpus)


def test_a_condition_of_a_new_kind_is_refused(grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> None:
    with pytest.raises(ValueError, match="of a kind that is not known"):
        _report('<enable version="VK_VERSION_1_0" />', '<enable phase="full" />', grammar, cpus)


def test_a_type_of_unknown_size_is_refused(grammar: spirv_grammar.Grammar, cpus: cpu_facts.CpuFacts) -> None:
    with pytest.raises(LookupError, match="the size of `Monster` is not known"):
        _report("<type>HWND</type>", "<type>Monster</type>", grammar, cpus)


@pytest.mark.parametrize(
    ("option", "content"),
    [
        ("--vk-xml", None),
        ("--vk-xml", "no XML at all"),
        ("--vk-xml", "<registry/>"),
        ("--spirv-grammar", "{"),
        ("--spirv-grammar", "{}"),
    ],
)
def test_an_input_that_cannot_be_used_is_an_error_and_writes_nothing(option: str, content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "input"
    if content is not None:
        path.write_text(content)
    output = tmp_path / "output"
    assert main([option, str(path), "--output", str(output)]) == 2
    assert not output.exists()
