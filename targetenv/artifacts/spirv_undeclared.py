"""Capabilities that a module uses and does not declare: a compiler's mistake, on which drivers crash or compute something else.

Source: SPIR-V Specification 1.6, 2.9 (a module must declare what it uses), the grammar's `capabilities` of instructions and
operands, and OpTypeInt and OpTypeFloat of the same specification for widths. Looked at are instructions, types, decorations,
built-ins, storage classes, execution models and modes, and images; not what only values decide.
"""

from __future__ import annotations

from functools import cache

from targetenv.artifacts.spirv_images import image_operands
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from targetenv.artifacts.spirv_module import Module

    Undeclared: TypeAlias = tuple[str, tuple[str, ...]]  # what is used, and the capabilities of which any one is enough

_STORED_8 = (
    "StorageBuffer8BitAccess",
    "UniformAndStorageBuffer8BitAccess",
    "StoragePushConstant8",
    "WorkgroupMemoryExplicitLayout8BitAccessKHR",
)
_STORED_16 = (
    "StorageBuffer16BitAccess",
    "UniformAndStorageBuffer16BitAccess",
    "StoragePushConstant16",
    "StorageInputOutput16",
    "WorkgroupMemoryExplicitLayout16BitAccessKHR",
)
# Kind of type and width -> any one of these.
WIDTHS = {
    ("OpTypeInt", 8): ("Int8", *_STORED_8),
    ("OpTypeInt", 16): ("Int16", *_STORED_16),
    ("OpTypeInt", 64): ("Int64",),
    ("OpTypeFloat", 16): ("Float16", "Float16Buffer", *_STORED_16),
    ("OpTypeFloat", 64): ("Float64",),
}
# Naming these built-ins is free, since every vertex has them in `gl_PerVertex`; only writing them is not.
_WITHOUT_SAMPLER = 2
_DESCRIPTORS = ("StorageBuffer", "Uniform", "UniformConstant")
# Dimension -> what it takes with a sampler, and without one.
_STORAGE_DIMS = {
    "1D": ("Sampled1D", "Image1D"),
    "Buffer": ("SampledBuffer", "ImageBuffer"),
    "Rect": ("SampledRect", "ImageRect"),
}
_FREE_BUILT_INS = ("PointSize", "ClipDistance", "CullDistance")


def undeclared(module: Module) -> Iterator[Undeclared]:
    """What the module uses (an instruction, a type, an operand) and the capabilities of which it declares none."""
    named = (spirv.capability_by_number(number) for number in dict.fromkeys(module.capabilities))
    declared = frozenset[str]().union(*(spirv.implied(name) for name in named if name is not None))
    reported = set()
    for what, capabilities in _used(module):
        if capabilities not in reported and declared.isdisjoint(capabilities):
            reported.add(capabilities)
            yield what, capabilities


def _used(module: Module) -> Iterator[Undeclared]:
    """Everything that takes a capability, with the capabilities of which any one is enough."""
    gated = _gated()
    for opcode in sorted(module.opcodes & gated.keys()):
        yield gated[opcode]
    for kind, names in _operands(module).items():
        taken = _taken(kind)
        for name in sorted(names & taken.keys()):
            yield f"{kind} {name}", taken[name]
    for kind, operands in module.types.values():
        if kind in ("OpTypeInt", "OpTypeFloat"):
            encoded = kind == "OpTypeFloat" and len(operands) > 1  # an encoding of its own has capabilities of its own
            if not encoded and (kind, operands[0]) in WIDTHS:
                yield f"{kind} {operands[0]}", WIDTHS[kind, operands[0]]
        elif kind == "OpTypeImage":
            yield from ((what, capabilities) for what, capabilities in _image(operands) if capabilities)
    for variable in module.variables:
        if variable.storage_class in _DESCRIPTORS and module.type_of(module.pointee(variable))[0] == "OpTypeRuntimeArray":
            yield "an array of descriptors without a length", ("RuntimeDescriptorArray",)
    if module.has_wide_atomics:
        yield "an atomic on 64-bit integers", ("Int64Atomics",)


def _operands(module: Module) -> dict[str, set[str]]:
    """The operands that are looked at: kind -> names."""
    decorations = (*module.decorations.values(), *module.member_decorations.values())
    built_ins = {operands[0] for row in decorations for operands in (row.get("BuiltIn"),) if operands}
    pointers = {operands[0] for kind, operands in module.types.values() if kind == "OpTypePointer"}
    groups = {operation for name, _, operation in module.group_operations if "GroupOperation" in _kinds(name)}
    return {
        "AddressingModel": {module.addressing},
        "MemoryModel": {module.memory_model},
        "ExecutionModel": {entry.model for entry in module.entry_points},
        "ExecutionMode": {mode.name for mode in module.modes},
        "Decoration": set().union(*decorations),
        "BuiltIn": {spirv.name_of("BuiltIn", value) for value in built_ins}.difference(_FREE_BUILT_INS),
        "StorageClass": {spirv.name_of("StorageClass", value) for value in pointers},
        "GroupOperation": {spirv.name_of("GroupOperation", value) for value in groups},
        "ImageOperands": set(image_operands(module)),
    }


def _image(operands: tuple[int, ...]) -> Iterator[Undeclared]:
    """Dimensions, multisampling and format of an OpTypeImage; `operands` as there, behind the result."""
    _, dim, _, arrayed, multisampled, sampled, image_format = operands[:7]
    without_sampler = sampled == _WITHOUT_SAMPLER
    name = spirv.name_of("Dim", dim)
    if name in _STORAGE_DIMS:
        yield f"OpTypeImage {name}", (_STORAGE_DIMS[name][without_sampler],)
    else:
        yield f"OpTypeImage {name}", _taken("Dim").get(name, ())
    if name == "Cube" and arrayed == 1:
        yield "OpTypeImage Cube, arrayed", ("ImageCubeArray",) if without_sampler else ("SampledCubeArray",)
    if without_sampler and multisampled == 1 and name != "SubpassData":
        yield "OpTypeImage, multisampled", ("StorageImageMultisample",)
        if arrayed == 1:
            yield "OpTypeImage, multisampled and arrayed", ("ImageMSArray",)
    format_name = spirv.name_of("ImageFormat", image_format)
    yield f"ImageFormat {format_name}", _taken("ImageFormat").get(format_name, ())


@cache
def _gated() -> dict[int, Undeclared]:
    rows = spirv.instructions().items()
    return {opcode: (row.name, row.capabilities) for opcode, row in rows if row.capabilities}


@cache
def _taken(kind: str) -> dict[str, tuple[str, ...]]:
    return {row.name: row.capabilities for row in spirv.operand_kind(kind).enumerants if row.capabilities}


@cache
def _kinds(instruction: str) -> tuple[str, ...]:
    return spirv.instructions()[spirv.opcodes()[instruction]].operands
