"""A device that is opened with the enable list of a kernel runs it, and the validation layer misses whatever is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from targetenv_runtime.device import Device, open_device
from targetenv_runtime.drivers.vulkan import compute
from targetenv_runtime.drivers.vulkan.device import Plan
from targetenv_runtime.drivers.vulkan.pipeline import Pipelines
from targetenv_runtime.status import HalError

import targetenv as te
from targetenv.artifacts.spirv import inspect_spirv
from targetenv.match.enabling import EnableList
from targetenv.model.artifact import Artifact
from targetenv.model.device import Device as DeviceInfo
from targetenv.resolve import resolve
from targetenv.wire.package import Binding, Package, PackagedKernel, Variant, pack_package
from tests.unit.runtime_vulkan.kernels import WORDS, backend_of, filled, words

HEAD = "#version 450\n{extensions}\nlayout(local_size_x = 64) in;\n#define AT gl_GlobalInvocationID.x\n"
BUFFER = "layout(set = 0, binding = 0, {layout}) buffer X {{ {type} x[]; }};\nvoid main() {{ {body} }}\n"
KERNELS = {  # name -> target, GLSL extensions, type of the elements, body, what the first word becomes
    "plain": ("vulkan1.0", "", "uint", "x[AT] += 7u;", 7),
    "int64": ("vulkan1.0", "arithmetic_types_int64", "uint", "x[AT] = uint((uint64_t(x[AT] + 3u) << 33) >> 32);", 6),
    "float64": ("vulkan1.0", "arithmetic_types_float64", "uint", "x[AT] = uint(float64_t(x[AT]) + 5.5lf);", 5),
    "float16": ("vulkan1.1", "arithmetic_types_float16", "uint", "x[AT] = uint(float16_t(x[AT]) + 2.0hf);", 2),
    "storage16": ("vulkan1.1", "arithmetic_types_int16 16bit_storage", "uint16_t", "x[AT] += uint16_t(2);", 0x20002),
    "storage8": ("vulkan1.1", "arithmetic_types_int8 8bit_storage", "uint8_t", "x[AT] += uint8_t(1);", 0x01010101),
    "atomic_float": ("vulkan1.1", "atomic_float", "float", "atomicAdd(x[0], 1.0);", 0x42800000),
    "scalar": ("vulkan1.1", "scalar_block_layout", "vec3", "if (AT < 20) x[AT] += vec3(1);", 0x3F800000),
    "modern": ("vulkan1.3", "arithmetic_types_int64 memory", "uint", "uint64_t v = x[AT] + 4u; x[AT] = uint(v);", 4),
}
SPELT = {
    "scalar_block_layout": "#extension GL_EXT_scalar_block_layout : require",
    "atomic_float": "#extension GL_EXT_shader_atomic_float : require",
    "memory": "#extension GL_KHR_memory_scope_semantics : require\n#pragma use_vulkan_memory_model",
    "16bit_storage": "#extension GL_EXT_shader_16bit_storage : require",
    "8bit_storage": "#extension GL_EXT_shader_8bit_storage : require",
}


@pytest.fixture
def artifact(glslc: Callable[..., bytes]) -> Callable[[str], tuple[bytes, Artifact]]:
    """Compiles one of `KERNELS` and reads what it requires."""

    def made(name: str) -> tuple[bytes, Artifact]:
        target, wanted, kind, body, _ = KERNELS[name]
        layout = name if name == "scalar" else "std430"
        lines = [SPELT.get(word, f"#extension GL_EXT_shader_explicit_{word} : require") for word in wanted.split()]
        source = HEAD.format(extensions="\n".join(lines)) + BUFFER.format(layout=layout, type=kind, body=body)
        image = glslc(source, target)
        (found,) = inspect_spirv(image, name=name, digest=sha256(image).hexdigest()).artifacts
        return image, found

    return made


@pytest.fixture
def info(required_drivers: frozenset[str]) -> DeviceInfo:
    """The first Vulkan device."""
    try:
        with open_device("vulkan://0") as device:
            return device.info
    except HalError as error:
        if "vulkan" not in required_drivers:
            pytest.skip(error.message)
        raise


def chosen(artifacts: list[Artifact], info: DeviceInfo) -> EnableList:
    """The list that the resolution has for kernels with one variant each."""
    return resolve({artifact.name: [artifact] for artifact in artifacts}, [info]).enables(info.uri)


def run(device: Device, image: bytes, artifact: Artifact) -> int:
    """The first word after one run over zeros."""
    x = filled(device, bytes(4 * WORDS))
    function = device.load(image, "spirv", artifact.kernels)[artifact.kernels[0].name]
    function.run((1,), [x])
    return words(x.read())[0]


@pytest.mark.parametrize("name", KERNELS)
def test_a_device_opened_with_just_the_list_runs_the_kernel_in_silence(
    name: str, artifact: Callable[[str], tuple[bytes, Artifact]], info: DeviceInfo, opening: Callable[..., Device]
) -> None:
    image, found = artifact(name)
    listed = chosen([found], info)
    device = opening(enables=listed)
    features, extensions = backend_of(device).enabled
    assert features == {*listed.feature_names, "VkPhysicalDeviceTimelineSemaphoreFeatures::timelineSemaphore"}
    assert extensions == set(listed.extension_names)
    assert run(device, image, found) == KERNELS[name][-1]


def test_the_list_of_several_kernels_is_one(
    artifact: Callable[[str], tuple[bytes, Artifact]], info: DeviceInfo, opening: Callable[..., Device]
) -> None:
    made = {name: artifact(name) for name in KERNELS}
    together = chosen([found for _, found in made.values()], info)
    for _, found in made.values():
        alone = chosen([found], info)
        assert set(alone.feature_names) <= set(together.feature_names)
    device = opening(enables=lambda _: together)
    for name, (image, found) in made.items():
        assert run(device, image, found) == KERNELS[name][-1]


def test_a_package_is_loaded_on_a_device_that_is_opened_with_the_list(
    artifact: Callable[[str], tuple[bytes, Artifact]], info: DeviceInfo, tmp_path: Path
) -> None:
    names = ("int64", "storage8")
    made = {name: artifact(name) for name in names}
    kernels = tuple(PackagedKernel(name, (), (Binding("x", "u32"),), ("x.size",)) for name in names)
    variants = tuple(
        Variant("v", name, "spirv", found.kernels[0].name, f"{name}.spv", len(image), found.digest, found.requires)
        for name, (image, found) in made.items()
    )
    path = tmp_path / "k.tenv"
    path.write_bytes(
        pack_package(Package("k", "1", kernels, variants), {f"{name}.spv": image for name, (image, _) in made.items()})
    )
    for wanted in ([], ["int64"]):
        with te.load(path, device=info.uri, kernels=wanted or None) as program:
            listed = program.resolution.enables(info.uri)
            features, _ = backend_of(program.device).enabled
            assert features == {*listed.feature_names, "VkPhysicalDeviceTimelineSemaphoreFeatures::timelineSemaphore"}
            assert ("storageBuffer8BitAccess" in str(features)) is not bool(wanted)
            x = program["int64"](np.zeros(WORDS, np.uint32))
            assert (x == KERNELS["int64"][-1]).all()


def test_a_device_opened_without_a_list_is_opened_as_ever(opening: Callable[..., Device]) -> None:
    features, _ = backend_of(opening()).enabled
    assert "VkPhysicalDeviceFeatures::shaderInt64" in features


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[str, ...]]]:
    """Runs a kernel with one entry of its list left out, past our own checks; gives what the validation layer says."""
    monkeypatch.setattr(Pipelines, "_require_capabilities", lambda *_: None)
    monkeypatch.setattr(Pipelines, "_check", lambda *_: None)

    def without(left_out: str, listed: EnableList, image: bytes, found: Artifact) -> tuple[str, ...]:
        class Lacking(Plan):
            """The driver brings the extension of a feature along by itself: here it does not."""

            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self.extensions = [name for name in self.extensions if name != left_out]

        monkeypatch.setattr(compute, "Plan", Lacking)
        features = [name for name in listed.feature_names if name != left_out]
        extensions = [name for name in listed.extension_names if name != left_out]
        device = open_device("vulkan://0", validation=True, features=features, extensions=extensions)
        # The layer keeps in a file which modules it found valid, and looks no second time: with another generator it looks.
        image = image[:8] + b"left" + image[12:]
        try:
            run(device, image, found)
        finally:
            device.close()
        return backend_of(device).validation_messages

    return without  # type: ignore[return-value]


@pytest.mark.parametrize("name", [name for name in KERNELS if name != "plain"])
def test_whatever_is_left_out_of_the_list_the_validation_layer_misses(
    name: str,
    artifact: Callable[[str], tuple[bytes, Artifact]],
    info: DeviceInfo,
    unguarded: Callable[..., tuple[str, ...]],
    opening: Callable[..., Device],
) -> None:
    opening().close()  # skips where the layer is not installed
    image, found = artifact(name)
    listed = chosen([found], info)
    entries = [*listed.feature_names, *listed.extension_names]
    assert entries
    silent = [entry for entry in entries if not unguarded(entry, listed, image, found)]
    assert silent == []
