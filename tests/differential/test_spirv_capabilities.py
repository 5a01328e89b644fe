"""Our reader against spirv-val and spirv-dis over every capability that glslang can be made to emit, decision by decision."""

from __future__ import annotations

import re
import struct
import subprocess
from functools import cache
from pathlib import Path

import pytest

from targetenv.artifacts import inspect
from targetenv.match import check
from targetenv.model.capabilities import Capabilities
from targetenv.model.requirement import NeedsCapability, NeedsVersion
from targetenv.model.verdict import Outcome
from targetenv.model.version import Version
from targetenv.registry import spirv
from tests.differential.capability_shaders import SHADERS, UNDECLARED, Shader
from tests.differential.test_spirv_tools import assert_same, disassembled, tool

pytestmark = pytest.mark.differential

BY_NAME = {shader.capability: shader for shader in SHADERS}
ENVIRONMENTS = ("1.0", "1.1", "1.2", "1.3")
# (shader, dropped capability) -> why spirv-val 2023.1 refuses what is left and we do not warn of it. What the device must offer
# is required all the same where it says so.
NOT_CLAIMED = {
    ("StorageBuffer8BitAccess", "Int8"): "arithmetic on numbers that may only be stored: a rule about the module alone",
    ("UniformAndStorageBuffer8BitAccess", "Int8"): "the same",
    ("StoragePushConstant8", "Int8"): "the same",
    ("WorkgroupMemoryExplicitLayout8BitAccessKHR", "Int8"): "the same",
    ("AtomicFloat16AddEXT", "Float16"): "the same, for constants",
    ("AtomicFloat16MinMaxEXT", "Float16"): "the same, for constants",
    ("StorageImageReadWithoutFormat", "StorageImageReadWithoutFormat"): "the capability is required, without a warning",
    ("StorageImageWriteWithoutFormat", "StorageImageWriteWithoutFormat"): "the capability is required, without a warning",
    ("VulkanMemoryModelDeviceScope", "VulkanMemoryModelDeviceScope"): "the feature is required, without a warning",
    ("InterpolationFunction", "InterpolationFunction"): "an extended instruction, of fragment shaders",
    ("Int64ImageEXT", "Int64"): "grammar 1.6 revision 7 has Int64ImageEXT declare Int64",
    ("ComputeDerivativeGroupLinearNV", "Shader"): "grammar 1.6 revision 7 has it declare Shader",
    ("ComputeDerivativeGroupQuadsNV", "Shader"): "the same",
}
# The other way round: spirv-val takes what is left, and we warn.
NOT_CHECKED_THERE = {
    ("SampledCubeArray", "SampledCubeArray"): "SPIR-V 3.31: cube arrays with a sampler; spirv-val 2023.1 does not look",
    (
        "ImageMSArray",
        "ImageMSArray",
    ): "SPIR-V 3.31: multisampled, arrayed, without a sampler; nor there",
    ("Int64ImageEXT", "Shader"): "until grammar revision 7 it declared Shader",
    ("ShaderClockKHR", "Shader"): "the same",
    ("IntegerFunctions2INTEL", "Shader"): "the same",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("capabilities")


@cache
def compiled(shader: Shader, folder: Path) -> bytes:
    source, out = (folder / f"{shader.capability}.{ending}" for ending in (shader.stage, "spv"))
    source.write_text(shader.source, encoding="utf-8")
    command = [tool("glslangValidator"), "-V", "--target-env", f"vulkan{shader.environment}", str(source), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return out.read_bytes()


def complaint(data: bytes, environment: str) -> str:
    """What spirv-val says, empty where it takes the module."""
    command = [tool("spirv-val"), "--target-env", f"vulkan{environment}", "-"]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    return done.stderr.decode() if done.returncode else ""


def warned(data: bytes) -> bool:
    """Whether we say that something is used and not declared."""
    return "TE4108" in {diagnostic.code for diagnostic in inspect(data, name="x").diagnostics}


def without_each(data: bytes) -> dict[str, bytes]:
    """The module with each of its capabilities left out."""
    words = struct.unpack(f"<{len(data) // 4}I", data)
    found = {}
    at = 5
    while words[at] & 0xFFFF == spirv.opcodes()["OpCapability"]:
        name = spirv.capability_by_number(words[at + 1])
        assert name is not None
        found[name] = data[: 4 * at] + data[4 * at + 8 :]
        at += 2
    return found


def test_there_are_at_least_sixty_capabilities() -> None:
    assert len({spirv.canonical_capability(name) for name in BY_NAME}) > 95
    assert None not in {spirv.canonical_capability(name) for name in BY_NAME}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_shader_has_its_capability_and_reads_as_the_tools_read_it(name: str, folder: Path) -> None:
    data = compiled(BY_NAME[name], folder)
    found = inspect(data, name=name)
    declared = {need.name for need in found.artifacts[0].requires if isinstance(need, NeedsCapability)}
    assert spirv.canonical_capability(name) in declared
    text = disassembled(data)
    if BY_NAME[name].stage == "comp":
        assert_same(found, text)
    assert {spirv.canonical_capability(one) for one in re.findall(r"OpCapability (\w+)", text)} <= declared
    assert complaint(data, BY_NAME[name].environment) == ""
    assert not warned(data)


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_version_of_vulkan_takes_the_module_s_version_exactly_when_spirv_val_does(name: str, folder: Path) -> None:
    data = compiled(BY_NAME[name], folder)
    (need,) = (need for need in inspect(data, name=name).artifacts[0].requires if isinstance(need, NeedsVersion))
    for environment in ENVIRONMENTS:
        ours = check(need, Capabilities("vulkan", Version.parse(environment))).outcome
        refused = "Invalid SPIR-V binary version" in complaint(data, environment)
        assert ours is (Outcome.UNSATISFIED if refused else Outcome.SATISFIED), environment


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_capability_that_is_left_out_is_missed_by_both(name: str, folder: Path) -> None:
    shader = BY_NAME[name]
    for dropped, data in without_each(compiled(shader, folder)).items():
        theirs, ours = complaint(data, shader.environment), warned(data)
        if (name, dropped) in NOT_CLAIMED:
            assert theirs, dropped
            assert not ours, dropped
        elif (name, dropped) in NOT_CHECKED_THERE:
            assert not theirs, dropped
            assert ours, dropped
        else:
            assert bool(theirs) is ours, (dropped, theirs)


def test_what_glslang_forgets_to_declare_is_seen_by_both(folder: Path) -> None:
    data = compiled(UNDECLARED, folder)
    assert "requires one of these capabilities" in complaint(data, "1.0")
    assert warned(data)
    assert NeedsCapability("GeometryStreams") in inspect(data, name="x").artifacts[0].requires
