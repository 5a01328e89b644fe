"""Inputs in, `{path: text}` out. Nothing is written here, so that freshness is a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from targetenv._codegen import vulkan_abi, vulkan_xml
from targetenv._codegen.inputs import Source
from targetenv._codegen.table import Table

_GENERATED = "targetenv/registry/_generated"


@dataclass(frozen=True, slots=True)
class Module:
    """One generated module."""

    path: str
    summary: str
    sources: tuple[Source, ...]
    tables: list[Table]
    constants: dict[str, str] = field(default_factory=dict)


def render(vk_xml: Source) -> dict[str, str]:
    """Every generated file of the repository, by its path from the repository's root."""
    registry = vulkan_xml.read(vk_xml.data)
    vk_xml = Source(vk_xml.name, f"{registry.header_version} {vk_xml.version}".strip(), vk_xml.data)
    version = {"HEADER_VERSION": registry.header_version}
    modules = [
        Module(
            "vulkan_abi.py",
            "How every Vulkan struct lies in memory (LP64), and the signature of every command",
            (vk_xml,),
            vulkan_abi.tables(registry),
            version,
        ),
        Module(
            "vulkan_enums.py", "Every Vulkan enumeration and API constant", (vk_xml,), vulkan_abi.enum_tables(registry), version
        ),
    ]
    environment = Environment(  # noqa: S701  renders Python, no HTML
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = environment.get_template("tables.py.jinja")
    return {f"{_GENERATED}/{module.path}": template.render(module=module) for module in modules}
