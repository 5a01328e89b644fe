"""The compute entry points of a SPIR-V module: workgroup, memory, constants and descriptors of each."""

from __future__ import annotations

from targetenv.model.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import EntryPoint, Module, Variable

KERNEL_MODELS = ("GLCompute", "Kernel")
STORAGE_BUFFER = "storage buffer"
_EVERY_GLOBAL = 4  # since SPIR-V 1.4 an entry point lists every global variable that it uses, before only inputs and outputs
_RESOURCES = ("StorageBuffer", "Uniform", "UniformConstant")
_DEEPEST_ARRAY = 16
_PHYSICAL = 5349  # the storage class PhysicalStorageBuffer
ADDRESS_BYTES = 8
_BUFFER_DIM = 5  # Dim `Buffer`: a texel buffer


@record
class KernelFacts:
    """What one entry point declares; sizes in bytes, zero where there is nothing.

    `workgroup_size` is None where the module leaves it open; `specialized` says that specialization constants may change it,
    and `workgroup_expression` how. `descriptors` counts by kind, arrays multiplied out, unbounded ones as one;
    `storage_bindings` is one more than the highest binding of a storage buffer in descriptor set 0, and `elsewhere` names
    descriptors that are not such buffers. `uniform_bytes` is the size of the largest uniform block; `shared_expressions` are
    the lengths of workgroup arrays that specialization constants decide. `addresses` counts the pointers to buffers that the
    push constants begin with, in a module without such bindings.
    """

    name: str
    id: int
    model: str
    workgroup_size: tuple[int, int, int] | None
    specialized: bool
    uses_local_size_id: bool
    subgroup_size: int | None
    shared_bytes: int
    zero_initialized: bool
    push_bytes: int
    descriptors: tuple[tuple[str, int], ...]
    sets: int
    storage_bindings: int
    elsewhere: tuple[str, ...]
    uniform_bytes: int
    shared_expressions: tuple[str, ...]
    addresses: int
    workgroup_expression: tuple[str, ...]


def kernels_of(module: Module, layout: Layout) -> tuple[KernelFacts, ...]:
    """The facts about every compute entry point, in the module's order."""
    entries = [entry for entry in module.entry_points if entry.model in KERNEL_MODELS]
    built_in = _workgroup_size_constant(module)
    if module.version.minor < _EVERY_GLOBAL:
        shared = _resources(module, layout, module.variables)
        return tuple(_facts(module, layout, entry, built_in, shared) for entry in entries)
    variables = {variable.id: variable for variable in module.variables}
    found = []
    for entry in entries:
        seen = [variables[one] for one in sorted(entry.interface) if one in variables]
        found.append(_facts(module, layout, entry, built_in, _resources(module, layout, seen)))
    return tuple(found)


@record
class _Resources:
    """What a set of global variables amounts to; the fields are those of KernelFacts."""

    shared_bytes: int
    zero_initialized: bool
    push_bytes: int
    descriptors: tuple[tuple[str, int], ...]
    sets: int
    storage_bindings: int
    elsewhere: tuple[str, ...]
    uniform_bytes: int
    shared_expressions: tuple[str, ...]
    addresses: int


def _facts(module: Module, layout: Layout, entry: EntryPoint, built_in: int | None, uses: _Resources) -> KernelFacts:
    modes = module.modes_of.get(entry.id, {})
    size, specialized, by_id = _workgroup_size(layout, modes, built_in)
    axes = _axes(module, modes, built_in)
    return KernelFacts(
        entry.name,
        entry.id,
        entry.model,
        size,
        specialized,
        by_id,
        next(iter(modes.get("SubgroupSize", ())), None),
        uses.shared_bytes,
        uses.zero_initialized,
        uses.push_bytes,
        uses.descriptors,
        uses.sets,
        uses.storage_bindings,
        uses.elsewhere,
        uses.uniform_bytes,
        uses.shared_expressions,
        uses.addresses,
        tuple(layout.expression(one) for one in axes) if specialized else (),
    )


def _axes(module: Module, modes: dict[str, tuple[int, ...]], built_in: int | None) -> tuple[int, ...]:
    """The constants that the workgroup's size is made of, where it is not literal."""
    if built_in is not None:
        return module.constants[built_in].operands[:3]
    return modes.get("LocalSizeId", ())[:3]


def _resources(module: Module, layout: Layout, variables: list[Variable]) -> _Resources:
    places = _places(module, layout, variables)
    descriptors: dict[str, int] = {}
    for (_, _, kind), count in places.items():
        descriptors[kind] = descriptors.get(kind, 0) + count
    ours = [binding for in_set, binding, kind in places if kind == STORAGE_BUFFER and in_set == 0]
    others = [place for place in places if place[2] != STORAGE_BUFFER or place[0] != 0]
    push = [module.pointee(one) for one in variables if one.storage_class == "PushConstant"]
    shared = [one for one in variables if one.storage_class == "Workgroup"]
    return _Resources(
        _shared_bytes(module, layout, shared),
        any(one.has_initializer for one in shared),
        max((layout.size(block, explicit=True) for block in push), default=0),
        tuple(sorted(descriptors.items())),
        max((in_set + 1 for in_set, _, _ in places), default=0),
        max((binding + 1 for binding in ours), default=0),
        tuple(f"{kind} in set {in_set}, binding {binding}" for in_set, binding, kind in others),
        _uniform_bytes(module, layout, variables),
        tuple(dict.fromkeys(text for one in shared for text in layout.lengths(module.pointee(one)))),
        max((_leading_pointers(module, block) for block in push), default=0) if not ours else 0,
    )


def _leading_pointers(module: Module, block: int) -> int:
    """How many pointers to buffers a block begins with."""
    kind, members = module.type_of(block)
    count = 0
    while kind == "OpTypeStruct" and count < len(members):
        pointer, operands = module.types.get(members[count], ("", ()))
        if pointer != "OpTypePointer" or operands[:1] != (_PHYSICAL,):
            break
        count += 1
    return count


def _places(module: Module, layout: Layout, variables: list[Variable]) -> dict[tuple[int, int, str], int]:
    """Set, binding and kind -> how many descriptors; variables that share a binding are views of the same descriptors."""
    found: dict[tuple[int, int, str], int] = {}
    for variable, kind, count in _descriptors(module, layout, variables):
        decorations = module.decorations.get(variable.id, {})
        in_set, binding = (next(iter(decorations.get(key, ())), 0) for key in ("DescriptorSet", "Binding"))
        place = in_set, binding, kind
        found[place] = max(found.get(place, 0), count)
    return found


def _uniform_bytes(module: Module, layout: Layout, variables: list[Variable]) -> int:
    """The largest uniform block: the range of its descriptor must cover it."""
    sizes = []
    for variable in variables:
        if variable.storage_class == "Uniform":
            block, _ = _element(module, layout, module.pointee(variable))
            if "BufferBlock" not in module.decorations.get(block, {}):
                sizes.append(layout.size(block, explicit=True))
    return max(sizes, default=0)


def _workgroup_size_constant(module: Module) -> int | None:
    """The id decorated as the built-in WorkgroupSize, which overrides the execution modes of every entry point."""
    for identifier, decorations in module.decorations.items():
        if _is_workgroup_size(decorations.get("BuiltIn", ())) and identifier in module.constants:
            return identifier
    return None


def _is_workgroup_size(operands: tuple[int, ...]) -> bool:
    from targetenv.registry.spirv import enumerant_values

    return operands[:1] == (enumerant_values("BuiltIn")["WorkgroupSize"],)


def _workgroup_size(
    layout: Layout, modes: dict[str, tuple[int, ...]], built_in: int | None
) -> tuple[tuple[int, int, int] | None, bool, bool]:
    """The size, whether specialization constants may change it, and whether it is given by ids."""
    ids = modes.get("LocalSizeId")
    if built_in is not None:
        return _triple(layout.numbers(built_in)), layout.is_specialized(built_in), ids is not None
    if ids is not None:
        return _triple(tuple(layout.value(one) for one in ids)), any(layout.is_specialized(one) for one in ids), True
    return _triple(modes.get("LocalSize", ())), False, False


def _triple(numbers: tuple[int | None, ...]) -> tuple[int, int, int] | None:
    match numbers:
        case (int(x), int(y), int(z), *_):
            return x, y, z
        case _:
            return None


def _shared_bytes(module: Module, layout: Layout, variables: list[Variable]) -> int:
    """Workgroup variables add up; blocks with an explicit layout overlay one another (WorkgroupMemoryExplicitLayoutKHR)."""
    if module.memory_model == "OpenCL":
        return _local_bytes(module, layout, variables)
    plain = blocks = 0
    for variable in variables:
        pointee = module.pointee(variable)
        if "Block" in module.decorations.get(pointee, {}):
            blocks = max(blocks, layout.size(pointee, explicit=True))
        else:
            plain += layout.size(pointee, explicit=False)
    return plain + blocks


def _local_bytes(module: Module, layout: Layout, variables: list[Variable]) -> int:
    """Local variables of OpenCL C, each where its alignment lets it be."""
    if not variables:
        return 0
    from targetenv.artifacts.spirv_opencl import Natural

    natural = Natural(module, layout)
    end = 0
    for variable in variables:
        size, alignment = natural.of(module.pointee(variable))
        end += -end % alignment + size
    return end


def _descriptors(module: Module, layout: Layout, variables: list[Variable]) -> Iterator[tuple[Variable, str, int]]:
    if module.memory_model == "OpenCL":
        return  # its constants are part of the program
    for variable in variables:
        if variable.storage_class in _RESOURCES:
            pointee, count = _element(module, layout, module.pointee(variable))
            kind, operands = module.type_of(pointee)
            yield variable, _descriptor_kind(module, variable.storage_class, pointee, kind, operands), count


def _element(module: Module, layout: Layout, pointee: int) -> tuple[int, int]:
    """What an array of descriptors is made of, and how many there are; an array without a length has at least one."""
    count = 1
    for _ in range(_DEEPEST_ARRAY):
        kind, operands = module.type_of(pointee)
        if kind == "OpTypeArray":
            length = layout.length(operands[1])
            count *= 1 if length is None else length
        elif kind != "OpTypeRuntimeArray":
            break
        pointee = operands[0]
    return pointee, count


def _descriptor_kind(module: Module, storage_class: str, pointee: int, kind: str, operands: tuple[int, ...]) -> str:
    if storage_class == "StorageBuffer":
        return STORAGE_BUFFER
    if storage_class == "Uniform":
        return STORAGE_BUFFER if "BufferBlock" in module.decorations.get(pointee, {}) else "uniform buffer"
    match kind:
        case "OpTypeSampledImage":
            _, image = module.type_of(operands[0])
            return "uniform texel buffer" if image[1:2] == (_BUFFER_DIM,) else "combined image sampler"
        case "OpTypeSampler":
            return "sampler"
        case "OpTypeImage":
            storage = operands[5] == 2  # Sampled: 1 with a sampler, 2 without
            if operands[1] == _BUFFER_DIM:
                return "storage texel buffer" if storage else "uniform texel buffer"
            return "storage image" if storage else "sampled image"
        case "OpTypeAccelerationStructureKHR":
            return "acceleration structure"
        case _:
            return kind.removeprefix("OpType")
