"""Inputs in, `{path: text}` out. Nothing is written here, so that freshness is a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from targetenv._codegen import cpu_facts, spirv_grammar, vulkan_abi, vulkan_names, vulkan_tables, vulkan_xml
from targetenv._codegen.cpu_facts import CpuFacts
from targetenv._codegen.inputs import Source
from targetenv._codegen.report import report
from targetenv._codegen.spirv_grammar import Grammar
from targetenv._codegen.table import Table

GRAMMAR_FACTS = "targetenv/_codegen/spirv_grammar_facts.json"
CPU_FACTS = "targetenv/_codegen/cpu_facts.json"
_GENERATED = "targetenv/registry/_generated"
_REPORT = "docs/reference/registry-report.md"


@dataclass(frozen=True, slots=True)
class Module:
    """One generated module; `sources` are lines that name what it was made from."""

    path: str
    summary: str
    sources: tuple[str, ...]
    tables: list[Table]
    constants: dict[str, str] = field(default_factory=dict)


def render(vk_xml: Source, grammar: Grammar, cpus: CpuFacts) -> dict[str, str]:
    """Every generated file of the repository, by its path from the repository's root."""
    registry = vulkan_xml.read(vk_xml.data)
    provided = set(registry.providers("types"))
    names = vulkan_names.collect(registry, provided | {registry.type_aliases.get(name, name) for name in provided})
    vulkan = (f"{vk_xml.name} {registry.header_version}{vk_xml.note}", f"    sha256 {vk_xml.sha256}")
    spirv = (f"{grammar.source} {grammar.version}", f"    sha256 {grammar.sha256}")
    vulkan_version = {"HEADER_VERSION": registry.header_version}
    grammar_version = {"GRAMMAR_VERSION": grammar.version}
    canonical = spirv_grammar.canonical_capabilities(grammar)
    modules = [
        Module(
            "vulkan_abi.py",
            "How every Vulkan struct lies in memory (LP64), and the signature of every command",
            vulkan,
            vulkan_abi.tables(registry),
            vulkan_version,
        ),
        Module("vulkan_enums.py", "Every Vulkan enumeration and API constant", vulkan, vulkan_abi.enum_tables(registry)),
        Module(
            "vulkan.py",
            "Vulkan's extensions, features and limits",
            vulkan,
            vulkan_tables.tables(registry, names),
            vulkan_version,
        ),
        Module(
            "vulkan_providers.py",
            "Which versions and extensions of Vulkan bring what",
            vulkan,
            vulkan_tables.provider_tables(registry),
        ),
        Module(
            "spirv_enables.py",
            "Under which conditions Vulkan takes a SPIR-V capability or extension",
            (*vulkan, *spirv),
            vulkan_tables.enable_tables(registry, names, canonical),
            vulkan_version,
        ),
        Module("spirv.py", "SPIR-V's capabilities and extensions", spirv, spirv_grammar.tables(grammar), grammar_version),
        Module("spirv_grammar.py", "SPIR-V's instructions and kinds of operands", spirv, spirv_grammar.grammar_tables(grammar)),
        Module("cpus.py", "What the names of CPUs and architecture versions stand for", cpus.sources, cpu_facts.tables(cpus)),
    ]
    environment = Environment(  # noqa: S701  renders Python, no HTML
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template("tables.py.jinja")
    files = {GRAMMAR_FACTS: spirv_grammar.dump(grammar), CPU_FACTS: cpu_facts.dump(cpus)}
    files |= {f"{_GENERATED}/{module.path}": template.render(module=module) for module in modules}
    tables = [(module.path, module.tables) for module in modules]
    page = report((*vulkan, *spirv, *cpus.sources), tables, registry, names, grammar)
    return files | {_REPORT: environment.get_template("report.md.jinja").render(report=page)}
