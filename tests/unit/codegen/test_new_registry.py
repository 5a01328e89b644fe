"""A registry of tomorrow: what it adds is known to every look-up without a line written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.codegen import tomorrow

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


# One device that dreams and one that only sleeps, as drivers of tomorrow answer; a module for the first; one without a dream.
CHAIN = """
import json
from struct import pack
from fake import FakeDevice, FakeLoader
from targetenv.artifacts import inspect
from targetenv.cli.environments import environment_of
from targetenv.match import check
from targetenv.match.alternatives import alternatives
from targetenv.match.difference import differences
from targetenv.match.lattice import meet
from targetenv.model.record import replace
from targetenv.model.requirement import NeedsLimit, Relation
from targetenv.resolve import resolve
from targetenv.syntax import parse, parse_constraint, render
from targetenv.wire.snapshot import parse_snapshot, write_snapshot
from targetenv_runtime.drivers.vulkan.device import Plan
from targetenv_runtime.drivers.vulkan.loader import Instance, Loader
from targetenv_runtime.drivers.vulkan.survey import survey

FEATURES, PROPERTIES = "VkPhysicalDeviceDreamFeaturesNEW", "VkPhysicalDeviceDreamPropertiesNEW"
old = ("VK_KHR_timeline_semaphore", "VK_KHR_maintenance4")
timeline = {"VkPhysicalDeviceTimelineSemaphoreFeatures": {"timelineSemaphore": 1},
            "VkPhysicalDeviceLimits": {"maxComputeWorkGroupInvocations": 128, "maxComputeWorkGroupSize": (128, 128, 64)}}
dreams = FakeDevice(version=(1, 1), name="dreamer", extensions=(*old, "VK_NEW_dream"), values=timeline | {
    FEATURES: {"lucidDream": 1}, PROPERTIES: {"maxNightmares": 3, "dreamOperations": 4}})
sleeps = FakeDevice(version=(1, 1), name="sleeper", extensions=old, values=timeline)
library = FakeLoader(dreams, sleeps)
devices, _ = survey(library)
snapshot = write_snapshot(devices)
read, _ = parse_snapshot(snapshot, name="tomorrow")
dreamer, sleeper = read

def module(*capabilities, extension=""):
    word = lambda op, *operands: pack(f"<{len(operands) + 1}I", (len(operands) + 1) << 16 | op, *operands)
    text = lambda name: [int.from_bytes(name[at:at + 4].ljust(4, bytes(1)), "little") for at in range(0, len(name) + 1, 4)]
    made = pack("<5I", 0x07230203, 0x00010300, 0, 5, 0)
    made += b"".join(word(17, capability) for capability in (1, *capabilities))
    made += word(10, *text(extension.encode())) if extension else b""
    made += word(14, 0, 1) + word(15, 5, 1, *text(b"dream")) + word(16, 1, 17, 8, 1, 1)
    return made + word(19, 2) + word(33, 3, 2) + word(54, 2, 1, 0, 3) + word(248, 4) + word(253) + word(56)

(fancy,) = inspect(module(NUMBER, extension="SPV_NEW_dream"), name="fancy.spv").artifacts
(plain,) = inspect(module(), name="plain.spv").artifacts
resolution = resolve({"dream": [fancy, plain]}, [dreamer, sleeper])
enables = resolution.enables("vulkan://0")
with Instance(Loader(library)) as instance:
    physical = instance.physical_devices()[0]
    plan = Plan(instance, physical, wanted_features=enables.feature_names, wanted_extensions=enables.extension_names)
    plan = [sorted(plan.features), plan.extensions, [name for name, _ in plan.chain.placed]]
offers = dreamer.offers
texts = {to: render(environment_of(dreamer), to).text for to in ("vk", "spirv")}
limit = NeedsLimit(f"{PROPERTIES}::maxNightmares", Relation.AT_MOST, 3)
refined = parse("vulkan1.1 + {VK_NEW_dream, lucidDream, maxNightmares = 2}")
print(json.dumps({
    "attribute": parse("#vk.target_env<v1.1, r(0), [VK_NEW_dream], {}>").canonical,
    "refined": refined.canonical,
    "meant": sorted(refined.env.offers.features & {f"{FEATURES}::lucidDream"}),
    "constraint": [repr(need) for need in parse_constraint("lucidDream and maxNightmares <= 2")],
    "probed": [offers.property(f"{PROPERTIES}::maxNightmares"), f"{FEATURES}::lucidDream" in offers.features],
    "read back": list(read) == list(devices),
    "required": sorted(getattr(need, "name", "") for need in set(fancy.requires) - set(plain.requires)),
    "chosen": [choice.variant for choice in resolution.choices],
    "limit": [check(limit, each.offers).outcome.value for each in read],
    "why": resolution.explain(why=True),
    "alternatives": [
        [each.text, each.holds, each.enables]
        for need in fancy.requires if getattr(need, "name", "") == "DreamNEW"
        for each in alternatives(need, sleeper.offers)
    ],
    "enables": [enables.feature_names, enables.extension_names],
    "plan": plan,
    "spirv": [word in texts["spirv"] for word in ("DreamNEW", "SPV_NEW_dream")],
    "vk": [word in texts["vk"] for word in ("[VK_KHR_maintenance4", "lucidDream = unit", "maxNightmares = 3")],
    "meet": sorted(meet(dreamer.offers, refined.env.offers).features & {f"{FEATURES}::lucidDream"}),
    "met limit": meet(dreamer.offers, refined.env.offers).property(f"{PROPERTIES}::maxNightmares"),
    "difference": sorted([row.name, row.order, row.limittype] for row in differences(dreamer.offers, refined.env.offers)
                         if "ightmare" in row.name),
}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tomorrow")
    tomorrow.build(made)
    return made


@pytest.fixture(scope="module")
def answers(folder: Path) -> Mapping[str, object]:
    return tomorrow.ask(folder, QUESTIONS)


@pytest.fixture(scope="module")
def chain(folder: Path) -> Mapping[str, object]:
    return tomorrow.ask(folder, CHAIN.replace("NUMBER", str(tomorrow.DREAM_NEW)))


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
def test_an_invented_extension_is_known(answers: Mapping[str, object], question: str, answer: object) -> None:
    assert answers[question] == answer


FEATURE = "VkPhysicalDeviceDreamFeaturesNEW::lucidDream"
LIMIT = "VkPhysicalDeviceDreamPropertiesNEW::maxNightmares"


@pytest.mark.parametrize(
    ("link", "answer"),
    [
        ("attribute", "#vk.target_env<v1.1, r(0), [VK_NEW_dream], {}>"),
        ("refined", "vulkan1.1 + {VK_NEW_dream, lucidDream, maxNightmares = 2}"),
        ("meant", [FEATURE]),
        (
            "constraint",
            [f"NeedsFeature(name='{FEATURE}')", f"NeedsLimit(name='{LIMIT}', relation=<Relation.AT_MOST: '<='>, value=2)"],
        ),
        ("probed", [3, True]),
        ("read back", True),
        ("required", ["DreamNEW", "SPV_NEW_dream"]),
        ("chosen", ["fancy.spv", "plain.spv"]),
        ("limit", ["satisfied", "unsatisfied"]),
        ("enables", [[FEATURE], ["VK_KHR_maintenance4", "VK_NEW_dream"]]),
        ("spirv", [True, True]),
        ("vk", [True, True, True]),
        ("meet", [FEATURE]),
        ("met limit", 3),
        ("difference", [["maxNightmares", "weaker", "min"]]),
    ],
)
def test_the_whole_chain_knows_it(chain: Mapping[str, object], link: str, answer: object) -> None:
    """Text, refinement, constraint, probe, snapshot, module, choice, enable list, conversion, meet and diff."""
    assert chain[link] == answer


def test_the_driver_enables_what_the_list_says_of_it(chain: Mapping[str, object]) -> None:
    plan = chain["plan"]
    assert isinstance(plan, list)
    features, extensions, structs = plan
    assert features == [FEATURE, "VkPhysicalDeviceTimelineSemaphoreFeatures::timelineSemaphore"]
    assert extensions == ["VK_KHR_maintenance4", "VK_KHR_timeline_semaphore", "VK_NEW_dream"]
    assert "VkPhysicalDeviceDreamFeaturesNEW" in structs


def test_the_reasons_are_the_registrys(chain: Mapping[str, object]) -> None:
    assert chain["why"] == (Path(__file__).parent / "tomorrow.why.txt").read_text(encoding="utf-8").rstrip("\n")
    assert chain["alternatives"] == [
        [f"feature {FEATURE}", False, ["VK_NEW_dream", FEATURE]],
        ["VK_SUBGROUP_FEATURE_VOTE_BIT in VkPhysicalDeviceDreamPropertiesNEW::dreamOperations", False, []],
    ]


def test_no_line_of_code_knows_it(folder: Path) -> None:
    knowing = [path for path in folder.rglob("*.py") if "dream" in path.read_text(encoding="utf-8").lower()]
    assert {path.parent.name for path in knowing} == {"_generated"}
