"""What the driver has written down by hand, against the registry."""

from __future__ import annotations

import pytest
from targetenv_runtime.drivers.vulkan import features, module, pipeline
from targetenv_runtime.drivers.vulkan.status import CODES, SUCCESSES, check, failure
from targetenv_runtime.status import Code, HalError

from targetenv.registry import spirv
from targetenv.registry import vulkan as registry
from targetenv.registry import vulkan_abi as abi
from targetenv.registry._generated import spirv_enables
from targetenv.registry.rows import keys, row
from targetenv.registry.vulkan_device import driver_version
from targetenv.registry.vulkan_words import flags, words

# Features behind which a SPIR-V capability stands, and with which a compute device is not opened: stages other than compute,
# ray tracing, images that the kernels of this runtime cannot bind, and things that cost everybody else.
GRAPHICS = """
    ClusterAccelerationStructure ClusterCulling DataGraph DescriptorHeap Fragment ImageProcessing Multiview OpacityMicromap
    PushConstantBank RayQuery RayTracing ShaderAbort ShaderDrawParameters ShaderEnqueue ShaderImageAtomicInt64
    ShaderImageFootprint ShaderMultipleWaitQueues ShaderTileImage ShadingRateImage Tensor TileShading TransformFeedback
""".split()
UNUSED = {
    "VkPhysicalDeviceBufferDeviceAddressFeaturesEXT::bufferDeviceAddress",
    "VkPhysicalDeviceDescriptorIndexingFeatures::shaderInputAttachmentArrayDynamicIndexing",
    "VkPhysicalDeviceDescriptorIndexingFeatures::shaderInputAttachmentArrayNonUniformIndexing",
    "VkPhysicalDeviceVulkan12Features::shaderOutputLayer",
    "VkPhysicalDeviceVulkan12Features::shaderOutputViewportIndex",
    *(
        f"VkPhysicalDeviceFeatures::{member}"
        for member in """
            geometryShader imageCubeArray multiViewport sampleRateShading shaderClipDistance shaderCullDistance
            shaderImageGatherExtended shaderResourceMinLod shaderResourceResidency shaderStorageImageMultisample
            shaderTessellationAndGeometryPointSize tessellationShader
        """.split()
    ),
}


def behind_capabilities() -> set[str]:
    """Every feature that the registry names as a condition of a SPIR-V capability or extension."""
    found: set[str] = set()
    for table in (spirv_enables.CAPABILITIES, spirv_enables.EXTENSIONS):
        for name in keys(table):
            for condition in (row(table, name) or "").split(" "):
                kind, *rest = condition.split(";")
                if kind == "f":
                    found.update(rest[0].split(","))
    return found


def test_every_result_of_the_registry_has_a_code() -> None:
    names = set(abi.enum_names("VkResult").values())
    assert names == CODES.keys() | SUCCESSES
    assert not CODES.keys() & SUCCESSES


def test_every_failure_is_an_error_and_no_success_is() -> None:
    for value, name in abi.enum_names("VkResult").items():
        if value < 0:
            with pytest.raises(HalError) as caught:
                check("vkSomething", value)
            assert (caught.value.status, caught.value.native) == (CODES[name], (value, name))
        else:
            check("vkSomething", value)


def test_an_unknown_result_is_told_with_its_number() -> None:
    error = failure("vkSomething", -1234567)
    assert error.status is Code.UNKNOWN
    assert "-1234567" in error.message


def test_names_of_features_and_extensions_are_the_registrys() -> None:
    known = set(registry.feature_names())
    assert known >= features.MEMBERS
    assert known >= features.NEEDED
    assert {name.partition("::")[0] for name in known} >= features.STRUCTS
    assert registry.extension_names() >= features.EXTENSIONS


def test_every_feature_behind_a_capability_is_either_for_compute_or_left_out_on_purpose() -> None:
    def left_out(name: str) -> bool:
        return name in UNUSED or any(name.startswith(f"VkPhysicalDevice{kind}") for kind in GRAPHICS)

    for name in sorted(behind_capabilities()):
        assert features.for_compute(name) != left_out(name), name


def test_features_that_cost_are_not_enabled_by_default() -> None:
    for name in registry.feature_names():
        member = name.partition("::")[2]
        if any(word in member for word in ("obust", "protected", "CaptureReplay", "sparse", "nullDescriptor")):
            assert not features.for_compute(name), name


def test_numbers_of_the_binary_form_are_the_grammars() -> None:
    opcodes = spirv.opcodes()
    assert opcodes["OpEntryPoint"] == module.OP_ENTRY_POINT
    assert opcodes["OpExecutionMode"] == module.OP_EXECUTION_MODE
    assert opcodes["OpExecutionModeId"] == module.OP_EXECUTION_MODE_ID
    assert opcodes["OpCapability"] == module.OP_CAPABILITY
    assert opcodes["OpDecorate"] == module.OP_DECORATE
    assert opcodes["OpFunction"] == module.OP_FUNCTION
    assert opcodes["OpFunctionEnd"] == module.OP_FUNCTION_END
    assert {spirv.capability_by_number(number) for number in pipeline._PLAIN} == {"Matrix", "Shader"}
    assert spirv.enumerant_values("ExecutionModel")["GLCompute"] == module.MODEL_GL_COMPUTE
    assert spirv.enumerant_values("ExecutionMode")["LocalSize"] == module.MODE_LOCAL_SIZE
    assert spirv.enumerant_values("ExecutionMode")["LocalSizeId"] == module.MODE_LOCAL_SIZE_ID
    assert spirv.enumerant_values("Decoration")["Binding"] == module.DECORATION_BINDING
    assert spirv.enumerant_values("Decoration")["DescriptorSet"] == module.DECORATION_DESCRIPTOR_SET
    assert spirv.MAGIC == module.MAGIC


def test_words_are_the_registrys_without_what_all_share() -> None:
    assert flags("VkQueueFlagBits", 0b111) == "graphics | compute | transfer"
    assert flags("VkQueueFlagBits", 0) == "no flags"
    assert flags("VkQueueFlagBits", 2 | 1 << 30) == "compute | 0x40000000"
    assert flags("VkMemoryHeapFlagBits", 1) == "device-local"
    assert words("VkPhysicalDeviceType", 2) == "discrete-gpu"
    assert words("VkDriverId", 4) == "nvidia-proprietary"
    assert words("VkDriverId", 12345) == "12345"


def test_driver_versions_are_read_as_their_vendor_writes_them() -> None:
    def version(vendor: int, packed: int) -> str:
        names = ("vendorID", "driverVersion")
        return driver_version(
            {f"VkPhysicalDeviceProperties::{name}": value for name, value in zip(names, (vendor, packed), strict=True)}
        )

    assert version(0x10DE, 550 << 22 | 54 << 14 | 15 << 6) == "550.54.15.00"
    assert version(0x1002, 22 << 22 | 3 << 12 | 6) == "22.3.6"
