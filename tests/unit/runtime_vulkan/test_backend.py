"""Dispatching on a real device, every test under the validation layer with synchronization validation: not one message."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from targetenv_runtime.buffer import Slot
from targetenv_runtime.device import Device, open_device
from targetenv_runtime.drivers.vulkan.block import block
from targetenv_runtime.executable import Function
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel
from targetenv.registry import vulkan_abi as abi
from tests.unit.runtime_vulkan.kernels import ADD, EXAMPLE, WORDS, add_on, backend_of, filled, numbers, step, words

GROUP = (1, 1, 1)


# --- kernels


def test_a_dispatch_does_what_the_kernel_says(device: Device, add: Function) -> None:
    x = filled(device, numbers())
    add.run(GROUP, [x], step(5))
    assert words(x.read()) == tuple(range(5, WORDS + 5))


def test_bindings_begin_at_aligned_offsets_of_a_buffer(device: Device, add: Function) -> None:
    x = filled(device, bytes(4 * 3 * WORDS))
    add.run(GROUP, [x[4 * WORDS : 8 * WORDS]], step(1))
    assert words(x.read()) == (0,) * WORDS + (1,) * WORDS + (0,) * WORDS
    with pytest.raises(HalError) as caught:
        add.run(GROUP, [x[4:260]], step(1))
    assert caught.value.status is Code.INVALID_ARGUMENT


def test_a_bound_dispatch_runs_again_and_again(device: Device, add: Function) -> None:
    x = filled(device, bytes(4 * WORDS))
    bound = add.bind(GROUP, [x], step(2))
    for _ in range(100):
        bound.run()
    assert words(x.read()) == (200,) * WORDS


def test_kernels_that_nobody_described_are_read_from_the_module(device: Device, glslc: Callable[..., bytes]) -> None:
    add = device.load(glslc(_ADD_TWO), "spirv", [Kernel("main")])["main"]
    assert add.bindings == 2
    x, y = filled(device, numbers()), filled(device, bytes(4 * WORDS))
    add.run(GROUP, [x, y], step(7))
    assert words(y.read()) == tuple(range(7, WORDS + 7))


_ADD_TWO = """
#version 450
layout(local_size_x = 64) in;
layout(push_constant) uniform Constants { uint step; };
layout(set = 0, binding = 0, std430) readonly buffer X { uint x[]; };
layout(set = 0, binding = 1, std430) buffer Y { uint y[]; };
void main() { y[gl_GlobalInvocationID.x] = x[gl_GlobalInvocationID.x] + step; }
"""


def test_constants_of_odd_sizes_are_pushed_as_whole_words(device: Device, glslc: Callable[..., bytes]) -> None:
    kernel = Kernel("add", (64, 1, 1), 1, 3, entry_point="main")
    add = device.load(glslc(ADD), "spirv", [kernel])["add"]
    x = filled(device, bytes(4 * WORDS))
    add.run(GROUP, [x], b"\x01\x02\x03")
    assert words(x.read()) == (0x030201,) * WORDS


@pytest.mark.parametrize(("name", "target"), [("reduce", "vulkan1.0"), ("reduce_subgroup", "vulkan1.1")])
def test_the_examples_reductions_sum(device: Device, glslc: Callable[..., bytes], name: str, target: str) -> None:
    kernel = Kernel("sum", (128, 1, 1), 2, 4, entry_point="main")
    function = device.load(glslc(EXAMPLE / f"{name}.comp", target), "spirv", [kernel])["sum"]
    for count in (0, 1, 7, 128, 1000, 4099):
        x = np.random.default_rng(count).random(max(count, 1), dtype=np.float32)
        total = filled(device, b"\xff" * 4)
        function.run(GROUP, [filled(device, x.tobytes()), total], struct.pack("<I", count))
        assert np.frombuffer(total.read(), np.float32)[0] == pytest.approx(x[:count].sum(dtype=np.float64), rel=1e-6)


def test_the_examples_saxpy_covers_any_grid(device: Device, glslc: Callable[..., bytes]) -> None:
    kernel = Kernel("saxpy", (64, 1, 1), 2, 8, entry_point="main")
    function = device.load(glslc(EXAMPLE / "saxpy.comp"), "spirv", [kernel])["saxpy"]
    x = np.arange(1000, dtype=np.float32)
    for grid in (1, 3, 16, 20):
        y = filled(device, np.ones(1000, np.float32).tobytes())
        function.run((grid,), [filled(device, x.tobytes()), y], struct.pack("<fI", 2.5, 1000))
        assert np.array_equal(np.frombuffer(y.read(), np.float32), np.float32(2.5) * x + 1)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 7), (16, 256, 4), (17, 33, 65), (33, 257, 31)])
def test_the_examples_matmul_multiplies(device: Device, glslc: Callable[..., bytes], shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    kernel = Kernel("matmul", (32, 1, 1), 3, 12, entry_point="main")
    function = device.load(glslc(EXAMPLE / "matmul_f16.comp", "vulkan1.1"), "spirv", [kernel])["matmul"]
    random = np.random.default_rng(m * n * k)
    a, b = (random.standard_normal(size).astype(np.float16) for size in ((m, k), (k, n)))
    c = filled(device, b"\xff" * (4 * m * n))
    bindings = [filled(device, a.tobytes()), filled(device, b.tobytes()), c]
    function.run((-(-n // 256), -(-m // 16)), bindings, struct.pack("<3I", m, n, k))
    wanted = a.astype(np.float64) @ b.astype(np.float64)
    assert np.allclose(np.frombuffer(c.read(), np.float32).reshape(m, n), wanted, rtol=1e-5, atol=1e-5)


# --- fills, updates, copies


def test_fills_take_any_offset_length_and_pattern(device: Device) -> None:
    commands = device.command_buffer(one_shot=True)
    cases = [
        (o, n, p)
        for o in range(5)
        for n in (0, 1, 2, 3, 4, 5, 7, 8, 11, 16)
        for p in (b"\x11", b"\x12\x34", b"\xa1\xb2\xc3\xd4")
    ]
    buffers = []
    for offset, length, pattern in cases:
        buffers.append(filled(device, bytes(24)))
        commands.fill(buffers[-1][offset : offset + length], pattern)
    _execute(device, commands)
    for buffer, (offset, length, pattern) in zip(buffers, cases, strict=True):
        wanted = bytearray(24)
        wanted[offset : offset + length] = (pattern * 16)[:length]
        assert buffer.read() == wanted, (offset, length, pattern)


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 65535, 65536, 65537, 65540, 200_001])
def test_updates_take_any_offset_and_size(device: Device, length: int) -> None:
    data = bytes(np.random.default_rng(length).integers(0, 256, length, dtype=np.uint8))
    for offset in (0, 1, 4):
        buffer = filled(device, bytes(length + 8))
        commands = device.command_buffer(one_shot=True)
        commands.update(buffer[offset : offset + length], data)
        _execute(device, commands)
        assert buffer.read() == bytes(offset) + data + bytes(8 - offset)


def test_copies_take_any_offset_and_size(device: Device) -> None:
    source = filled(device, bytes(range(256)))
    commands = device.command_buffer(one_shot=True)
    cases = [(a, b, n) for a in (0, 1, 3) for b in (0, 2, 5) for n in (0, 1, 3, 4, 17, 200)]
    targets = []
    for start, offset, length in cases:
        targets.append(filled(device, bytes(256)))
        commands.copy(source[start : start + length], targets[-1][offset : offset + length])
    _execute(device, commands)
    for target, (start, offset, length) in zip(targets, cases, strict=True):
        assert target.read()[offset : offset + length] == bytes(range(256))[start : start + length]


# --- command buffers


def test_levels_are_ordered(device: Device, add: Function) -> None:
    x, y = filled(device, b"\xff" * (4 * WORDS)), filled(device, bytes(4 * WORDS))
    commands = device.command_buffer()
    commands.fill(x, b"\x00")
    commands.barrier()
    for _ in range(50):
        commands.dispatch(add, GROUP, [x], step(1))
        commands.barrier()
    commands.copy(x, y)
    commands.end()
    for _ in range(3):
        _execute(device, commands)
        assert words(y.read()) == (50,) * WORDS


def test_one_command_buffer_may_be_in_flight_many_times(device: Device, add: Function) -> None:
    x = filled(device, bytes(4 * WORDS))
    commands = device.command_buffer()
    commands.dispatch(add, GROUP, [x], step(1))
    commands.end()
    timeline = device.semaphore()
    for value in range(1, 101):
        device.queue.execute(commands, wait=[(timeline, value - 1)], signal=[(timeline, value)])
    timeline.wait(100)
    assert words(x.read()) == (100,) * WORDS
    (natives,) = commands.recording.replay.values()
    assert isinstance(natives, list)
    assert len(natives) <= 2


def test_slots_are_bound_anew_at_each_execution_and_what_is_kept_is_bounded(device: Device, add: Function) -> None:
    buffers = [filled(device, bytes(4 * WORDS)) for _ in range(80)]
    commands = device.command_buffer(slots=1)
    commands.dispatch(add, GROUP, [Slot(0)], step(3))
    commands.end()
    timeline = device.semaphore()
    for value, buffer in enumerate(buffers, 1):
        device.queue.execute(commands, [buffer], signal=[(timeline, value)])
        timeline.wait(value)
    assert all(words(buffer.read()) == (3,) * WORDS for buffer in buffers)
    assert len(commands.recording.replay) <= 32


def test_equal_bindings_share_descriptors_and_kernels_do_not_mix(device: Device, glslc: Callable[..., bytes]) -> None:
    one = add_on(device, glslc)
    two = device.load(glslc(_ADD_TWO), "spirv", [Kernel("two", (64, 1, 1), 2, 4, entry_point="main")])["two"]
    x, y = filled(device, numbers()), filled(device, bytes(4 * WORDS))
    commands = device.command_buffer()
    for _ in range(3):
        commands.dispatch(one, GROUP, [x], step(1))
        commands.barrier()
        commands.dispatch(two, GROUP, [x, y], step(1))
        commands.barrier()
    commands.end()
    _execute(device, commands)
    assert words(x.read()) == tuple(range(3, WORDS + 3))
    assert words(y.read()) == tuple(range(4, WORDS + 4))


# --- what the device is opened with


def test_the_one_needed_feature_is_enough_to_dispatch(opening: Callable[..., Device], glslc: Callable[..., bytes]) -> None:
    """Without synchronization2: vkQueueSubmit and vkCmdPipelineBarrier."""
    device = opening(features=(), extensions=())
    assert backend_of(device).enabled == (
        frozenset({"VkPhysicalDeviceTimelineSemaphoreFeatures::timelineSemaphore"}),
        frozenset(),
    )
    add = add_on(device, glslc)
    x = filled(device, bytes(4 * WORDS))
    timeline = device.semaphore()
    commands = device.command_buffer()
    for _ in range(3):
        commands.dispatch(add, GROUP, [x], step(1))
        commands.barrier()
    commands.end()
    for value in range(1, 6):
        device.queue.execute(commands, wait=[(timeline, value - 1)], signal=[(timeline, value)])
    timeline.wait(5)
    add.bind(GROUP, [x], step(1)).run()
    assert words(x.read()) == (16,) * WORDS


def test_features_and_extensions_are_enabled_exactly_as_asked(opening: Callable[..., Device]) -> None:
    wanted = "VkPhysicalDeviceShaderFloat16Int8Features::shaderFloat16"
    clock = "VK_KHR_shader_clock"
    features, extensions = backend_of(opening(features=(wanted,), extensions=(clock,))).enabled
    assert features == {wanted, "VkPhysicalDeviceTimelineSemaphoreFeatures::timelineSemaphore"}
    assert extensions == {clock}


def test_everything_for_compute_is_enabled_by_default(device: Device) -> None:
    features, _ = backend_of(device).enabled
    offered = device.info.offers.features
    assert features <= offered
    assert "VkPhysicalDeviceFeatures::robustBufferAccess" not in features
    assert {name for name in offered if "ShaderFloat16Int8" in name or "16BitStorage" in name} <= features


@pytest.mark.parametrize(
    "options",
    [
        {"features": ("VkPhysicalDeviceCooperativeMatrixFeaturesKHR::cooperativeMatrix",)},
        {"extensions": ("VK_KHR_shader_clok",)},
    ],
    ids=["feature", "extension"],
)
def test_what_is_not_offered_is_refused_by_name(device: Device, options: dict[str, Any]) -> None:
    if device.info.offers.matrices:
        pytest.skip("this device multiplies matrices")
    with pytest.raises(HalError) as caught:
        open_device("vulkan://0", extensions=options.get("extensions"), features=options.get("features"))
    assert caught.value.status is Code.FAILED_PRECONDITION
    assert next(iter(options.values()))[0] in caught.value.message


def test_devices_are_named_by_number_uuid_or_not_at_all(opening: Callable[..., Device]) -> None:
    first = opening("vulkan")
    uuid = dict(first.info.identity)["deviceUUID"]
    assert opening(f"vulkan://{uuid}").uri == first.uri == "vulkan://0"
    assert opening(f"vulkan://GPU-{uuid.replace('-', '').upper()}").uri == "vulkan://0"
    for nobody in ("vulkan://99", "vulkan://-1", "vulkan://llvmpipe"):
        with pytest.raises(HalError) as caught:
            open_device(nobody)
        assert caught.value.status is Code.NOT_FOUND


# --- what is refused before a driver sees it


LOCAL_SIZE_ID = """
OpCapability Shader
OpMemoryModel Logical GLSL450
OpEntryPoint GLCompute %main "main"
OpExecutionModeId %main LocalSizeId %eight %one %one
%uint = OpTypeInt 32 0
%eight = OpConstant %uint 8
%one = OpConstant %uint 1
%void = OpTypeVoid
%function = OpTypeFunction %void
%main = OpFunction %void None %function
%label = OpLabel
OpReturn
OpFunctionEnd
"""


def test_workgroup_sizes_by_id_need_maintenance4(opening: Callable[..., Device], assemble: Callable[[str], bytes]) -> None:
    image, kernel = assemble(LOCAL_SIZE_ID), Kernel("main", (8, 1, 1), 0, 0)
    with pytest.raises(HalError) as caught:
        opening(features=()).load(image, "spirv", [kernel])
    assert caught.value.status is Code.FAILED_PRECONDITION
    opening().load(image, "spirv", [kernel])["main"].run((1,))


def test_a_subgroup_size_that_the_device_lacks_is_refused(device: Device, glslc: Callable[..., bytes]) -> None:
    image = glslc(EXAMPLE / "reduce_subgroup32.comp", "vulkan1.1")
    offered = device.info.offers.subgroup_sizes
    kernel = Kernel("sum", (32, 1, 1), 2, 4, entry_point="main", subgroup_size=2 * max(offered))
    with pytest.raises(HalError) as caught:
        device.load(image, "spirv", [kernel])
    assert caught.value.status is Code.FAILED_PRECONDITION


def test_a_subgroup_size_that_the_device_has_is_asked_for(device: Device, glslc: Callable[..., bytes]) -> None:
    source = """
        #version 450
        #extension GL_KHR_shader_subgroup_basic : require
        layout(local_size_x = 64) in;
        layout(set = 0, binding = 0, std430) buffer X { uint x[]; };
        void main() { x[gl_GlobalInvocationID.x] = gl_SubgroupSize; }
    """
    for size in sorted(device.info.offers.subgroup_sizes):
        kernel = Kernel("ask", (64, 1, 1), 1, 0, entry_point="main", subgroup_size=size)
        x = filled(device, bytes(4 * WORDS))
        device.load(glslc(source, "vulkan1.1"), "spirv", [kernel])["ask"].run(GROUP, [x])
        assert words(x.read()) == (size,) * WORDS


def test_capabilities_that_are_not_enabled_are_refused(device: Device) -> None:
    image = (EXAMPLE / "matmul_coopmat.spv").read_bytes()
    if device.info.offers.matrices:
        pytest.skip("this device multiplies matrices")
    with pytest.raises(HalError) as caught:
        device.load(image, "spirv", [Kernel("matmul", (32, 1, 1), 3, 12, entry_point="main")])
    assert caught.value.status is Code.FAILED_PRECONDITION
    assert "CooperativeMatrixKHR" in caught.value.message


def test_damaged_images_never_reach_the_driver(device: Device, glslc: Callable[..., bytes]) -> None:
    whole = glslc(EXAMPLE / "saxpy.comp")
    swapped = b"".join(whole[at : at + 4][::-1] for at in range(0, len(whole), 4))
    damaged = [
        b"",
        b"abc",
        whole[:16],
        whole[:-1],
        whole[:-8],
        b"\x7fELF" + whole[4:],
        swapped,
        whole[:20] + bytes(8) + whole[28:],
    ]
    damaged += [whole[: 20 + 4 * words] for words in (1, 3)]
    for image in damaged:
        with pytest.raises(HalError) as caught:
            device.load(image, "spirv", [Kernel("main", (64, 1, 1), 2, 8)])
        assert caught.value.status in (Code.INVALID_ARGUMENT, Code.NOT_FOUND), image[:8]


def test_an_entry_point_that_is_not_there_is_told_with_those_that_are(device: Device, glslc: Callable[..., bytes]) -> None:
    with pytest.raises(HalError) as caught:
        device.load(glslc(EXAMPLE / "saxpy.comp"), "spirv", [Kernel("maim", (64, 1, 1), 2, 8)])
    assert caught.value.status is Code.NOT_FOUND
    assert "`main`" in str(caught.value)


def test_limits_of_a_dispatch_are_checked(device: Device, add: Function) -> None:
    x = filled(device, bytes(4 * WORDS))
    most = backend_of(device).device.plan.triple("maxComputeWorkGroupCount")[0]
    if most < 2**32 - 1:
        with pytest.raises(HalError) as caught:
            add.run((most + 1,), [x], step(1))
        assert caught.value.status is Code.OUT_OF_RANGE
    with pytest.raises(HalError) as caught:
        device.allocate(1 << 50)
    assert caught.value.status is Code.RESOURCE_EXHAUSTED


# --- memory and time


def test_small_buffers_share_allocations(device: Device) -> None:
    heap = backend_of(device)._heap
    buffers = [device.allocate(100 + number) for number in range(2000)]
    assert len(heap._chunks) <= 2
    for number, buffer in enumerate(buffers):
        buffer.write(bytes([number % 251]) * buffer.size)
    assert all(buffer.read() == bytes([number % 251]) * buffer.size for number, buffer in enumerate(buffers))
    del buffers, buffer
    assert heap._chunks == []


def test_every_kind_of_memory_serves(device: Device, add: Function) -> None:
    for memory in ("device", "host", "shared"):
        x = device.allocate(4 * WORDS, memory)
        x.write(numbers())
        add.run(GROUP, [x], step(1))
        assert words(x.read()) == tuple(range(1, WORDS + 1))


def test_an_empty_buffer_is_a_buffer(device: Device) -> None:
    assert device.allocate(0).read() == b""


def test_a_wait_ends_with_its_time_and_sleeps_meanwhile(device: Device) -> None:
    backend = backend_of(device)
    started, used = time.monotonic(), time.process_time()
    assert backend.wait(0, backend.completed(0) + 1, 0.25) is False
    assert 0.25 <= time.monotonic() - started < 2
    assert time.process_time() - used < 0.1
    assert backend.wait(0, backend.completed(0), 0.0) is True


def test_a_lost_device_stays_lost(opening: Callable[..., Device], glslc: Callable[..., bytes]) -> None:
    device = opening()
    add = add_on(device, glslc)
    x = filled(device, bytes(4 * WORDS))
    bound = add.bind(GROUP, [x], step(1))
    backend, timeline = backend_of(device), device.semaphore()
    queue = backend._queues[0]
    lost = abi.constant("VK_ERROR_DEVICE_LOST")
    queue._submission._function = lambda *_: lost
    device.queue.dispatch(add, GROUP, [x], step(1), signal=[(timeline, 1)])
    with pytest.raises(HalError) as caught:
        timeline.wait(1)
    assert caught.value.status is Code.DATA_LOSS
    assert backend.completed(0) == queue.next
    assert backend.wait(0, queue.next + 5, None) is True
    for again in (lambda: add.run(GROUP, [x], step(1)), bound.run, lambda: add.bind(GROUP, [x], step(1))):
        with pytest.raises(HalError) as caught:
            again()
        assert caught.value.status is Code.DATA_LOSS


def test_a_bound_dispatch_of_the_parent_is_refused_in_a_forked_child(device: Device, add: Function) -> None:
    bound = add.bind(GROUP, [filled(device, numbers())], step(1))
    bound.run()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            bound.run()
        except HalError as error:
            status = 0 if error.status is Code.UNAVAILABLE else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    bound.run()


def test_what_is_leaked_is_told(opening: Callable[..., Device]) -> None:
    """The silence of the other tests means something."""
    device = opening()
    backend = backend_of(device)
    backend.device.create("vkCreateBuffer", block("VkBufferCreateInfo", size=64, usage=32).buffer)
    device.close()
    assert any("VkBuffer" in message for message in backend.validation_messages)
    assert backend._messages is not None
    backend._messages.told.clear()


def _execute(device: Device, commands: object) -> None:
    from targetenv_runtime.command_buffer import CommandBuffer

    assert isinstance(commands, CommandBuffer)
    if commands._recording is None:
        commands.end()
    timeline = device.semaphore()
    device.queue.execute(commands, signal=[(timeline, 1)])
    timeline.wait(1)


def test_a_module_with_buffers_in_a_second_set_is_refused(device: Device, glslc: Callable[..., bytes]) -> None:
    """The pipeline's layout has one set; a driver would read whatever is where the other one should be."""
    image = glslc(ADD.replace("set = 0", "set = 1"))
    with pytest.raises(HalError) as caught:
        device.load(image, "spirv", [Kernel("main", (64, 1, 1), 1, 4)])
    assert caught.value.status is Code.INVALID_ARGUMENT
    assert "descriptor set 1" in caught.value.message
