"""Which features the atomic instructions of a module need: width, place and operation decide, the capabilities do not say.

Source: Vulkan specification, VUID-RuntimeSpirv-None-06278 to 06288 and 06335 to 06339.
"""

from __future__ import annotations

from targetenv.artifacts.spirv_module import ATOMICS_WITHOUT_RESULT
from targetenv.model.requirement import NeedsFeature, NeedsUnknown
from targetenv.registry import spirv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from targetenv.artifacts.spirv_module import Module
    from targetenv.model.requirement import Requirement

INT64 = "VkPhysicalDeviceShaderAtomicInt64Features::shader{place}Int64Atomics"
IMAGE_INT64 = "VkPhysicalDeviceShaderImageAtomicInt64FeaturesEXT::shaderImageInt64Atomics"
FLOAT = "VkPhysicalDeviceShaderAtomicFloat{series}FeaturesEXT::shader{place}Float{width}Atomic{operation}"
PLACES = {
    "StorageBuffer": "Buffer",
    "Uniform": "Buffer",
    "PhysicalStorageBuffer": "Buffer",
    "Workgroup": "Shared",
    "Image": "Image",
}
WIDTHS = {"Buffer": (16, 32, 64), "Shared": (16, 32, 64), "Image": (32,)}  # of floats, for which there is a feature
_MIN_MAX = ("OpAtomicFMinEXT", "OpAtomicFMaxEXT")


def atomics(module: Module) -> Iterator[tuple[Requirement, str]]:
    """A feature for each kind of atomic on 64-bit integers or floats; those on 32-bit integers come with Vulkan."""
    results = module.result_types()
    for name, operands in module.instructions(name for name in spirv.opcodes() if name.startswith("OpAtomic")):
        pointer, value = (0, 3) if name in ATOMICS_WITHOUT_RESULT else (2, -1)
        if len(operands) <= max(pointer, value):
            continue
        kind, target = module.types.get(results.get(operands[pointer], 0), ("", ()))
        if kind not in ("OpTypePointer", "OpTypeUntypedPointerKHR"):
            continue
        storage = spirv.name_of("StorageClass", target[0])
        value_type = operands[0] if value < 0 else results.get(operands[value], 0)
        type_id = target[1] if kind == "OpTypePointer" else value_type
        kind, shape = module.types.get(type_id, ("", ()))
        if storage not in PLACES or kind not in ("OpTypeInt", "OpTypeFloat"):
            continue
        need = _integer(PLACES[storage], shape[0]) if kind == "OpTypeInt" else _float(name, PLACES[storage], shape[0])
        if need is not None:
            what = "integers" if kind == "OpTypeInt" else "floats"
            yield need, f"{name} on {shape[0]}-bit {what} in {storage} memory"


def _integer(place: str, width: int) -> Requirement | None:
    if width != 64:
        return None
    return NeedsFeature(IMAGE_INT64 if place == "Image" else INT64.format(place=place))


def _float(name: str, place: str, width: int) -> Requirement:
    if width not in WIDTHS[place]:
        return NeedsUnknown(f"which device has atomics on {width}-bit floats in {place.lower()} memory: Vulkan has no feature")
    operation = "Add" if name == "OpAtomicFAddEXT" else "MinMax" if name in _MIN_MAX else "s"
    series = "2" if width == 16 or operation == "MinMax" else ""
    return NeedsFeature(FLOAT.format(series=series, place=place, width=width, operation=operation))
