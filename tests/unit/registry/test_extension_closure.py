"""Extensions with what they depend on."""

from __future__ import annotations

from targetenv.model.version import Version
from targetenv.registry.extension_closure import closure


def test_dependencies_of_extensions_come_along() -> None:
    offered = {
        "VK_EXT_descriptor_buffer",
        "VK_KHR_buffer_device_address",
        "VK_KHR_synchronization2",
        "VK_EXT_descriptor_indexing",
    }
    old = closure({"VK_EXT_descriptor_buffer"}, offered, Version(1, 1))
    assert old == offered
    assert closure({"VK_EXT_descriptor_buffer"}, offered, Version(1, 3)) == {"VK_EXT_descriptor_buffer"}
