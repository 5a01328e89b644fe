"""SPIR-V: what a module is and what it requires of a device.

Only what a module declares is required of the capabilities, never what a declaration implies: the closure of `MultiViewport`
contains `Geometry`, and devices offer the one without the other.
"""

from __future__ import annotations

from targetenv.artifacts.inspection import Inspection, odd
from targetenv.artifacts.spirv_kernels import STORAGE_BUFFER, kernels_of
from targetenv.artifacts.spirv_layout import Layout
from targetenv.artifacts.spirv_module import Module
from targetenv.artifacts.spirv_usage import float_controls, subgroup_classes, usage
from targetenv.match.unknowns import OPEN_ARRAY, OPEN_WORKGROUP
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import (
    NeedsCapability,
    NeedsExtension,
    NeedsFeature,
    NeedsFormat,
    NeedsLimit,
    NeedsSubgroupSize,
    NeedsUnknown,
    NeedsVersion,
    Relation,
)
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from targetenv.artifacts.spirv_kernels import KernelFacts
    from targetenv.diagnostics.diagnostic import Diagnostic
    from targetenv.model.requirement import LimitValue, Requirement

LIMITS = "VkPhysicalDeviceLimits::"
MAINTENANCE4 = "VkPhysicalDeviceMaintenance4Features::maintenance4"
ZERO_INITIALIZE = "VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures::shaderZeroInitializeWorkgroupMemory"
# Kind of descriptor -> the limits that count it (Vulkan specification, `Pipeline Layouts`, VUID-VkPipelineLayoutCreateInfo).
DESCRIPTOR_LIMITS = {
    STORAGE_BUFFER: ("maxPerStageDescriptorStorageBuffers", "maxDescriptorSetStorageBuffers"),
    "uniform buffer": ("maxPerStageDescriptorUniformBuffers", "maxDescriptorSetUniformBuffers"),
    "sampler": ("maxPerStageDescriptorSamplers", "maxDescriptorSetSamplers"),
    "combined image sampler": (
        "maxPerStageDescriptorSamplers",
        "maxDescriptorSetSamplers",
        "maxPerStageDescriptorSampledImages",
        "maxDescriptorSetSampledImages",
    ),
    "sampled image": ("maxPerStageDescriptorSampledImages", "maxDescriptorSetSampledImages"),
    "uniform texel buffer": ("maxPerStageDescriptorSampledImages", "maxDescriptorSetSampledImages"),
    "storage image": ("maxPerStageDescriptorStorageImages", "maxDescriptorSetStorageImages"),
    "storage texel buffer": ("maxPerStageDescriptorStorageImages", "maxDescriptorSetStorageImages"),
}


def inspect_spirv(data: bytes | memoryview, *, name: str, digest: str) -> Inspection:
    """What a SPIR-V module declares, and what it requires; FormatError TE41xx where it is damaged."""
    module = Module(data, name)
    layout = Layout(module)
    kernels = kernels_of(module, layout)
    capabilities, unnamed = _capabilities(module)
    requires: list[Requirement] = [NeedsFormat("spirv"), NeedsVersion("spirv", module.version)]
    requires += [NeedsCapability(capability) for capability in capabilities]
    requires += [NeedsUnknown(f"what SPIR-V capability {number} needs: the grammar does not name it") for number in unnamed]
    requires += [NeedsExtension(extension) for extension in module.extensions]
    requires += _modes(kernels)
    if any(kernel.model == "GLCompute" for kernel in kernels):
        requires += _limits(kernels)
        requires += usage(module, layout, frozenset(capabilities))
        requires += _open_sizes(kernels, layout)
    described = tuple(_kernel(kernel) for kernel in kernels)
    artifact = Artifact(name, "spirv", digest, tuple(dict.fromkeys(requires)), described, size=len(data))
    details = tuple(_details(module, kernels, capabilities))
    return Inspection("spirv", (artifact,), tuple(_warnings(module, kernels, name)), details)


def _capabilities(module: Module) -> tuple[list[str], list[int]]:
    named = {number: spirv.capability_by_number(number) for number in dict.fromkeys(module.capabilities)}
    return [name for name in named.values() if name is not None], [number for number, name in named.items() if name is None]


def _modes(kernels: Sequence[KernelFacts]) -> Iterator[Requirement]:
    if any(kernel.uses_local_size_id and kernel.model == "GLCompute" for kernel in kernels):
        yield NeedsFeature(MAINTENANCE4)
    if any(kernel.zero_initialized and kernel.model == "GLCompute" for kernel in kernels):
        yield NeedsFeature(ZERO_INITIALIZE)
    for kernel in kernels:
        if kernel.subgroup_size is not None:
            yield NeedsSubgroupSize(kernel.subgroup_size)


def _limits(kernels: Sequence[KernelFacts]) -> Iterator[Requirement]:
    """Every entry point must run, so each limit is the largest of theirs; what is not used needs no limit."""
    needed: dict[str, LimitValue] = {}

    def at_least(limit: str, value: int) -> None:
        if value:
            needed[limit] = max(int(needed.get(limit, 0)), value)  # type: ignore[arg-type]

    sizes = [kernel.workgroup_size for kernel in kernels if kernel.workgroup_size is not None]
    if sizes:
        needed["maxComputeWorkGroupSize"] = tuple(max(axis) for axis in zip(*sizes, strict=True))
        at_least("maxComputeWorkGroupInvocations", max(x * y * z for x, y, z in sizes))
    for kernel in kernels:
        at_least("maxComputeSharedMemorySize", kernel.shared_bytes)
        at_least("maxPushConstantsSize", kernel.push_bytes)
        at_least("maxBoundDescriptorSets", kernel.sets)
        at_least("maxPerStageResources", sum(count for _, count in kernel.descriptors))
        counted: dict[str, int] = {}
        for kind, count in kernel.descriptors:
            for limit in DESCRIPTOR_LIMITS.get(kind, ()):
                counted[limit] = counted.get(limit, 0) + count
        for limit, count in counted.items():
            at_least(limit, count)
    for limit, value in needed.items():
        yield NeedsLimit(LIMITS + limit, Relation.AT_LEAST, value)


def _open_sizes(kernels: Sequence[KernelFacts], layout: Layout) -> Iterator[Requirement]:
    """Sizes that nobody can hold against a limit."""
    if layout.is_open:
        yield OPEN_ARRAY.requirement
    if any(kernel.workgroup_size is None and kernel.model == "GLCompute" for kernel in kernels):
        yield OPEN_WORKGROUP.requirement


def _kernel(facts: KernelFacts) -> Kernel:
    return Kernel(
        facts.name,
        workgroup_size=facts.workgroup_size,
        bindings=facts.storage_bindings,
        constants=facts.push_bytes,
        local_memory=facts.shared_bytes,
        subgroup_size=facts.subgroup_size,
    )


def _warnings(module: Module, kernels: Sequence[KernelFacts], name: str) -> Iterator[Diagnostic]:
    if not kernels:
        models = ", ".join(sorted({entry.model for entry in module.entry_points}))
        has = f"entry points only of {models}" if models else "no entry point"
        yield odd("TE4105", name, f"this module has {has}, so there is nothing to dispatch")
    for kernel in kernels:
        if kernel.elsewhere:
            message = f"kernel `{kernel.name}` takes more than storage buffers in set 0: {', '.join(kernel.elsewhere[:4])}"
            yield odd("TE4106", name, message, help="pass everything in storage buffers of set 0 and in push constants")
        if kernel.workgroup_size is None and kernel.model == "GLCompute":
            yield odd("TE4107", name, f"kernel `{kernel.name}` does not say its workgroup size")


def _details(module: Module, kernels: Sequence[KernelFacts], capabilities: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "version", f"SPIR-V {module.version}"
    yield "capabilities", ", ".join(sorted(capabilities)) or "none"
    if module.extensions:
        yield "extensions", ", ".join(sorted(set(module.extensions)))
    if module.imports:
        yield "instruction sets", ", ".join(sorted(set(module.imports)))
    yield "memory", f"{module.addressing or 'no'} addressing, {module.memory_model or 'no'} memory model"
    for entry in module.entry_points:
        yield "entry point", f"{entry.name} ({entry.model})"
    for kernel in kernels:
        yield from _kernel_details(kernel)
    for key, values in (
        ("subgroup operations", subgroup_classes(module)),
        ("float controls", tuple(f"{mode} {width}" for mode, width in float_controls(module))),
        ("atomics", tuple(sorted(module.atomic_operations))),
    ):
        if values:
            yield key, ", ".join(values)


def _kernel_details(kernel: KernelFacts) -> Iterator[tuple[str, str]]:
    if kernel.workgroup_size is not None:
        note = ", unless specialization constants change it" if kernel.specialized else ""
        yield f"{kernel.name}: workgroup", "x".join(str(axis) for axis in kernel.workgroup_size) + note
    for key, size in (("shared memory", kernel.shared_bytes), ("push constants", kernel.push_bytes)):
        if size:
            yield f"{kernel.name}: {key}", f"{size} bytes"
    if kernel.descriptors:
        counted = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kernel.descriptors)
        yield f"{kernel.name}: descriptors", counted
