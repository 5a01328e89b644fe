"""A registry of tomorrow: what it adds is known to every look-up without a line written by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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

QUESTIONS = """
import json
from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.version import Version
from targetenv.registry import spirv, vulkan, vulkan_abi
from targetenv.registry.spirv_environment import support

def offers(**more):
    return Capabilities("vulkan", Version(1, 0), extensions=frozenset({"VK_NEW_dream"}), **more)

lucid = frozenset({"VkPhysicalDeviceDreamFeaturesNEW::lucidDream"})
bits = (Property("VkPhysicalDeviceDreamPropertiesNEW::dreamOperations", 2),)
print(json.dumps({
    "revision": vulkan.extension("VK_NEW_dream").revision,
    "core": str(vulkan.core_since("VK_NEW_dream")),
    "feature": vulkan.find_feature("lucidDream"),
    "alias": vulkan.find_feature("dreamInt64"),
    "chained": "VkPhysicalDeviceDreamFeaturesNEW" in vulkan_abi.feature_structs(),
    "sType": vulkan_abi.layout("VkPhysicalDeviceDreamFeaturesNEW").s_type,
    "relation": vulkan.relation("VkPhysicalDeviceDreamPropertiesNEW::maxNightmares").name,
    "provided": vulkan.provided_by("VkPhysicalDeviceDreamPropertiesNEW"),
    "required": vulkan.required_features("VK_NEW_dream")[0].features,
    "number": spirv.capability("DreamNEW").number,
    "refused": support(offers()).holds("DreamNEW"),
    "by feature": support(offers(features=lucid)).holds("DreamNEW"),
    "by property": support(offers(properties=bits)).holds("DreamNEW"),
}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("tomorrow")
    text = inputs.vk_xml().data.decode()
    for place, inserted in (("</types>", STRUCTS), ("<extensions", EXTENSION), ("<spirvcapabilities", CAPABILITY)):
        at = text.index(place)
        end = at + len(place) if place.startswith("</") else text.index(">", at) + 1
        text = text[:at] + inserted + text[end:]
    (folder / "vk.xml").write_text(text)
    grammar = json.loads((ROOT / "targetenv/_codegen/spirv_grammar_facts.json").read_text())
    kind = next(row for row in grammar["kinds"] if row[0] == "Capability")
    kinds = [
        {
            "kind": "Capability",
            "category": "ValueEnum",
            "enumerants": [*map(_enumerant, kind[3]), _enumerant(["DreamNEW", 60000])],
        }
    ]
    document = {"major_version": 1, "minor_version": 7, "revision": 1, "instructions": [], "operand_kinds": kinds}
    (folder / "spirv.json").write_text(json.dumps(document))
    shutil.copytree(ROOT / "targetenv", folder / "targetenv", ignore=shutil.ignore_patterns("_generated", "__pycache__"))
    arguments = ["--vk-xml", str(folder / "vk.xml"), "--spirv-grammar", str(folder / "spirv.json"), "--output", str(folder)]
    assert main(arguments) == 0
    (folder / "targetenv/registry/_generated/__init__.py").touch()
    done = subprocess.run([sys.executable, "-c", QUESTIONS], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _enumerant(row: list[object]) -> dict[str, object]:
    return {"enumerant": row[0], "value": row[1], "version": row[2] if len(row) > 2 and row[2] else "None"}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("revision", 7),
        ("core", "1.3"),
        ("feature", ["VkPhysicalDeviceDreamFeaturesNEW::lucidDream"]),
        ("alias", ["VkPhysicalDeviceFeatures::shaderInt64"]),
        ("chained", True),
        ("sType", 1_000_998_000),
        ("relation", "AT_MOST"),
        ("provided", ["VK_NEW_dream"]),
        ("required", ["VkPhysicalDeviceDreamFeaturesNEW::lucidDream"]),
        ("number", 60000),
        ("refused", False),
        ("by feature", True),
        ("by property", True),
    ],
)
def test_an_invented_extension_is_known(answers: dict[str, object], question: str, answer: object) -> None:
    assert answers[question] == answer
