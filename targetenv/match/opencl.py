"""What SPIR-V an OpenCL device takes that does not list it: what its version guarantees, and what it says of itself.

A device that lists versions and capabilities (`Capabilities.spirv`) is judged by that list instead.
"""

from __future__ import annotations

from targetenv.match.answer import NO, UNKNOWN, YES
from targetenv.model.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from targetenv.match.answer import Answer
    from targetenv.model.capabilities import Capabilities

# OpenCL SPIR-V Environment Specification, Required Capabilities. Since OpenCL 3.0 only the first row is required.
_REQUIRED = (
    (Version(1, 2), "Addresses Float16Buffer Int64 Int16 Int8 Kernel Linkage Vector16"),
    (Version(2, 0), "DeviceEnqueue GenericPointer Groups Pipes"),
    (Version(2, 2), "SubgroupDispatch PipeStorage"),
)
_OPTIONAL_AGAIN = Version(3, 0)
#: capability -> the extension by which a device says that it has it
_BY_EXTENSION = {
    "Float64": "cl_khr_fp64",
    "Float16": "cl_khr_fp16",
    "Subgroups": "cl_khr_subgroups",
    "Int64Atomics": "cl_khr_int64_base_atomics",
}
#: capability -> the property that is true where the device has it
_BY_PROPERTY = dict.fromkeys(
    ("ImageBasic", "LiteralSampler", "Sampled1D", "Image1D", "SampledBuffer", "ImageBuffer"), "CL_DEVICE_IMAGE_SUPPORT"
)


#: OpenCL versions that require SPIR-V, and which
_IL = ((Version(2, 1), Version(1, 0)), (Version(2, 2), Version(1, 2)))


def version(needed: Version, offers: Capabilities) -> Answer:
    """Whether a module of this SPIR-V version is taken."""
    by = "opencl.il"
    if "spirv" not in offers.formats:
        return (NO if offers.complete or offers.formats else UNKNOWN), "no SPIR-V is taken", by
    required = [spirv for opencl, spirv in _IL if offers.version is not None and opencl <= offers.version < _OPTIONAL_AGAIN]
    if required and needed <= required[-1]:
        return YES, f"every OpenCL {offers.version} takes SPIR-V {required[-1]}", by
    return UNKNOWN, "takes SPIR-V, of which version is not stated", by


def capability(name: str, offers: Capabilities) -> Answer:
    """Whether this capability is usable."""
    by = "opencl.capability"
    if "spirv" not in offers.formats:
        return (NO if offers.complete or offers.formats else UNKNOWN), "no SPIR-V is taken", by
    if offers.version is not None:
        upper = Version(1, 2) if offers.version >= _OPTIONAL_AGAIN else offers.version
        for since, names in _REQUIRED:
            if since <= upper and name in names.split():
                return YES, f"every OpenCL {offers.version} offers it", by
    extension = _BY_EXTENSION.get(name)
    if extension is not None:
        if extension in offers.extensions:
            return YES, f"offered via {extension}", by
        return (NO if offers.extensions else UNKNOWN), f"{extension} is not offered", by
    property_name = _BY_PROPERTY.get(name)
    if property_name is not None:
        value = offers.property(property_name)
        if value is not None:
            return (YES if value else NO), f"{property_name} is {value}", by
    return UNKNOWN, "not stated", by


def looks_at(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The extensions and the properties of a device that the answer on a capability may depend on."""
    extension, property_name = _BY_EXTENSION.get(name), _BY_PROPERTY.get(name)
    return frozenset({extension} if extension else ()), frozenset({property_name} if property_name else ())
