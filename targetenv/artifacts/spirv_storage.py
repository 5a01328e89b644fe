"""Which features a module needs to keep 8- and 16-bit numbers in memory: the place decides.

Source: Vulkan specification, VUID-RuntimeSpirv-storageBuffer8BitAccess-06328 to storagePushConstant16-06333, and the features
of VK_KHR_workgroup_memory_explicit_layout. Inputs and outputs are no business of compute shaders.
"""

from __future__ import annotations

from targetenv.model.requirement import NeedsFeature
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

_STORAGE = "VkPhysicalDevice{width}BitStorageFeatures::"
BUFFER, UNIFORM, PUSH, WORKGROUP = (
    _STORAGE + "storageBuffer{width}BitAccess",
    _STORAGE + "uniformAndStorageBuffer{width}BitAccess",
    _STORAGE + "storagePushConstant{width}",
    "VkPhysicalDeviceWorkgroupMemoryExplicitLayoutFeaturesKHR::workgroupMemoryExplicitLayout{width}BitAccess",
)
_BUFFERS = ("StorageBuffer", "PhysicalStorageBuffer", "ShaderRecordBufferKHR")
_WIDTHS = {8: 1, 16: 2}
_ELEMENTS = ("OpTypeVector", "OpTypeMatrix", "OpTypeArray", "OpTypeRuntimeArray")


def storage(module: Module) -> Iterator[tuple[Requirement, str]]:
    """A feature for each place in which the module keeps 8- or 16-bit numbers."""
    narrow = _narrow(module)
    if not narrow:
        return
    places = [(one.storage_class, module.pointee(one)) for one in module.variables]
    for kind, operands in module.types.values():
        if kind == "OpTypePointer" and spirv.name_of("StorageClass", operands[0]) == "PhysicalStorageBuffer":
            places.append(("PhysicalStorageBuffer", operands[1]))
    for place, pointee in dict.fromkeys(places):
        feature = _feature(module, place, pointee)
        for width, bit in _WIDTHS.items():
            if feature is not None and narrow.get(pointee, 0) & bit:
                yield NeedsFeature(feature.format(width=width)), f"{width}-bit numbers in {place} memory"


def _feature(module: Module, place: str, pointee: int) -> str | None:
    if place in _BUFFERS:
        return BUFFER
    match place:
        case "Uniform":
            return BUFFER if "BufferBlock" in _decorations(module, pointee) else UNIFORM
        case "PushConstant":
            return PUSH
        case "Workgroup" if "Block" in _decorations(module, pointee):
            return WORKGROUP
        case _:
            return None


def _decorations(module: Module, pointee: int) -> dict[str, tuple[int, ...]]:
    """Those of the block, which may be an element of an array of descriptors."""
    kind, operands = module.types.get(pointee, ("", ()))
    if kind in ("OpTypeArray", "OpTypeRuntimeArray"):
        pointee = operands[0]
    return module.decorations.get(pointee, {})


def _narrow(module: Module) -> dict[int, int]:
    """Type -> a bit for each narrow width that it contains. A type comes after its parts, so one pass is enough."""
    found: dict[int, int] = {}
    for identifier, (kind, operands) in module.types.items():
        bits = 0
        if kind == "OpTypeInt" or (kind == "OpTypeFloat" and operands[0] == 16):  # of 8 bits there are rules for integers only
            bits = _WIDTHS.get(operands[0], 0)
        elif kind in _ELEMENTS:
            bits = found.get(operands[0], 0)
        elif kind == "OpTypeStruct":
            for member in operands:
                bits |= found.get(member, 0)
        if bits:
            found[identifier] = bits
    return found
