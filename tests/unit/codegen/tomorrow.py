"""A registry of tomorrow, and the package generated from it: an extension that nobody has written a line of code for.

`VK_NEW_dream` brings a feature, a feature that renames an old one, a limit and a mask, and enables a capability and an
extension of SPIR-V.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from targetenv._codegen import inputs
from targetenv._codegen.__main__ import main

ROOT = Path(__file__).resolve().parents[3]

STRUCTS = """
<type category="struct" name="VkPhysicalDeviceDreamFeaturesNEW" structextends="VkPhysicalDeviceFeatures2,VkDeviceCreateInfo">
  <member values="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DREAM_FEATURES_NEW"><type>VkStructureType</type> <name>sType</name></member>
  <member optional="true"><type>void</type>* <name>pNext</name></member>
  <member><type>VkBool32</type> <name>lucidDream</name></member>
  <member><type>VkBool32</type> <name alias="VkPhysicalDeviceFeatures::shaderInt64">dreamInt64</name></member>
</type>
<type category="struct" name="VkPhysicalDeviceDreamPropertiesNEW" structextends="VkPhysicalDeviceProperties2">
  <member values="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DREAM_PROPERTIES_NEW">
    <type>VkStructureType</type> <name>sType</name></member>
  <member optional="true"><type>void</type>* <name>pNext</name></member>
  <member limittype="min"><type>uint32_t</type> <name>maxNightmares</name></member>
  <member limittype="bitmask"><type>VkSubgroupFeatureFlags</type> <name>dreamOperations</name></member>
</type>
</types>"""
EXTENSION = """<extensions>
<extension name="VK_NEW_dream" number="999" type="device" depends="VK_VERSION_1_4,VK_KHR_maintenance4" supported="vulkan"
    promotedto="VK_VERSION_1_3">
  <require>
    <enum value="7" name="VK_NEW_DREAM_SPEC_VERSION"/>
    <enum offset="0" extends="VkStructureType" name="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DREAM_FEATURES_NEW"/>
    <enum offset="1" extends="VkStructureType" name="VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DREAM_PROPERTIES_NEW"/>
    <type name="VkPhysicalDeviceDreamFeaturesNEW"/>
    <type name="VkPhysicalDeviceDreamPropertiesNEW"/>
    <feature name="lucidDream" struct="VkPhysicalDeviceDreamFeaturesNEW"/>
  </require>
</extension>"""
CAPABILITY = """<spirvcapabilities>
<spirvcapability name="DreamNEW">
  <enable struct="VkPhysicalDeviceDreamFeaturesNEW" feature="lucidDream" requires="VK_NEW_dream"/>
  <enable property="VkPhysicalDeviceDreamPropertiesNEW" member="dreamOperations" value="VK_SUBGROUP_FEATURE_VOTE_BIT"/>
</spirvcapability>"""
SPIRV_EXTENSION = """<spirvextensions>
<spirvextension name="SPV_NEW_dream"><enable extension="VK_NEW_dream"/></spirvextension>"""
_PLACES = (
    ("</types>", STRUCTS),
    ("<extensions", EXTENSION),
    ("<spirvextensions", SPIRV_EXTENSION),
    ("<spirvcapabilities", CAPABILITY),
)
DREAM_NEW = 60000


def build(folder: Path) -> None:
    """A copy of the checkout in `folder`, with tables generated from the registry and the grammar of tomorrow."""
    text = inputs.vk_xml().data.decode()
    for place, inserted in _PLACES:
        at = text.index(place)
        end = at + len(place) if place.startswith("</") else text.index(">", at) + 1
        text = text[:at] + inserted + text[end:]
    (folder / "vk.xml").write_text(text)
    (folder / "spirv.json").write_text(json.dumps(_grammar()))
    ignored = shutil.ignore_patterns("_generated", "__pycache__")
    for name in ("targetenv", "grammars", "runtime"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "tests/unit/runtime_vulkan/fake.py", folder / "fake.py")
    arguments = ["--vk-xml", str(folder / "vk.xml"), "--spirv-grammar", str(folder / "spirv.json"), "--output", str(folder)]
    assert main(arguments) == 0
    (folder / "targetenv/registry/_generated/__init__.py").touch()


def ask(folder: Path, script: str) -> dict[str, object]:
    """What a script prints as JSON that runs with the package in `folder` and no other."""
    environment = {"PYTHONPATH": f"{folder}:{folder / 'runtime'}", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _grammar() -> dict[str, object]:
    """The committed facts as a `spirv.core.grammar.json`, with one capability more."""
    facts = json.loads((ROOT / "targetenv/_codegen/spirv_grammar_facts.json").read_text())
    kinds = [
        {
            "kind": name,
            "category": category,
            "bases": bases,
            "enumerants": [_entry(row, "enumerant", "value", "parameters") for row in rows]
            + ([{"enumerant": "DreamNEW", "value": DREAM_NEW, "version": "None"}] if name == "Capability" else []),
        }
        for name, category, bases, rows in facts["kinds"]
    ]
    instructions = [_entry(row, "opname", "opcode", "operands") for row in facts["instructions"]]
    return {"major_version": 1, "minor_version": 7, "revision": 1, "instructions": instructions, "operand_kinds": kinds}


def _entry(row: list[Any], name_key: str, value_key: str, operands_key: str) -> dict[str, object]:
    empty: list[Any] = [None, 0, None, None, [], [], [], [], False]
    name, value, version, last, capabilities, extensions, operands, aliases, provisional = [*row, *empty[len(row) :]]
    kinds = [operand.rstrip("*?") for operand in operands]
    made = {
        name_key: name,
        value_key: value,
        "version": version or "None",
        "capabilities": capabilities,
        "extensions": extensions,
        operands_key: [
            {"kind": kind} | ({"quantifier": operand[len(kind) :]} if operand != kind else {})
            for kind, operand in zip(kinds, operands, strict=True)
        ],
        "aliases": aliases,
        "provisional": provisional,
    }
    return made | ({"lastVersion": last} if last else {})
