"""Kernels that take the addresses of their buffers: BdaRawSpirvTest of IREE's suite, and what a module may not say."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack

import pytest
from targetenv_runtime.buffer import Buffer, BufferRef
from targetenv_runtime.device import Device
from targetenv_runtime.drivers.vulkan.module import Module
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel
from tests.unit.runtime_vulkan.kernels import WORDS, filled, numbers, step, words

ADD = """
#version 450
#extension GL_EXT_buffer_reference : require
layout(local_size_x = 64) in;
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer X { uint x[]; };
layout(buffer_reference, std430, buffer_reference_align = 4) buffer Y { uint y[]; };
layout(push_constant) uniform Pushed { X x; Y y; uint step; };
void main() { y.y[gl_GlobalInvocationID.x] = x.x[gl_GlobalInvocationID.x] + step; }
"""
HEADER = """
OpCapability Shader
OpCapability PhysicalStorageBufferAddresses
OpExtension "SPV_KHR_physical_storage_buffer"
OpMemoryModel PhysicalStorageBuffer64 GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionMode %main LocalSize 1 1 1
"""
BODY = """
%void = OpTypeVoid
%fn = OpTypeFunction %void
%main = OpFunction %void None %fn
%label = OpLabel
OpReturn
OpFunctionEnd
"""
POINTER = """
OpDecorate %words Block
OpMemberDecorate %words 0 Offset 0
OpDecorate %many ArrayStride 4
%uint = OpTypeInt 32 0
%many = OpTypeRuntimeArray %uint
%words = OpTypeStruct %many
%pointer = OpTypePointer PhysicalStorageBuffer %words
"""
PUSHED = """
%block = OpTypeStruct %pointer %uint
%where = OpTypePointer PushConstant %block
%pushed = OpVariable %where PushConstant
"""
Compile = Callable[..., bytes]


def refused(image: bytes, status: Code = Code.INVALID_ARGUMENT) -> str:
    with pytest.raises(HalError) as caught:
        Module(image)
    assert caught.value.status is status
    return caught.value.message


def test_the_module_says_how_many_addresses_it_takes(glslc: Compile) -> None:
    module = Module(glslc(ADD, "vulkan1.2"))
    assert (module.addresses, module.bindings) == (2, 0)


def test_a_kernel_nobody_described_is_read_from_the_module_and_computes(device: Device, glslc: Compile) -> None:
    add = device.load(glslc(ADD, "vulkan1.2"), "spirv", [Kernel("main")])["main"]
    assert add.bindings == 2
    x, y = filled(device, numbers(2 * WORDS)), filled(device, bytes(4 * WORDS))
    add.run((1, 1, 1), [x[4 * WORDS :], y], step(7))
    assert words(y.read()) == tuple(range(WORDS + 7, 2 * WORDS + 7))


def test_binding_length_count_and_constants_are_checked(device: Device, glslc: Compile) -> None:
    """QueueDispatchRejectsRawBdaMetadataBindingMismatch, ...BindingLength, QueueDispatchUsesRawBdaMetadataConstantCount."""
    kernel = Kernel("add", (64, 1, 1), 2, 4, entry_point="main", least=(256, 256))
    add = device.load(glslc(ADD, "vulkan1.2"), "spirv", [kernel])["add"]
    x = filled(device, numbers())
    cases: list[tuple[list[Buffer | BufferRef], bytes, Code]] = [
        ([x], step(1), Code.INVALID_ARGUMENT),
        ([x, x[0:128]], step(1), Code.OUT_OF_RANGE),
        ([x, x], b"", Code.INVALID_ARGUMENT),
    ]
    for bindings, constants, status in cases:
        for call in (add.run, add.bind):
            with pytest.raises(HalError) as caught:
                call((1,), bindings, constants)
            assert caught.value.status is status


def test_more_buffers_than_pointers_are_refused(device: Device, glslc: Compile) -> None:
    with pytest.raises(HalError) as caught:
        device.load(glslc(ADD, "vulkan1.2"), "spirv", [Kernel("main", (64, 1, 1), 3, 4)])
    assert caught.value.status is Code.INVALID_ARGUMENT


def test_addresses_and_constants_must_fit_the_push_constants(device: Device, glslc: Compile) -> None:
    with pytest.raises(HalError) as caught:
        device.load(glslc(ADD, "vulkan1.2"), "spirv", [Kernel("main", (64, 1, 1), 2, 4096)])
    assert caught.value.status is Code.FAILED_PRECONDITION
    assert "for addresses" in caught.value.message


def test_a_device_opened_without_addresses_refuses_the_module(opening: Callable[..., Device], glslc: Compile) -> None:
    device = opening(features=())
    with pytest.raises(HalError) as caught:
        device.load(glslc(ADD, "vulkan1.2"), "spirv", [Kernel("main")])
    assert caught.value.status is Code.FAILED_PRECONDITION
    assert "PhysicalStorageBufferAddresses" in caught.value.message


class TestWhatAModuleMayNotSay:
    """The Prepare... cases."""

    def test_descriptors_beside_addresses(self, assemble: Callable[[str], bytes]) -> None:
        """PrepareRejectsDescriptorDecoratedRawBdaSpirv and ...WithDescriptorVariable."""
        descriptor = """
        %held = OpTypePointer StorageBuffer %words
        %variable = OpVariable %held StorageBuffer
        """
        decorated = "OpDecorate %variable DescriptorSet 0\nOpDecorate %variable Binding 0\n"
        assert Module(assemble(HEADER + POINTER + PUSHED + BODY)).addresses == 1
        assert "both" in refused(assemble(HEADER + decorated + POINTER + PUSHED + descriptor + BODY))

    def test_addresses_without_their_capability(self, assemble: Callable[[str], bytes]) -> None:
        """PrepareRejectsRawBdaSpirvWithoutPhysicalStorageBufferAddresses."""
        text = (HEADER + POINTER + PUSHED + BODY).replace("OpCapability PhysicalStorageBufferAddresses", "")
        assert "PhysicalStorageBufferAddresses" in refused(assemble(text))

    def test_no_compute_entry_point(self, assemble: Callable[[str], bytes]) -> None:
        """PrepareRejectsRawBdaSpirvWithoutComputeEntryPoints."""
        text = (HEADER + BODY).replace("GLCompute", "Vertex").replace("OpExecutionMode %main LocalSize 1 1 1", "")
        assert "no compute entry point" in refused(assemble(text))

    def test_two_entry_points_of_one_name(self, assemble: Callable[[str], bytes]) -> None:
        """PrepareRejectsRawBdaSpirvWithDuplicateEntryNames."""
        entry = 'OpEntryPoint GLCompute %main "main"'
        assert "two compute entry points" in refused(assemble((HEADER + BODY).replace(entry, f"{entry}\n{entry}")))

    def test_a_workgroup_of_two_dimensions(self, assemble: Callable[[str], bytes]) -> None:
        """PrepareRejectsRawBdaSpirvWithTruncatedLocalSize."""
        image = assemble(HEADER + BODY)
        whole = pack("<6I", 6 << 16 | 16, 0, 17, 1, 1, 1)
        at = next(
            at for at in range(0, len(image), 4) if image[at : at + 4] == whole[:4] and image[at + 8 : at + 24] == whole[8:]
        )
        cut = image[:at] + pack("<I", 5 << 16 | 16) + image[at + 4 : at + 20] + image[at + 24 :]
        assert "2 dimensions" in refused(cut)

    def test_no_pointers_for_its_buffers(self, device: Device, assemble: Callable[[str], bytes]) -> None:
        """PrepareRejectsRawBdaSpirvWithoutPushConstantRoot."""
        image = assemble(HEADER + BODY)
        with pytest.raises(HalError) as caught:
            device.load(image, "spirv", [Kernel("main", (1, 1, 1), 1, 0)])
        assert caught.value.status is Code.INVALID_ARGUMENT
        device.load(image, "spirv", [Kernel("main", (1, 1, 1), 0, 0)])
