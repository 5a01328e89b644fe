"""`vulkaninfo --json` of 2019 to 2021, in the schema of the device simulation layer: one key for each struct.

Later ones of these add structs of extensions under their own names, with whatever suffix they had then.
"""

from __future__ import annotations

from targetenv.registry import vulkan
from targetenv.wire.vulkan_claims import Claims

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from targetenv.model.device import Device
    from targetenv.wire.complaints import Complaints

_EXTENSIONS = "ArrayOfVkExtensionProperties"
_QUEUES = "ArrayOfVkQueueFamilyProperties"
_MEMORY = "VkPhysicalDeviceMemoryProperties"


def looks_like(value: dict[str, Any]) -> bool:
    """Whether an object is such a file."""
    return "VkPhysicalDeviceProperties" in value or "VkPhysicalDeviceFeatures" in value or _EXTENSIONS in value


def read(value: dict[str, Any], *, uri: str, complaints: Complaints) -> Device:
    """The device that the file describes."""
    claims = Claims(complaints)
    for struct, members in value.items():
        if vulkan.property_members(struct) or struct.startswith("VkPhysicalDeviceProperties2"):
            claims.properties_of(struct, members)
        elif vulkan.feature_table(struct) or struct.startswith("VkPhysicalDeviceFeatures2"):
            claims.features_of(struct, members)
        elif struct.startswith("VkPhysicalDevice") and not vulkan.provided_by(struct):
            complaints.add("TE4310", struct)
    listed = claims.extensions_of(value.get(_EXTENSIONS), _EXTENSIONS)
    claims.queues_of(value.get(_QUEUES))
    claims.memory_of(value.get(_MEMORY))
    comments = value.get("comments")
    told = {"source": "vulkaninfo in the schema of the device simulation layer"}
    if isinstance(comments, dict):
        told |= {key: str(comments[key])[:200] for key in ("info", "desc") if key in comments}
    return claims.device(uri, complete=listed, provenance=told)
