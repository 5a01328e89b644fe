"""Opening devices by URI, and what a device handle gives."""

from __future__ import annotations

import pytest
from targetenv_runtime.backend import Backend
from targetenv_runtime.device import open_device
from targetenv_runtime.drivers import table
from targetenv_runtime.drivers.selector import ordinal
from targetenv_runtime.status import Code, HalError

from targetenv.model.artifact import Kernel
from tests.unit.runtime.manual import open_manual


def refused(uri: str) -> HalError:
    with pytest.raises(HalError) as caught:
        open_device(uri)
    return caught.value


@pytest.mark.parametrize(
    ("uri", "opened"), [("host://0", "host://0"), ("host://1", "host://1"), ("host", "host://0"), ("host://", "host://0")]
)
def test_an_ordinal_or_nothing_names_a_device(uri: str, opened: str) -> None:
    with open_device(uri) as device:
        assert (device.uri, device.info.uri) == (opened, opened)


def test_a_device_that_is_not_there_is_not_found_with_what_is() -> None:
    error = refused("host://7")
    assert error.status is Code.NOT_FOUND
    assert "host://0" in str(error)
    assert "host://1" in str(error)


def test_an_unknown_driver_is_not_found_with_the_nearest() -> None:
    error = refused("vulkna://0")
    assert error.status is Code.NOT_FOUND
    assert "`vulkan`" in error.diagnostics[0].help


@pytest.mark.parametrize("uri", ["", "://0", "host:/0", "/dev/null", "host 0"])
def test_what_is_no_uri_is_an_invalid_argument(uri: str) -> None:
    assert refused(uri).status is Code.INVALID_ARGUMENT


def test_a_driver_that_only_probes_cannot_be_opened() -> None:
    names = [row.name for row in table.DRIVERS.values() if not row.runs]
    for name in names:
        assert refused(f"{name}://0").status is Code.UNIMPLEMENTED


@pytest.mark.parametrize("selector", ["2", "-1", "0x1", "9" * 50, "\u0661", "GPU-", "1 "])
def test_selectors_that_name_nothing(selector: str) -> None:
    with pytest.raises(HalError) as caught:
        ordinal(selector, 2, {"GPU-1": 0})
    assert caught.value.status is Code.NOT_FOUND


def test_the_first_of_no_devices_is_not_found() -> None:
    with pytest.raises(HalError):
        ordinal("", 0)


def test_every_driver_has_a_prober_and_those_that_run_a_backend() -> None:
    for row in table.DRIVERS.values():
        assert callable(row.probe().probe)
        if row.runs:
            assert callable(row.backend().open)


def test_a_backend_must_implement_the_protocol() -> None:
    class Half(Backend):
        name = "half"

    with pytest.raises(TypeError, match="abstract"):
        Half()  # type: ignore[abstract]


def test_null_says_that_it_executes_nothing() -> None:
    with open_device("null://0") as device:
        assert device.info.name == "null: executes nothing"
        assert device.info.simulated
        buffer = device.allocate(4)
        device.load(b"anything", "any format", [Kernel("k", bindings=1)])["k"].run((1, 1, 1), [buffer])
        assert buffer.read() == bytes(4)


def test_memory_is_of_one_of_three_kinds() -> None:
    device, _ = open_manual()
    with pytest.raises(HalError) as caught:
        device.allocate(4, "fast")  # type: ignore[arg-type]
    assert caught.value.status is Code.INVALID_ARGUMENT


def test_invisible_memory_is_not_mapped_and_goes_through_the_device() -> None:
    device, backend = open_manual()
    buffer = device.allocate(4, "device")
    with pytest.raises(HalError) as caught:
        buffer.map()
    assert caught.value.status is Code.FAILED_PRECONDITION
    backend.done = [1 << 30, 1 << 30]
    buffer.write(b"abcd")
    buffer.read()
    assert [recording.levels[0][0].refs[at].buffer.memory for _, recording, _, _ in backend.submitted for at in (0, 1)] == [  # type: ignore[union-attr]
        "host",
        "device",
        "device",
        "host",
    ]


def test_slices_of_buffers_and_ranges_are_like_pythons() -> None:
    device, _ = open_manual()
    buffer = device.allocate(16)
    part = buffer[4:12][2:]
    assert (part.offset, part.length) == (6, 6)
    assert (buffer[8:99].length, buffer[-4:].offset, len(buffer)) == (8, 12, 16)
    for slice_ in (slice(None, None, 2), slice(8, 4)):
        with pytest.raises(HalError):
            buffer[slice_]


def test_buffers_of_another_open_device_are_refused() -> None:
    one, two = open_manual()[0], open_manual()[0]

    with pytest.raises(HalError) as caught:
        one.queue.copy(two.allocate(4), one.allocate(4))
    assert caught.value.status is Code.INVALID_ARGUMENT
