"""Small kernels and what tests do with them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from targetenv_runtime.buffer import Buffer
from targetenv_runtime.device import Device
from targetenv_runtime.drivers.vulkan.compute import VulkanBackend
from targetenv_runtime.executable import Function

from targetenv.model.artifact import Kernel

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "saxpy"
WORDS = 64

ADD = """
#version 450
layout(local_size_x = 64) in;
layout(push_constant) uniform Constants { uint step; };
layout(set = 0, binding = 0, std430) buffer X { uint x[]; };
void main() { x[gl_GlobalInvocationID.x] += step; }
"""


def backend_of(device: Device) -> VulkanBackend:
    """The Vulkan side of a device."""
    assert isinstance(device.backend, VulkanBackend)
    return device.backend


def add_on(device: Device, glslc: Callable[..., bytes]) -> Function:
    """A kernel that adds its constant to every word of its buffer."""
    return device.load(glslc(ADD), "spirv", [Kernel("add", (64, 1, 1), 1, 4, entry_point="main")])["add"]


def step(number: int) -> bytes:
    """The constants of `add`."""
    return struct.pack("<I", number)


def filled(device: Device, data: bytes) -> Buffer:
    """A buffer with these bytes."""
    buffer = device.allocate(len(data))
    buffer.write(data)
    return buffer


def numbers(count: int = WORDS) -> bytes:
    """The words 0, 1, 2 ..."""
    return struct.pack(f"<{count}I", *range(count))


def words(data: bytes | memoryview) -> Sequence[int]:
    """Bytes as words."""
    return struct.unpack(f"<{len(data) // 4}I", data)
