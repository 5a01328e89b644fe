"""Kernels of SPIR-V for OpenCL: their arguments, and what their sizes ask of a device.

Source: OpenCL SPIR-V Environment Specification, 2.10 (kernels and their arguments); OpenCL C 3.0, 6.3.5 (alignment of types: a
vector of three takes the place of four); OpenCL 3.0, table `Device Queries` for the limits.
"""

from __future__ import annotations

from targetenv.artifacts.inspection import damaged
from targetenv.model.record import record
from targetenv.model.requirement import NeedsLimit, NeedsUnknown, Relation
from targetenv.registry.spirv import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from targetenv.artifacts.spirv_kernels import KernelFacts
    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

ADDRESS_BITS = {"Physical32": 32, "Physical64": 64}
_LARGEST = 1 << 63
_MOST_ARGUMENTS = 255  # universal limit
# Storage class of a pointer argument -> the kind of argument.
SPACES = {"CrossWorkgroup": "global", "UniformConstant": "constant", "Workgroup": "local"}
# Types of arguments that are objects of the host -> the kind of argument.
_OBJECTS = {
    "OpTypeImage": "image",
    "OpTypeSampler": "sampler",
    "OpTypePipe": "pipe",
    "OpTypeQueue": "queue",
    "OpTypeSampledImage": "image",
}
_BY_VALUE = 2  # FunctionParameterAttribute ByVal: a structure that is handed over behind a pointer


@record
class Argument:
    """One argument of a kernel: `kind` is `global`, `constant`, `local`, `value`, `image`, `sampler`, `pipe` or `queue`.

    `type` is that of the value, or of what a pointer points to; `size` is in bytes and `alignment` too, those of a pointer 0.
    """

    name: str
    kind: str
    type: str
    size: int = 0
    alignment: int = 1


class Natural:
    """Sizes and alignments of types as OpenCL C lays them out; `pointer` is the size of a pointer in bytes.

    A type comes after its parts, so one pass is enough.
    """

    def __init__(self, module: Module, layout: Layout) -> None:
        self._sizes: dict[int, tuple[int, int]] = {}
        self.pointer = ADDRESS_BITS.get(module.addressing, 64) // 8
        for identifier, (kind, operands) in module.types.items():
            size, alignment = self._measure(module, layout, identifier, kind, operands)
            if size >= _LARGEST:
                raise damaged("TE4104", module.name, f"the type with id {identifier} takes 2^63 bytes or more")
            self._sizes[identifier] = size, alignment

    def of(self, identifier: int) -> tuple[int, int]:
        """Size and alignment in bytes; what is no type, or has no size, takes nothing."""
        return self._sizes.get(identifier, (0, 1))

    def _measure(
        self, module: Module, layout: Layout, identifier: int, kind: str, operands: tuple[int, ...]
    ) -> tuple[int, int]:
        match kind:
            case "OpTypeInt" | "OpTypeFloat":
                return operands[0] // 8, max(1, operands[0] // 8)
            case "OpTypeBool":
                return 1, 1
            case "OpTypePointer":
                return self.pointer, self.pointer
            case "OpTypeVector":
                size = self.of(operands[0])[0] * (4 if operands[1] == 3 else operands[1])
                return size, max(1, size)
            case "OpTypeArray":
                size, alignment = self.of(operands[0])
                return size * (layout.length(operands[1]) or 0), alignment
            case "OpTypeStruct":
                return self._structure(operands, packed="CPacked" in module.decorations.get(identifier, {}))
            case _:
                return 0, 1

    def _structure(self, members: tuple[int, ...], *, packed: bool) -> tuple[int, int]:
        end, widest = 0, 1
        for member in members:
            size, alignment = self.of(member)
            if not packed:
                end += -end % alignment
                widest = max(widest, alignment)
            end += size
        return end + -end % widest, widest


def arguments_of(module: Module, natural: Natural) -> dict[int, tuple[Argument, ...]]:
    """The arguments of every kernel, by the id of its function."""
    wanted = {entry.id for entry in module.entry_points if entry.model == "Kernel"}
    parameters: dict[int, list[tuple[int, int]]] = {}
    function = 0
    for name, operands in module.instructions(("OpFunction", "OpFunctionParameter")):
        if name == "OpFunction":
            function = operands[1] if len(operands) > 1 else 0
        elif function in wanted and len(operands) > 1:
            rows = parameters.setdefault(function, [])
            if len(rows) >= _MOST_ARGUMENTS:
                raise damaged(
                    "TE4104", module.name, f"function {function} has more than the {_MOST_ARGUMENTS} parameters of SPIR-V"
                )
            rows.append((operands[1], operands[0]))
    names = module.names({identifier for rows in parameters.values() for identifier, _ in rows})
    return {
        one: tuple(_argument(module, natural, names.get(at, ""), at, type_id) for at, type_id in rows)
        for one, rows in parameters.items()
    }


def _argument(module: Module, natural: Natural, name: str, identifier: int, type_id: int) -> Argument:
    kind, operands = module.types.get(type_id, ("", ()))
    if kind in _OBJECTS:
        return Argument(name, _OBJECTS[kind], kind.removeprefix("OpType").lower())
    if kind == "OpTypePointer":
        space = SPACES.get(name_of("StorageClass", operands[0]))
        by_value = _BY_VALUE in module.decorations.get(identifier, {}).get("FuncParamAttr", ())
        if space is not None and not by_value:
            return Argument(name, space, _type_name(module, natural, operands[1]))
        type_id = operands[1]
    size, alignment = natural.of(type_id)
    return Argument(name, "value", _type_name(module, natural, type_id), size, alignment)


def _type_name(module: Module, natural: Natural, type_id: int) -> str:
    """`i32`, `f32x4`, `pointer`, `24 bytes`: SPIR-V for OpenCL does not say the sign of an integer."""
    kind, operands = module.types.get(type_id, ("", ()))
    match kind:
        case "OpTypeInt":
            return f"i{operands[0]}"
        case "OpTypeFloat":
            return f"f{operands[0]}"
        case "OpTypeVector":
            component, shape = module.types.get(operands[0], ("", ()))
            return f"{'f' if component == 'OpTypeFloat' else 'i'}{shape[0] if shape else '?'}x{operands[1]}"
        case "OpTypePointer":
            return "pointer"
        case _:
            return f"{natural.of(type_id)[0]} bytes"


class OpenCL:
    """What the kernels of one module take, and what that asks of an OpenCL device."""

    def __init__(self, module: Module, layout: Layout, kernels: Sequence[KernelFacts]) -> None:
        self._module = module
        self._kernels = [kernel for kernel in kernels if kernel.model == "Kernel"]
        self._natural = Natural(module, layout)
        self._arguments = arguments_of(module, self._natural)

    def arguments(self, kernel: KernelFacts) -> tuple[Argument, ...]:
        """The arguments of a kernel, in order."""
        return self._arguments.get(kernel.id, ())

    def buffers(self, kernel: KernelFacts) -> int:
        """How many arguments are memory that the host hands over."""
        return sum(argument.kind in ("global", "constant") for argument in self.arguments(kernel))

    def value_bytes(self, kernel: KernelFacts) -> int:
        """The bytes of the arguments that are values, one behind the other, each where its alignment lets it be."""
        end = 0
        for argument in self.arguments(kernel):
            if argument.kind == "value":
                end += -end % min(argument.alignment, 16) + argument.size
        return end

    def details(self, kernel: KernelFacts) -> Iterator[tuple[str, str]]:
        """The arguments for people: `0 x: global pointer to f32`."""
        for at, argument in enumerate(self.arguments(kernel)):
            pointer = f"{argument.kind} pointer to {argument.type}"
            said = pointer if argument.kind in SPACES.values() else argument.type
            yield f"{kernel.name}: argument", f"{at} {argument.name or 'without a name'}: {said}"

    def limits(self) -> Iterator[tuple[Requirement, str]]:
        """Every kernel must run, so whoever compares takes the largest of each limit."""
        module = self._module
        if module.addressing in ADDRESS_BITS:
            bits = ADDRESS_BITS[module.addressing]
            yield NeedsLimit("CL_DEVICE_ADDRESS_BITS", Relation.EXACTLY, bits), f"{module.addressing} addressing"
        needed: dict[str, tuple[int, str]] = {}
        for kernel in self._kernels:
            for limit, value, because in self._asked(kernel):
                if value and value > needed.get(limit, (0,))[0]:
                    needed[limit] = value, f"{because} of `{kernel.name}`"
        constant = [one for one in module.variables if one.storage_class == "UniformConstant"]
        size = sum(self._natural.of(module.pointee(one))[0] for one in constant)
        if size:
            needed["CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE"] = size, "constants of the program"
        sizes = [kernel.workgroup_size for kernel in self._kernels if kernel.workgroup_size is not None]
        if sizes:
            axes = tuple(max(axis) for axis in zip(*sizes, strict=True))
            yield NeedsLimit("CL_DEVICE_MAX_WORK_ITEM_SIZES", Relation.AT_LEAST, axes), "workgroup sizes"
        for limit, (value, because) in needed.items():
            yield NeedsLimit(limit, Relation.AT_LEAST, value), because

    def _asked(self, kernel: KernelFacts) -> Iterator[tuple[str, int, str]]:
        arguments = self.arguments(kernel)
        if kernel.workgroup_size is not None:
            x, y, z = kernel.workgroup_size
            yield "CL_DEVICE_MAX_WORK_GROUP_SIZE", x * y * z, "workgroup size"
        yield "CL_DEVICE_LOCAL_MEM_SIZE", kernel.shared_bytes, "local variables"
        pointer = self._natural.pointer
        size = sum(argument.size if argument.kind == "value" else pointer for argument in arguments)
        yield "CL_DEVICE_MAX_PARAMETER_SIZE", size, "arguments"
        yield "CL_DEVICE_MAX_CONSTANT_ARGS", sum(one.kind == "constant" for one in arguments), "arguments"
        yield "CL_DEVICE_MAX_SAMPLERS", sum(one.kind == "sampler" for one in arguments), "arguments"


def instruction_sets(module: Module) -> Iterator[tuple[Requirement, str]]:
    """Imported sets of instructions that neither Vulkan nor OpenCL brings, and no declared extension of the same name does.

    What is not semantic (`NonSemantic...`, debug information) may be ignored by every consumer.
    """
    known = {"GLSL.std.450", "OpenCL.std", "OpenCL.DebugInfo.100", *module.extensions}
    for name in dict.fromkeys(module.imports):
        if name not in known and not name.startswith("NonSemantic."):
            yield NeedsUnknown(f"whether the instruction set {name} is known to the device"), "OpExtInstImport"
