"""Kernels as compute pipelines: descriptor set 0 has storage buffer i as binding i, constants are push constants.

A module whose push constants begin with pointers takes its buffers by their addresses there, and has no descriptors.
"""

from __future__ import annotations

import ctypes
from threading import Lock

from targetenv.model.capabilities import Capabilities, Property
from targetenv.model.record import replace
from targetenv.registry import vulkan_abi as abi
from targetenv_runtime.drivers.vulkan.block import block, blocks, pointers
from targetenv_runtime.drivers.vulkan.module import CAPABILITY_ADDRESSES, Module
from targetenv_runtime.status import Code, HalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from targetenv.model.artifact import Kernel
    from targetenv_runtime.drivers.vulkan.block import Block, Value
    from targetenv_runtime.drivers.vulkan.device import LogicalDevice

_PLAIN = {0, 1}  # Matrix and Shader, which every Vulkan device takes
_CONTROL = "VkPhysicalDeviceSubgroupSizeControl"
_ADDRESS = 8  # bytes


class Pipeline:
    """One kernel, ready to be dispatched. Equal layouts are one object; `set_key` is the handle of its set's layout.

    An `addressed` one is given the addresses of its buffers.
    """

    __slots__ = ("addressed", "handle", "layout", "set_key")

    def __init__(
        self, handle: ctypes.c_uint64, layout: ctypes.c_uint64, set_layout: ctypes.c_uint64, *, addressed: bool
    ) -> None:
        self.handle = handle
        self.layout = layout
        self.set_key = set_layout.value
        self.addressed = addressed


class Pipelines:
    """Makes pipelines, and keeps the layouts that they share until the device closes."""

    def __init__(self, device: LogicalDevice) -> None:
        self.device = device
        self._lock = Lock()
        self._sets: dict[int, ctypes.c_uint64] = {}
        self._layouts: dict[tuple[int, int], ctypes.c_uint64] = {}
        self._destroy = device.destroyer("vkDestroyPipeline")

    def load(self, image: bytes | memoryview, kernels: Sequence[Kernel]) -> tuple[list[Kernel], list[Pipeline]]:
        """One pipeline for each kernel, and the kernels with what the module says about them where nobody said it."""
        module = Module(image)
        self._require_capabilities(module)
        asked = [replace(kernel, bindings=self._bindings(module, kernel)) for kernel in kernels]
        identifiers = [module.entry_point(kernel.entry_point or kernel.name) for kernel in asked]
        for kernel, identifier in zip(asked, identifiers, strict=True):
            self._check(module, kernel, identifier)
        info = block("VkShaderModuleCreateInfo", codeSize=module.words.nbytes, pCode=module.words.tobytes())
        shader = self.device.create("vkCreateShaderModule", info.buffer)
        made: list[Pipeline] = []
        try:
            for kernel in asked:
                made.append(self._pipeline(shader, kernel, addressed=bool(module.addresses)))  # noqa: PERF401  what was made is needed when one fails
        except HalError:
            self.release(made)
            raise
        finally:
            self.device.destroyer("vkDestroyShaderModule")(shader)
        return asked, made

    def release(self, pipelines: Sequence[Pipeline]) -> None:
        """Destroy pipelines; their layouts stay."""
        for pipeline in pipelines:
            self._destroy(pipeline.handle)

    def close(self) -> None:
        """Destroy the layouts; every pipeline must be gone."""
        for layout in self._layouts.values():
            self.device.destroyer("vkDestroyPipelineLayout")(layout)
        for layout in self._sets.values():
            self.device.destroyer("vkDestroyDescriptorSetLayout")(layout)

    def _require_capabilities(self, module: Module) -> None:
        """What a module declares must be enabled: a driver may take it all the same, and crash or compute something else.

        Numbers that the registry does not know are left to the driver, which may be newer.
        """
        unusual = module.capabilities - _PLAIN
        if not unusual:
            return
        from targetenv.registry.spirv import capability_by_number  # tables that plain modules need not load
        from targetenv.registry.spirv_environment import support

        plan = self.device.plan
        rows = (Property(name, value) for name, value in sorted(plan.values.items()))
        extensions = frozenset(plan.extensions)
        spirv = support(
            Capabilities("vulkan", plan.version, extensions=extensions, features=plan.features, properties=tuple(rows))
        )
        for number in sorted(unusual):
            name = capability_by_number(number)
            if name is not None and spirv.holds(name) is False:
                raise HalError(
                    Code.FAILED_PRECONDITION,
                    f"the module declares the capability `{name}`, which the device was not opened with",
                    notes=tuple(f"it would need {condition.text}" for condition in spirv.why(name)),
                )

    def _bindings(self, module: Module, kernel: Kernel) -> int:
        bindings = (module.addresses or module.bindings) if kernel.bindings is None else kernel.bindings
        if CAPABILITY_ADDRESSES in module.capabilities and not module.bindings:
            if module.addresses < bindings:
                raise HalError(
                    Code.INVALID_ARGUMENT,
                    f"`{kernel.name}` takes {bindings} buffers, and its push constants begin with {module.addresses} pointers",
                    help="let the push constants begin with one pointer for each buffer",
                )
            return bindings
        most = self.device.plan.limit("maxPerStageDescriptorStorageBuffers")
        if bindings > most:
            raise _refused(kernel, f"{bindings} storage buffers", f"has at most {most}")
        return bindings

    def _check(self, module: Module, kernel: Kernel, identifier: int) -> None:
        """What a driver would crash on, or run wrongly, without a word."""
        plan = self.device.plan
        if identifier in module.sized_by_id and not self.device.has("VkPhysicalDeviceMaintenance4Features::maintenance4"):
            raise _refused(kernel, "`maintenance4`, because its workgroup size is given as `LocalSizeId`", "does not enable it")
        x, y, z = size = module.sizes.get(identifier, (1, 1, 1))
        largest, most = plan.triple("maxComputeWorkGroupSize"), plan.limit("maxComputeWorkGroupInvocations")
        if x * y * z > most or any(have > limit for have, limit in zip(size, largest, strict=True)):
            raise _refused(kernel, f"workgroups of {x}x{y}x{z}", f"has at most {largest} and {most} in all")
        room = plan.limit("maxPushConstantsSize")
        addresses = _ADDRESS * (kernel.bindings or 0) if module.addresses else 0
        if (kernel.constants or 0) + addresses > room:
            among = f", and {addresses} for addresses," if addresses else ""
            raise _refused(kernel, f"{kernel.constants or 0} bytes of constants{among}", f"has at most {room}")
        asked = kernel.subgroup_size
        if asked is not None and asked not in self.device.subgroup_sizes:
            sizes = ", ".join(map(str, sorted(self.device.subgroup_sizes))) or "none that is known"
            raise _refused(kernel, f"subgroups of {asked}", f"offers {sizes}")

    def _pipeline(self, shader: ctypes.c_uint64, kernel: Kernel, *, addressed: bool) -> Pipeline:
        assert kernel.bindings is not None, "filled in above"
        addresses = _ADDRESS * kernel.bindings if addressed else 0
        room = self.device.plan.limit("maxPushConstantsSize")
        constants = room if kernel.constants is None else addresses + kernel.constants + 3 & ~3
        descriptors = 0 if addressed else kernel.bindings
        with self._lock:
            set_layout = self._set_layout(descriptors)
            layout = self._layout(descriptors, constants)
        flags, chained = self._subgroup(kernel)
        stage = block(
            "VkPipelineShaderStageCreateInfo",
            pNext=chained,
            flags=flags,
            stage=abi.constant("VK_SHADER_STAGE_COMPUTE_BIT"),
            module=shader.value,
            pName=kernel.entry_point or kernel.name,
        )
        info = block("VkComputePipelineCreateInfo", stage=stage, layout=layout.value, basePipelineIndex=-1)
        handle = ctypes.c_uint64()
        create = self.device.call("vkCreateComputePipelines")
        arguments = (ctypes.c_uint64(0), 1, info.buffer, None, ctypes.byref(handle))
        self.device.check("vkCreateComputePipelines", create(self.device.handle, *arguments))
        return Pipeline(handle, layout, set_layout, addressed=addressed)

    def _subgroup(self, kernel: Kernel) -> tuple[int, Block | None]:
        """Ask for the subgroup size that the kernel was written for, filled where the workgroup allows it."""
        size = kernel.subgroup_size
        stages = self.device.plan.number(f"{_CONTROL}Properties::requiredSubgroupSizeStages")
        control = self.device.has(f"{_CONTROL}Features::subgroupSizeControl")
        if size is None or not (control and stages & abi.constant("VK_SHADER_STAGE_COMPUTE_BIT")):
            return 0, None  # the device has one size, which was compared above
        full = self.device.has(f"{_CONTROL}Features::computeFullSubgroups") and (kernel.workgroup_size or (0,))[0] % size == 0
        flags = abi.constant("VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT") if full else 0
        return flags, block("VkPipelineShaderStageRequiredSubgroupSizeCreateInfo", requiredSubgroupSize=size)

    def _set_layout(self, bindings: int) -> ctypes.c_uint64:
        if bindings not in self._sets:
            kind, stage = abi.constant("VK_DESCRIPTOR_TYPE_STORAGE_BUFFER"), abi.constant("VK_SHADER_STAGE_COMPUTE_BIT")
            rows: list[dict[str, Value]] = [
                {"binding": index, "descriptorType": kind, "descriptorCount": 1, "stageFlags": stage}
                for index in range(bindings)
            ]
            array = blocks("VkDescriptorSetLayoutBinding", rows)
            info = block("VkDescriptorSetLayoutCreateInfo", bindingCount=bindings, pBindings=array)
            self._sets[bindings] = self.device.create("vkCreateDescriptorSetLayout", info.buffer)
        return self._sets[bindings]

    def _layout(self, bindings: int, constants: int) -> ctypes.c_uint64:
        key = bindings, constants
        if key not in self._layouts:
            pushed = block("VkPushConstantRange", stageFlags=abi.constant("VK_SHADER_STAGE_COMPUTE_BIT"), size=constants)
            info = block(
                "VkPipelineLayoutCreateInfo",
                setLayoutCount=1,
                pSetLayouts=pointers([self._sets[bindings].value]),
                pushConstantRangeCount=1 if constants else 0,
                pPushConstantRanges=pushed if constants else None,
            )
            self._layouts[key] = self.device.create("vkCreatePipelineLayout", info.buffer)
        return self._layouts[key]


def _refused(kernel: Kernel, needs: str, offers: str) -> HalError:
    return HalError(Code.FAILED_PRECONDITION, f"kernel `{kernel.name}` needs {needs}; the device {offers}")
