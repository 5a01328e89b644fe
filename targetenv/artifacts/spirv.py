"""SPIR-V: what a module is and what it requires of a device.

Only what a module declares is required of the capabilities, never what a declaration implies: the closure of `MultiViewport`
contains `Geometry`, and devices offer the one without the other.
"""

from __future__ import annotations

from itertools import islice

from targetenv.artifacts.containers import Budget
from targetenv.artifacts.inspection import Inspection, odd
from targetenv.artifacts.spirv_blocks import block_layouts
from targetenv.artifacts.spirv_kernels import ADDRESS_BYTES, STORAGE_BUFFER, kernels_of
from targetenv.artifacts.spirv_layout import Layout
from targetenv.artifacts.spirv_module import Module
from targetenv.artifacts.spirv_opencl import OpenCL, instruction_sets
from targetenv.artifacts.spirv_undeclared import undeclared
from targetenv.artifacts.spirv_usage import float_controls, subgroup_classes, usage
from targetenv.match.unknowns import OPEN_ARRAY, OPEN_WORKGROUP
from targetenv.model.artifact import Artifact, Kernel
from targetenv.model.requirement import (
    AnyOf,
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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from targetenv.artifacts.spirv_kernels import KernelFacts
    from targetenv.artifacts.spirv_undeclared import Undeclared
    from targetenv.artifacts.spirv_usage import Asked
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
ACCELERATION_STRUCTURES = tuple(
    f"VkPhysicalDeviceAccelerationStructurePropertiesKHR::{name}AccelerationStructures"
    for name in ("maxPerStageDescriptor", "maxDescriptorSet")
)
_MOST_SHOWN = 64  # of specialization constants; compilers write a handful
_NOT_A_RESOURCE = ("sampler", "acceleration structure")  # VkPhysicalDeviceLimits::maxPerStageResources lists what counts


def inspect_spirv(
    data: bytes | memoryview,
    *,
    name: str,
    digest: str | None = None,
    specialization: Mapping[int, int] | None = None,
    budget: Budget | None = None,
) -> Inspection:
    """What a SPIR-V module declares, and what it requires; FormatError TE41xx where it is damaged.

    `specialization` are values of specialization constants by SpecId; without them the requirements are those of the defaults.
    """
    budget = budget or Budget()
    module = Module(data, name, budget)
    layout = Layout(module, specialization)
    kernels = kernels_of(module, layout)
    budget.tick(name)
    missing = tuple(undeclared(module))
    opencl = OpenCL(module, layout, kernels) if any(kernel.model == "Kernel" for kernel in kernels) else None
    asked: dict[Requirement, str] = {}
    for need, because in _asked(module, layout, kernels, missing, opencl):
        asked.setdefault(need, because)
    described = tuple(_kernel(kernel, opencl) for kernel in kernels)
    told = budget.digest(data) if digest is None else digest
    artifact = Artifact(name, "spirv", told, tuple(asked), described, size=len(data))
    details = tuple(_details(module, layout, kernels, opencl))
    reasons = tuple((need, because) for need, because in asked.items() if because)
    return Inspection("spirv", (artifact,), tuple(_warnings(module, kernels, missing, name)), details, reasons=reasons)


def _asked(
    module: Module,
    layout: Layout,
    kernels: Sequence[KernelFacts],
    missing: Sequence[Undeclared],
    opencl: OpenCL | None,
) -> Iterator[Asked]:
    """Every requirement with what asks for it, which is empty where the requirement says it."""
    capabilities, unnamed = _capabilities(module)
    yield NeedsFormat("spirv"), ""
    yield NeedsVersion("spirv", module.version), ""
    yield from ((NeedsCapability(capability), "") for capability in capabilities)
    for number in unnamed:
        yield NeedsUnknown(f"what SPIR-V capability {number} needs: the grammar does not name it"), ""
    yield from ((NeedsExtension(extension), "") for extension in module.extensions)
    for what, either in missing:
        needs = tuple(NeedsCapability(capability) for capability in either)
        yield needs[0] if len(needs) == 1 else AnyOf(needs), f"{what}, though it is not declared"
    yield from instruction_sets(module)
    yield from _modes(kernels)
    if opencl is not None:
        yield from opencl.limits()
    if any(kernel.model == "GLCompute" for kernel in kernels):
        yield from _limits(kernels)
        yield from usage(module, layout, frozenset(capabilities))
        yield from block_layouts(module, layout)
        yield from _open_sizes(kernels, layout)


def _capabilities(module: Module) -> tuple[list[str], list[int]]:
    named = {number: spirv.capability_by_number(number) for number in dict.fromkeys(module.capabilities)}
    return [name for name in named.values() if name is not None], [number for number, name in named.items() if name is None]


def _modes(kernels: Sequence[KernelFacts]) -> Iterator[Asked]:
    for kernel in kernels:
        if kernel.uses_local_size_id and kernel.model == "GLCompute":
            yield NeedsFeature(MAINTENANCE4), f"execution mode LocalSizeId of `{kernel.name}`"
        if kernel.zero_initialized and kernel.model == "GLCompute":
            yield NeedsFeature(ZERO_INITIALIZE), f"workgroup memory with an initial value in `{kernel.name}`"
        if kernel.subgroup_size is not None:
            yield NeedsSubgroupSize(kernel.subgroup_size), f"execution mode SubgroupSize of `{kernel.name}`"


def _limits(kernels: Sequence[KernelFacts]) -> Iterator[Asked]:
    """Every entry point must run, so each limit is the largest of theirs; what is not used needs no limit."""
    needed: dict[str, tuple[LimitValue, str]] = {}

    def at_least(limit: str, value: int, because: str) -> None:
        if value and value > int(needed.get(limit, (0,))[0]):  # type: ignore[arg-type]
            needed[limit] = value, because

    sized = [(kernel.workgroup_size, kernel) for kernel in kernels if kernel.workgroup_size is not None]
    if sized:
        axes = tuple(max(axis) for axis in zip(*(size for size, _ in sized), strict=True))
        needed["maxComputeWorkGroupSize"] = axes, _workgroups(kernel for _, kernel in sized)
        for (x, y, z), kernel in sized:
            at_least("maxComputeWorkGroupInvocations", x * y * z, _workgroups((kernel,)))
    for kernel in kernels:
        by = f"of `{kernel.name}`"
        lengths = f", arrays of {', '.join(kernel.shared_expressions[:4])}" if kernel.shared_expressions else ""
        at_least("maxComputeSharedMemorySize", kernel.shared_bytes, f"workgroup variables {by}{lengths}")
        at_least("maxPushConstantsSize", kernel.push_bytes, f"push constants {by}")
        at_least("maxUniformBufferRange", kernel.uniform_bytes, f"the largest uniform block {by}")
        at_least("maxBoundDescriptorSets", kernel.sets, f"descriptor sets {by}")
        resources = sum(count for kind, count in kernel.descriptors if kind not in _NOT_A_RESOURCE)
        at_least("maxPerStageResources", resources, f"descriptors {by}")
        counted: dict[str, int] = {}
        for kind, count in kernel.descriptors:
            for limit in DESCRIPTOR_LIMITS.get(kind, ()):
                counted[limit] = counted.get(limit, 0) + count
        for limit, count in counted.items():
            at_least(limit, count, f"descriptors {by}")
        for limit in ACCELERATION_STRUCTURES:
            at_least(limit, dict(kernel.descriptors).get("acceleration structure", 0), f"descriptors {by}")
    for limit, (value, because) in needed.items():
        yield NeedsLimit(limit if "::" in limit else LIMITS + limit, Relation.AT_LEAST, value), because


def _workgroups(kernels: Iterable[KernelFacts]) -> str:
    """Where workgroup sizes come from: a specialization constant is told with what it computes and what it is now."""
    told = []
    for kernel in kernels:
        size = f" = {' x '.join(kernel.workgroup_expression)}" if kernel.workgroup_expression else ""
        told.append(f"`{kernel.name}`{size}")
        if len(told) == 4:
            told[3] = "..."
            break
    return f"workgroup size of {', '.join(told)}"


def _open_sizes(kernels: Sequence[KernelFacts], layout: Layout) -> Iterator[Asked]:
    """Sizes that nobody can hold against a limit."""
    if layout.is_open:
        yield OPEN_ARRAY.asked
    if any(kernel.workgroup_size is None and kernel.model == "GLCompute" for kernel in kernels):
        yield OPEN_WORKGROUP.asked


def _kernel(facts: KernelFacts, opencl: OpenCL | None) -> Kernel:
    buffers, constants = facts.storage_bindings, facts.push_bytes
    if facts.addresses:
        buffers, constants = facts.addresses, facts.push_bytes - ADDRESS_BYTES * facts.addresses
    if opencl is not None and facts.model == "Kernel":
        buffers, constants = opencl.buffers(facts), opencl.value_bytes(facts)
    return Kernel(
        facts.name,
        workgroup_size=facts.workgroup_size,
        bindings=buffers,
        constants=constants,
        local_memory=facts.shared_bytes,
        subgroup_size=facts.subgroup_size,
    )


def _warnings(module: Module, kernels: Sequence[KernelFacts], missing: Sequence[Undeclared], name: str) -> Iterator[Diagnostic]:
    for what, capabilities in missing[:4]:
        either = f"`{capabilities[0]}`" if len(capabilities) == 1 else f"any of `{'`, `'.join(capabilities[:4])}`"
        message = f"this module has {what} and does not declare {either}, which that takes"
        yield odd("TE4108", name, message, help="compile it again with a newer compiler, or report this to its makers")
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


def _details(
    module: Module, layout: Layout, kernels: Sequence[KernelFacts], opencl: OpenCL | None
) -> Iterator[tuple[str, str]]:
    yield "version", f"SPIR-V {module.version}"
    yield "capabilities", ", ".join(sorted(_capabilities(module)[0])) or "none"
    if module.extensions:
        yield "extensions", ", ".join(sorted(set(module.extensions)))
    if module.imports:
        yield "instruction sets", ", ".join(sorted(set(module.imports)))
    yield "memory", f"{module.addressing or 'no'} addressing, {module.memory_model or 'no'} memory model"
    for entry in module.entry_points:
        yield "entry point", f"{entry.name} ({entry.model})"
    for at, type_name, value in islice(layout.specialization(), _MOST_SHOWN):
        yield "specialization constant", f"{at}: {type_name}" + ("" if value is None else f" = {value}")
    for kernel in kernels:
        yield from _kernel_details(kernel)
        yield from opencl.details(kernel) if opencl is not None else ()
    for key, values in (
        ("subgroup operations", subgroup_classes(module)),
        ("float controls", tuple(f"{mode} {width}" for mode, width in float_controls(module))),
        ("atomics", tuple(sorted(module.atomic_operations))),
    ):
        if values:
            yield key, ", ".join(values)


def _kernel_details(kernel: KernelFacts) -> Iterator[tuple[str, str]]:
    if kernel.workgroup_size is not None:
        note = f", unless specialization constants change it: {' x '.join(kernel.workgroup_expression)}"
        extent = "x".join(str(axis) for axis in kernel.workgroup_size)
        yield f"{kernel.name}: workgroup", extent + (note if kernel.specialized else "")
    for key, size in (
        ("shared memory", kernel.shared_bytes),
        ("push constants", kernel.push_bytes),
        ("uniform block", kernel.uniform_bytes),
    ):
        if size:
            yield f"{kernel.name}: {key}", f"{size} bytes"
    if kernel.descriptors:
        counted = ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kernel.descriptors)
        yield f"{kernel.name}: descriptors", counted
