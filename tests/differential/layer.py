"""The Khronos validation layer as a judge: may this module become a compute pipeline on a device opened with these features?"""

from __future__ import annotations

import ctypes
import re

import pytest
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers.vulkan import validation
from targetenv_runtime.drivers.vulkan.block import block, blocks, pointers
from targetenv_runtime.drivers.vulkan.compute import VulkanBackend
from targetenv_runtime.status import Code, HalError

from targetenv.registry import vulkan_abi as abi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from targetenv_runtime.device import Device
    from targetenv_runtime.drivers.vulkan.block import Block, Value

REFUSES = 1  # VK_TRUE: the call that the layer complains about does not reach the driver, which may crash on it


class Judge:
    """One device under the layer. `complaints` are what the layer said about the last module, as names of rules."""

    def __init__(self, device: Device, told: list[str]) -> None:
        assert isinstance(device.backend, VulkanBackend)
        self.device = device
        self.native = device.backend.device
        self.told = told
        self.complaints: tuple[str, ...] = ()

    def accepts(self, image: bytes, *, bindings: Sequence[tuple[str, int]] = (), constants: int = 0) -> bool:
        """Whether the layer lets this module, with these descriptors (type and count) in set 0, become a pipeline."""
        self.told.clear()
        made: list[tuple[str, ctypes.c_uint64]] = []
        try:
            self._pipeline(image, bindings, constants, made)
        except HalError:
            if not self.told:  # the driver refuses what the layer takes
                raise
        finally:
            for destroyer, handle in reversed(made):
                self.native.destroyer(destroyer)(handle)
        said = [text for text in self.told if text.startswith("error")]
        self.complaints = tuple(re.findall(r"\b(?:VUID|UNASSIGNED)-[\w-]+", "\n".join(said)))
        return not said

    def _pipeline(
        self, image: bytes, bindings: Sequence[tuple[str, int]], constants: int, made: list[tuple[str, ctypes.c_uint64]]
    ) -> None:
        def create(what: str, info: Block) -> ctypes.c_uint64:
            made.append((f"vkDestroy{what}", self.native.create(f"vkCreate{what}", info.buffer)))
            return made[-1][1]

        stage = abi.constant("VK_SHADER_STAGE_COMPUTE_BIT")
        rows: list[dict[str, Value]] = [
            {"binding": at, "descriptorType": abi.constant(kind), "descriptorCount": count, "stageFlags": stage}
            for at, (kind, count) in enumerate(bindings)
        ]
        array = blocks("VkDescriptorSetLayoutBinding", rows) if rows else None
        info = block("VkDescriptorSetLayoutCreateInfo", bindingCount=len(rows), pBindings=array)
        in_set = create("DescriptorSetLayout", info)
        pushed = block("VkPushConstantRange", stageFlags=stage, size=constants)
        info = block(
            "VkPipelineLayoutCreateInfo",
            setLayoutCount=1,
            pSetLayouts=pointers([in_set.value]),
            pushConstantRangeCount=1 if constants else 0,
            pPushConstantRanges=pushed if constants else None,
        )
        layout = create("PipelineLayout", info)
        shader = create("ShaderModule", block("VkShaderModuleCreateInfo", codeSize=len(image), pCode=image))
        entry = block("VkPipelineShaderStageCreateInfo", stage=stage, module=shader.value, pName="main")
        info = block("VkComputePipelineCreateInfo", stage=entry, layout=layout.value, basePipelineIndex=-1)
        handle = ctypes.c_uint64()
        call = self.native.call("vkCreateComputePipelines")
        result = call(self.native.handle, ctypes.c_uint64(0), 1, info.buffer, None, ctypes.byref(handle))
        self.native.check("vkCreateComputePipelines", result)
        made.append(("vkDestroyPipeline", handle))


def judge(
    monkeypatch: pytest.MonkeyPatch,
    required_drivers: frozenset[str],
    *,
    features: Collection[str],
    extensions: Collection[str],
) -> Judge:
    """The layer over the first Vulkan device with exactly these features; a visible skip where there is no layer."""
    hear = validation.Messages._hear
    refusing = False
    told: list[str] = []

    def refuse(self: validation.Messages, severity: int, kind: int, data: int, user: int) -> int:
        hear(self, severity, kind, data, user)
        told.append(self.told[-1])
        return REFUSES if refusing else 0

    monkeypatch.setattr(validation.Messages, "_hear", refuse)
    try:
        device = open_device("vulkan://0", validation=True, features=features, extensions=extensions)
    except HalError as error:
        if error.status is Code.UNAVAILABLE and "vulkan" not in required_drivers:
            pytest.skip(error.message)
        raise
    refusing = True
    return Judge(device, told)
