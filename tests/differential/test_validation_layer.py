"""Our verdicts against the Khronos validation layer, live: what it takes fits, what it refuses does not."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from targetenv_runtime.probing import probe_all

from targetenv.artifacts import inspect
from targetenv.artifacts.spirv_kernels import kernels_of
from targetenv.artifacts.spirv_layout import Layout
from targetenv.artifacts.spirv_module import Module
from targetenv.match import Judge as Match
from targetenv.match.enabling import EnableList, enable_list, opened_with
from targetenv.model.requirement import NeedsCapability, NeedsExtension
from targetenv.model.verdict import Outcome
from targetenv.registry import spirv
from tests.differential.capability_shaders import SHADERS, compute
from tests.differential.layer import Judge, judge
from tests.differential.rule_shaders import CONTROLS, MODES, RULES
from tests.differential.test_spirv_capabilities import compiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.model.capabilities import Capabilities
    from targetenv.model.device import Device
    from targetenv.model.requirement import Requirement

pytestmark = pytest.mark.differential

RECORDED = json.loads((Path(__file__).parents[1] / "corpora" / "lavapipe-22.3.6" / "capabilities.json").read_text())


def assembled(text: str, version: str = "spv1.6") -> bytes | None:
    """The module, None where spirv-as does not know a name in it."""
    tool = shutil.which("spirv-as")
    if tool is None:
        pytest.skip("spirv-as is not installed")
    command = [tool, "--target-env", version, "-o", "-", "-"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else None


@pytest.fixture(scope="module")
def device(required_drivers: frozenset[str]) -> Device:
    found, unavailable = probe_all(["vulkan"])
    if not found:
        if "vulkan" in required_drivers:
            pytest.fail(str(unavailable))
        pytest.skip(unavailable[0].reason)
    return found[0]


EMPTY = """
OpCapability Shader
OpCapability {name}
{extensions}
OpMemoryModel Logical {memory}
OpEntryPoint GLCompute %1 "main"
OpExecutionMode %1 LocalSize 1 1 1
%2 = OpTypeVoid
%3 = OpTypeFunction %2
%1 = OpFunction %2 None %3
%4 = OpLabel
OpReturn
OpFunctionEnd
"""


def test_every_capability_is_decided_as_the_layer_decides_it_now(
    device: Device, monkeypatch: pytest.MonkeyPatch, required_drivers: frozenset[str]
) -> None:
    # Extensions that need others of the instance are about windows, and have no SPIR-V.
    extensions = {name for name in device.offers.extensions if "swapchain" not in name and "display" not in name}
    layer = judge(monkeypatch, required_drivers, features=device.offers.features, extensions=extensions)
    match = Match(device.offers)
    try:
        decided = {}
        for name in sorted(RECORDED):
            known = spirv.capability(name)
            assert known is not None
            usable = [one for one in known.extensions if match.check(NeedsExtension(one)).outcome is Outcome.SATISFIED]
            declared = "\n".join(f'OpExtension "{one}"' for one in usable or known.extensions)
            text = EMPTY.format(name=name, extensions=declared, memory="Vulkan" if name == "VulkanMemoryModel" else "GLSL450")
            module = assembled(text)
            if module is not None:
                fits = match.check(NeedsCapability(name)).outcome is Outcome.SATISFIED
                decided[name] = fits, layer.accepts(module), layer.complaints
    finally:
        layer.device.close()
    assert len(decided) > 130
    assert {name: row for name, row in decided.items() if row[0] is not row[1]} == {}


# Kind of descriptor -> the type in a layout.
DESCRIPTORS = {
    "storage buffer": "VK_DESCRIPTOR_TYPE_STORAGE_BUFFER",
    "uniform buffer": "VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER",
    "storage image": "VK_DESCRIPTOR_TYPE_STORAGE_IMAGE",
    "combined image sampler": "VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER",
    "uniform texel buffer": "VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER",
    "storage texel buffer": "VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER",
}
LEFT_OUT = {"RayQueryKHR": "its descriptor is of an extension that a device without ray queries does not have"}
CASES = {row.capability: row for row in (*SHADERS, *RULES) if row.stage == "comp" and row.capability not in LEFT_OUT}
# Features that Vulkan asks for and layer 1.3.239 does not look at.
NOT_LOOKED_AT = {"VkPhysicalDeviceVulkan12Features::subgroupBroadcastDynamicId"}


class Opening:
    """Opens the device under the layer with what a test wants, and closes it again."""

    def __init__(self, device: Device, monkeypatch: pytest.MonkeyPatch, required_drivers: frozenset[str]) -> None:
        self.offers = device.offers
        self._options = monkeypatch, required_drivers
        self._opened: list[Judge] = []

    def __call__(self, listed: EnableList) -> Judge:
        found = judge(*self._options, features=listed.feature_names, extensions=listed.extension_names)
        self._opened.append(found)
        return found

    def close(self) -> None:
        for opened in self._opened:
            opened.device.close()


@pytest.fixture
def opening(device: Device, monkeypatch: pytest.MonkeyPatch, required_drivers: frozenset[str]) -> Iterator[Opening]:
    found = Opening(device, monkeypatch, required_drivers)
    yield found
    found.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layer")


def fits(needs: tuple[Requirement, ...], offers: Capabilities) -> bool:
    match = Match(offers)
    return all(match.check(need).outcome is Outcome.SATISFIED for need in needs)


def taken(layer: Judge, data: bytes) -> bool:
    """Whether the layer takes the module with the descriptors that it has: buffer `b` first, then perhaps another."""
    module = Module(data, "x")
    (kernel,) = kernels_of(module, Layout(module))
    kinds = dict(kernel.descriptors)
    first = [("storage buffer", 1)] if kinds else []
    kinds["storage buffer"] = kinds.get("storage buffer", 0) - 1
    known = [(DESCRIPTORS[kind], count) for kind, count in (*first, *kinds.items()) if count > 0]
    return layer.accepts(data, bindings=known, constants=(kernel.push_bytes + 3) & ~3)


def check_module(data: bytes, opening: Opening) -> None:
    """With exactly what we say must be enabled the layer takes the module; with one feature less it does not, and nor do we."""
    needs = inspect(data, name="x").artifacts[0].requires
    listed = enable_list(needs, opening.offers)
    fitting = fits(needs, opening.offers)
    layer = opening(listed)
    assert taken(layer, data) is fitting, layer.told
    if not fitting:
        return
    assert fits(needs, opened_with(listed, opening.offers))
    for row in listed.features:
        fewer = EnableList(tuple(other for other in listed.features if other != row), listed.extensions)
        assert taken(opening(fewer), data) is (row.name in NOT_LOOKED_AT), row.name
        assert not fits(needs, opened_with(fewer, opening.offers)), row.name


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_we_enable_is_what_the_layer_asks_for(name: str, opening: Opening, folder: Path) -> None:
    check_module(compiled(CASES[name], folder), opening)


@pytest.mark.parametrize(
    ("name", "word", "replacement"),
    [
        ("a large workgroup", 1024, 2048),
        ("small offsets", 0xFFFFFFF8, -99 & 0xFFFFFFFF),
        ("small offsets", 0xFFFFFFF8, 99),
    ],
)
def test_what_glslang_would_refuse_is_decided_alike(
    name: str, word: int, replacement: int, opening: Opening, folder: Path
) -> None:
    words = struct.unpack(f"<{len(data := compiled(CASES[name], folder)) // 4}I", data)
    changed = [replacement if each == word and at > 5 else each for at, each in enumerate(words)]
    check_module(struct.pack(f"<{len(words)}I", *changed), opening)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", [16, 32, 64])
def test_float_controls_are_decided_alike(mode: str, width: int, opening: Opening) -> None:
    module = assembled(CONTROLS.format(capability=mode, modes=f"OpExecutionMode %1 {mode} {width}"), "spv1.3")
    assert module is not None
    check_module(module, opening)


@pytest.mark.parametrize(
    ("declaration", "use", "limit", "already"),
    [
        ("buffer A { float v; } a[COUNT]", "a[0].v", "maxPerStageDescriptorStorageBuffers", 1),
        ("uniform A { float v; } a[COUNT]", "a[0].v", "maxPerStageDescriptorUniformBuffers", 0),
        ("uniform sampler2D a[COUNT]", "textureLod(a[0], vec2(0), 0.0).x", "maxPerStageDescriptorSamplers", 0),
        ("uniform samplerBuffer a[COUNT]", "texelFetch(a[0], 0).x", "maxPerStageDescriptorSampledImages", 0),
        ("uniform samplerBuffer a[COUNT]", "texelFetch(a[0], 0).x", "maxPerStageResources", 1),
        ("uniform A { float v; } a[COUNT][2]", "a[0][1].v", "maxPerStageDescriptorUniformBuffers", 0),
    ],
)
def test_as_many_descriptors_are_taken_as_the_layer_takes(
    declaration: str, use: str, limit: str, already: int, opening: Opening, folder: Path
) -> None:
    most = opening.offers.property(f"VkPhysicalDeviceLimits::{limit}")
    assert isinstance(most, int)
    if most > 100_000:
        pytest.skip(f"{limit} is {most}: nothing to compare")
    decided = []
    for count in (most - already, most - already + 1):
        line = f"layout(set=0,binding=1) {declaration.replace('COUNT', str(count))};"
        data = compiled(compute(f"{limit}_{count}_{len(use)}", f"b.x[0] = {use};", line), folder)
        check_module(data, opening)
        decided.append(fits(inspect(data, name="x").artifacts[0].requires, opening.offers))
    assert decided[-1] is False


@pytest.mark.parametrize("more", [0, 1])
def test_as_many_push_constants_are_taken_as_the_layer_takes(more: int, opening: Opening, folder: Path) -> None:
    most = opening.offers.property("VkPhysicalDeviceLimits::maxPushConstantsSize")
    assert isinstance(most, int)
    line = f"layout(push_constant) uniform P {{ float v[{most // 4 + more}]; }} p;"
    data = compiled(compute(f"push_{more}", "b.x[0] = p.v[1];", line), folder)
    check_module(data, opening)
    assert fits(inspect(data, name="x").artifacts[0].requires, opening.offers) is (more == 0)
