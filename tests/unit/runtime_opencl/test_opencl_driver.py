"""The OpenCL driver: what it refuses, what it saves, and what every error number means."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from targetenv_runtime.device import Device, open_device
from targetenv_runtime.drivers.opencl.backend import OpenClBackend
from targetenv_runtime.drivers.opencl.binary import unwrap, wrap
from targetenv_runtime.drivers.opencl.status import ERRORS, failure
from targetenv_runtime.status import Code, HalError

from targetenv.launch.devices import in_order_of_use
from targetenv.model.artifact import Kernel
from targetenv.model.capabilities import Capabilities
from targetenv.model.device import Device as DeviceInfo

HERE = ("a device", "a platform", "1.0")
ADD = b"""
__kernel void add(__global const int *x, __local int *t, short a, __global int *y, long b) {
  t[get_local_id(0)] = x[get_global_id(0)];
  y[get_global_id(0)] = t[get_local_id(0)] + a + (int)b;
}
__attribute__((reqd_work_group_size(4, 1, 1))) __kernel void four(__global int *y) { y[get_global_id(0)] = get_local_size(0); }
struct pair { int one, two; };
__kernel void pair(__global int *y, struct pair p) { y[0] = p.one; y[1] = p.two; }
__kernel void pairs(__global int *y, struct pair p, struct pair q) { y[0] = p.one + q.two; }
"""


@pytest.fixture(params=[True, False], ids=["shared", "buffers"])
def device(request: pytest.FixtureRequest, required_drivers: frozenset[str]) -> Iterator[Device]:
    try:
        opened = open_device("opencl://0", shared=request.param)
    except HalError as error:
        if error.status is not Code.UNAVAILABLE or "opencl" in required_drivers:
            raise
        pytest.skip(f"opencl: {error.message}")
    with opened:
        yield opened


def refused(device: Device, source: bytes, kernel: Kernel, image_format: str = "opencl-c") -> HalError:
    with pytest.raises(HalError) as caught:
        device.load(source, image_format, (kernel,))
    return caught.value


def test_parameters_go_to_where_the_source_declares_them(device: Device) -> None:
    kernel = Kernel("add", (2, 1, 1), bindings=2, constants=16, local_memory=8)
    add = device.load(ADD, "opencl-c", (kernel,)).lookup("add")
    x, y = device.allocate(16), device.allocate(16)
    x.write(b"".join(value.to_bytes(4, "little") for value in (1, 2, 3, 4)))
    add.run((2,), [x, y], (100).to_bytes(8, "little") + (1000).to_bytes(8, "little"))
    assert [int.from_bytes(y.read()[at : at + 4], "little") for at in (0, 4, 8, 12)] == [1101, 1102, 1103, 1104]


def test_one_struct_takes_the_rest_of_the_constants(device: Device) -> None:
    pair = device.load(ADD, "opencl-c", (Kernel("pair", (1, 1, 1), bindings=1, constants=8),)).lookup("pair")
    y = device.allocate(8)
    pair.run((1,), [y], b"\x05\0\0\0\x06\0\0\0")
    assert y.read() == b"\x05\0\0\0\x06\0\0\0"
    assert refused(device, ADD, Kernel("pairs", bindings=1, constants=8)).status is Code.INVALID_ARGUMENT


def test_a_required_workgroup_size_is_taken_from_the_source(device: Device) -> None:
    four = device.load(ADD, "opencl-c", (Kernel("four"),)).lookup("four")
    assert (four.workgroup_size, four.bindings, four.constants) == ((4, 1, 1), 1, 0)
    assert refused(device, ADD, Kernel("four", (8, 1, 1))).status is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        (Kernel("add", bindings=3, constants=16, local_memory=8), "takes 2 bindings, and is said to take 3"),
        (Kernel("add", bindings=2, constants=12, local_memory=8), "takes 16 bytes of constants, and is said to take 12"),
        (Kernel("add", bindings=2, constants=16), "a `__local` parameter of unknown size"),
    ],
)
def test_an_interface_that_the_source_does_not_have_is_refused(device: Device, kernel: Kernel, said: str) -> None:
    error = refused(device, ADD, kernel)
    assert error.status is Code.INVALID_ARGUMENT
    assert said in error.message


def test_a_compiler_that_refuses_is_quoted(device: Device) -> None:
    error = refused(device, b"__kernel void k(__global int *x) { x[0] = nonsense; }", Kernel("k"))
    assert error.status is Code.INVALID_ARGUMENT
    assert error.native == (-11, "CL_BUILD_PROGRAM_FAILURE")
    assert "nonsense" in str(error)


def test_a_saved_binary_runs_without_the_compiler(device: Device) -> None:
    backend = device.backend
    assert isinstance(backend, OpenClBackend)
    loaded = backend.load(ADD, "opencl-c", ())
    saved = backend.binary(loaded)
    backend.unload(loaded.handle)
    four = device.load(saved, "opencl-binary", (Kernel("four"),)).lookup("four")
    y = device.allocate(16)
    four.run((1,), [y])
    assert y.read() == b"\x04\0\0\0" * 4


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", Code.INVALID_ARGUMENT),
        (b"poclbin", Code.INVALID_ARGUMENT),
        (wrap(b"code", HERE)[:-1], Code.INVALID_ARGUMENT),
        (wrap(b"code", HERE) + b"x", Code.INVALID_ARGUMENT),
        (wrap(b"code", HERE).replace(b"made_by", b"Made_by"), Code.INVALID_ARGUMENT),
        (wrap(b"code", HERE).replace(b"{", b"\xff"), Code.INVALID_ARGUMENT),
        (wrap(b"code", ("another", *HERE[1:])), Code.FAILED_PRECONDITION),
    ],
)
def test_only_a_whole_binary_of_this_device_reaches_its_driver(image: bytes, code: Code) -> None:
    with pytest.raises(HalError) as caught:
        unwrap(image, HERE)
    assert caught.value.status is code


def test_every_error_number_has_a_code_and_its_name() -> None:
    assert len({name for name, _ in ERRORS.values()}) == len(ERRORS)
    for number, (name, code) in ERRORS.items():
        error = failure("clCall", number)
        assert (error.status, error.native) == (code, (number, name))
    assert failure("clCall", -4711).status is Code.UNKNOWN


@pytest.mark.parametrize("options", [{"shared": "yes"}, {"thread": 1}])
def test_an_option_that_is_not_one_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(HalError) as caught:
        open_device("opencl://0", **options)  # type: ignore[arg-type]
    assert caught.value.status is Code.INVALID_ARGUMENT


def test_a_device_that_is_not_there_is_not_found(device: Device) -> None:
    del device
    with pytest.raises(HalError) as caught:
        open_device("opencl://99")
    assert caught.value.status is Code.NOT_FOUND


def test_opencl_comes_behind_drivers_of_the_same_hardware() -> None:
    def info(uri: str, driver: str, kind: str) -> DeviceInfo:
        return DeviceInfo(uri, "x", driver, Capabilities(driver), identity=(("deviceType", kind),))

    devices = [
        info("opencl://0", "opencl", "cpu"),
        info("cpu://0", "cpu", ""),
        info("opencl://1", "opencl", "discrete-gpu"),
        info("vulkan://0", "vulkan", "discrete-gpu"),
    ]
    assert [device.uri for device in sorted(devices, key=in_order_of_use)] == [
        "vulkan://0",
        "opencl://1",
        "cpu://0",
        "opencl://0",
    ]
