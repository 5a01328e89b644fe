"""What a module's images ask for: storage images without a format, and offsets of texels.

Source: Vulkan specification, VUID-RuntimeSpirv-OpTypeImage-06269 and 06270, OpImage-06376 and 06377, OpImageSample-06435 and
06436.
"""

from __future__ import annotations

from functools import cache

from targetenv.model.requirement import NeedsCapability, NeedsLimit, Relation
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_layout import Layout
    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

_LIMITS = "VkPhysicalDeviceLimits::"
OFFSETS = {  # whether it gathers -> smallest and largest offset
    False: (_LIMITS + "minTexelOffset", _LIMITS + "maxTexelOffset"),
    True: (_LIMITS + "minTexelGatherOffset", _LIMITS + "maxTexelGatherOffset"),
}
_WITHOUT_SAMPLER, _UNKNOWN_FORMAT = 2, 0
# Access that a variable may rule out -> the capability that reading or writing an image of unknown format takes.
ACCESS = {"NonWritable": "StorageImageWriteWithoutFormat", "NonReadable": "StorageImageReadWithoutFormat"}
_AFTER = {"Bias": 1, "Lod": 1, "Grad": 2}  # operands that come before the offset's, by their bit


def images(module: Module, layout: Layout) -> Iterator[tuple[Requirement, str]]:
    """Storage images of unknown format need the capability of what they are not decorated against; offsets need their range."""
    for variable in module.variables:
        if variable.storage_class == "UniformConstant" and _is_formatless(module, module.pointee(variable)):
            decorations = module.decorations.get(variable.id, {})
            for decoration, capability in ACCESS.items():
                if decoration not in decorations:
                    yield NeedsCapability(capability), f"a storage image of unknown format that is not {decoration}"
    yield from _offsets(module, layout)


def _is_formatless(module: Module, pointee: int) -> bool:
    kind, operands = module.types.get(pointee, ("", ()))
    if kind in ("OpTypeArray", "OpTypeRuntimeArray"):
        kind, operands = module.types.get(operands[0], ("", ()))
    return kind == "OpTypeImage" and operands[5:7] == (_WITHOUT_SAMPLER, _UNKNOWN_FORMAT)


def _offsets(module: Module, layout: Layout) -> Iterator[tuple[Requirement, str]]:
    """The range of constant offsets; those that are computed cannot be told, and may be anything within the limits."""
    ranges: dict[bool, tuple[int, int]] = {}
    for name, operands in module.instructions(_sampling()):
        at = _operands_at(name)
        values = list(_constants(module, layout, operands[at:])) if len(operands) > at else []
        if values:
            gathers = "Gather" in name
            least, most = ranges.get(gathers, (0, 0))
            ranges[gathers] = min(least, *values), max(most, *values)
    for gathers, (least, most) in ranges.items():
        smallest, largest = OFFSETS[gathers]
        because = f"offsets from {least} to {most} where an image is {'gathered' if gathers else 'sampled or fetched'}"
        yield NeedsLimit(smallest, Relation.AT_MOST, least), because
        yield NeedsLimit(largest, Relation.AT_LEAST, most), because


def image_operands(module: Module) -> Iterator[str]:
    """The names of the image operands that instructions on sampled images take."""
    bits = spirv.enumerants("ImageOperands")
    used = 0
    for name, operands in module.instructions(_sampling()):
        at = _operands_at(name)
        used |= operands[at] if len(operands) > at else 0
    return (row.name for value, row in bits.items() if value & used)


@cache
def _sampling() -> tuple[str, ...]:
    """The instructions that take image operands, loads and stores excepted."""
    rows = spirv.instructions().values()
    names = (row.name for row in rows if "ImageOperands?" in row.operands or "ImageOperands" in row.operands)
    return tuple(name for name in names if "Sample" in name or "Fetch" in name or "Gather" in name)


@cache
def _operands_at(name: str) -> int:
    """Where the mask of image operands is among the words of an instruction."""
    kinds = spirv.instructions()[spirv.opcodes()[name]].operands
    return next(at for at, kind in enumerate(kinds) if kind.startswith("ImageOperands"))


def _constants(module: Module, layout: Layout, operands: tuple[int, ...]) -> Iterator[int]:
    """The numbers in the constant offsets of one instruction: a scalar, a vector, or for a gather four vectors."""
    bits = spirv.enumerant_values("ImageOperands")
    mask, at = operands[0], 1
    for name, count in _AFTER.items():
        if mask & bits[name]:
            at += count
    for name in ("ConstOffset", "Offset", "ConstOffsets", "Offsets"):
        if mask & bits[name]:
            identifier = operands[at] if len(operands) > at else 0
            yield from (_signed(value) for value in _leaves(module, layout, identifier, 2) if value is not None)
            return


def _leaves(module: Module, layout: Layout, identifier: int, depth: int) -> Iterator[int | None]:
    constant = module.constants.get(identifier)
    if constant is not None and "Composite" in constant.kind and depth:
        for part in constant.operands[:4]:
            yield from _leaves(module, layout, part, depth - 1)
    else:
        yield layout.value(identifier)


def _signed(value: int) -> int:
    """Offsets are signed numbers of 32 bits."""
    return value - (1 << 32) if value >> 31 & 1 else value
